"""The natural key of a report card, its versions and their events."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple, NewType

SchoolYear = NewType("SchoolYear", str)
"""A school year as `YYYY-YYYY`, e.g. `2025-2026` (NDC field `namhoc`)."""

CardId = NewType("CardId", str)
"""Mã định danh học bạ: at most 36 characters, never parsed (NDC field `madinhdanhhocba`)."""

SchoolCode = NewType("SchoolCode", str)
"""Mã trường: at most 20 characters, opaque (NDC field `matruong`)."""

DestinationName = NewType("DestinationName", str)
"""Name of an outside system that we deliver to, as its destination file gives it."""

Version = NewType("Version", int)
"""Counter of one report card's accepted states, from 1, only growing (NDC field `phienban`)."""


class CardKey(NamedTuple):
    """Natural key of a report card: unique for ever."""

    school_year: SchoolYear
    card_id: CardId

    def record_id(self) -> str:
        """How the hub itself writes it, and destinations unless their file says otherwise (see `RecordIds`)."""
        return f"{self.school_year}/{self.card_id}"


_YEARS = re.compile(r"20[0-9]{2}-20[0-9]{2}")


def is_school_year(text: str) -> bool:
    """Whether this is two years in a row, such as 2025-2026."""
    return _YEARS.fullmatch(text) is not None and int(text[5:]) == int(text[:4]) + 1


_PARTS = {"school_year": "[0-9]{4}-[0-9]{4}", "card_id": "[0-9A-Za-z._:-]{1,36}"}
_LONGEST_FORM = 100
_FORM = re.compile(r"(?:[0-9A-Za-z._:/-]|\{school_year\}|\{card_id\})+")


class RecordIds:
    """The form of a destination's record ids (NDC field `idbanghi`, at most 150 characters), such as `HB-{card_id}`.

    Raises:
        ValueError: the form does not have `{card_id}` once, has `{school_year}` twice, is longer than 100 characters,
            or has others than letters, digits and `. _ : / -`.
    """

    def __init__(self, form: str = "{school_year}/{card_id}") -> None:
        fits = _FORM.fullmatch(form) and len(form) <= _LONGEST_FORM
        if not fits or form.count("{card_id}") != 1 or form.count("{school_year}") > 1:
            raise ValueError(
                "must have {card_id} once, {school_year} at most once, else letters, digits and ._:/- only"
            )
        self.form = form
        self.names_year = "{school_year}" in form
        """Whether a record id says the school year; else it must be told beside it."""
        pattern = re.escape(form)
        for name, part in _PARTS.items():
            pattern = pattern.replace(re.escape(f"{{{name}}}"), f"(?P<{name}>{part})")
        self._pattern = re.compile(pattern)

    def of(self, key: CardKey) -> str:
        """The record id of a card."""
        return self.form.format(school_year=key.school_year, card_id=key.card_id)

    def key(self, record_id: str, school_year: str | None = None) -> CardKey | None:
        """The card of a record id, of the school year that is told beside it; None if it is none of ours."""
        match = self._pattern.fullmatch(record_id)
        if match is None:
            return None
        if self.names_year:
            year = match["school_year"]
        elif school_year is not None and re.fullmatch(_PARTS["school_year"], school_year):
            year = school_year
        else:
            return None
        return CardKey(SchoolYear(year), CardId(match["card_id"]))


RECORD_IDS = RecordIds()
"""The form that the hub itself uses."""


def card_key(record_id: str) -> CardKey | None:
    """The card of a record id in the hub's own form; None if it is none."""
    return RECORD_IDS.key(record_id)


class Event(StrEnum):
    """What a version is to those who hold the card already (NDC field `sukien`)."""

    NEW = "NEW"
    """The first version that the receiver gets."""
    UPDATE = "UPDATE"
    """A changed card; replaces every lower version."""
    CANCEL = "CANCEL"
    """Thu hồi: the card is recalled; a soft deletion at the receiver."""
