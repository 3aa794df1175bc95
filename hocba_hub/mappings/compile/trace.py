"""Where each field of an output came from: worked out afterwards, for the few records that need it.

A finding about a canonical field can then be shown at the vendor's own place: his JSON key, XML element or cell.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping

from hocba_hub.mappings.compile.compile_fields import Builder, is_constant, reads_keys
from hocba_hub.mappings.compile.compile_values import ANYTHING
from hocba_hub.mappings.compile.compiled_mapping import source_steps
from hocba_hub.mappings.compile.generated_fill import Produce
from hocba_hub.mappings.document.conditions import holds
from hocba_hub.mappings.document.document import Document
from hocba_hub.mappings.document.field_rules import ITSELF, Fields, Items, Object, Rule, Value
from hocba_hub.mappings.document.paths import Path, Scope, items, start
from hocba_hub.mappings.records.record import Record, root_scope
from hocba_hub.mappings.tables.code_table import Table
from hocba_hub.mappings.values.value import ValueRejected
from hocba_hub.mappings.yaml_reading import pointer_to


class _Everything(Container[str]):
    """All fields are wanted."""

    def __contains__(self, _: object) -> bool:
        return True


EVERYTHING = _Everything()


class Tracer:
    """Follows the rules of one document through a record."""

    def __init__(self, document: Document, tables: Mapping[str, Table]) -> None:
        self._document = document
        self._builder = Builder(document, tables)
        self._made: dict[str, Produce] = {}

    def places(self, record: Record, pointers: Iterable[str]) -> dict[str, str]:
        """Source place by JSON Pointer into the output: of these, of what they lie in, and of nothing else.

        A pointer may lead to a field that a rule has but the output lacks; one that no rule has is left out.
        """
        wanted = {
            "/".join(steps[:end]) for steps in (p.split("/") for p in pointers) for end in range(2, len(steps) + 1)
        }
        found = self.walk(record, wanted)
        return {at: record.place(source_steps(rule, scope)) for at, rule, scope in found if at in wanted}

    def walk(self, record: Record, wanted: Container[str] = EVERYTHING) -> Iterator[tuple[str, Rule, Scope]]:
        """Each wanted field with the rule that is about it, and the scope that it reads in.

        What a field lies in has to be wanted, too; single texts of a list come in any case. A card has 300 fields, and
        a finding is about one of them.
        """
        if type(record.node) is dict:
            yield from self._fields(self._document.fields, root_scope(record), "", wanted)

    def _fields(
        self, fields: Fields, scope: Scope, above: str, wanted: Container[str]
    ) -> Iterator[tuple[str, Rule, Scope]]:
        if above and above not in wanted:
            return
        for name, rules in fields.items():
            pointer = above + pointer_to(name)
            if name == ITSELF or pointer not in wanted:
                continue
            rule = self._chosen(rules, scope)
            yield pointer, rule, scope
            if isinstance(rule, Object):
                inner = scope if rule.at is None else next(self._scopes(rule.at, scope), None)
                if inner is not None:
                    yield from self._fields(rule.fields, inner, pointer, wanted)
            elif isinstance(rule, Items):
                yield from self._items(rule, scope, pointer, wanted)

    def _items(
        self, rule: Items, scope: Scope, pointer: str, wanted: Container[str]
    ) -> Iterator[tuple[str, Rule, Scope]]:
        count = 0
        if rule.each is None:
            for fields in rule.entries:
                if ITSELF in fields:
                    chosen = self._chosen(fields[ITSELF], scope)
                    if self.gives(chosen, scope):
                        yield f"{pointer}/{count}", chosen, scope
                        count += 1
                    continue
                telling = [rules for rules in fields.values() if not is_constant(rules)]
                if not telling or any(self.gives(one, scope) for rules in telling for one in rules):
                    yield from self._fields(fields, scope, f"{pointer}/{count}", wanted)
                    count += 1
            return
        fields = rule.entries[0]
        where = holds(rule.where) if rule.where else None
        for inner in self._scopes(rule.each, scope):
            if where is not None and not where(inner):
                continue
            if ITSELF not in fields and reads_keys(fields) and type(inner[0]) is not dict:
                continue
            if ITSELF in fields:
                chosen = self._chosen(fields[ITSELF], inner)
                if not self.gives(chosen, inner):
                    continue
                yield f"{pointer}/{count}", chosen, inner
            else:
                yield from self._fields(fields, inner, f"{pointer}/{count}", wanted)
            count += 1

    def _scopes(self, path: Path, scope: Scope) -> Iterator[Scope]:
        begin = start(scope, path.up)
        try:
            hits = items(path)(scope)
        except ValueRejected:
            return
        for position, (steps, node) in enumerate(hits, 1):
            yield node, begin, steps, position

    def _chosen(self, rules: tuple[Rule, ...], scope: Scope) -> Rule:
        if len(rules) == 1:
            return rules[0]
        held = [rule for rule in rules if rule.when is None or holds(rule.when)(scope)]
        return next((rule for rule in held if self.gives(rule, scope)), held[0] if held else rules[0])

    def gives(self, rule: Rule, scope: Scope) -> bool:
        """Whether the rule gives a value here."""
        if not isinstance(rule, Value):
            return True
        made = self._made.get(rule.place)
        if made is None:
            made = self._made.setdefault(rule.place, self._builder.value(rule, ANYTHING))
        return made(scope, []) is not None
