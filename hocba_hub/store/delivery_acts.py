"""What a person does to many deliveries at once: hurry what waits, end them, or say that they are not there.

To send failed ones again is a replay (`store/replays.py`). What may be at the destination (`leased`, `awaiting_ack`,
`in_doubt`) is never sent again by hand: the engine asks first, or a person who has asked says so.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select, update

from hocba_hub.model.delivery import TIMED, TRANSITIONS, DeliveryState, enter, given_newer
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.store import audit
from hocba_hub.store.counters import Counters
from hocba_hub.store.decide import lock_cards_of
from hocba_hub.store.engine import Store, one_of
from hocba_hub.store.selection import HAS_NEWER, Selection, SelectionError, selected
from hocba_hub.store.tables import deliveries

_S = DeliveryState
_BATCH = 1_000
"""Deliveries of one transaction: nobody waits long for the rows it locks."""

_d = deliveries.c


class Act(StrEnum):
    """What is done to the selected deliveries."""

    HURRY = "hurry"
    """What waits for its next attempt, look-up or poll does not wait any longer; nothing else of it changes."""
    CANCEL = "cancel"
    """Ended; only a replay opens them again. By default what is parked or held."""
    ABSENT = "absent"
    """The destination, which the hub cannot ask, has told a person that it does not hold them: sent again."""


TAKEN: Mapping[Act, frozenset[DeliveryState]] = {
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
    changed: int = 0
    """Left alone because they had left their state, or were being asked about, when their turn came."""
    unmatched: int = 0
    """Ids of the selection that no delivery has, or one in a state that the act does not take."""
    audit_id: int | None = None
    """The last row of the audit trail; None of a dry run."""

    @property
    def deliveries(self) -> int:
        """How many were taken."""
        return sum(count.deliveries for count in self.counts)


def sent_anew(now: int) -> dict[str, Any]:
    """What a delivery starts with that is sent again from the beginning: a new retry window, the mapping in force."""
    return {
        "next_attempt_at": now, "attempts": 0, "asked": 0, "first_attempt_at": None, "reference": None,
        "awaiting_since": None, "failure_group_id": None, "pin": None,
    }  # fmt: skip


def states_taken(act: Act, selection: Selection) -> frozenset[DeliveryState]:
    """The states that the act takes out of this selection.

    Raises:
        SelectionError: nothing is selected, or a state cannot be taken.
    """
    if selection.is_empty:
        raise SelectionError("selection.empty", "Name deliveries, a destination, a code, a school or a time.")
    if not selection.states:
        if selection.deliveries or act in {Act.HURRY, Act.ABSENT}:
            return TAKEN[act]
        return _BY_DEFAULT
    if not selection.states <= TAKEN[act]:
        known = ", ".join(sorted(TAKEN[act]))
        raise SelectionError("selection.state", f"A {act} takes deliveries that are: {known}.")
    return selection.states


def preview(connection: Connection, act: Act, selection: Selection) -> ActResult:
    """What the act would do now, in exact counts.

    Raises:
        SelectionError: as `states_taken`.
    """
    rows = selected(connection, selection, states_taken(act, selection), _d.destination, _d.state, _d.code).c
    by = (rows.destination, rows.state, rows.code)
    taken: Counter[tuple[str, str, str]] = Counter()
    for destination, state, code, number in connection.execute(select(*by, func.count()).group_by(*by)):
        taken[destination, state, code or ""] += number
    result = ActResult(_counts(taken))
    result.unmatched = _unmatched(selection, result.deliveries)
    return result


def execute(store: Store, act: Act, selection: Selection, *, actor: str, reason: str, now: int) -> ActResult:
    """Do it, to the deliveries that are selected at this moment, a thousand in each transaction.

    A row of the audit trail in each of them tells what was done by then, so that it is exact even if the process dies
    half-way. `now` is in milliseconds.

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
        counters = Counters()
        values = self._values()
        groups: dict[DeliveryState | None, list[int]] = {}
        for row in rows:
            self.taken[row.destination, row.state, row.code or ""] += 1
            target = self._target(has_newer=row.has_newer)
            if target is not None:
                after = enter(DeliveryState(row.state), target)
                counters.move(row.destination, row.state, after)
            groups.setdefault(target, []).append(row.id)
        for target, mine in groups.items():
            if target is not None:
                after = target  # as it came through the table, above
                values |= {"state": after}
            connection.execute(update(deliveries).where(one_of(connection, _d.id, mine)).values(values))
        counters.write(connection)
        self.result.changed += len(ids) - len(rows)
        self.result.counts = _counts(self.taken)
        self._note(connection, rows, is_last=is_last)

    def _target(self, *, has_newer: bool) -> DeliveryState | None:
        """The state that the act leads to; None if it changes none."""
        match self.act:
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

    def _note(self, connection: Connection, rows: Iterable[Any], *, is_last: bool) -> None:
        detail = {
            "selection": self.selection.as_json(),
            "counts": [
                {"destination": c.destination, "state": c.state, "code": c.code, "deliveries": c.deliveries}
                for c in self.result.counts
            ],
            "deliveries": self.result.deliveries,
            "changed": self.result.changed,
            "unmatched": self.result.unmatched,
            "finished": is_last,
        }
        cards = [CardKey(SchoolYear(row.school_year), CardId(row.card_id)) for row in rows]
        self.result.audit_id = audit.write(
            connection, at=self.now, actor=self.actor, action=self.act, reason=self.reason, detail=detail, cards=cards
        )


def _locked(connection: Connection, ids: Sequence[int], states: Collection[DeliveryState]) -> Sequence[Any]:
    """The rows that are still in their states, locked, with whether a newer version exists.

    The cards are locked first: else a version could be accepted unseen between the look and the change, and the older
    one would be sent after it.
    """
    mine: ColumnElement[bool] = one_of(connection, _d.id, list(ids))
    lock_cards_of(connection, ids)
    query = (
        select(_d.id, _d.destination, _d.state, _d.code, _d.school_year, _d.card_id, HAS_NEWER.label("has_newer"))
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
