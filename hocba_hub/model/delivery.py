"""The states of a delivery, what a destination's answer can mean, and the one table of allowed transitions.

Nothing else in the hub decides a state: the store writes what `enter` and `first_state` return, and nothing that did
not come through them (`tests/unit/store/test_states.py` looks for any other writer).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from hocba_hub.model.errors import HubError


class DeliveryState(StrEnum):
    """Where one version stands on its way to one destination."""

    QUEUED = "queued"
    """Waits for its next attempt."""
    LEASED = "leased"
    """A worker holds it and may be sending it now."""
    AWAITING_ACK = "awaiting_ack"
    """The destination took it and will give its verdict later."""
    IN_DOUBT = "in_doubt"
    """It may have been sent; the destination will be asked before anything is sent again."""
    HELD = "held"
    """A precondition is missing (account, certificate, quota, window); tried again by timer, burns no attempts."""
    PARKED = "parked"
    """The retry window is used up; waits for a person."""
    ACKNOWLEDGED = "acknowledged"
    """Final: the destination holds this version."""
    REFUSED = "refused"
    """Final: the destination's own coded refusal."""
    SUPERSEDED = "superseded"
    """Final: a newer version was accepted before this one was sent."""
    CANCELLED = "cancelled"
    """Final: a person ended it."""


FINAL = frozenset(
    {DeliveryState.ACKNOWLEDGED, DeliveryState.REFUSED, DeliveryState.SUPERSEDED, DeliveryState.CANCELLED}
)
"""States that a delivery never leaves by itself; only a replay opens a refused or cancelled one again."""

UNSENT = frozenset({DeliveryState.QUEUED, DeliveryState.HELD, DeliveryState.PARKED})
"""States in which nobody holds the delivery and no answer is due: a newer version may supersede it."""

UNSETTLED = frozenset({DeliveryState.LEASED, DeliveryState.AWAITING_ACK, DeliveryState.IN_DOUBT})
"""States in which the destination may hold the version or get it: the card's next version waits."""

TIMED = frozenset(set(DeliveryState) - FINAL - {DeliveryState.LEASED, DeliveryState.PARKED})
"""States whose timer is the delivery's `next_attempt_at`; a leased one has its lease, a parked one a person."""


class Meaning(StrEnum):
    """What the outcome of one attempt means for one record: an error class or a verdict."""

    ACKNOWLEDGED = "acknowledged"
    """Verdict: the destination holds this version."""
    REFUSED = "refused"
    """Verdict: the destination's coded refusal of this version."""
    AWAITING_ACK = "awaiting_ack"
    """Taken, the verdict comes later (also: asked, and still not decided)."""
    TRANSIENT = "transient"
    """Not taken, try again later: network, time-out before sending, 408/425/429/5xx, breaker; the default."""
    UNKNOWN_OUTCOME = "unknown_outcome"
    """Sent, and no readable answer came: look it up before sending again."""
    PRECONDITION = "precondition"
    """Something of ours is missing at the destination: hold, alert, burn no attempts."""
    ABSENT = "absent"
    """Looked up, and the destination does not hold this version: it may be sent again."""
    RELEASED = "released"
    """Given back unsent by a worker that stops or whose lease expired before it sent anything."""


_S = DeliveryState

TRANSITIONS: Mapping[DeliveryState, frozenset[DeliveryState]] = {
    _S.QUEUED: frozenset({_S.LEASED, _S.ACKNOWLEDGED, _S.REFUSED, _S.SUPERSEDED, _S.CANCELLED}),
    _S.LEASED: frozenset(
        {_S.QUEUED, _S.ACKNOWLEDGED, _S.AWAITING_ACK, _S.REFUSED, _S.IN_DOUBT, _S.HELD, _S.PARKED, _S.SUPERSEDED}
    ),
    _S.AWAITING_ACK: frozenset({_S.ACKNOWLEDGED, _S.REFUSED, _S.IN_DOUBT, _S.CANCELLED}),
    _S.IN_DOUBT: frozenset({_S.ACKNOWLEDGED, _S.REFUSED, _S.AWAITING_ACK, _S.QUEUED, _S.SUPERSEDED, _S.CANCELLED}),
    _S.HELD: frozenset({_S.QUEUED, _S.LEASED, _S.ACKNOWLEDGED, _S.REFUSED, _S.SUPERSEDED, _S.CANCELLED}),
    _S.PARKED: frozenset({_S.QUEUED, _S.ACKNOWLEDGED, _S.REFUSED, _S.SUPERSEDED, _S.CANCELLED}),
    _S.ACKNOWLEDGED: frozenset(),
    _S.REFUSED: frozenset({_S.QUEUED}),
    _S.SUPERSEDED: frozenset(),
    _S.CANCELLED: frozenset({_S.QUEUED}),
}
"""From each state, the states that may follow. Out of `refused` and `cancelled` only a person's replay leads; where a
verdict contradicts a final state, only a person's decision (`decided`)."""

VERDICTS: Mapping[Meaning, DeliveryState] = {
    Meaning.ACKNOWLEDGED: _S.ACKNOWLEDGED,
    Meaning.REFUSED: _S.REFUSED,
}
"""A destination's verdict, and the state that it leads to."""


class TransitionError(HubError):
    """A delivery cannot go from this state to that one."""


def first_state(*, is_newest: bool) -> DeliveryState:
    """The state in which a delivery begins; one whose version was overtaken in the same commit ends at once."""
    return _S.QUEUED if is_newest else _S.SUPERSEDED


def enter(before: DeliveryState, after: DeliveryState) -> DeliveryState:
    """`after`, for a delivery that is in `before`, or stays there.

    Raises:
        TransitionError: the table does not have it.
    """
    if after is not before and after not in TRANSITIONS[before]:
        raise TransitionError(f"A delivery cannot go from {before} to {after}.")
    return after


def given_newer(state: DeliveryState) -> DeliveryState:
    """The state that counts instead, where a newer version of the card waits for the same destination."""
    return _S.SUPERSEDED if state in UNSENT else state


def sent_again(before: DeliveryState) -> DeliveryState:
    """The state of a delivery that a person has sent again.

    Also of an acknowledged one: a reconciliation has shown that the destination does not hold it.

    Raises:
        TransitionError: it cannot be sent again.
    """
    return _S.QUEUED if before is _S.ACKNOWLEDGED else enter(before, _S.QUEUED)


def decided(before: DeliveryState, verdict: DeliveryState) -> DeliveryState:
    """The state after a person decided that a verdict counts which contradicted the final state `before`.

    Raises:
        TransitionError: nothing was decided before, or this is no verdict.
    """
    if before not in FINAL or verdict not in VERDICTS.values():
        raise TransitionError(f"A person cannot decide that a delivery that is {before} is {verdict}.")
    return verdict


def next_state(state: DeliveryState, meaning: Meaning, *, window_open: bool) -> DeliveryState:
    """The state that follows when an attempt for a delivery in `state` ended with `meaning`.

    `state` is `leased` after a send, `in_doubt` after a look-up and `awaiting_ack` after a poll. `window_open` says
    whether the retry window still runs. A look-up or a poll that failed leaves the state as it is, since nothing was
    learnt.

    Raises:
        TransitionError: no attempt is made in this state, or the table forbids the result.
    """
    if state not in UNSETTLED:
        raise TransitionError(f"No attempt is made for a delivery that is {state}.")
    match meaning:
        case Meaning.ACKNOWLEDGED:
            after = _S.ACKNOWLEDGED
        case Meaning.REFUSED:
            after = _S.REFUSED
        case Meaning.AWAITING_ACK:
            after = _S.AWAITING_ACK
        case Meaning.UNKNOWN_OUTCOME:
            after = _S.IN_DOUBT if state is _S.LEASED else state
        case Meaning.ABSENT:
            after = _S.QUEUED if state is _S.IN_DOUBT else _S.IN_DOUBT
        case Meaning.RELEASED:
            after = _S.QUEUED if state is _S.LEASED else state
        case Meaning.TRANSIENT:
            after = state if state is not _S.LEASED else (_S.QUEUED if window_open else _S.PARKED)
        case Meaning.PRECONDITION:
            after = _S.HELD if state is _S.LEASED else state
    return enter(state, after)
