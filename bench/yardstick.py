"""How quick this machine is now, in two parts that the hub does not own, so that a slower hub cannot hide behind it."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import orjson
from rq import Queue, SimpleWorker

from bench.accept import secondary_cards
from bench.figures import Figure, Yard
from hocba_hub.queue.doorbell import connect
from tests.support.servers import RedisServer

THERE: dict[Yard, float] = {"jobs": 426, "loads": 71_000}
"""On the machine that the design's targets were set on (two quiet cores; a card is read in 14 µs)."""
_JOBS = 400


def measure() -> dict[Yard, float]:
    """Empty RQ jobs a second through one `SimpleWorker`, and `orjson.loads` of a card a second."""
    cards = secondary_cards(200)
    loads = len(cards) / min(_seconds_of_loads(cards) for _ in range(5))
    return {"jobs": _jobs_per_second(), "loads": loads}


def figures(_: Path) -> list[Figure]:
    """The same as figures, for a look at the machine alone."""
    found = measure()
    return [
        Figure("empty RQ jobs, SimpleWorker", found["jobs"], "/s"),
        Figure("`orjson.loads` of a card", found["loads"], "/s"),
    ]


def mean(before: dict[Yard, float], after: dict[Yard, float]) -> dict[Yard, float]:
    """What the machine was like between two looks at it."""
    return {part: (before[part] + after[part]) / 2 for part in before}


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
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        start = time.perf_counter()
        worker.work(burst=True, logging_level="ERROR")
        seconds = time.perf_counter() - start
        for number, handler in handlers.items():  # RQ takes them for itself
            signal.signal(number, handler)
        return _JOBS / seconds
    finally:
        server.kill()
