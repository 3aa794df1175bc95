"""What a value is before anything is done with it: clean text, its class for findings, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias
from unicodedata import combining, is_normalized, normalize

from hocba_hub.model.errors import HubError
from hocba_hub.model.findings import FindingKind

JsonValue: TypeAlias = Any
"""A value as a document brings it: anything that JSON, YAML or a spreadsheet can hold."""

_EXACT = 1e15
"""Below it, every whole number is exact as a double."""
CELL_ERRORS = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#GETTING_DATA", "#SPILL!"}
)
"""What a spreadsheet shows in a cell whose formula failed."""
NO_RESULT, MERGED = "#FORMULA!", "#MERGED!"
"""What a reader of workbooks gives for a formula without a stored result, and for a cell that a merged one covers."""


Change: TypeAlias = Callable[[JsonValue], JsonValue]
"""A function of one value."""


class ArgumentError(HubError):
    """A transform's argument in a mapping is not right; the message says what is expected."""


class ValueRejected(Exception):  # noqa: N818 - not an error of ours: the value does not fit, and becomes a finding
    """A value cannot become what its rule asks for.

    `kind` is the finding it becomes, `expected` what was wanted; `facts` fill the message. `unmapped` is the code
    table that does not know the value, with the value; `kept` is the value where it is kept all the same.
    """

    def __init__(
        self,
        kind: FindingKind,
        expected: str,
        *,
        unmapped: tuple[str, str] | None = None,
        kept: str | None = None,
        **facts: str | int,
    ) -> None:
        super().__init__(kind.code)
        self.kind = kind
        self.expected = expected
        self.unmapped = unmapped
        self.kept = kept
        self.facts = facts


def clean_text(text: str) -> str:
    """The text in NFC, with Đ and đ for the look-alikes Ð (U+00D0) and ð, without outer blanks."""
    if not text.isascii():
        if not is_normalized("NFC", text):
            text = normalize("NFC", text)
        if "Ð" in text or "ð" in text:
            text = text.replace("Ð", "Đ").replace("ð", "đ")
    return text.strip()


def without_accents(text: str) -> str:
    """The text without accents, in small letters: `Họ và tên` → `ho va ten`."""
    letters = normalize("NFD", clean_text(text).replace("Đ", "D").replace("đ", "d"))
    return "".join(letter for letter in letters if not combining(letter)).casefold()


def as_text(value: object) -> str:
    """The value as the text that a person would type: no `.0` after a whole number, ISO dates, `true` and `false`."""
    if type(value) is str:
        return value
    match value:
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < _EXACT:
            return str(int(value))
        case datetime() if value.time() == datetime.min.time():
            return value.date().isoformat()
        case Decimal():
            return format(value, "f")
    return value.isoformat() if isinstance(value, date) else str(value)


_CLASSES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "true or false"),
    (int, "whole number"),
    ((float, Decimal), "number"),
    (date, "date"),
    (dict, "object"),
)


def value_class(value: object) -> str:
    """Kind of a value, never the value itself."""
    if value in (None, ""):
        return "missing"
    if isinstance(value, str):
        return f"text of {len(value)} characters"
    if isinstance(value, list | tuple):
        return f"list of {len(value)}"
    return next((name for kind, name in _CLASSES if isinstance(value, kind)), type(value).__name__)
