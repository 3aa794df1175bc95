"""What stays flat: /metrics and the hot queries with a million cards stored, and memory over 200,000 cards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
from sqlalchemy import text

from bench.accept import ndjson, postgres
from bench.figures import Figure, Target, at_most, duration
from bench.load import post_all
from hocba_hub.intake.check import RecordChecker
from hocba_hub.intake.deliverability import Deliverability
from hocba_hub.intake.source import SentRecord
from hocba_hub.mappings.library.mapping_set import shipped_mappings
from hocba_hub.model.delivery import DeliveryState, Meaning
from hocba_hub.model.ids import uuid7
from hocba_hub.model.keys import DestinationName
from hocba_hub.rules.comparing import CardComparison
from hocba_hub.rules.configuration import DEFAULT
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.sandbox.vendor import wait_until
from hocba_hub.store.accept import accept
from hocba_hub.store.access import Client
from hocba_hub.store.decide import Portion, Submission
from hocba_hub.store.engine import Store
from hocba_hub.store.lease import Allowance, Kind, bodies, due, lease
from hocba_hub.store.schema import upgrade
from hocba_hub.store.settle import CallFacts, Settlement, settle
from tests.support.rig import Rig

_STORED = 2_500_000
"""Cards, each delivered twice: five million deliveries."""
_FLAT = 5_000_000
_DRIVEN = 200_000
_PART = 5_000
SCRAPE, SERIES, FLAT, GROWTH = 0.05, 2_000, 2.0, 1.2
"""Seconds of a scrape; series in it; how much slower a step may be in a full store; how much memory may grow."""

FILLED_AT_ONCE = 250_000
NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})"
FILL = (
    """INSERT INTO report_cards (school_year, card_id, school_code, client_id, version, content_sha256, recalled,
       changed_at, pupil, class_code)
       {numbers} SELECT '2024-2025', 'old-' || n, 'S' || (n % 700), 1, 1, :digest, false, 0, n, 'C' || (n % 40)
       FROM numbers""",
    """INSERT INTO versions (school_year, card_id, version, event, accepted_at, submission_id, position, school_code,
       content_sha256, original_sha256, original_type, original_bytes, canonical)
       {numbers} SELECT '2024-2025', 'old-' || n, 1, 'NEW', 0, 'old', n, 'S' || (n % 700), :digest, :digest,
       'application/json', 100, :digest FROM numbers""",
    """INSERT INTO deliveries (destination, school_year, card_id, version, event, state, accepted_at, next_attempt_at,
       attempts, asked, settled_at)
       {numbers} SELECT d.name, '2024-2025', 'old-' || n, 1, 'NEW', 'acknowledged', 0, 0, 1, 0, 0
       FROM numbers CROSS JOIN (SELECT 'province' AS name UNION ALL SELECT 'ministry') d""",
)


def _fill(store: Store, cards: int) -> None:
    """Cards of last year, all delivered: what the hub carries when the new year begins."""
    for first in range(1, cards + 1, FILLED_AT_ONCE):
        numbers = NUMBERS.format(first=first, last=min(cards, first + FILLED_AT_ONCE - 1))
        with store.write() as connection:
            for statement in FILL:
                connection.execute(text(statement.format(numbers=numbers)), {"digest": bytes(32)})
    with store.write() as connection:
        connection.execute(text("ANALYZE"))


def measure_metrics(folder: Path) -> list[Figure]:
    """The median of twenty scrapes."""
    with postgres() as server, Rig(folder / "rig", server.url) as rig:
        key = rig.client_key()
        with rig.store() as store:
            _fill(store, _STORED)
        post_all(f"{rig.url}/v1/report-cards", key, ndjson(list(generate(500, 8)), 250), connections=1,
                 media_type="application/x-ndjson")  # fmt: skip
        assert wait_until(rig.is_settled, 60)
        times = []
        with httpx.Client() as http:
            for _ in range(20):
                start = time.perf_counter()
                http.get(f"{rig.url}/metrics").raise_for_status()
                times.append(time.perf_counter() - start)
    times.sort()
    what = f"/metrics with {2 * _STORED:,} deliveries stored, PostgreSQL"
    return [duration(what, times[10], SCRAPE, more=f"worst of 20 {times[-1] * 1000:.0f} ms")]


def _series(rig: Rig) -> float:
    lines = httpx.get(f"{rig.url}/metrics").text.splitlines()
    return sum(bool(line) and not line.startswith("#") for line in lines)


def measure_flat(folder: Path) -> Iterator[Figure]:
    """The steps of the hot path in an empty store and in one that holds five million delivered cards."""
    with postgres() as server:
        for engine, url in (("PostgreSQL", server.url), ("SQLite", f"sqlite:///{folder / 'hub.db'}")):
            store = Store(url)
            upgrade(store)
            _hot_path(store, list(generate(1_000, 30)))  # what is loaded and compiled once
            empty = _hot_path(store, list(generate(4_000, 31)))
            _fill(store, _FLAT)
            full = _hot_path(store, list(generate(4_000, 31 + _FLAT)))
            store.close()
            for name, seconds in empty.items():
                before = Figure("in an empty store", seconds * 1e3, "ms")
                more = f"in an empty store {before.value:.3g} ms"
                what = f"{name}, {engine}, {_FLAT:,} cards stored"
                yield Figure(what, full[name] * 1e3, "ms", at_most(FLAT, before), more)


def _hot_path(store: Store, cards: list[bytes]) -> dict[str, float]:
    """Median seconds of each step: 8 groups of 500 cards accepted, then leased and settled."""
    seconds: dict[str, list[float]] = {}

    @contextmanager
    def timed(name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        seconds.setdefault(name, []).append(time.perf_counter() - start)

    checker = RecordChecker(Deliverability(()), DEFAULT)
    now = time.time_ns() // 1_000_000
    for start in range(0, len(cards), 500):
        taken = [
            checker.check(place, SentRecord(raw, "application/json"), shipped_mappings())
            for place, raw in enumerate(cards[start : start + 500])
        ]
        portion = Portion(Submission(uuid7(), Client(1, "vendor", None), now, "application/x-ndjson"), taken)
        with timed("accept of 500"), store.write() as connection:
            accept(connection, [portion], ["province"], CardComparison(), now)
    allowance = Allowance(DestinationName("province"), 4, 200, 10**8, None)
    while True:
        with timed("lease of 200"), store.write() as connection:
            held = lease(connection, allowance, Kind.SEND, holder="bench", now=now, until=now + 60_000)
        if held is None:
            break
        with timed("bodies of 200"), store.read() as connection:
            bodies(connection, [one.id for one in held.deliveries])
        with timed("settling of 200"), store.write() as connection:
            settlements = [
                Settlement(each, DeliveryState.ACKNOWLEDGED, Meaning.ACKNOWLEDGED, "OK", "", now, 1, 0, now, None)
                for each in held.deliveries
            ]
            settle(connection, held, settlements, CallFacts(Meaning.ACKNOWLEDGED), now=now)
    for _ in range(20):
        with timed("what is due, nothing"), store.read() as connection:
            due(connection, allowance.destination, now)
    return {name: sorted(times)[len(times) // 2] for name, times in seconds.items()}


def measure_memory(folder: Path) -> Iterator[Figure]:
    """Resident memory of every process after the first and the last of 200,000 cards, driven end to end."""
    with postgres() as server, Rig(folder / "rig", server.url) as rig:
        key = rig.client_key()
        names = [child.name for child in rig.children]
        before: dict[str, float] = {}
        cards = generate(_DRIVEN, 12)
        for start in range(0, _DRIVEN, _PART):
            part = [next(cards) for _ in range(_PART)]
            load = post_all(f"{rig.url}/v1/report-cards", key, ndjson(part, 250), connections=2,
                            media_type="application/x-ndjson")  # fmt: skip
            assert set(load.statuses) == {202}, load.statuses
            assert wait_until(rig.is_settled, 120), "not everything was delivered"
            if start == 4 * _PART:
                before = {name: _resident(rig, name) for name in names}
        after = {name: _resident(rig, name) for name in names}
        series = _series(rig)
    yield Figure(f"/metrics after {_DRIVEN:,} cards", series, "series", Target(SERIES, at_most=True))
    for name in names:
        early = Figure("after 25,000", before[name], "MB")
        more = f"after 25,000 {before[name]:.0f} MB"
        yield Figure(f"memory of {name} after {_DRIVEN:,} cards", after[name], "MB", at_most(GROWTH, early), more)


def _resident(rig: Rig, name: str) -> float:
    process = rig.child(name).process
    assert process is not None
    return float(psutil.Process(process.pid).memory_info().rss) / 1e6
