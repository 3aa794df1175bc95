"""What the audit trail's one chain costs those who write to it at once, and how fast it is verified."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.accept import postgres
from bench.figures import Figure, Target, rate
from hocba_hub.store import audit
from hocba_hub.store.engine import Store
from hocba_hub.store.schema import upgrade
from hocba_hub.store.tables import tallies

_ACTS = 2_000
_WRITERS = (1, 4)
_DETAIL = {"deliveries": list(range(50)), "code": "SCHOOL_UNKNOWN"}
_t = tallies.c


def measure(folder: Path) -> Iterator[Figure]:
    """Acts a second of one writer and of several, without and with a row in the trail; rows verified a second."""
    with postgres() as server:
        for name, url in (("PostgreSQL", server.url), ("SQLite", f"sqlite:///{folder / 'hub.db'}")):
            store = Store(url)
            upgrade(store)
            with store.write() as connection:
                shards = range(max(_WRITERS))
                connection.execute(
                    tallies.insert(), [{"name": "n", "labels": "", "shard": n, "value": 0} for n in shards]
                )
            yield from _writing(store, name)
            yield from _verifying(store, name)
            store.close()


def _writing(store: Store, name: str) -> Iterator[Figure]:
    for writers in _WRITERS:
        who = "1 writer" if writers == 1 else f"{writers} writers"
        bare = Figure(
            f"acts without a row of the audit trail, {who}, {name}", _rate(store, writers, audited=False), "/s"
        )
        yield bare
        told = _rate(store, writers, audited=True)
        yield rate(f"acts with a row of it, {who}, {name}", told, 300)
        if writers == 1:
            adds = 1000 / told - 1000 / bare.value
            yield Figure(f"what the row adds to an act, {name}", adds, "ms", Target(5, at_most=True))


def _rate(store: Store, writers: int, *, audited: bool) -> float:
    """Transactions a second; each writer has a row of its own to change, so that they meet at the trail alone."""

    def write(shard: int) -> None:
        for n in range(_ACTS // writers):
            with store.write() as connection:
                connection.execute(tallies.update().where(_t.name == "n", _t.shard == shard).values(value=n))
                if audited:
                    audit.write(connection, at=n, actor="bench", action="replay", reason="bench", detail=_DETAIL)

    start = time.monotonic()
    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write, range(writers)))
    return _ACTS / (time.monotonic() - start)


def _verifying(store: Store, name: str) -> Iterator[Figure]:
    start = time.monotonic()
    with store.read() as connection:
        faults, end = list(audit.verify(connection)), audit.newest(connection)
    assert not faults, faults[0]
    assert end is not None
    assert end.seq == _ACTS * len(_WRITERS), end
    yield rate(f"rows of the audit trail verified, {name}", end.seq / (time.monotonic() - start), 5_000)
