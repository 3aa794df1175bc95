"""Dates as school systems write them: by pattern, as spreadsheet serials, as typed cells; out as ISO 8601."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.values.value import ArgumentError, ValueRejected, as_text, value_class
from hocba_hub.mappings.values.value_shapes import DAY_FORM, MONTH_FORM, TEXT, YEAR_FORM, Shape

EXCEL, ISO = "excel", "iso"
PATTERN_HELP = "dd/mm/yyyy · yyyy-mm-dd · mm/yyyy · yyyy · iso · excel"

_PART = re.compile(r"dd|mm|yyyy|.", re.IGNORECASE)
_DIGITS = {"dd": r"(?P<d>\d{1,2})", "mm": r"(?P<m>\d{1,2})", "yyyy": r"(?P<y>\d{4})"}
_ISO = re.compile(
    r"(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
)
_ISO_PARTS = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_YEARS = range(1900, 2101)
_LEAP_BUG = 60
"""The serial of 29 February 1900, a day that spreadsheets have and the calendar has not."""


def _pattern(text: object) -> re.Pattern[str]:
    if not isinstance(text, str):
        raise ArgumentError(PATTERN_HELP)
    if text.lower() == ISO:
        return _ISO
    parts = [part.lower() for part in _PART.findall(text)]
    letters = [part for part in parts if part in _DIGITS]
    right = sorted(letters) in (["dd", "mm", "yyyy"], ["mm", "yyyy"], ["yyyy"])
    if not right or any(part.isalnum() and part not in _DIGITS for part in parts):
        raise ArgumentError(PATTERN_HELP)
    return re.compile("".join(_DIGITS.get(part) or re.escape(part) for part in parts))


def _iso(match: re.Match[str]) -> str | None:
    groups = match.groupdict()
    year, month, day = int(groups["y"]), int(groups.get("m") or 1), int(groups.get("d") or 1)
    try:
        iso = date(year, month, day).isoformat()
    except ValueError:
        return None
    if year not in _YEARS:
        return None
    return iso if groups.get("d") else iso[:7] if groups.get("m") else iso[:4]


def from_serial(serial: float) -> str | None:
    """The date of a spreadsheet serial (1900 system), or None if there is none in 1900 to 2100."""
    days = int(serial)
    if days < 1 or days == _LEAP_BUG:
        return None
    try:
        day = date(1899, 12, 31 if days < _LEAP_BUG else 30) + timedelta(days)
    except OverflowError:
        return None
    return day.isoformat() if day.year in _YEARS else None


def date_reader(patterns: Sequence[object]) -> Callable[[object], str | None]:
    """A function that turns a value into `YYYY-MM-DD`, `YYYY-MM` or `YYYY`, by the first pattern that fits.

    Cells that a spreadsheet holds as dates need no pattern. It raises `ValueRejected` for a value that no pattern
    fits, and for a day that the calendar has not.

    Raises:
        ArgumentError: a pattern is not one.
    """
    excel = any(isinstance(p, str) and p.lower() == EXCEL for p in patterns)
    regexes = [_pattern(p) for p in patterns if not (isinstance(p, str) and p.lower() == EXCEL)]
    expected = " · ".join(str(p) for p in patterns)

    def to_iso(value: object) -> str | None:
        if isinstance(value, str):
            for regex in regexes:
                match = regex.fullmatch(value)
                if match and (iso := _iso(match)):
                    return iso
            if excel and re.fullmatch(r"\d{4,5}(\.\d+)?", value) and (iso := from_serial(float(value))):
                return iso
        elif isinstance(value, datetime):
            return value.date().isoformat()
        elif isinstance(value, date):
            return value.isoformat()
        elif isinstance(value, int | float) and not isinstance(value, bool):
            if excel and value == value and abs(value) < 1e6 and (iso := from_serial(value)):  # noqa: PLR0124, PLR2004 - not NaN, no serial
                return iso
            for regex in regexes:
                match = regex.fullmatch(as_text(value))
                if match and (iso := _iso(match)):
                    return iso
        raise ValueRejected(kinds.UNREADABLE, expected, value_class=value_class(value))

    return to_iso


def date_writer(pattern: object) -> Callable[[object], str]:
    """A function that writes an ISO date by a pattern.

    Raises:
        ArgumentError: the pattern is not one.
    """
    _pattern(pattern)
    parts = [part.lower() if part.lower() in _DIGITS else part for part in _PART.findall(str(pattern))]
    wanted = sum(part in _DIGITS for part in parts)

    def write(value: object) -> str:
        match = _ISO_PARTS.match(as_text(value))
        given = {"yyyy": match[1], "mm": match[2], "dd": match[3]} if match else {}
        if sum(1 for part in given.values() if part) < wanted:
            raise ValueRejected(kinds.UNREADABLE, "YYYY-MM-DD", value_class=value_class(value))
        return "".join(given[part] or "" if part in given else part for part in parts)

    return write


PRECISIONS = {
    "day": Shape(TEXT, 10, form=DAY_FORM),
    "month": Shape(TEXT, 7, form=MONTH_FORM),
    "year": Shape(TEXT, 4, form=YEAR_FORM),
}
"""Precision of an ISO date → what such dates look like."""
PRECISION = "day · month · year"


def precision(argument: object) -> Callable[[object], str | None]:
    """A function that lets an ISO date pass if it is just so precise (2015-09-02, 2015-09, 2015)."""
    shape = PRECISIONS.get(argument) if isinstance(argument, str) else None
    if shape is None:
        raise ArgumentError(PRECISION)
    form = re.compile(shape.form)

    def passed(value: object) -> str | None:
        text = as_text(value)
        if _ISO_PARTS.fullmatch(text) is None:
            raise ValueRejected(kinds.UNREADABLE, "2015-09-02 · 2015-09 · 2015", value_class=value_class(value))
        return text if form.search(text) else None

    return passed
