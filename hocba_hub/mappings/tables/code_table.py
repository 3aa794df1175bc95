"""A code table, and the four answers it can give."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property

from hocba_hub.mappings.values.value import clean_text, without_accents
from hocba_hub.model.errors import HubError

_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
_BLANKS = str.maketrans({"-": " ", "–": " ", "'": None, "’": None, "`": None, ".": " ", ",": " "})


class TableError(HubError):
    """A table has no such code system, or extends itself; the message names it."""


class Outcome(StrEnum):
    """What a table says about a value."""

    FOUND = "found"
    """One answer."""
    UNKNOWN = "unknown"
    """The table does not have the value: an entry for the work list of unmapped codes."""
    AMBIGUOUS = "ambiguous"
    """Several answers, such as a commune that was split: a person must say which."""
    OUT_OF_VALIDITY = "out_of_validity"
    """The table has the value, but not on the day asked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a look-up brought."""

    outcome: Outcome
    value: str | None = None
    candidates: tuple[str, ...] = ()
    """The possible answers if ambiguous; the periods of validity (`from/to`) if out of validity."""


_UNKNOWN = Answer(Outcome.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Column:
    """One code system of a table."""

    name: str
    about: str
    loose: bool = False
    """Whether names match without regard to capitals, hyphens and the place of the tone mark (Hoà, Hòa)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: values by column, first the one to write, then others that are read as the same."""

    values: Mapping[str, tuple[str, ...]]
    valid_from: date | None = None
    valid_to: date | None = None
    """Last day of validity."""

    def period(self) -> str:
        """Validity as `from/to`, open ends as `..` (ISO 8601-2)."""
        return f"{self.valid_from or '..'}/{self.valid_to or '..'}"

    def valid_on(self, day: date) -> bool:
        """Whether the row is in force on that day."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


def fold_name(text: str) -> str:
    """A name without regard to capitals, hyphens, apostrophes, blanks and where in a word its tone mark stands."""
    words = []
    for word in clean_text(text).casefold().translate(_BLANKS).split():
        letters = unicodedata.normalize("NFD", word)
        tones = "".join(mark for mark in letters if mark in _TONES)
        words.append("".join(mark for mark in letters if mark not in _TONES) + tones)
    return " ".join(words)


def _plain_letters(text: str) -> str:
    """A text without accents and blanks, in small letters."""
    return "".join(without_accents(text).split())


@dataclass(frozen=True)
class View:
    """A table read from one code system to another."""

    table: str
    loose: bool
    rows: Mapping[str, tuple[tuple[str, Row], ...]]
    """Written value and row, for each value of the system it is read from (folded, if that one is loose)."""

    def key(self, text: str) -> str:
        """The form in which a value is looked up."""
        return fold_name(text) if self.loose else clean_text(text)

    @cached_property
    def settled(self) -> dict[str, str]:
        """The values that have one answer on every day."""
        return {
            key: hits[0][0]
            for key, hits in self.rows.items()
            if len({value for value, _ in hits}) == 1
            and all(row.valid_from is None and row.valid_to is None for _, row in hits)
        }

    def find(self, text: str, on: date | None = None) -> Answer:
        """What the table says about a value, on a day, or without regard to days."""
        hits = self.rows.get(self.key(text), ())
        valid = [value for value, row in hits if on is None or row.valid_on(on)]
        if not valid:
            periods = tuple(sorted({row.period() for _, row in hits}))
            return Answer(Outcome.OUT_OF_VALIDITY, None, periods) if hits else _UNKNOWN
        distinct = tuple(sorted(set(valid)))
        if len(distinct) > 1:
            return Answer(Outcome.AMBIGUOUS, None, distinct)
        return Answer(Outcome.FOUND, distinct[0])

    def results(self) -> frozenset[str]:
        """Every value that a look-up can give."""
        return frozenset(value for hits in self.rows.values() for value, _ in hits)


@dataclass(frozen=True)
class Table:
    """A code table."""

    name: str
    version: str
    title: Mapping[str, str]
    """For people, by language (`vi`, `en`)."""
    source: str
    """Where the facts come from, and how sure they are."""
    columns: Mapping[str, Column]
    rows: Sequence[Row]
    default_from: str | None = None
    default_to: str | None = None
    parent: Table | None = field(default=None, repr=False)
    """The table that this one adds to; a value that this one has hides the parent's."""

    def found(self, text: str) -> list[Row]:
        """The rows that hold a text in any of their code systems, read as names are: `tieng viet` finds Tiếng Việt."""
        wanted = _plain_letters(text)
        return [
            row
            for row in self.every_row()
            if any(wanted in _plain_letters(v) for vs in row.values.values() for v in vs)
        ]

    def every_row(self) -> list[Row]:
        """Its rows, and those of the table that it adds to."""
        return [*self.rows, *(self.parent.every_row() if self.parent is not None else ())]

    def view(
        self, source: str | None = None, target: str | None = None, where: Mapping[str, str] | None = None
    ) -> View:
        """The table from one of its code systems to another, of the rows that have the given values elsewhere.

        Raises:
            TableError: it has no such code system, or none is given and there is no default.
        """
        read, write = source or self.default_from, target or self.default_to
        for name in (read, write, *(where or ())):
            if name is None or name not in self.columns:
                raise TableError(name or "")
        read, write = str(read), str(write)
        loose = self.columns[read].loose
        found: dict[str, list[tuple[str, Row]]] = {}
        for row in self.rows:
            if any(value not in row.values.get(name, ()) for name, value in (where or {}).items()):
                continue
            written = row.values.get(write, ())
            if written:
                for text in row.values.get(read, ()):
                    found.setdefault(fold_name(text) if loose else text, []).append((written[0], row))
        rows = {key: tuple(hits) for key, hits in found.items()}
        if self.parent is not None and {read, write, *(where or {})} <= set(self.parent.columns):
            rows = {**self.parent.view(read, write, where).rows, **rows}
        return View(self.name, loose, rows)
