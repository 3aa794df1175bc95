"""A replay of 50,000 records beside live cards, and what grouping failures by cause costs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from statistics import median

from sqlalchemy import func, select

from bench.accept import ndjson, postgres
from bench.figures import Figure, Target, at_least, rate
from bench.load import post_all
from hocba_hub.model.delivery import FINAL
from hocba_hub.model.failures import Cause, cause_of_attempt
from hocba_hub.model.replays import ReplayPlan
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.sandbox.vendor import wait_until
from hocba_hub.store import failures, replays
from hocba_hub.store.engine import Store
from hocba_hub.store.selection import Selection
from hocba_hub.store.tables import deliveries
from tests.support.rig import Rig

_REFUSED = 25_000
"""Cards, each refused by two destinations."""
_LIVE = 10_000
_BATCHES = 100
"""Of 200 failures each."""
_client = count(1)
_d = deliveries.c


def measure(folder: Path) -> Iterator[Figure]:
    """Live cards a second without and with a replay beside them, and the replay's own rate, on both engines."""
    with postgres() as server:
        for name, url in (("PostgreSQL", server.url), ("SQLite", None)):
            with Rig(folder / name, url, jobs=1) as rig, rig.store() as store:
                yield from _beside(rig, store, name)
                yield from _grouping(store, name)


def _beside(rig: Rig, store: Store, name: str) -> Iterator[Figure]:
    rig.set_faults({"seed": 1, "faults": [{"name": "record-refused", "code": "SCHOOL_UNKNOWN"}]})
    _push(rig, list(generate(_REFUSED, 7)))
    assert wait_until(rig.is_settled, 600, every=0.2), "the cards to be replayed were not all refused"
    rig.set_faults({"seed": 1, "faults": []})
    alone = rate(f"live cards alone, {name}", _LIVE / _live(rig, store, 8), 0)
    yield Figure(alone.what, alone.value, alone.unit)
    start = time.monotonic()
    with store.write() as connection:
        now = time.time_ns() // 1_000_000
        plan = ReplayPlan(canary=(1, 10, 100))
        made = replays.freeze(
            connection, Selection(code="SCHOOL_UNKNOWN"), plan, actor="bench", reason="bench", now=now
        ).replay
        assert made.records == 2 * _REFUSED
    seconds = time.monotonic() - start
    yield Figure(f"choosing and claiming {made.records:,} records, {name}", seconds, "s", Target(10, at_most=True))
    start = time.monotonic()
    with store.write() as connection:
        replays.start(connection, made.id, actor="bench", reason="bench", now=time.time_ns() // 1_000_000)
    assert wait_until(lambda: _sent(store, made.id) > 1_000, 60, every=0.1), "the replay does not get going"
    beside = _LIVE / _live(rig, store, 9)
    assert _sent(store, made.id) < made.records, "the replay was over before the live cards were"
    yield Figure(f"live cards beside a replay, {name}", beside, "/s", at_least(0.8, alone))
    assert wait_until(lambda: _is_over(store, made.id), 600, every=0.2), "the replay did not end"
    seconds = time.monotonic() - start
    with store.read() as connection:
        [counted] = replays.counts(connection, made.id)
    assert (counted.outcome, counted.records) == ("acknowledged", made.records), counted
    yield rate(f"records replayed, live cards among them, {name}", made.records / seconds, 300)


def _push(rig: Rig, cards: list[bytes]) -> None:
    key = rig.client_key(f"vendor-{next(_client)}")
    load = post_all(
        f"{rig.url}/v1/report-cards", key, ndjson(cards, 250), connections=3, media_type="application/x-ndjson"
    )
    assert set(load.statuses) == {202}, load.statuses


def _live(rig: Rig, store: Store, seed: int) -> float:
    """Seconds until new cards are at both destinations."""
    cards = list(generate(_LIVE, seed))
    since, start = time.time_ns() // 1_000_000, time.monotonic()
    _push(rig, cards)
    with store.read() as connection:
        first = connection.execute(select(func.min(_d.id)).where(_d.accepted_at >= since)).scalar_one()

    def is_over() -> bool:
        with store.read() as connection:
            query = select(func.count()).where(_d.id >= first, _d.state.not_in(sorted(FINAL)))
            return not connection.execute(query).scalar_one()

    assert wait_until(is_over, 300, every=0.1), "live cards are left over"
    return time.monotonic() - start


def _sent(store: Store, replay_id: int) -> int:
    with store.read() as connection:
        found = replays.counts(connection, replay_id)
    return sum(one.records for one in found if one.code != "waiting")


def _is_over(store: Store, replay_id: int) -> bool:
    with store.read() as connection:
        found = replays.find(connection, replay_id)
    assert found is not None
    assert found.stop_code is None, found
    return found.ended_at is not None


def _grouping(store: Store, name: str) -> Iterator[Figure]:
    """What a batch of 200 failures of four causes from 40 schools adds to its transaction."""
    causes: list[Cause] = [
        cause
        for n in range(4)
        if (cause := cause_of_attempt("province", "send", "refused", f"E{n}", "record 17", "m 1.0.0")) is not None
    ]
    now, took = time.time_ns() // 1_000_000, []
    for _ in range(_BATCHES):
        batch = [failures.Failed(causes[n % 4], f"S{n % 40}", 1, now) for n in range(200)]
        with store.write() as connection:
            start = time.perf_counter()
            failures.record(connection, batch, now)
            took.append(time.perf_counter() - start)
    yield Figure(f"grouping a batch of 200 failures, {name}", 1000 * median(took), "ms", Target(10, at_most=True))
    start = time.perf_counter()
    with store.read() as connection:
        failures.listed(connection, now)
    listing = 1000 * (time.perf_counter() - start)
    yield Figure(f"listing the failure groups, {name}", listing, "ms", Target(100, at_most=True))
