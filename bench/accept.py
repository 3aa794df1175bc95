"""Durable accept of ~10 KB cards: single requests and batches, on both engines, and on a disk that is slow to sync."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from sqlalchemy import insert

from bench.load import Load, post_all
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.store.tables import destinations
from tests.support.rig import Rig
from tests.support.servers import PostgresServer

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


def _figures(name: str, load: Load) -> tuple[str, str]:
    assert set(load.statuses) == {202}, f"not all were accepted: {load.statuses}"
    half, worst = load.percentile(0.5) * 1e3, load.percentile(0.99) * 1e3
    return name, f"{load.rate:,.0f} requests/s, p50 {half:.1f} ms, p99 {worst:.1f} ms"


def measure(folder: Path) -> list[tuple[str, str]]:
    sample = secondary_cards(200)
    found = [("card", f"{sum(map(len, sample)) / len(sample) / 1000:.1f} KB on average")]
    with postgres() as server:
        for name, url in (("PostgreSQL", server.url), ("SQLite", None)):
            for apis in (1, 2):
                target = server.create_database(f"bench{apis}") if url else None
                with paused_hub(folder / f"{name}{apis}", target, apis=apis) as (rig, key):
                    what = f"{apis} API process{'es' if apis > 1 else ''}, {name}"
                    found.append(_figures(f"accept single, 32 connections, {what}", _single(rig, key)))
                    load, cards = _batched(rig, key)
                    assert set(load.statuses) == {202}, load.statuses
                    found.append((f"accept batched (500), {what}", f"{cards / load.seconds:,.0f} cards/s"))
    return found


def measure_slow_disk(folder: Path) -> list[tuple[str, str]]:
    library = folder / "slow_fsync.so"
    source = Path(__file__).parent / "slow_fsync.c"
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True)
    library.chmod(0o755)
    found = []
    with postgres(preload=str(library)) as server, paused_hub(folder / "pg", server.url) as (rig, key):
        found.append(_figures("accept single, 32 connections, +2 ms on every fsync, PostgreSQL", _single(rig, key)))
    with paused_hub(folder / "sqlite", None, preload=str(library)) as (rig, key):
        found.append(_figures("accept single, 32 connections, +2 ms on every fsync, SQLite", _single(rig, key)))
    return found
