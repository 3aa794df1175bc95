"""Transforms of text: padding, replacing, splitting, the parts of a Vietnamese name, school years.

Each builder takes the argument that a mapping gives and returns the function, or raises `ArgumentError`.
"""

from __future__ import annotations

import re

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.values.value import (
    ArgumentError,
    Change,
    JsonValue,
    ValueRejected,
    as_text,
    clean_text,
    value_class,
)


def listed(argument: JsonValue, expected: str) -> list[JsonValue]:
    """The argument as a list of at least one value."""
    if isinstance(argument, list) and argument:
        return argument
    if argument in (None, "", []) or isinstance(argument, dict):
        raise ArgumentError(expected)
    return [argument]


def whole_number(argument: JsonValue, expected: str, least: int, most: int) -> int:
    """The argument, if it is a whole number within these bounds."""
    if isinstance(argument, bool) or not isinstance(argument, int) or not least <= argument <= most:
        raise ArgumentError(expected)
    return argument


PAD = "12 · {width: 12, with: '0'} (1 … 100)"


def pad_argument(argument: JsonValue) -> tuple[int, str]:
    """Width and fill of a padding."""
    if isinstance(argument, dict) and set(argument) <= {"width", "with"}:
        width, fill = argument.get("width"), as_text(argument.get("with", "0"))
    else:
        width, fill = argument, "0"
    if len(fill) != 1:
        raise ArgumentError(PAD)
    return whole_number(width, PAD, 1, 100), fill


def pad(argument: JsonValue) -> Change:
    """Fills up from the left."""
    width, fill = pad_argument(argument)
    return lambda value: (value if type(value) is str else as_text(value)).rjust(width, fill)


REPLACE = "{from: ',', to: '.'}"


def joining(argument: JsonValue) -> Change:
    """Joins texts; of none, nothing."""
    if not isinstance(argument, str):
        raise ArgumentError("a text")
    return lambda values: argument.join(map(as_text, values)) or None


def replacing(argument: JsonValue) -> Change:
    """Replaces a text by another."""
    if not isinstance(argument, dict) or set(argument) != {"from", "to"} or argument["from"] in (None, ""):
        raise ArgumentError(REPLACE)
    old, new = as_text(argument["from"]), "" if argument["to"] is None else as_text(argument["to"])
    return lambda value: as_text(value).replace(old, new)


SPLIT = "{at: '-', part: 1} · {at: '-', part: -1} · {at: ';', into: [hk1, hk2, cn], part: cn}"


def splitting(argument: JsonValue) -> Change:
    """One part of a text that a separator divides; nothing where there is no such part.

    With `into` the parts have names, and the text has to have so many: one more or less is not cut silently.
    """
    if isinstance(argument, dict) and set(argument) == {"at", "into", "part"}:
        return _named_part(argument)
    if not isinstance(argument, dict) or set(argument) != {"at", "part"} or not as_text(argument["at"] or ""):
        raise ArgumentError(SPLIT)
    separator, part = as_text(argument["at"]), whole_number(argument["part"], SPLIT, -100, 100)
    if part == 0:
        raise ArgumentError(SPLIT)

    def split(value: JsonValue) -> str | None:
        parts = as_text(value).split(separator)
        at = part - 1 if part > 0 else part
        return clean_text(parts[at]) or None if -len(parts) <= at < len(parts) else None

    return split


def _named_part(argument: dict[str, JsonValue]) -> Change:
    separator, into = as_text(argument["at"] or ""), argument["into"]
    names = [as_text(name) for name in into] if isinstance(into, list) else []
    part = as_text(argument["part"])
    if not separator or len(set(names)) != len(names) or part not in names:
        raise ArgumentError(SPLIT)
    at, expected = names.index(part), separator.join(names)

    def split(value: JsonValue) -> str | None:
        parts = as_text(value).split(separator)
        if len(parts) != len(names):
            raise ValueRejected(kinds.UNREADABLE, expected, value_class=value_class(value))
        return clean_text(parts[at]) or None

    return split


NAME_PART = "family · middle · given"


def name_part(argument: JsonValue) -> Change:
    """Họ, chữ đệm, tên: the first word is the family name, the last the given name."""
    if argument not in ("family", "middle", "given"):
        raise ArgumentError(NAME_PART)

    def part(value: JsonValue) -> str | None:
        words = as_text(value).split()
        if argument == "family":
            return words[0] if len(words) > 1 else None
        return " ".join(words[1:-1] if argument == "middle" else words[-1:]) or None

    return part


EMPTY = "'-' · ['-', '/']"


def emptying(argument: JsonValue) -> Change:
    """Turns some texts into nothing."""
    nothing = {as_text(text) for text in listed(argument, EMPTY)}
    return lambda value: None if as_text(value) in nothing else value


_SCHOOL_YEAR = re.compile(r"(\d{4})(?:\s*[-–/]\s*(\d{4}|\d{2}))?")


def school_year(value: str) -> str:
    """A school year as 2025-2026."""
    match = _SCHOOL_YEAR.fullmatch(value)
    if match:
        first = int(match[1])
        if match[2] is None or int(match[2]) in (first + 1, (first + 1) % 100):
            return f"{first}-{first + 1}"
    raise ValueRejected(kinds.UNREADABLE, "2025-2026 · 2025 - 2026 · 2025/26 · 2025", value_class=value_class(value))


def leading_number(value: str) -> int:
    """The first number of a text."""
    match = re.match(r"\D{0,10}?(\d{1,9})", value)
    if match is None:
        raise ValueRejected(kinds.UNREADABLE, "6A1", value_class=value_class(value))
    return int(match[1])


def affix(argument: JsonValue) -> str:
    """The argument as a text that is not empty."""
    if argument in (None, "") or isinstance(argument, dict | list):
        raise ArgumentError("a text")
    return as_text(argument)


def prefix(argument: JsonValue) -> Change:
    """Puts a text before."""
    before = affix(argument)
    return lambda value: before + as_text(value)


def suffix(argument: JsonValue) -> Change:
    """Puts a text behind."""
    behind = affix(argument)
    return lambda value: as_text(value) + behind
