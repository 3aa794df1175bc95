"""Changing a card by hand: which places may be changed, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from hocba_hub.model.errors import HubError

MOST_CHANGES = 50
"""Of one edit."""
_FIXED = frozenset(
    {"card_id", "school_year", "kind", "circular", "status", "school", "class/grade", "pupil/pupil_code"}
)
"""What says which card it is, of whom and where: another value is another card, which only its school can send."""


class EditState(StrEnum):
    """How an edit stands."""

    PROPOSED = "proposed"
    MADE = "made"
    """A new version came of it."""
    REJECTED = "rejected"
    STALE = "stale"
    """The card moved on before somebody approved it."""


class EditError(HubError):
    """An edit cannot be had or decided so; `code` is a problem's, `facts` what its text names."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts


class Asked(NamedTuple):
    """What is to stand at a place of the canonical card."""

    place: str
    """As `pupil/full_name` or `year/subjects/3/name`."""
    value: Any
    """JSON; None takes the field away."""


class Change(NamedTuple):
    """What an edit does at one place."""

    place: str
    before: Any
    after: Any


def edited(canonical: bytes, asked: Sequence[Asked]) -> tuple[bytes, list[Change]]:
    """The canonical card with these changes, and what each did.

    Raises:
        EditError: `edit.place`, the card has no such place, or it may not be changed; `edit.nothing`.
    """
    card = orjson.loads(canonical)
    changes = []
    for one in asked:
        if any(one.place == fixed or one.place.startswith(f"{fixed}/") for fixed in _FIXED):
            raise EditError("edit.place", place=one.place)
        before = _put(card, one)
        if before != one.value:
            changes.append(Change(one.place, before, one.value))
    if not changes:
        raise EditError("edit.nothing")
    return orjson.dumps(card), changes


def _put(card: Any, one: Asked) -> Any:  # noqa: ANN401 - JSON
    """Put a value at its place; what stood there."""
    *way, last = one.place.split("/")
    inside = card
    try:
        for name in way:
            inside = inside[int(name)] if isinstance(inside, list) else inside[name]
        if isinstance(inside, list):
            before, inside[int(last)] = inside[int(last)], one.value
            return before
        before = inside.get(last)
        if one.value is None:
            inside.pop(last, None)
        else:
            inside[last] = one.value
    except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
        raise EditError("edit.place", place=one.place) from error
    return before
