"""What differs between us and a destination for one card: pure, one function, one answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from hocba_hub.model.delivery import DeliveryState
from hocba_hub.model.keys import CardKey, Event, Version


class TheirState(StrEnum):
    """How a destination says that it holds a version."""

    HELD = "held"
    RECALLED = "recalled"
    REFUSED = "refused"
    """It knows the version, and does not count it."""


class Difference(StrEnum):
    """What is the matter with a card at a destination."""

    MISSING = "missing"
    """Acknowledged, and not there."""
    OLDER = "older"
    """There in an older version than it acknowledged."""
    NEWER = "newer"
    """There in a newer version than we have."""
    UNKNOWN = "unknown"
    """There, and never sent there by us."""
    REFUSED = "refused"
    """Its newest version was refused there."""
    DIFFERENT = "different"
    """There in the same version, with another content or standing."""
    ALIVE = "alive"
    """Recalled here, and in force there."""
    WAITING = "waiting"
    """On its way, or held, or in doubt: nothing to compare yet."""
    UNSENT = "unsent"
    """Nothing of it was to be sent there, and nothing is there."""


REPORTED = tuple(one for one in Difference if one is not Difference.UNSENT)
"""What a report tells, in this order."""
REPAIRED_BY_SENDING = frozenset({Difference.MISSING, Difference.OLDER, Difference.ALIVE})
"""What sending our newest version again repairs: of a card that is recalled here, the recall."""
RAISED = frozenset({Difference.REFUSED, Difference.DIFFERENT, Difference.NEWER})
"""What only the school can mend: it becomes an item of its open list."""


@dataclass(frozen=True, slots=True)
class Ours:
    """The newest version of a card that was to go to the destination."""

    version: Version
    event: Event
    state: DeliveryState
    sha256: bytes | None
    """Of what was sent, as the destination keeps it; None if nobody knows."""


@dataclass(frozen=True, slots=True)
class Theirs:
    """What the destination holds of a card."""

    version: int
    state: TheirState
    sha256: bytes | None
    """None if it does not say."""


class InventoryEntry(NamedTuple):
    """One line of a destination's inventory."""

    key: CardKey
    theirs: Theirs


ENDED_UNSENT = frozenset({DeliveryState.SUPERSEDED, DeliveryState.CANCELLED})
"""How a version stands that is not to go to the destination any more."""


ALL = "all"
"""Under which all cards of a place are counted, beside the kinds of difference."""


def equal_cards(counted: Mapping[str, int]) -> int:
    """How many cards of a place are equal; what is unknown to us is none of its cards."""
    wrong = sum(cards for kind, cards in counted.items() if kind not in {ALL, Difference.UNKNOWN})
    return counted.get(ALL, 0) - wrong


def compare(ours: Ours | None, theirs: Theirs | None) -> Difference | None:
    """What differs; None if nothing does."""
    match ours:
        case None:
            found = Difference.UNSENT if theirs is None else Difference.UNKNOWN
        case Ours(state=state) if state in ENDED_UNSENT:
            found = Difference.UNSENT if theirs is None else Difference.UNKNOWN
        case Ours(state=DeliveryState.REFUSED):
            found = Difference.REFUSED
        case Ours(state=DeliveryState.ACKNOWLEDGED):
            return Difference.MISSING if theirs is None else _of_held(ours, theirs)
        case _:
            found = Difference.WAITING
    return found


def _of_held(ours: Ours, theirs: Theirs) -> Difference | None:
    """What differs of a version that the destination acknowledged, and of which it holds something."""
    is_recalled = ours.event is Event.CANCEL
    known = None not in (ours.sha256, theirs.sha256)
    if theirs.version != ours.version:
        found = Difference.OLDER if theirs.version < ours.version else Difference.NEWER
    elif theirs.state is TheirState.REFUSED:
        found = Difference.REFUSED
    elif is_recalled:
        return Difference.ALIVE if theirs.state is TheirState.HELD else None
    elif theirs.state is TheirState.RECALLED or (known and ours.sha256 != theirs.sha256):
        found = Difference.DIFFERENT
    else:
        return None
    return found
