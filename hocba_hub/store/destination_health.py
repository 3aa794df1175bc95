"""How the destinations stand: what monitoring and operators read of them. Flat, whatever the number of cards."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, func, select, text

from hocba_hub.model.delivery import DeliveryState
from hocba_hub.model.keys import DestinationName
from hocba_hub.store.bulk import upsert
from hocba_hub.store.engine import few_values, in_states
from hocba_hub.store.tables import attempts, deliveries, destinations

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


def stuck(connection: Connection, destination: DestinationName, now: int) -> dict[DeliveryState, int]:
    """When the timer of the longest-waiting delivery ran out (milliseconds), of the states in which others decide.

    Of those that are leased, the end of the lease: whoever had it is dead, and nobody took it over.
    """
    d, a = deliveries.c, attempts.c
    found: dict[DeliveryState, int] = {}
    for state in (DeliveryState.AWAITING_ACK, DeliveryState.IN_DOUBT):
        query = select(func.min(d.next_attempt_at)).where(
            d.destination == destination, in_states(d.state, state), d.lease_id.is_(None), d.next_attempt_at <= now
        )
        since = connection.execute(query).scalar()
        if since is not None:
            found[state] = since
    ended = select(func.min(a.expires_at)).where(
        a.destination == destination, a.ended_at.is_(None), a.expires_at <= now
    )
    since = connection.execute(ended).scalar()
    if since is not None:
        found[DeliveryState.LEASED] = since
    return found


def held_for(connection: Connection, destination: DestinationName) -> list[str]:
    """The codes for which deliveries are held now: few, whatever their number."""
    d = deliveries.c
    # The index holds them by state only under these words (`in_states`).
    failed = text("state IN ('refused','parked','held','cancelled')")
    of_it = (d.destination == destination, in_states(d.state, DeliveryState.HELD), failed)
    return few_values(connection, d.code, *of_it)


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


def note_certificate(connection: Connection, destination: DestinationName, ends_at: int) -> None:
    """Note when the certificate that a destination shows ends, in milliseconds."""
    statement = upsert(connection, destinations).values(name=destination, certificate_ends_at=ends_at)
    newer = {"certificate_ends_at": statement.excluded.certificate_ends_at}
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=newer))
