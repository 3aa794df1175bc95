"""The processes of a hub: each has a row from its start, and says every few seconds that it is alive.

So anybody who reads the store knows how many of each kind run, and how often one was started: a supervisor that starts
a dying process again and again would otherwise hide it.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, insert, select, update

from hocba_hub.store.counters import Counters
from hocba_hub.store.tables import processes

KINDS = ("api", "worker", "importer", "jobs", "scheduler")
ALIVE_MS = 30_000
"""A process that has not been heard of for so long is taken for dead."""
_p = processes.c


def begin(connection: Connection, holder: str, kind: str, now: int) -> None:
    """Note a process that starts; `holder` is its name among all, `kind` one of `KINDS`, `now` in milliseconds."""
    connection.execute(insert(processes).values(holder=holder, kind=kind, started_at=now, seen_at=now))
    counters = Counters()
    counters.add("process_starts", kind)
    counters.write(connection)


def seen(
    connection: Connection, holder: str, now: int, counted: Counters, *, round_at: int | None = None, ends: bool = False
) -> None:
    """Note that it is alive, or `ends`, and what it has counted since it was last heard of.

    `round_at` is when a scheduler last looked for what is due.
    """
    values = {"seen_at": now, "ended_at": now if ends else None} | ({"round_at": round_at} if round_at else {})
    connection.execute(update(processes).where(_p.holder == holder).values(values))
    counted.write(connection)


def last_round(connection: Connection) -> int | None:
    """When a scheduler last looked for what is due (milliseconds); None if none ever did."""
    return connection.execute(select(func.max(_p.round_at))).scalar()


def alive(connection: Connection, now: int) -> dict[str, int]:
    """How many of each kind run."""
    running = select(_p.kind, func.count().label("number")).where(_p.ended_at.is_(None), _p.seen_at > now - ALIVE_MS)
    found = {row.kind: row.number for row in connection.execute(running.group_by(_p.kind))}
    return {kind: found.get(kind, 0) for kind in KINDS}


def forget(connection: Connection, *, before: int) -> int:
    """Forget the processes that were last heard of before `before` (milliseconds); how many there were."""
    return connection.execute(delete(processes).where(_p.seen_at < before)).rowcount
