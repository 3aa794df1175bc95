"""Turn the rules for objects and lists into functions; `value_rules.py` does the single values.

Nothing that a document says is ever run as code: only our own functions are joined, see `filling.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hocba_hub.mappings import findings as kinds
from hocba_hub.mappings.conditions import holds
from hocba_hub.mappings.fields import ITSELF, Fields, Items, Object, Rule, Value
from hocba_hub.mappings.filling import Fill, Note, Part, Produce, filling, missing
from hocba_hub.mappings.paths import Scope, items, start
from hocba_hub.mappings.targets import TargetField
from hocba_hub.mappings.value_rules import ANYTHING, ValueRules, needed
from hocba_hub.mappings.values import Raw, Unfit, value_class


def _standing(output: dict[str, Raw], *, always: bool) -> dict[str, Raw] | None:
    return output if output or always else None


def is_constant(rules: Sequence[Rule]) -> bool:
    """Whether the rules read nothing of the source."""
    return all(isinstance(rule, Value) and not rule.sources and rule.expression is None for rule in rules)


class Builder(ValueRules):
    """Builds the functions of one document."""

    def fields(self, fields: Fields, target: TargetField) -> Fill:
        """The function that fills one object."""
        parts: list[Part] = []
        self._add(parts, fields, target, Part(0, ""))
        return filling(parts)

    def _add(self, parts: list[Part], fields: Fields, target: TargetField, part: Part) -> None:
        """Add an object, and those within it that read from the same place."""
        place = len(parts)
        parts.append(part)
        below = target.below()
        for name, rules in fields.items():
            here = below.get(name, ANYTHING)
            match rules[0] if len(rules) == 1 else None:
                case Object(at=None, when=None, required=False) as inner:
                    self._add(parts, inner.fields, here, Part(place, name, inner.always))
                case Value(when=None, constant=constant) if constant is not None:
                    part.constants[name] = constant
                case Value() as rule if (keys := self.keys(rule)) is not None:
                    rule, memory = needed(rule, here), self.conversion(rule, here)
                    if memory is not None:
                        part.converted.append((name, keys, memory, rule))
                    elif self.is_checked:
                        part.copied.append((name, keys, self.plain(rule), rule))
                    else:
                        part.texts.append((name, keys, self.plain(rule), rule))
                case _:
                    part.others.append((name, self._alternatives(rules, here)))

    def _alternatives(self, rules: Sequence[Rule], target: TargetField) -> Produce:
        made = [(holds(rule.when) if rule.when else None, self._rule(rule, target), rule) for rule in rules]
        last_resort = rules[0] if target.required else None
        if len(made) == 1 and made[0][0] is None and last_resort is None and not rules[0].required:
            return made[0][1]

        def first(scope: Scope, notes: list[Note]) -> Raw:
            wanted = last_resort
            for condition, produce, rule in made:
                if condition is not None and not condition(scope):
                    continue
                before = len(notes)
                value = produce(scope, notes)
                if value is not None or len(notes) > before:
                    return value
                wanted = rule if rule.required else wanted
            if wanted is not None:
                notes.append((wanted, scope, missing()))
            return None

        return first

    def _rule(self, rule: Rule, target: TargetField) -> Produce:
        match rule:
            case Value():
                return self.value(rule, target)
            case Object():
                return self._object(rule, target)
            case Items():
                return self._items(rule, target)

    def _object(self, rule: Object, target: TargetField) -> Produce:
        fill, at = self.fields(rule.fields, target), rule.at
        always = rule.always
        if at is None:
            return lambda scope, notes: _standing(fill(scope, notes), always=always)
        every = items(at)

        def inner(scope: Scope, notes: list[Note]) -> Raw:
            begin = start(scope, at.up)
            try:
                hits = every(scope)
            except Unfit as unfit:
                notes.append((rule, scope, unfit))
                return None
            if not hits:
                return _standing({}, always=always)
            steps, node = hits[0]
            if len(hits) > 1 or type(node) is not dict:
                kind = kinds.SEVERAL if len(hits) > 1 else kinds.STRUCTURE
                notes.append((rule, scope, Unfit(kind, "an object", value_class=value_class(node))))
                return None
            return _standing(fill((node, begin, steps, 1), notes), always=always)

        return inner

    def _items(self, rule: Items, target: TargetField) -> Produce:
        item = target.item or ANYTHING
        if rule.each is None:
            return self._entries(rule, item)
        fields = rule.entries[0]
        plain_item = self._alternatives(fields[ITSELF], item) if ITSELF in fields else None
        common = {name: rules for name, rules in fields.items() if is_common(rules)}
        fill_common = self.fields(common, item) if common else None
        fill = self.fields({name: rules for name, rules in fields.items() if name not in common}, item)
        every, up = items(rule.each), rule.each.up
        where = holds(rule.where) if rule.where else None
        needs_object = plain_item is None and reads_keys(fields)

        def listed(scope: Scope, notes: list[Note]) -> Raw:
            output: list[Raw] = []
            begin = scope if up == 0 else start(scope, up)
            try:
                hits = every(scope)
            except Unfit as unfit:
                notes.append((rule, scope, unfit))
                return None
            position = 0
            more = fill_common((None, begin, (), 1), notes) if fill_common is not None and hits else None
            for steps, node in hits:
                position += 1
                below: Scope = (node, begin, steps, position)
                if where is not None and not where(below):
                    continue
                if plain_item is not None:
                    value = plain_item(below, notes)
                    if value is not None:
                        output.append(value)
                elif needs_object and type(node) is not dict:
                    wrong = Unfit(kinds.STRUCTURE, "an object", value_class=value_class(node))
                    notes.append((replace(rule, each=None), below, wrong))
                else:
                    output.append(fill(below, notes, more))
            return output or None

        return listed

    def _entries(self, rule: Items, item: TargetField) -> Produce:
        made = []
        for fields in rule.entries:
            telling = frozenset(name for name, rules in fields.items() if not is_constant(rules))
            made.append((self.fields(fields, item), telling))

        def listed(scope: Scope, notes: list[Note]) -> Raw:
            filled = ((fill(scope, notes), telling) for fill, telling in made)
            return [entry for entry, telling in filled if not telling or not telling.isdisjoint(entry)] or None

        return listed


def is_common(rules: Sequence[Rule]) -> bool:
    """Whether the rules read only from the record's root, so that they give every item of a list the same."""
    rule = rules[0]
    return (
        len(rules) == 1
        and isinstance(rule, Value)
        and rule.when is None
        and bool(rule.sources)
        and all(path.up < 0 for path in rule.sources)
        and all(use.on is None for use in rule.tables)
    )


def reads_keys(fields: Fields) -> bool:
    """Whether the rules read keys of the object they stand in, so that it has to be one."""
    return any(
        isinstance(rule, Value) and any(path.keys and path.up == 0 for path in rule.sources)
        for rules in fields.values()
        for rule in rules
    )
