"""Conditions of a mapping: closed comparisons of source values, never code.

when: {capHoc: THPT}                          equal as text
when: {capHoc: [THCS, THPT], khoi: 9}         one of; and every path has to hold
when: {khoi: {at-least: 6, at-most: 9}}       numbers, also as text, also with a comma
when: {ma: {present: true}}                   there at all, not blank
when: {loai: {not: X}}                        not equal, or not one of
when: {any: [{a: 1}, {b: 2}]}                 one of several conditions
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.document.paths import TEXT, Path, PathError, Scope, parse_path, read
from hocba_hub.mappings.values.numbers import decimal_text
from hocba_hub.mappings.values.value import JsonValue, ValueRejected, as_text, clean_text
from hocba_hub.mappings.yaml_reading import Reading, pointer_to

Holds: TypeAlias = Callable[[Scope], bool]

_TESTS = ("is", "in", "not", "present", "at-least", "at-most")
_FORM = "a value, a list of values, or a test: " + " · ".join(f"{{{name}: …}}" for name in _TESTS[2:])


@dataclass(frozen=True, slots=True)
class Test:
    """What is asked of one source value."""

    path: Path
    among: frozenset[str] | None = None
    """Its text is one of these."""
    not_among: frozenset[str] | None = None
    present: bool | None = None
    least: Decimal | None = None
    most: Decimal | None = None

    @property
    def needs_value(self) -> bool:
        """Whether it cannot hold where nothing is there."""
        return self.present is True or (self.among is not None and "" not in self.among)


@dataclass(frozen=True, slots=True)
class Condition:
    """All tests hold, and of each group of alternatives at least one."""

    tests: tuple[Test, ...] = ()
    alternatives: tuple[tuple[Condition, ...], ...] = field(default=())

    def paths(self) -> Iterator[Path]:
        """Every source path that it reads."""
        for test in self.tests:
            yield test.path
        for group in self.alternatives:
            for condition in group:
                yield from condition.paths()

    def excludes(self, other: Condition) -> bool:
        """Whether the two, read at the same place, can never hold together."""
        return bool(Condition(self.tests + other.tests).impossible())

    def impossible(self) -> str:
        """Why it can never hold, or nothing."""
        wanted: dict[Path, frozenset[str]] = {}
        for test in self.tests:
            if test.least is not None and test.most is not None and test.least > test.most:
                return "at-least is greater than at-most"
            among = None if test.among is None else test.among - (test.not_among or frozenset())
            if among is not None and not wanted.setdefault(test.path, among) & among:
                return "its tests contradict each other"
        return ""


def parse_condition(reading: Reading, place: str, given: JsonValue) -> Condition | None:
    """The condition at a place of a document; None, with findings, if it is not one."""
    if not isinstance(given, dict) or not given:
        reading.report_form(place, given, "a condition, as {source path: value}")
        return None
    before = len(reading.findings)
    tests: list[Test] = []
    groups: list[tuple[Condition, ...]] = []
    for name, wanted in given.items():
        at = place + pointer_to(name)
        if name == "any":
            parts = wanted if isinstance(wanted, list) and wanted else [wanted]
            inner = [parse_condition(reading, f"{at}/{number}", part) for number, part in enumerate(parts)]
            groups.append(tuple(part for part in inner if part))
            continue
        try:
            test = _test(parse_path(name), wanted)
        except PathError as error:
            reading.report(kinds.PATH_WRONG, at, str(error))
            continue
        if test is None:
            reading.report_form(at, wanted, _FORM)
        else:
            tests.append(test)
    return None if len(reading.findings) > before else Condition(tuple(tests), tuple(groups))


def _test(path: Path, wanted: JsonValue) -> Test | None:
    if not isinstance(wanted, dict):
        among = _texts(wanted)
        return None if among is None else Test(path, among)
    if not wanted or set(wanted) - set(_TESTS):
        return None
    present = wanted.get("present")
    if present is not None and not isinstance(present, bool):
        return None
    sets: dict[str, frozenset[str] | None] = dict.fromkeys(("is", "in", "not"))
    for name in sets.keys() & wanted.keys():
        sets[name] = _texts(wanted[name])
        if sets[name] is None:
            return None
    try:
        bounds = {name: Decimal(decimal_text(wanted[name])) for name in ("at-least", "at-most") if name in wanted}
    except ValueRejected:
        return None
    among = sets["is"] if sets["in"] is None else sets["in"]
    return Test(path, among, sets["not"], present, bounds.get("at-least"), bounds.get("at-most"))


def _texts(wanted: JsonValue) -> frozenset[str] | None:
    values = wanted if isinstance(wanted, list) else [wanted]
    if not values or any(value is None or isinstance(value, dict | list) for value in values):
        return None
    return frozenset(clean_text(as_text(value)) for value in values)


def holds(condition: Condition) -> Holds:
    """The condition as a function of a scope; a value that is built otherwise than expected does not hold."""
    tests = [_holds(test) for test in condition.tests]
    groups = [[holds(part) for part in group] for group in condition.alternatives]
    if len(tests) == 1 and not groups:
        return tests[0]

    def every(scope: Scope) -> bool:
        return all(test(scope) for test in tests) and all(any(part(scope) for part in group) for group in groups)

    return every


def _holds(test: Test) -> Holds:
    value_of = read(test.path)
    among, not_among, least, most, present = test.among, test.not_among, test.least, test.most, test.present
    enough = among if (not_among, least, most, present) == (None, None, None, None) else None

    def one(scope: Scope) -> bool:
        try:
            value = value_of(scope)
        except ValueRejected:
            value = None
        if enough is not None and type(value) is str and value in enough:
            return True
        if isinstance(value, dict):
            value = value.get(TEXT, value)
        text = "" if value is None else clean_text(as_text(value))
        if present is not None and bool(text) is not present:
            return False
        if among is not None and text not in among:
            return False
        if not_among is not None and text in not_among:
            return False
        return (least is None and most is None) or _within(text, least, most)

    return one


def _within(text: str, least: Decimal | None, most: Decimal | None) -> bool:
    try:
        number = Decimal(decimal_text(text))
    except ValueRejected:
        return False
    return (least is None or least <= number) and (most is None or number <= most)
