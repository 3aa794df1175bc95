"""Who sends: when a record of each school last came, and from which client.

Written in the transaction that accepts, at most once an hour for each, so that it costs a look-up otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, Text, and_, cast, func, select

from hocba_hub.model.clock import DAY_MS
from hocba_hub.store.bulk import upsert
from hocba_hub.store.engine import one_of
from hocba_hub.store.tables import clients, senders

_FRESH_MS = 3_600_000
SILENT_AFTER_MS, FORGOTTEN_AFTER_MS = 7 * DAY_MS, 14 * DAY_MS
"""Who sent between these times ago, and no more since, is silent: sent last week, and not this week."""
_s = senders.c


class Silent(NamedTuple):
    """How many have fallen silent."""

    schools: int
    clients: int


def note(connection: Connection, found: Iterable[tuple[str, int]], now: int) -> None:
    """Note that a record of these schools came from these clients; the school's code and the client's id of each."""
    pairs = sorted(set(found))
    if not pairs:
        return
    schools = sorted({school for school, _ in pairs})
    known = select(_s.school_code, _s.client_id).where(
        one_of(connection, _s.school_code, schools), _s.last_at > now - _FRESH_MS
    )
    fresh = {(row.school_code, row.client_id) for row in connection.execute(known)}
    rows = [
        {"school_code": school, "client_id": client, "last_at": now}
        for school, client in pairs
        if (school, client) not in fresh
    ]
    if rows:
        statement = upsert(connection, senders).values(rows)
        newer = {"last_at": statement.excluded.last_at}
        connection.execute(statement.on_conflict_do_update(index_elements=["school_code", "client_id"], set_=newer))


def silent(connection: Connection, now: int) -> Silent:
    """How many schools and clients sent last week and no more."""
    counts = []
    for column in (_s.school_code, _s.client_id):
        last = select(func.max(_s.last_at).label("last_at")).group_by(column).subquery().c.last_at
        query = select(func.count()).where(last <= now - SILENT_AFTER_MS, last > now - FORGOTTEN_AFTER_MS)
        counts.append(connection.execute(query).scalar_one())
    return Silent(*counts)


class SilentSender(NamedTuple):
    """A school or a client that sent last week, and not this week."""

    kind: str
    """`school` or `client`."""
    name: str
    """The school's code, or the client's name."""
    last_at: int


def silent_senders(connection: Connection, now: int) -> list[SilentSender]:
    """Who sent last week and no more: the schools, then the clients, the longest silent first."""
    last = func.max(_s.last_at).label("last_at")
    is_silent = and_(last <= now - SILENT_AFTER_MS, last > now - FORGOTTEN_AFTER_MS)
    found = []
    named = func.coalesce(clients.c.name, cast(_s.client_id, Text))
    for kind, name in (("school", _s.school_code), ("client", named)):
        query = select(name.label("name"), last).join_from(senders, clients, clients.c.id == _s.client_id, isouter=True)
        query = query.group_by(name).having(is_silent).order_by(last, name)
        found += [SilentSender(kind, row.name, row.last_at) for row in connection.execute(query)]
    return found


def last_of_clients(connection: Connection) -> dict[int, int]:
    """When each client last sent a record, to the hour, by its id."""
    query = select(_s.client_id, func.max(_s.last_at)).group_by(_s.client_id)
    return {row[0]: row[1] for row in connection.execute(query)}
