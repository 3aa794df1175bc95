"""What failed, or waits: counted by destination, state and code, and listed delivery by delivery."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, literal, select, tuple_

from hocba_hub.model.delivery import TIMED, DeliveryState
from hocba_hub.store.engine import one_of
from hocba_hub.store.selection import FAILED, PENDING, SHOWN, Selection, SelectionError, selected
from hocba_hub.store.tables import deliveries, delivery_attempts

_d = deliveries.c
_AT = func.coalesce(_d.settled_at, _d.accepted_at).label("at")
"""When a delivery came to this; one that was never tried: when it was accepted."""
Place = tuple[str, str, str, int, int]
"""Where a listing goes on: destination, state, code, time and id of the last delivery seen."""


@dataclass(frozen=True, slots=True)
class DeliveryGroup:
    """Deliveries that stand in one state at one destination for one code."""

    destination: str
    state: DeliveryState
    code: str
    deliveries: int
    oldest_at: int
    """When the first of them came to this, milliseconds."""
    newest_at: int
    next_attempt_at: int | None
    """When the first of them is tried or asked about again, where that happens by itself."""
    detail: str | None
    """What the last attempt of one of them said beside the code."""


@dataclass(frozen=True, slots=True)
class ListedDelivery:
    """One delivery."""

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
    """When it is tried or asked about again, where that happens by itself."""

    @property
    def place(self) -> Place:
        """Where a listing goes on after this one."""
        return self.destination, self.state, self.code, self.settled_at, self.id


def delivery_groups(
    connection: Connection, selection: Selection, by_default: Collection[DeliveryState] = FAILED
) -> list[DeliveryGroup]:
    """The deliveries of a selection by destination, state and code; the largest group first.

    Raises:
        SelectionError: it names a state that is none of `SHOWN` and `PENDING`.
    """
    states = _states(selection, by_default)
    rows = selected(connection, selection, states, _d.id, _d.destination, _d.state, _d.code, _AT, _d.next_attempt_at).c
    count = func.count().label("count")
    by = (rows.destination, rows.state, rows.code)
    seen = (func.min(rows.at), func.max(rows.at), func.min(rows.next_attempt_at), func.max(rows.id))
    query = select(*by, count, *seen).group_by(*by).order_by(count.desc(), *by)
    found = connection.execute(query).all()
    details = _details(connection, [row[-1] for row in found])
    return [
        DeliveryGroup(
            destination, DeliveryState(state), code or "", number, oldest, newest,
            next_attempt_at if state in TIMED else None,
            details.get(newest_id) or None,
        )
        for destination, state, code, number, oldest, newest, next_attempt_at, newest_id in found
    ]  # fmt: skip


def _details(connection: Connection, delivery_ids: Sequence[int]) -> dict[int, str]:
    """What the last attempt of each delivery said."""
    t = delivery_attempts.c
    query = select(t.delivery_id, t.detail).where(one_of(connection, t.delivery_id, delivery_ids))
    return {row.delivery_id: row.detail for row in connection.execute(query.order_by(t.delivery_id, t.attempt_id))}


def are_at_most(
    connection: Connection, selection: Selection, most: int, by_default: Collection[DeliveryState] = FAILED
) -> bool:
    """Whether a selection is of so many deliveries or fewer; no more are looked at to find out.

    Raises:
        SelectionError: it names a state that is none of `SHOWN` and `PENDING`.
    """
    some = select(selected(connection, selection, _states(selection, by_default), _d.id).c.id).limit(most + 1)
    return int(connection.execute(select(func.count()).select_from(some.subquery())).scalar_one()) <= most


def listed_deliveries(
    connection: Connection,
    selection: Selection,
    by_default: Collection[DeliveryState] = FAILED,
    *,
    after: Place | None = None,
    limit: int = 100,
    newest_first: bool = False,
) -> Sequence[ListedDelivery]:
    """The deliveries of a selection, in the order of their groups and of time; at most `limit` after `after`.

    With `newest_first` all of it the other way round.

    Raises:
        SelectionError: it names a state that is none of `SHOWN` and `PENDING`.
    """
    wanted = (
        _d.id,
        _d.destination,
        _d.school_year,
        _d.card_id,
        _d.version,
        _d.state,
        func.coalesce(_d.code, "").label("code"),
        _d.attempts,
        _d.accepted_at,
        _AT,
        _d.next_attempt_at,
    )
    rows = selected(connection, selection, _states(selection, by_default), *wanted).c
    order = (rows.destination, rows.state, rows.code, rows.at, rows.id)
    query = select(*rows).order_by(*(column.desc() if newest_first else column for column in order)).limit(limit)
    if after is not None:
        seen = tuple_(*(literal(value, column.type) for value, column in zip(after, order, strict=True)))
        query = query.where(tuple_(*order) < seen if newest_first else tuple_(*order) > seen)
    return [
        ListedDelivery(
            id=row.id,
            destination=row.destination,
            school_year=row.school_year,
            card_id=row.card_id,
            version=row.version,
            state=DeliveryState(row.state),
            code=row.code,
            attempts=row.attempts,
            accepted_at=row.accepted_at,
            settled_at=row.at,
            next_attempt_at=row.next_attempt_at if row.state in TIMED else None,
        )
        for row in connection.execute(query)
    ]


def _states(selection: Selection, by_default: Collection[DeliveryState]) -> Collection[DeliveryState]:
    known = SHOWN.union(PENDING)
    if not selection.states <= known:
        raise SelectionError("selection.state", f"A list shows: {', '.join(sorted(known))}.")
    return selection.states or by_default
