"""What a person does to many deliveries: send failed ones again, hurry what waits, or end them.

By default a replay takes what is parked or held. A refusal is the destination's verdict on those very bytes, so
sending them again is only sensible when its cause was cured: a refused delivery is taken only where the selection
names the code or the delivery, a cancelled one only where it names the state or the delivery. What may be at the
destination (`leased`, `awaiting_ack`, `in_doubt`) is never sent again by hand: the engine asks first.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, func, literal, select, update

from hocba_hub.model.delivery import TIMED, TRANSITIONS, UNSETTLED, DeliveryState, enter, given_newer
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.store import audit
from hocba_hub.store.counters import Counters
from hocba_hub.store.decide import cards_of
from hocba_hub.store.engine import Store, one_of
from hocba_hub.store.selection import Selection, SelectionError, selected
from hocba_hub.store.tables import deliveries

_S = DeliveryState
_BATCH = 1_000
"""Deliveries of one transaction: nobody waits long for the rows it locks."""

_d = deliveries.c
_newer = deliveries.alias("newer").c
_HAS_NEWER = exists().where(
    _newer.school_year == _d.school_year,
    _newer.card_id == _d.card_id,
    _newer.destination == _d.destination,
    _newer.version > _d.version,
)


class Act(StrEnum):
    """What is done to the selected deliveries."""

    REPLAY = "replay"
    """Sent again as soon as the destination may be called, with a new retry window."""
    HURRY = "hurry"
    """What waits for its next attempt, look-up or poll does not wait any longer; nothing else of it changes."""
    CANCEL = "cancel"
    """Ended; only a replay opens them again."""
    ABSENT = "absent"
    """The destination, which the hub cannot ask, has told a person that it does not hold them: sent again."""


TAKEN: Mapping[Act, frozenset[DeliveryState]] = {
    Act.REPLAY: frozenset(s for s in _S if _S.QUEUED in TRANSITIONS[s] and s not in UNSETTLED),
    Act.HURRY: TIMED,
    Act.CANCEL: frozenset(s for s in _S if _S.CANCELLED in TRANSITIONS[s]),
    Act.ABSENT: frozenset({_S.IN_DOUBT}),
}
"""The states from which each act may take a delivery."""

_BY_DEFAULT = frozenset({_S.PARKED, _S.HELD})


@dataclass(frozen=True, slots=True)
class Count:
    """Deliveries of one destination, state and code."""

    destination: str
    state: DeliveryState
    """The state they were taken from."""
    code: str
    deliveries: int


@dataclass(slots=True)
class ActResult:
    """What an act did, or would do."""

    counts: Sequence[Count] = ()
    superseded: int = 0
    """Left alone by a replay: a newer version of the card exists."""
    changed: int = 0
    """Left alone because they had left their state, or were being asked about, when their turn came."""
    unmatched: int = 0
    """Ids of the selection that no delivery has, or one in a state that the act does not take."""
    audit_id: int | None = None
    """The row of the audit trail; None of a dry run."""

    @property
    def deliveries(self) -> int:
        """How many were taken."""
        return sum(count.deliveries for count in self.counts)


def states_taken(act: Act, selection: Selection) -> frozenset[DeliveryState]:
    """The states that the act takes out of this selection.

    Raises:
        SelectionError: nothing is selected, a state cannot be taken, or refusals are meant without their code.
    """
    if selection.is_empty:
        raise SelectionError("selection.empty", "Name deliveries, a destination, a code, a school or a time.")
    if not selection.states:
        if selection.deliveries or act in {Act.HURRY, Act.ABSENT}:
            return TAKEN[act]
        return _BY_DEFAULT | ({_S.REFUSED} & TAKEN[act] if selection.code is not None else set())
    if not selection.states <= TAKEN[act]:
        known = ", ".join(sorted(TAKEN[act]))
        raise SelectionError("selection.state", f"A {act} takes deliveries that are: {known}.")
    if _S.REFUSED in selection.states and not (selection.code or selection.deliveries):
        raise SelectionError("selection.refused", "Refused deliveries are taken only by code or one by one.")
    return selection.states


def preview(connection: Connection, act: Act, selection: Selection) -> ActResult:
    """What the act would do now, in exact counts.

    Raises:
        SelectionError: as `states_taken`.
    """
    superseded = _HAS_NEWER if act is Act.REPLAY else literal(value=False)
    states = states_taken(act, selection)
    rows = selected(connection, selection, states, _d.destination, _d.state, _d.code, superseded.label("superseded")).c
    by = (rows.destination, rows.state, rows.code, rows.superseded)
    taken: Counter[tuple[str, str, str]] = Counter()
    left = 0
    for destination, state, code, is_superseded, number in connection.execute(select(*by, func.count()).group_by(*by)):
        if is_superseded:
            left += number
        else:
            taken[destination, state, code or ""] += number
    result = ActResult(_counts(taken), superseded=left)
    result.unmatched = _unmatched(selection, result.deliveries + left)
    return result


def execute(store: Store, act: Act, selection: Selection, *, actor: str, reason: str, now: int) -> ActResult:
    """Do it, to the deliveries that are selected at this moment, a thousand in each transaction.

    One row of the audit trail tells it; it is brought up to date in every transaction, so that it is exact even if
    the process dies half-way. `now` is in milliseconds.

    Raises:
        SelectionError: as `states_taken`; nothing is done.
    """
    states = states_taken(act, selection)
    with store.read() as connection:
        rows = selected(connection, selection, states, _d.id)
        chosen = select(rows.c.id).execution_options(yield_per=10_000)
        frozen = array("q", connection.execute(chosen).scalars())
    running = _Running(act, selection, actor, reason, now, states)
    running.result.unmatched = _unmatched(selection, len(frozen))
    for start in range(0, max(len(frozen), 1), _BATCH):
        with store.write() as connection:
            running.take(connection, frozen[start : start + _BATCH], is_last=start + _BATCH >= len(frozen))
    return running.result


@dataclass
class _Running:
    """An act between its first transaction and its last."""

    act: Act
    selection: Selection
    actor: str
    reason: str
    now: int
    states: Collection[DeliveryState]
    taken: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    result: ActResult = field(default_factory=ActResult)

    def take(self, connection: Connection, ids: Sequence[int], *, is_last: bool) -> None:
        """Do it to one batch, in the running transaction."""
        rows = _locked(connection, ids, self.states)
        free = [row for row in rows if self.act is not Act.REPLAY or not row.has_newer]
        counters = Counters()
        values = self._values()
        groups: dict[DeliveryState | None, list[int]] = {}
        for row in free:
            self.taken[row.destination, row.state, row.code or ""] += 1
            target = self._target(has_newer=row.has_newer)
            if target is not None:
                after = enter(DeliveryState(row.state), target)
                counters.move(row.destination, row.state, after)
            groups.setdefault(target, []).append(row.id)
            if self.act is Act.REPLAY:
                counters.add("replayed", row.destination)
        for target, mine in groups.items():
            if target is not None:
                after = target  # as it came through the table, above
                values |= {"state": after}
            connection.execute(update(deliveries).where(one_of(connection, _d.id, mine)).values(values))
        counters.write(connection)
        self.result.superseded += len(rows) - len(free)
        self.result.changed += len(ids) - len(rows)
        self.result.counts = _counts(self.taken)
        self._note(connection, is_last=is_last)

    def _target(self, *, has_newer: bool) -> DeliveryState | None:
        """The state that the act leads to; None if it changes none."""
        match self.act:
            case Act.REPLAY:
                return _S.QUEUED
            case Act.CANCEL:
                return _S.CANCELLED
            case Act.ABSENT:  # what is not there need not go any more if a newer version is to go
                return given_newer(_S.QUEUED) if has_newer else _S.QUEUED
            case Act.HURRY:
                return None

    def _values(self) -> dict[str, Any]:
        if self.act is Act.CANCEL:
            return {"settled_at": self.now, "code": func.coalesce(_d.code, "cancelled")}
        if self.act is Act.HURRY:
            return {"next_attempt_at": self.now}
        return {
            "next_attempt_at": self.now,
            "attempts": 0,
            "asked": 0,
            "first_attempt_at": None,
            "reference": None,
        }

    def _note(self, connection: Connection, *, is_last: bool) -> None:
        detail = {
            "selection": self.selection.as_json(),
            "counts": [
                {"destination": c.destination, "state": c.state, "code": c.code, "deliveries": c.deliveries}
                for c in self.result.counts
            ],
            "deliveries": self.result.deliveries,
            "superseded": self.result.superseded,
            "changed": self.result.changed,
            "unmatched": self.result.unmatched,
            "finished": is_last,
        }
        if self.result.audit_id is None:
            self.result.audit_id = audit.write(
                connection, at=self.now, actor=self.actor, action=self.act, reason=self.reason, detail=detail
            )
        else:
            audit.extend(connection, self.result.audit_id, detail)


def _locked(connection: Connection, ids: Sequence[int], states: Collection[DeliveryState]) -> Sequence[Any]:
    """The rows that are still in their states, locked, with whether a newer version exists.

    The cards are locked first, as accepting does: else a version could be accepted unseen between the look and the
    change, and the older one would be sent after it.
    """
    mine: ColumnElement[bool] = one_of(connection, _d.id, list(ids))
    keys = {
        CardKey(SchoolYear(year), CardId(card_id))
        for year, card_id in connection.execute(select(_d.school_year, _d.card_id).where(mine))
    }
    cards_of(connection, sorted(keys), lock=True)
    query = (
        select(_d.id, _d.destination, _d.state, _d.code, _HAS_NEWER.label("has_newer"))
        .where(mine, _d.state.in_(sorted(states)), _d.lease_id.is_(None))
        .order_by(_d.id)
        .with_for_update(of=deliveries)
    )
    return connection.execute(query).all()


def _unmatched(selection: Selection, matched: int) -> int:
    return len(set(selection.deliveries)) - matched if selection.deliveries else 0


def _counts(taken: Mapping[tuple[str, str, str], int]) -> list[Count]:
    return [
        Count(destination, DeliveryState(state), code, number)
        for (destination, state, code), number in sorted(taken.items())
    ]
