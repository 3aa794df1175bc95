"""How quick this machine is now, beside the one that the targets were set on: two parts that the hub does not own."""

from __future__ import annotations

import time
from pathlib import Path

import orjson
from rq import Queue, SimpleWorker

from bench.accept import secondary_cards
from hocba_hub.queue.doorbell import connect
from tests.support.servers import RedisServer

_LOADS_THERE_MICROSECONDS = 14
_RQ_THERE = 426
"""Empty jobs a second through one SimpleWorker."""
_JOBS = 400


def measure(folder: Path) -> list[tuple[str, str]]:
    del folder
    cards = secondary_cards(200)
    loads = min(_seconds_of_loads(cards) for _ in range(5)) / len(cards) * 1e6
    jobs = _jobs_per_second()
    return [
        (
            "`orjson.loads` of a card",
            f"{loads:.0f} µs; {_LOADS_THERE_MICROSECONDS} there: × {loads / _LOADS_THERE_MICROSECONDS:.1f}",
        ),
        ("empty RQ jobs, SimpleWorker", f"{jobs:.0f}/s; {_RQ_THERE} there: × {_RQ_THERE / jobs:.1f}"),
    ]


def _seconds_of_loads(cards: list[bytes]) -> float:
    start = time.perf_counter()
    for card in cards:
        orjson.loads(card)
    return time.perf_counter() - start


def _jobs_per_second() -> float:
    server = RedisServer()
    server.start()
    try:
        connection = connect(server.url)
        queue = Queue("yardstick", connection=connection)
        for _ in range(_JOBS):
            queue.enqueue_call("time.monotonic")
        worker = SimpleWorker([queue], connection=connection)
        start = time.perf_counter()
        worker.work(burst=True, logging_level="ERROR")
        return _JOBS / (time.perf_counter() - start)
    finally:
        server.kill()
