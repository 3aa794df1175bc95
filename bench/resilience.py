"""Recovery: after SIGKILL of a delivering worker, after Redis was killed and started empty; and the cold start."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from functools import partial
from pathlib import Path

import httpx
from sqlalchemy import select

from bench.accept import ndjson
from bench.delivery import assert_held_once
from bench.figures import Figure, duration
from bench.load import post_all
from hocba_hub.cli.supervision import hub_command
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.sandbox.vendor import wait_until
from hocba_hub.store.access import add_client
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import attempts
from tests.support.rig import Rig
from tests.support.servers import free_port

_CARDS = 3_000
_LEASE_SECONDS = 6
KILLED, EMPTIED, COLD = 10, 3, 3
"""Longest times at the design's pace."""


def _kill_while_delivering(folder: Path) -> float:
    """Seconds from SIGKILL of a worker that holds leases until all that it held is settled."""
    with Rig(folder, None, environment={"HOCBA_LEASE_SECONDS": str(_LEASE_SECONDS)}) as rig:
        rig.set_faults({"seed": 1, "faults": [{"name": "slow-answer", "rate": 1, "seconds": 1}]})
        key = rig.client_key()
        cards = list(generate(_CARDS, 5))
        post_all(
            f"{rig.url}/v1/report-cards", key, ndjson(cards, 250), connections=2,
            media_type="application/x-ndjson",
        )  # fmt: skip
        worker = rig.child("worker-0").process
        assert worker is not None
        assert wait_until(lambda: bool(rig.calls_under_way(worker.pid)), 20, every=0.02), "the worker got nothing"
        held = rig.calls_under_way(worker.pid)
        start = time.monotonic()
        rig.kill("worker-0")
        assert wait_until(lambda: not _open_among(rig, held), 60, every=0.02), "leases were not taken over"
        seconds = time.monotonic() - start
        assert wait_until(rig.is_settled, 120), "not everything was delivered"
        assert_held_once(rig, cards)
        return seconds


def _open_among(rig: Rig, ids: list[int]) -> bool:
    with rig.store() as store, store.read() as connection:
        a = attempts.c
        return connection.execute(select(a.id).where(a.id.in_(ids), a.ended_at.is_(None))).first() is not None


def _redis_emptied(folder: Path) -> float:
    """Seconds from the start of an empty Redis until a card posted then is held by both destinations."""
    with Rig(folder, None) as rig:
        key = rig.client_key()
        rig.redis.kill()
        time.sleep(2)
        rig.redis.start()
        start = time.monotonic()
        post_all(f"{rig.url}/v1/report-cards", key, list(generate(1, 6)), connections=1)
        held = [f"{url}/ledger" for url in rig.ledgers.values()]
        assert wait_until(lambda: all(httpx.get(url).json()["records_held"] for url in held), 30, every=0.02), (
            "nothing was delivered"
        )
        return time.monotonic() - start


def measure(folder: Path) -> list[Figure]:
    """The worst of three each."""
    kills = [_kill_while_delivering(folder / f"kill{n}") for n in range(3)]
    empties = [_redis_emptied(folder / f"redis{n}") for n in range(3)]
    return [
        duration(f"recovery after SIGKILL of a delivering worker, leases of {_LEASE_SECONDS} s", max(kills), KILLED),
        duration("recovery after Redis was killed and started empty", max(empties), EMPTIED),
    ]


def measure_cold_start(folder: Path) -> list[Figure]:
    """From starting `hocba-hub up` in an empty folder to its first 202; the client is added as soon as that works."""
    card = next(iter(generate(1, 7)))
    seconds = []
    for number in range(3):
        home, port = folder / f"cold{number}", free_port()
        environment = {**os.environ, "HOCBA_HOME": str(home), "HOCBA_FREE_DISK_BYTES": "0", "HOCBA_LOG_LEVEL": "ERROR"}
        start = time.monotonic()
        up = subprocess.Popen(
            hub_command("up", "--port", str(port)), env=environment, stderr=subprocess.DEVNULL, cwd=folder
        )
        try:
            ready = partial(answers, f"http://127.0.0.1:{port}/readyz")
            assert wait_until(ready, 30, every=0.01), "not ready"
            store = Store(f"sqlite:///{home / 'hub.db'}")
            with store.write() as connection:
                key = add_client(connection, "vendor", ["*"], now=1).key
            store.close()
            load = post_all(f"http://127.0.0.1:{port}/v1/report-cards", key, [card], connections=1)
            assert load.statuses == {202: 1}, load.statuses
            seconds.append(time.monotonic() - start)
        finally:
            up.send_signal(signal.SIGTERM)
            up.wait(60)
    return [duration("cold start of `hocba-hub up` to its first 202", max(seconds), COLD)]


def answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False
