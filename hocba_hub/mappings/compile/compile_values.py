"""Turn the rules for single values into functions: read, made plain, transformed, looked up, fitted to the target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.compile.conversion import Memory, answer, chain, day_of, fit, gathered, look_up, plain
from hocba_hub.mappings.compile.expressions import ExpressionError, compile_expression
from hocba_hub.mappings.compile.generated_fill import Note, NumberedKey, Produce
from hocba_hub.mappings.document.document import ROWS, Document
from hocba_hub.mappings.document.field_rules import Rule, TableUse, Value
from hocba_hub.mappings.document.paths import Scope, read
from hocba_hub.mappings.schemas.targets import TargetField
from hocba_hub.mappings.tables.code_table import Table, TableError, View
from hocba_hub.mappings.values.value import Change, JsonValue, ValueRejected, as_text
from hocba_hub.mappings.yaml_reading import Reading
from hocba_hub.model.findings import FindingKind

_NUMBER = "\x00"
"""Stands for an item's number; no text of a source holds it."""

ANYTHING = TargetField(open=True)
"""A target that holds whatever comes."""


def needed(rule: Value, target: TargetField) -> Value:
    """The rule, required if its target is."""
    return replace(rule, required=True) if target.required and not rule.required else rule


def is_plain_constant(rule: Value) -> bool:
    """Whether the rule always gives its constant, as it is written."""
    return rule.constant is not None and not rule.apply and not rule.tables


class ValueRules:
    """Builds the functions of value rules; what stands against the document is in `reading.findings`."""

    def __init__(self, document: Document, tables: Mapping[str, Table]) -> None:
        self.document = document
        self.reading = Reading(lines=dict(document.lines))
        self.tables = {**tables, **document.tables}
        cells = document.source.format == ROWS
        self.is_checked = bool(document.source.schema)
        self._plain = {dates: plain(dates=dates, cells=cells) for dates in (True, False)}

    def plain(self, rule: Value) -> Change:
        """The function that makes what a rule reads plain."""
        return self._plain[bool(rule.apply) and rule.apply[0].name == "date"]

    def keys(self, rule: Value) -> tuple[str, ...] | None:
        """The keys of its object by which a rule reads its one value; None for any other rule."""
        if len(rule.sources) != 1 or rule.gather is not None or rule.when is not None or rule.sources[0].up:
            return None
        return None if any(day_of(use) for use in rule.tables) else rule.sources[0].keys

    def conversion(self, rule: Value, target: TargetField) -> Memory | None:
        """What a value goes through; None if it only has to be made plain."""
        changes = [applied.change for applied in rule.apply]
        changes += [look_up(use, view) for use, view in self._views(rule)]
        fitting = fit(target, forms=self.is_checked)
        if fitting is not None:
            changes.append(fitting)
        cells = self.document.source.format == ROWS
        return Memory(self.plain(rule), chain(changes), rule, cells=cells) if changes or cells else None

    def _views(self, rule: Value) -> list[tuple[TableUse, View]]:
        views = []
        for use in rule.tables:
            table = self.tables.get(use.name)
            if table is None:
                self._report(kinds.TABLE_UNKNOWN, rule, ", ".join(sorted(self.tables)), given=use.name)
                continue
            try:
                views.append((use, table.view(use.source, use.target, use.where)))
            except TableError as error:
                self._report(kinds.COLUMN_UNKNOWN, rule, ", ".join(table.columns), given=str(error), table=use.name)
        return views

    def _report(self, kind: FindingKind, rule: Rule, expected: str, **facts: str) -> None:
        self.reading.report(kind, rule.place, expected, **facts)

    def value(self, rule: Value, target: TargetField) -> Produce:
        """The function of any value rule; its condition is the caller's."""
        if is_plain_constant(rule):
            constant = rule.constant
            return lambda _scope, _notes: constant
        days = [day for use in rule.tables if (day := day_of(use))]
        gather = self._gather(rule)
        convert = self._dated(rule, target) if days else self._undated(rule, target)

        def value_of(scope: Scope, notes: list[Note]) -> JsonValue:
            try:
                value = gather(scope)
                if value is not None:
                    value = convert(value, scope)
            except ValueRejected as error:
                notes.append((rule, scope, error))
                return error.kept
            return rule.default if value is None else value

        return value_of

    def _gather(self, rule: Value) -> Callable[[Scope], JsonValue]:
        if rule.constant is not None:
            constant = rule.constant
            return lambda _: constant
        if rule.expression is not None:
            return self._expression(rule)
        readers, one = [read(path) for path in rule.sources], self.plain(rule)
        if rule.gather is not None:
            change = gathered(rule.gather, one)
            return lambda scope: change([reader(scope) for reader in readers])
        return readers[0]

    def numbered_keys(
        self, rules: Mapping[str, Value], target: TargetField
    ) -> Callable[[Scope, list[Note], int], list[NumberedKey]]:
        """For rules that `is_numbered`: what they put before and behind the number, the same for every item.

        {from: [/maHocBa, .position], join: "-"}   → NumberedKey(name, "HB-7-", "")
        """
        below = target.below() or target.children
        made = [
            (
                name,
                rule,
                [None if path.special else read(path) for path in rule.sources],
                gathered(rule.gather, self.plain(rule)),
                fit(below.get(name, ANYTHING), forms=self.is_checked),
            )
            for name, rule in rules.items()
            if rule.gather is not None
        ]

        def frames(scope: Scope, notes: list[Note], count: int) -> list[NumberedKey]:
            found = []
            for name, rule, readers, join, fitting in made:
                try:
                    text = join([_NUMBER if reader is None else reader(scope) for reader in readers]) or ""
                    before, _, behind = text.rpartition(_NUMBER)
                    if fitting is not None:
                        fitting(f"{before}{count}{behind}")
                except ValueRejected as error:
                    notes.append((rule, scope, error))
                    continue
                found.append(NumberedKey(name, before, behind))
            return found

        return frames

    def _expression(self, rule: Value) -> Callable[[Scope], JsonValue]:
        try:
            evaluate = compile_expression(rule.expression or "")
        except ExpressionError as error:
            self._report(kinds.EXPRESSION_WRONG, rule, str(error))
            return lambda _: None

        return lambda scope: evaluate(scope[0])

    def _dated(self, rule: Value, target: TargetField) -> Callable[[JsonValue, Scope], JsonValue]:
        """A conversion with look-ups on a day that the source gives."""
        before = chain([self.plain(rule), *(applied.change for applied in rule.apply)])
        views = [(use, view, day_of(use)) for use, view in self._views(rule)]
        fitting = fit(target, forms=self.is_checked)

        def convert(value: JsonValue, scope: Scope) -> JsonValue:
            value = before(value)
            for use, view, day in views:
                if value is None:
                    return None
                on = use.on if isinstance(use.on, date) else day(scope) if day else None
                value = answer(use, view, as_text(value), on)
            return value if value is None or fitting is None else fitting(value)

        return convert

    def _undated(self, rule: Value, target: TargetField) -> Callable[[JsonValue, Scope], JsonValue]:
        memory = self.conversion(rule, target)
        convert = self.plain(rule) if memory is None else memory.convert
        return lambda value, _: convert(value)
