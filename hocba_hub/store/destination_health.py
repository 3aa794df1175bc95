"""How the destinations stand: what monitoring and operators read of them. Flat, whatever the number of cards."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, func, select

from hocba_hub.model.delivery import DeliveryState
from hocba_hub.model.keys import DestinationName
from hocba_hub.store.engine import in_states
from hocba_hub.store.tables import deliveries, destinations

_MOST_COUNTED = 10_000


def destinations_health(connection: Connection) -> dict[DestinationName, Row[Any]]:
    """Every destination that was ever called or paused, by name."""
    return {DestinationName(row.name): row for row in connection.execute(select(destinations))}


def oldest_due(connection: Connection, destination: DestinationName, now: int) -> int | None:
    """When the longest-waiting delivery became due (milliseconds); None if nothing is due."""
    d = deliveries.c
    return connection.execute(
        select(func.min(d.next_attempt_at)).where(
            d.destination == destination,
            in_states(d.state, DeliveryState.QUEUED, DeliveryState.HELD),
            d.lease_id.is_(None),
            d.next_attempt_at <= now,
        )
    ).scalar()


def acks_overdue(connection: Connection, destination: DestinationName, before: int) -> int:
    """Deliveries that were taken before `before` and whose verdict is still awaited; counted up to 10,000."""
    d = deliveries.c
    found = (
        select(d.id)
        .where(
            d.destination == destination,
            in_states(d.state, DeliveryState.AWAITING_ACK),
            d.awaiting_since < before,
        )
        .limit(_MOST_COUNTED)
        .subquery()
    )
    return connection.execute(select(func.count()).select_from(found)).scalar_one()
