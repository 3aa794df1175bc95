"""One value on its way through a rule: made plain, transformed, looked up, fitted to the target."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.document.field_rules import Applied, TableUse, Value
from hocba_hub.mappings.document.paths import TEXT as TEXT_KEY
from hocba_hub.mappings.document.paths import Scope, read
from hocba_hub.mappings.schemas.targets import TargetField
from hocba_hub.mappings.tables.code_table import Outcome, View
from hocba_hub.mappings.values.cells import CELL_FAULTS
from hocba_hub.mappings.values.dates import date_reader
from hocba_hub.mappings.values.value import (
    Change,
    JsonValue,
    ValueRejected,
    as_text,
    clean_text,
    value_class,
)
from hocba_hub.mappings.values.value_shapes import BOOLEAN, NUMBER, TEXT, WHOLE

_TYPES: Mapping[str, tuple[type, ...]] = {TEXT: (str,), WHOLE: (int,), NUMBER: (int, float), BOOLEAN: (bool,)}
_SHORT, _CODE = 10, 64
"""Longest text that is remembered: of marks, letters and days; of codes that a table knows. Never a personal number."""
_MOST_REMEMBERED = 2048
_UNKNOWN = object()
_any_day = date_reader(["iso", "dd/mm/yyyy"])


def plain(*, dates: bool = False, cells: bool = False) -> Change:
    """The function that makes a source value plain: one value, clean text, blank text nothing.

    A cell that holds a date becomes ISO text, unless the rule wants `dates` as they are. Of spreadsheet `cells`, those
    that show an error do not fit.
    """

    def plain_value(value: JsonValue) -> JsonValue:
        if type(value) is str:
            value = clean_text(value)
            if cells and value in CELL_FAULTS:
                raise ValueRejected(CELL_FAULTS[value], "")
            return value or None
        if type(value) is int or type(value) is float:
            return value
        if isinstance(value, list):
            if len(value) > 1:
                raise ValueRejected(kinds.SEVERAL, "", value_class=value_class(value))
            return plain_value(value[0]) if value else None
        if isinstance(value, dict):
            if TEXT_KEY in value:
                return plain_value(value[TEXT_KEY])
            if any(not key.startswith("@") for key in value):
                raise ValueRejected(kinds.STRUCTURE, "a single value", value_class=value_class(value))
            return None
        return as_text(value) if isinstance(value, date) and not dates else value

    return plain_value


def gathered(gather: Applied, one: Change) -> Callable[[Sequence[JsonValue]], JsonValue]:
    """A function that makes one value of those that are there, each made plain; lists count item by item."""
    change = gather.change

    def together(values: Sequence[JsonValue]) -> JsonValue:
        flat = [part for value in values for part in (value if isinstance(value, list) else [value])]
        return change([part for part in map(one, flat) if part is not None])

    return together


def chain(changes: Sequence[Change]) -> Change:
    """The changes one after the other; nothing stays nothing."""
    if len(changes) == 1:
        return changes[0]

    def through(value: JsonValue) -> JsonValue:
        for change in changes:
            if value is None:
                return None
            value = change(value)
        return value

    return through


def look_up(use: TableUse, view: View) -> Change:
    """The function that translates a code, on the rule's fixed day or on all days alike."""
    fixed = use.on if isinstance(use.on, date) else None
    settled = view.settled

    def translate(value: JsonValue) -> str | None:
        text = value if type(value) is str else as_text(value)
        known = settled.get(text)
        return known if known is not None else answer(use, view, text, fixed)

    return translate


def answer(use: TableUse, view: View, text: str, on: date | None) -> str | None:
    """What the code becomes on a day; raises `ValueRejected` for every answer but one."""
    found = view.find(text, on)
    expected = " · ".join(found.candidates)
    if found.outcome is Outcome.FOUND:
        return found.value
    if found.outcome is Outcome.AMBIGUOUS:
        raise ValueRejected(kinds.CODE_AMBIGUOUS, expected, table=use.name)
    if use.otherwise == "empty":
        return None
    unmapped = (use.name, text) if len(text) <= _CODE else None
    if use.otherwise == "keep":
        raise ValueRejected(kinds.CODE_KEPT, "", kept=text, unmapped=unmapped, table=use.name)
    kind = kinds.CODE_UNKNOWN if found.outcome is Outcome.UNKNOWN else kinds.CODE_OUT_OF_VALIDITY
    raise ValueRejected(kind, expected, unmapped=unmapped, table=use.name)


def day_of(use: TableUse) -> Callable[[Scope], date | None] | None:
    """A function that reads the day of a look-up from the source, if the rule says so."""
    if use.on is None or isinstance(use.on, date):
        return None
    value_of, one = read(use.on), plain()

    def day(scope: Scope) -> date | None:
        try:
            iso = _any_day(one(value_of(scope)))
        except ValueRejected:
            return None
        return date.fromisoformat(iso) if iso else None

    return day


def fit(target: TargetField, *, forms: bool = False) -> Change | None:
    """The function that lets a value pass if the target can hold it; None if the target holds anything.

    With `forms`, a text must also have the form that the target wants.
    """
    types = _TYPES.get(target.type)
    matches = re.compile(target.pattern).search if forms and target.pattern else None
    if types is None and target.longest is None and target.allowed is None and matches is None:
        return None
    longest, shortest, allowed = target.longest, target.shortest, target.allowed
    least, most = target.least, target.most
    within = " · ".join(f"{sign} {end:g}" for sign, end in (("≥", least), ("≤", most)) if end is not None)

    def fitting(value: JsonValue) -> JsonValue:
        if types is not None and (not isinstance(value, types) or (type(value) is bool and bool not in types)):
            raise ValueRejected(kinds.WRONG_TYPE, target.type, value_class=value_class(value))
        if allowed is not None and value not in allowed:
            raise ValueRejected(
                kinds.NOT_ALLOWED, " · ".join(sorted(map(as_text, allowed))), value_class=value_class(value)
            )
        if type(value) is str:
            if longest is not None and len(value) > longest:
                raise ValueRejected(kinds.TOO_LONG, str(longest), value_class=value_class(value))
            if matches is not None and not matches(value):
                raise ValueRejected(kinds.WRONG_FORM, target.pattern, value_class=value_class(value))
            if shortest is not None and len(value) < shortest:
                raise ValueRejected(kinds.OUT_OF_RANGE, f"≥ {shortest}", value_class=value_class(value))
        elif isinstance(value, int | float) and (
            (least is not None and value < least) or (most is not None and value > most)
        ):
            raise ValueRejected(kinds.OUT_OF_RANGE, within, value_class=value_class(value))
        return value

    return fitting


class Memory(dict[JsonValue, JsonValue]):
    """A conversion that is looked up like a dict, and remembers short texts: marks, levels and codes come again.

    Its keys are texts alone, so that 1, 1.0 and true, which Python holds for one key, are never taken for each other.
    Texts that may be about people are too long to be remembered.
    """

    __slots__ = ("_cells", "_change", "_longest", "_numbers", "_plain")

    def __init__(self, make_plain: Change, change: Change, rule: Value, *, cells: bool = False) -> None:
        super().__init__()
        self._plain = make_plain
        self._change = change
        self._cells = cells
        self._longest = _CODE if rule.tables else _SHORT
        self._numbers: dict[type, dict[JsonValue, JsonValue]] = {float: {}, int: {}}

    def __missing__(self, value: JsonValue) -> JsonValue:
        if type(value) is not str:
            return self._change(value) if type(value) is bytes else self._number(value)
        text = self._plain(value) if self._cells else clean_text(value)
        if not text:
            return None
        result = self._change(text)
        if result == "":
            result = None
        if len(value) <= self._longest and len(self) < _MOST_REMEMBERED:
            self[value] = result
        return result

    def _number(self, value: JsonValue) -> JsonValue:
        memory = self._numbers.get(type(value), {})
        result = memory.get(value, _UNKNOWN)
        if result is _UNKNOWN:
            text = self._plain(value)
            result = None if text is None else self._change(text)
            if len(memory) < _MOST_REMEMBERED:
                memory[value] = result
        return result

    def convert(self, value: JsonValue) -> JsonValue:
        """What any value becomes, an object or a list among them; raises `ValueRejected`."""
        if type(value) is bytes:
            return self._change(value)
        if not isinstance(value, dict | list):
            return self[value]
        single = self._plain(value)
        return None if single is None else self[single]
