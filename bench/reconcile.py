"""Reconciliation: 600,000 cards here against 600,000 there, over real SOAP and REST, on both stores.

The job runs in a process of its own, as a job worker's would, so that its memory is its own; the simulator is another
process. One card in a hundred was lost there, and is found.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import orjson
from sqlalchemy import text

from bench.accept import postgres
from bench.figures import Figure, Target, duration
from bench.files import peak_megabytes
from bench.scale import FILL, FILLED_AT_ONCE, NUMBERS
from hocba_hub.bootstrap import job_worker
from hocba_hub.sandbox.ledger import Arrival, Ledger
from hocba_hub.settings import Settings
from hocba_hub.store import jobs
from hocba_hub.store.engine import Store
from hocba_hub.store.schema import upgrade
from tests.support.sandbox_server import running_sandbox

CARDS = 600_000
SECONDS, MEGABYTES = 300, 300
_LOST = 100
_DIGEST = bytes(32)


def fill(store: Store, cards: int) -> None:
    """Cards that both destinations acknowledged, and what was sent of each."""
    for first in range(0, cards, FILLED_AT_ONCE):
        numbers = NUMBERS.format(first=first, last=min(first + FILLED_AT_ONCE, cards) - 1)
        with store.write() as connection:
            for statement in FILL:
                connection.execute(text(statement.format(numbers=numbers)), {"digest": _DIGEST})
    with store.write() as connection:
        connection.execute(
            text(
                """INSERT INTO delivery_attempts (delivery_id, attempt_id, meaning, code, detail, sent_sha256)
                   SELECT id, 1, 'acknowledged', 'OK', '', :digest FROM deliveries"""
            ),
            {"digest": _DIGEST},
        )
    if not store.is_sqlite:
        with store.write() as connection:
            connection.exec_driver_sql("ANALYZE")


def fill_ledger(ledger: Ledger, cards: int) -> None:
    """What the destination holds: all but one card in a hundred."""
    digest = _DIGEST.hex()
    for first in range(0, cards, FILLED_AT_ONCE):
        arrivals = [
            Arrival(f"2024-2025/old-{n}", 1, "NEW", digest)
            for n in range(first, min(first + FILLED_AT_ONCE, cards))
            if n % _LOST
        ]
        ledger.commit(arrivals, lambda _: None)


def reconciled(destination: str) -> dict[str, float]:
    """Reconcile in this process, as the environment says; seconds, and the process's peak memory."""
    worker = job_worker(Settings(drain_seconds=3_600, free_disk_bytes=0))
    key = f"reconcile:{destination}"
    with worker.store.write() as connection:
        jobs.ask(connection, key, "bench", time.time_ns() // 1_000_000)
    started = time.monotonic()
    worker.run(key)
    seconds = time.monotonic() - started
    with worker.store.read() as connection:
        [run] = jobs.history(connection, key, limit=1)
    assert run.state == "done", run.error
    return {"seconds": seconds, "megabytes": peak_megabytes(), **run.result}


def measure(folder: Path, cards: int = CARDS) -> list[Figure]:
    """Time and memory of each way."""
    figures: list[Figure] = []
    with running_sandbox(answer_seconds=60) as sandbox, postgres() as server:
        for ledger in sandbox.ledgers.values():
            fill_ledger(ledger, cards)
        for name, url in (("SQLite", f"sqlite:///{folder / 'hub.db'}"), ("PostgreSQL", server.url)):
            store = Store(url)
            upgrade(store)
            fill(store, cards)
            store.close()
            for destination, protocol in (("ministry", "SOAP"), ("province", "REST")):
                environment = {**os.environ, **sandbox.environment, "HOCBA_DATABASE_URL": url}
                command = [sys.executable, "-m", "bench.reconcile", destination]
                done = subprocess.run(command, env=environment, check=True, capture_output=True)
                found = orjson.loads(done.stdout.splitlines()[-1])
                lost = -(-cards // _LOST)
                assert (found["missing"], found["equal"]) == (lost, cards - lost), found
                what = f"reconciliation of {cards:,} cards, {name}, {protocol}"
                memory = Figure(f"memory of the {what}", found["megabytes"], "MB", Target(MEGABYTES, at_most=True))
                figures += [duration(what, found["seconds"], SECONDS), memory]
    return figures


if __name__ == "__main__":
    print(orjson.dumps(reconciled(sys.argv[1])).decode())
