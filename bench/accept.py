"""Durable accept of ~10 KB cards: single requests and batches, on both engines, and on a disk that is slow to sync."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from sqlalchemy import insert

from bench.figures import Figure, rate
from bench.load import Load, post_all
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.store.tables import destinations
from tests.support.rig import Rig
from tests.support.servers import PostgresServer

SINGLE, SINGLE_SLOW, BATCHED = 650, 500, 2_000
"""Least rates at the design's pace."""
_seed = count(1)


def secondary_cards(number: int) -> list[bytes]:
    """Cards of about 10 KB, of pupils that no other call has given."""
    found: list[bytes] = []
    for card in generate(10_000_000, next(_seed)):
        if b'"kind":"secondary"' in card:
            found.append(card)
            if len(found) == number:
                return found
    raise AssertionError("too few cards")


@contextmanager
def postgres(preload: str = "") -> Iterator[PostgresServer]:
    server = PostgresServer(preload=preload)
    server.start()
    try:
        yield server
    finally:
        server.remove()


@contextmanager
def paused_hub(folder: Path, url: str | None, preload: str = "", apis: int = 1) -> Iterator[tuple[Rig, str]]:
    """A hub whose destinations are paused, so that accepting is measured alone."""
    environment = {"LD_PRELOAD": preload} if preload and url is None else {}
    with Rig(folder, url, workers=1, apis=apis, environment=environment) as rig:
        with rig.store() as store, store.write() as connection:
            connection.execute(
                insert(destinations), [{"name": name, "paused_at": 1, "pause_reason": "bench"} for name in rig.ledgers]
            )
        yield rig, rig.client_key()


def _single(rig: Rig, key: str, requests: int = 6_000) -> Load:
    post_all(f"{rig.url}/v1/report-cards", key, secondary_cards(500), connections=32)
    return post_all(f"{rig.url}/v1/report-cards", key, secondary_cards(requests), connections=32)


def _batched(rig: Rig, key: str, cards: int = 20_000, size: int = 500) -> tuple[Load, int]:
    bodies = ndjson(secondary_cards(cards), size)
    load = post_all(f"{rig.url}/v1/report-cards", key, bodies, connections=4, media_type="application/x-ndjson")
    return load, cards


def ndjson(cards: Sequence[bytes], size: int) -> list[bytes]:
    return [b"\n".join(cards[start : start + size]) for start in range(0, len(cards), size)]


def _figure(what: str, load: Load, least: float) -> Figure:
    assert set(load.statuses) == {202}, f"not all were accepted: {load.statuses}"
    half, worst = load.percentile(0.5) * 1e3, load.percentile(0.99) * 1e3
    return rate(what, load.rate, least, more=f"p50 {half:.0f} ms, p99 {worst:.0f} ms")


def measure(folder: Path) -> Iterator[Figure]:
    """Accepted cards a second: one a request over 32 connections, and in batches."""
    sample = secondary_cards(200)
    yield Figure("size of a card", sum(map(len, sample)) / len(sample) / 1000, "KB")
    with postgres() as server:
        for name, url in (("PostgreSQL", server.url), ("SQLite", None)):
            for apis in (1, 2):
                target = server.create_database(f"bench{apis}") if url else None
                with paused_hub(folder / f"{name}{apis}", target, apis=apis) as (rig, key):
                    what = f"{apis} API process{'es' if apis > 1 else ''}, {name}"
                    yield _figure(f"cards accepted one by one, 32 connections, {what}", _single(rig, key), SINGLE)
                    load, cards = _batched(rig, key)
                    assert set(load.statuses) == {202}, load.statuses
                    yield rate(f"cards accepted in batches of 500, {what}", cards / load.seconds, BATCHED)


def measure_slow_disk(folder: Path) -> Iterator[Figure]:
    """Single cards where each fsync takes 2 ms longer, as on the disk of a usual cloud machine."""
    library = folder / "slow_fsync.so"
    source = Path(__file__).parent / "slow_fsync.c"
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True)
    library.chmod(0o755)
    what = "cards accepted one by one, 32 connections, +2 ms on every fsync"
    with postgres(preload=str(library)) as server, paused_hub(folder / "pg", server.url) as (rig, key):
        yield _figure(f"{what}, PostgreSQL", _single(rig, key), SINGLE_SLOW)
    with paused_hub(folder / "sqlite", None, preload=str(library)) as (rig, key):
        yield _figure(f"{what}, SQLite", _single(rig, key), SINGLE_SLOW)
