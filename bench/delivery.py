"""End to end: from the first POST to the last verdict at both destinations."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import orjson

from bench.accept import ndjson, postgres
from bench.figures import Figure, rate
from bench.load import post_all
from hocba_hub.sandbox.oracle import examine
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.sandbox.vendor import wait_until
from tests.support.rig import Rig

_CARDS = 20_000
_client = count(1)
_LEAST = {"PostgreSQL": 1_200, "SQLite": 900}
"""Least rates at the design's pace."""


def end_to_end(rig: Rig, cards: list[bytes], sent: list[bytes] | None = None, *, query: str = "") -> float:
    """Seconds until both ledgers hold every card and every delivery is acknowledged.

    `sent` are the cards as the vendor of the profile in `query` writes them, if they are not sent as they are.
    """
    key = rig.client_key(f"vendor-{next(_client)}")
    start = time.monotonic()
    load = post_all(
        f"{rig.url}/v1/report-cards{query}", key, ndjson(sent or cards, 250), connections=3,
        media_type="application/x-ndjson",
    )  # fmt: skip
    assert set(load.statuses) == {202}, load.statuses
    assert wait_until(rig.is_settled, 300, every=0.05), "not everything was delivered"
    seconds = time.monotonic() - start
    assert_held_once(rig, cards)
    return seconds


def assert_held_once(rig: Rig, cards: list[bytes]) -> None:
    """Every card is at both destinations, none came twice."""
    for name, url in rig.ledgers.items():
        verdict = examine(url, {record_id(card): 1 for card in cards})
        assert verdict.held == len(cards), f"{name} holds {verdict.held} of {len(cards)}"
        assert verdict.is_clean, f"{name} got {verdict.doubled} twice"


def record_id(card: bytes) -> str:
    read = orjson.loads(card)
    return f"{read['school_year']}/{read['card_id']}"


def measure(folder: Path) -> Iterator[Figure]:
    """Cards a second, canonical ones of all levels, on both engines."""
    with postgres() as server:
        for name, url in (("PostgreSQL", server.url), ("SQLite", None)):
            with Rig(folder / name, url) as rig:
                cards = list(generate(_CARDS, 99))
                seconds = end_to_end(rig, cards)
                yield rate(f"end to end, {_CARDS:,} cards to 2 destinations, {name}", _CARDS / seconds, _LEAST[name])
