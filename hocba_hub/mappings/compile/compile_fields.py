"""Turn the rules for objects and lists into functions; `compile_values.py` does the single values.

Nothing that a document says is ever run as code: only our own functions are joined, see `generate.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.compile.compile_values import ANYTHING, ValueRules, is_plain_constant, needed
from hocba_hub.mappings.compile.generated_fill import Fill, Keys, Note, Part, Produce, filling, items_filling, missing
from hocba_hub.mappings.document.conditions import Holds, holds
from hocba_hub.mappings.document.field_rules import ITSELF, Fields, Items, Object, Rule, Value
from hocba_hub.mappings.document.paths import POSITION, Scope, items, start
from hocba_hub.mappings.schemas.targets import TargetField
from hocba_hub.mappings.values.value import JsonValue, ValueRejected, value_class


def _standing(output: dict[str, JsonValue], *, always: bool) -> dict[str, JsonValue] | None:
    return output if output or always else None


def _demanded(produce: Produce, rule: Rule) -> Produce:
    """What a rule gives; nothing is a problem."""

    def demand(scope: Scope, notes: list[Note]) -> JsonValue:
        before = len(notes)
        value = produce(scope, notes)
        if value is None and len(notes) == before:
            notes.append((rule, scope, missing()))
        return value

    return demand


def is_constant(rules: Sequence[Rule]) -> bool:
    """Whether the rules read nothing of the source, not even to know when they count."""
    return all(
        isinstance(rule, Value) and not rule.sources and rule.expression is None and rule.when is None for rule in rules
    )


class Builder(ValueRules):
    """Builds the functions of one document."""

    def fields(self, fields: Fields, target: TargetField) -> Fill:
        """The function that fills one object."""
        return filling(self.parts(fields, target))

    def parts(self, fields: Fields, target: TargetField) -> list[Part]:
        """What an object is filled from."""
        parts: list[Part] = []
        self._add(parts, fields, target, Part(0, ""))
        return parts

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
                case Value(when=None) as rule if is_plain_constant(rule):
                    part.constants[name] = rule.constant
                case Value() as rule if (keys := self.keys(rule)) is not None:
                    rule, memory = needed(rule, here), self.conversion(rule, here)
                    if memory is not None:
                        part.converted.append((name, keys, memory, rule))
                    elif self.is_checked:
                        part.copied.append((name, keys, self.plain(rule), rule))
                    else:
                        part.texts.append((name, keys, self.plain(rule), rule))
                case _:
                    part.others.append(
                        (name, key_required_for_any_output(rules, here), self._alternatives(rules, here))
                    )

    def _alternatives(self, rules: Sequence[Rule], target: TargetField) -> Produce:
        made = [(holds(rule.when) if rule.when else None, self._rule(rule, target), rule) for rule in rules]
        last_resort = rules[0] if target.required else None
        if len(made) == 1 and made[0][0] is None:
            wanted = rules[0] if rules[0].required else last_resort
            return made[0][1] if wanted is None else _demanded(made[0][1], wanted)

        def first(scope: Scope, notes: list[Note]) -> JsonValue:
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

        def inner(scope: Scope, notes: list[Note]) -> JsonValue:
            begin = start(scope, at.up)
            try:
                hits = every(scope)
            except ValueRejected as error:
                notes.append((rule, scope, error))
                return None
            if not hits:
                return _standing({}, always=always)
            steps, node = hits[0]
            if len(hits) > 1 or type(node) is not dict:
                kind = kinds.SEVERAL if len(hits) > 1 else kinds.STRUCTURE
                notes.append((rule, scope, ValueRejected(kind, "an object", value_class=value_class(node))))
                return None
            return _standing(fill((node, begin, steps, 1), notes), always=always)

        return inner

    def _items(self, rule: Items, target: TargetField) -> Produce:
        item = target.item or ANYTHING
        if rule.each is None:
            plain = [fields[ITSELF] for fields in rule.entries if ITSELF in fields]
            return self._plain_entries(plain, item) if plain else self._entries(rule, item)
        fields, where = rule.entries[0], holds(rule.where) if rule.where else None
        if ITSELF in fields:
            return self._values(rule, self._alternatives(fields[ITSELF], item), where)
        common = {name: rules for name, rules in fields.items() if is_common(rules)}
        numbered = {name: rules[0] for name, rules in fields.items() if is_numbered(rules)}
        own = {name: rules for name, rules in fields.items() if name not in common and name not in numbered}
        fill_common = self.fields(common, item)
        number_keys = self.numbered_keys({name: one for name, one in numbered.items() if isinstance(one, Value)}, item)
        parts, each = self.parts(own, item), replace(rule, each=None)
        fill_items, fill = items_filling(parts, each), filling(parts)
        every, up = items(rule.each), rule.each.up
        keys = rule.each.keys if up == 0 and where is None and reads_keys(fields) else None
        needs_object = reads_keys(fields)

        def listed(scope: Scope, notes: list[Note]) -> JsonValue:
            begin = scope if up == 0 else start(scope, up)
            around: Scope = (None, begin, (), 1)
            if keys is not None:
                nodes = scope[0]
                for key in keys:
                    nodes = nodes.get(key) if type(nodes) is dict else None
                if type(nodes) is list:
                    more = fill_common(around, notes) if nodes else {}
                    keys_of_rows = number_keys(around, notes, len(nodes)) if nodes else ()
                    return fill_items(nodes, begin, keys, notes, more, keys_of_rows) or None
            output: list[JsonValue] = []
            try:
                hits = every(scope)
            except ValueRejected as error:
                notes.append((rule, scope, error))
                return None
            more = fill_common(around, notes) if hits else {}
            keys_of_rows = number_keys(around, notes, len(hits)) if hits else ()
            position = 0
            for steps, node in hits:
                position += 1
                below: Scope = (node, begin, steps, position)
                if where is not None and not where(below):
                    continue
                if needs_object and type(node) is not dict:
                    wrong = ValueRejected(kinds.STRUCTURE, "an object", value_class=value_class(node))
                    notes.append((each, below, wrong))
                    continue
                numbers = {name: f"{before}{position}{behind}" for name, before, behind in keys_of_rows}
                output.append({**fill(below, notes), **more, **numbers})
            return output or None

        return listed

    def _values(self, rule: Items, produce: Produce, where: Holds | None) -> Produce:
        """A list of plain values."""
        assert rule.each is not None  # noqa: S101 - the caller's
        every, up = items(rule.each), rule.each.up

        def listed(scope: Scope, notes: list[Note]) -> JsonValue:
            begin = scope if up == 0 else start(scope, up)
            try:
                hits = every(scope)
            except ValueRejected as error:
                notes.append((rule, scope, error))
                return None
            belows = ((node, begin, steps, position) for position, (steps, node) in enumerate(hits, 1))
            values = [produce(below, notes) for below in belows if where is None or where(below)]
            return [value for value in values if value is not None] or None

        return listed

    def _plain_entries(self, entries: Sequence[Sequence[Rule]], item: TargetField) -> Produce:
        """A list of plain values, each of its own place; those that are not there leave no gap."""
        made = [self._alternatives(rules, item) for rules in entries]

        def listed(scope: Scope, notes: list[Note]) -> JsonValue:
            values = (produce(scope, notes) for produce in made)
            return [value for value in values if value is not None] or None

        return listed

    def _entries(self, rule: Items, item: TargetField) -> Produce:
        made = []
        for fields in rule.entries:
            telling = frozenset(name for name, rules in fields.items() if not is_constant(rules))
            made.append((self.fields(fields, item), telling))

        def listed(scope: Scope, notes: list[Note]) -> JsonValue:
            filled = ((fill(scope, notes), telling) for fill, telling in made)
            return [entry for entry, telling in filled if not telling or not telling.isdisjoint(entry)] or None

        return listed


def key_required_for_any_output(rules: Sequence[Rule], target: TargetField) -> Keys | None:
    """Keys to a source value without which the rule gives nothing, so that it need not be asked; None if it must be.

    {each: diem, fields: …}                        → ("diem",)
    {from: a, when: {ghiChu: {present: true}}}     → ("ghiChu",)
    {from: a, required: true}                      → None: that nothing is there has to be told
    """
    rule = rules[0]
    if len(rules) > 1 or rule.required or target.required:
        return None
    paths = [test.path for test in rule.when.tests if test.needs_value] if rule.when else []
    match rule:
        case Object(at=at, always=False) if at is not None:
            paths.append(at)
        case Items(each=each) if each is not None:
            paths.append(each)
    return next((path.keys for path in paths if path.up == 0 and path.keys), None)


def is_numbered(rules: Sequence[Rule]) -> bool:
    """Whether the rules make a key of a row: the item's number joined to what they read from the record's root.

    {from: [/maHocBa, .position], join: "-"}       → HB-7-1, HB-7-2, … : only the number differs between items
    """
    rule = rules[0]
    if (
        len(rules) > 1
        or not isinstance(rule, Value)
        or rule.gather is None
        or rule.gather.name != "join"
        or rule.when is not None
    ):
        return False
    numbers = [path for path in rule.sources if path.special == POSITION and path.up == 0]
    plain = not (rule.apply or rule.tables)
    return plain and len(numbers) == 1 and all(path in numbers or path.up < 0 for path in rule.sources)


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
