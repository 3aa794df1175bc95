"""What failed: counted by destination, state and code, and listed delivery by delivery."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, literal, select, tuple_

from hocba_hub.model.delivery import DeliveryState
from hocba_hub.store.selection import FAILED, SHOWN, Selection, SelectionError, selected
from hocba_hub.store.tables import deliveries

_d = deliveries.c
Place = tuple[str, str, str, int, int]
"""Where a listing goes on: destination, state, code, time and id of the last delivery seen."""


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Deliveries that stand in one state at one destination for one code."""

    destination: str
    state: DeliveryState
    code: str
    deliveries: int
    oldest_at: int
    """When the first of them came to this, milliseconds."""
    newest_at: int


@dataclass(frozen=True, slots=True)
class FailedDelivery:
    """One delivery that failed."""

    id: int
    destination: str
    school_year: str
    card_id: str
    version: int
    state: DeliveryState
    code: str
    attempts: int
    accepted_at: int
    settled_at: int
    next_attempt_at: int | None
    """When a held one is tried again; nothing happens to the others by itself."""

    @property
    def place(self) -> Place:
        """Where a listing goes on after this one."""
        return self.destination, self.state, self.code, self.settled_at, self.id


def failure_groups(connection: Connection, selection: Selection) -> list[FailureGroup]:
    """The failures of a selection by destination, state and code; the largest group first.

    Raises:
        SelectionError: it names a state that is none of `SHOWN`.
    """
    rows = selected(connection, selection, _states(selection), _d.destination, _d.state, _d.code, _d.settled_at).c
    count = func.count()
    query = (
        select(rows.destination, rows.state, rows.code, count, func.min(rows.settled_at), func.max(rows.settled_at))
        .group_by(rows.destination, rows.state, rows.code)
        .order_by(count.desc(), rows.destination, rows.state, rows.code)
    )
    return [
        FailureGroup(destination, DeliveryState(state), code or "", number, oldest, newest)
        for destination, state, code, number, oldest, newest in connection.execute(query)
    ]


def failed_deliveries(
    connection: Connection, selection: Selection, *, after: Place | None = None, limit: int = 100
) -> Sequence[FailedDelivery]:
    """The failed deliveries of a selection, in the order of their groups and of time; at most `limit` after `after`.

    Raises:
        SelectionError: it names a state that is none of `SHOWN`.
    """
    wanted = (
        _d.id,
        _d.destination,
        _d.school_year,
        _d.card_id,
        _d.version,
        _d.state,
        _d.code,
        _d.attempts,
        _d.accepted_at,
        _d.settled_at,
        _d.next_attempt_at,
    )
    rows = selected(connection, selection, _states(selection), *wanted).c
    order = (rows.destination, rows.state, rows.code, rows.settled_at, rows.id)
    query = select(*rows).order_by(*order).limit(limit)
    if after is not None:
        query = query.where(
            tuple_(*order) > tuple_(*(literal(value, column.type) for value, column in zip(after, order, strict=True)))
        )
    return [
        FailedDelivery(
            id=row.id,
            destination=row.destination,
            school_year=row.school_year,
            card_id=row.card_id,
            version=row.version,
            state=DeliveryState(row.state),
            code=row.code,
            attempts=row.attempts,
            accepted_at=row.accepted_at,
            settled_at=row.settled_at,
            next_attempt_at=row.next_attempt_at if row.state == DeliveryState.HELD else None,
        )
        for row in connection.execute(query)
    ]


def _states(selection: Selection) -> Collection[DeliveryState]:
    if not selection.states <= SHOWN:
        raise SelectionError("selection.state", f"A failure list shows: {', '.join(sorted(SHOWN))}.")
    return selection.states or FAILED
