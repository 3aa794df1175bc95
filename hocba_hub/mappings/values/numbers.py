"""Numbers as school systems write them: decimal commas, marks, levels, yes and no. Exact: no binary rounding."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.values.value import ValueRejected, as_text, value_class

_DECIMAL = re.compile(r"(-?)0*(\d{1,15})(?:[.,](\d{1,15}))?")
_LONGEST = 40
LETTERS = {"1": "T", "2": "K", "3": "Đ", "4": "CĐ"}
"""Levels of learning and training: digits in the result tables, letters on the cards (NDC dictionary)."""
DIGITS = {letter: digit for digit, letter in LETTERS.items()}
YES = ("1", "true", "x", "có", "yes", "y")
NO = ("0", "false", "không", "no", "n")


@lru_cache(maxsize=4096)
def _plain(text: str) -> str | None:
    match = _DECIMAL.fullmatch(text)
    if match is None:
        return None
    fraction = (match[3] or "").rstrip("0")
    plain = match[2] + ("." + fraction if fraction else "")
    return plain if plain.strip("0.") == "" else match[1] + plain


def decimal_text(value: object) -> str:
    """The number as shortest exact text with a point: `8,50` → `8.5`, 10.0 → `10`.

    A thousands separator is never guessed: `1.234,5` is not a number here.
    """
    text = as_text(value)
    plain = None if isinstance(value, bool) or len(text) > _LONGEST else _plain(text)
    if plain is None:
        raise ValueRejected(kinds.UNREADABLE, "8,5 · 8.5 · 8", value_class=value_class(value))
    return plain


def number(value: object) -> int | float:
    """The number as JSON has it: whole numbers without a fraction."""
    plain = decimal_text(value)
    return float(plain) if "." in plain else int(plain)


def integer(value: object) -> int:
    """The whole number; a fraction of zeros is allowed (`7.0`, as spreadsheets write it)."""
    try:
        plain = decimal_text(value)
    except ValueRejected:
        plain = "."
    if "." in plain:
        raise ValueRejected(kinds.UNREADABLE, "7", value_class=value_class(value))
    return int(plain)


def total(values: Sequence[object]) -> int | float | None:
    """The sum of the numbers; of none, nothing. Exact, as they are written."""
    whole = sum((Decimal(decimal_text(value)) for value in values), Decimal(0))
    return number(format(whole, "f")) if values else None


def decimals(places: int) -> Callable[[object], str]:
    """A function that writes `decimal_text` with at least so many decimal places: 8 → `8.0`. It never rounds."""
    return lambda value: _with_places(decimal_text(value), places)


def mark(places: int | None) -> Callable[[object], str]:
    """A function that writes a mark: letters (Đ, CĐ, M, T, H, C) in capitals, numbers with at least so many decimals.

    Without a number of places, a text with a fraction keeps a decimal even if it is nought, for so an average is told
    from a single mark: `8,00` → `8.0`, `8` → `8`.
    """

    def written(value: object) -> str:
        text = as_text(value)
        if isinstance(value, str) and not text[:1].isdigit():
            return text.upper()
        return _with_places(decimal_text(value), int("," in text or "." in text) if places is None else places)

    return written


def _with_places(plain: str, places: int) -> str:
    whole, _, fraction = plain.partition(".")
    return f"{whole}.{fraction.ljust(places, '0')}" if len(fraction) < places else plain


def rounding(places: int) -> Callable[[object], str]:
    """A function that rounds half up to so many decimal places."""
    unit = Decimal(1).scaleb(-places)

    def rounded(value: object) -> str:
        return decimal_text(format(Decimal(decimal_text(value)).quantize(unit, ROUND_HALF_UP), "f"))

    return rounded


def flag(yes: Iterable[object], no: Iterable[object]) -> Callable[[object], bool]:
    """A function that reads yes or no from the given words, in capitals or not."""
    words = {as_text(word).casefold(): True for word in yes} | {as_text(word).casefold(): False for word in no}
    expected = " · ".join(words)

    def read(value: object) -> bool:
        if isinstance(value, bool):
            return value
        answer = words.get(as_text(value).casefold())
        if answer is None:
            raise ValueRejected(kinds.UNREADABLE, expected, value_class=value_class(value))
        return answer

    return read


def level(wanted: dict[str, str]) -> Callable[[object], str]:
    """A function that writes a level as `wanted` says (`LETTERS` or `DIGITS`), from a digit or a letter."""
    words = wanted | {word: word for word in wanted.values()}

    def read(value: object) -> str:
        word = words.get(as_text(value).upper())
        if word is None:
            raise ValueRejected(kinds.UNREADABLE, " · ".join(words), value_class=value_class(value))
        return word

    return read
