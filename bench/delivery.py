"""End to end: from the first POST to the last verdict at both destinations; and the plain way in the same run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import orjson

from bench.accept import ndjson, postgres, secondary_cards
from bench.load import post_all
from hocba_hub.sandbox.oracle import examine
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.sandbox.vendor import wait_until
from tests.support.rig import Rig
from tests.support.servers import free_port

_CARDS = 20_000
_PLAIN_CARDS = 400


def end_to_end(rig: Rig, cards: list[bytes], *, connections: int = 3) -> float:
    """Seconds until both ledgers hold every card and every delivery is acknowledged."""
    key = rig.client_key()
    start = time.monotonic()
    load = post_all(
        f"{rig.url}/v1/report-cards", key, ndjson(cards, 250), connections=connections,
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


def measure(folder: Path) -> list[tuple[str, str]]:
    found = []
    with postgres() as server:
        for name, url in (("PostgreSQL", server.url), ("SQLite", None)):
            with Rig(folder / name, url) as rig:
                cards = list(generate(_CARDS, 99))
                seconds = end_to_end(rig, cards)
                what = f"end to end, {_CARDS:,} cards to 2 destinations, {name}"
                found.append((what, f"{_CARDS / seconds:,.0f} cards/s"))
    return found


def measure_plain(folder: Path) -> list[tuple[str, str]]:
    """The plain way (bench/plain.py) against the same simulators."""
    with Rig(folder / "rig", None, workers=1) as rig:
        port = free_port()
        environment = {**os.environ, **rig.environment, "PLAIN_REDIS": rig.redis.url}
        api = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "bench.plain:app", "--port", str(port), "--log-level", "warning"],
            env=environment,
        )
        workers = [
            subprocess.Popen([sys.executable, "-m", "bench.plain"], env=environment, stdout=subprocess.DEVNULL)
            for _ in range(2)
        ]
        try:
            url = f"http://127.0.0.1:{port}"
            assert wait_until(lambda: _answers(url), 20), "the plain API did not start"
            cards = secondary_cards(_PLAIN_CARDS)
            start = time.monotonic()
            post_all(f"{url}/cards", "none", cards, connections=8)
            held = f"{rig.ledgers['ministry']}/ledger"
            assert wait_until(lambda: httpx.get(held).json()["records_held"] >= _PLAIN_CARDS, 120), "not delivered"
            seconds = time.monotonic() - start
        finally:
            for process in (api, *workers):
                process.kill()
                process.wait()
    what = f"the plain way, {_PLAIN_CARDS} cards, modules loaded before the fork"
    return [(what, f"{_PLAIN_CARDS / seconds:,.1f} cards/s")]


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/docs").is_success
    except httpx.TransportError:
        return False
