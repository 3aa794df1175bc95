"""The deadline board with 600,000 cards: how long counting takes, and reading it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import text

from bench.accept import postgres
from bench.figures import Figure, duration
from bench.scale import NUMBERS
from hocba_hub.adapters.destination import Destination, Title
from hocba_hub.model.keys import DestinationName
from hocba_hub.monitoring.deadlines import board, needs
from hocba_hub.store.board import figures, take_snapshot
from hocba_hub.store.engine import Store
from hocba_hub.store.schema import upgrade

_CARDS = 600_000
_AT_ONCE = 100_000
READ = 0.2
"""Seconds in which the board must be there."""
YEAR = "2025-2026"
NAMES = [DestinationName("ministry"), DestinationName("province")]
_FILL = (
    """INSERT INTO report_cards (school_year, card_id, school_code, client_id, version, content_sha256, recalled,
       changed_at, pupil, class_code, circular, grade, commune_code)
       {numbers} SELECT '{year}', 'card-' || n, 'S' || (n % 740), 1, 1, :digest, false, 0, n,
       (1 + (n / 740) % 12) || 'A' || ((n / 8880) % 3), 'TT22/2021', 1 + (n / 740) % 12, 'C' || ((n % 740) % 104)
       FROM numbers""",
    """INSERT INTO deliveries (destination, school_year, card_id, version, event, state, accepted_at, next_attempt_at,
       attempts, asked, settled_at)
       {numbers} SELECT d.name, '{year}', 'card-' || n, 1, 'NEW',
       CASE WHEN n % 50 = 0 THEN 'refused' WHEN n % 7 = 0 THEN 'queued' ELSE 'acknowledged' END, 0, 0, 1, 0, 0
       FROM numbers CROSS JOIN (SELECT 'province' AS name UNION ALL SELECT 'ministry') d""",
)


def _fill(store: Store) -> None:
    """This year's cards, and a tenth more of last year's."""
    for year, cards, statements in ((YEAR, _CARDS, _FILL), ("2024-2025", _CARDS * 11 // 10, _FILL[:1])):
        for first in range(1, cards + 1, _AT_ONCE):
            numbers = NUMBERS.format(first=first, last=min(cards, first + _AT_ONCE - 1))
            with store.write() as connection:
                for statement in statements:
                    connection.execute(text(statement.format(numbers=numbers, year=year)), {"digest": bytes(32)})
    with store.write() as connection:
        connection.execute(text("ANALYZE"))


def measure_deadlines(folder: Path) -> Iterator[Figure]:
    """Counting, and the median of eleven readings."""
    with postgres() as server:
        for engine, url in (("PostgreSQL", server.url), ("SQLite", f"sqlite:///{folder / 'hub.db'}")):
            store = Store(url)
            upgrade(store)
            _fill(store)
            now = time.time_ns() // 1_000_000
            began = time.perf_counter()
            take_snapshot(store, YEAR, NAMES, now)
            yield Figure(f"counting {_CARDS:,} cards, {engine}", time.perf_counter() - began, "s")
            with store.write() as connection:
                connection.execute(text("ANALYZE"))  # as autovacuum does within a minute
            yield from _read(store, engine, now)
            store.close()


def _read(store: Store, engine: str, now: int) -> Iterator[Figure]:
    known = {name: Destination(name=name, title=Title(vi="t", en="t"), adapter="x", address="x") for name in NAMES}
    with store.read() as connection:
        found = board(connection, known, now)
        assert found is not None
        readings: dict[str, Callable[[], object]] = {
            "the board by level": lambda: board(connection, known, now),
            "the board by commune": lambda: figures(connection, found.snapshot, by="commune"),
            "the board by school": lambda: figures(connection, found.snapshot, by="school"),
            "a commune by class": lambda: figures(connection, found.snapshot, by="class", commune="C7"),
            "who needs help first": lambda: needs(connection, known, found),
        }
        for what, read in readings.items():
            yield duration(f"{what}, {engine}", _median(read), READ)


def _median(read: Callable[[], object]) -> float:
    times = []
    for _ in range(11):
        began = time.perf_counter()
        read()
        times.append(time.perf_counter() - began)
    return sorted(times)[5]
