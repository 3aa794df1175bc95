"""Pausing and resuming a destination, and how each one stands for the people who look after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from hocba_hub.model.delivery import FINAL, DeliveryState
from hocba_hub.model.keys import DestinationName
from hocba_hub.store import audit
from hocba_hub.store.bulk import upsert
from hocba_hub.store.counters import sums
from hocba_hub.store.destination_health import destinations_health, oldest_due
from hocba_hub.store.tables import destinations


@dataclass(frozen=True, slots=True)
class DestinationHealth:
    """How one destination stands; times in milliseconds."""

    name: DestinationName
    paused_at: int | None
    pause_reason: str | None
    open_until: int | None
    """The breaker is open until then, and then one probe decides."""
    failures: int
    """Calls that failed one after the other."""
    cap: int | None
    """Calls that may be under way, where that was adapted down."""
    oldest_due_at: int | None
    depth: Mapping[DeliveryState, int]
    """Deliveries that are not final, by state."""


def pause(connection: Connection, name: DestinationName, *, actor: str, reason: str, now: int) -> None:
    """Send nothing there, ask nothing there, until it is resumed; calls under way end by themselves."""
    values = {"paused_at": now, "pause_reason": reason}
    statement = upsert(connection, destinations).values(name=name, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
    audit.write(connection, at=now, actor=actor, action="pause", reason=reason, detail={"destination": name})


def resume(connection: Connection, name: DestinationName, *, actor: str, reason: str, now: int) -> None:
    """Let deliveries go out again; the caller rings."""
    connection.execute(
        destinations.update().where(destinations.c.name == name).values(paused_at=None, pause_reason=None)
    )
    audit.write(connection, at=now, actor=actor, action="resume", reason=reason, detail={"destination": name})


def overview(connection: Connection, names: Iterable[DestinationName], now: int) -> list[DestinationHealth]:
    """The health of the named destinations, also of those that were never called, by name."""
    known = destinations_health(connection)
    depth = sums(connection).get("depth", {})
    found = []
    for name in sorted(names):
        row = known.get(name)
        found.append(
            DestinationHealth(
                name=name,
                paused_at=row.paused_at if row else None,
                pause_reason=row.pause_reason if row else None,
                open_until=row.open_until if row and (row.open_until or 0) > now else None,
                failures=row.failures if row else 0,
                cap=row.cap if row else None,
                oldest_due_at=oldest_due(connection, name, now),
                depth={state: int(depth.get((name, state), 0)) for state in DeliveryState if state not in FINAL},
            )
        )
    return found
