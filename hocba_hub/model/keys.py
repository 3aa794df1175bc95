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
        """The destinations' unique record id (NDC field `idbanghi`, at most 150 characters)."""
        return f"{self.school_year}/{self.card_id}"


_RECORD_ID = re.compile(r"([0-9]{4}-[0-9]{4})/([0-9A-Za-z._:-]{1,36})")


def card_key(record_id: str) -> CardKey | None:
    """The card of a destination's record id; None if it is none of ours."""
    match = _RECORD_ID.fullmatch(record_id)
    return None if match is None else CardKey(SchoolYear(match[1]), CardId(match[2]))


class Event(StrEnum):
    """What a version is to those who hold the card already (NDC field `sukien`)."""

    NEW = "NEW"
    """The first version that the receiver gets."""
    UPDATE = "UPDATE"
    """A changed card; replaces every lower version."""
    CANCEL = "CANCEL"
    """Thu hồi: the card is recalled; a soft deletion at the receiver."""
