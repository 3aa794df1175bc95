"""How quick this machine is now, by two things that are not ours, so that a slower hub cannot hide behind it."""

from __future__ import annotations

import math
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import orjson
from rq import Queue, SimpleWorker

from bench.accept import secondary_cards
from bench.figures import Figure
from hocba_hub.queue.doorbell import connect
from tests.support.servers import RedisServer

_JOBS_THERE, _READINGS_THERE = 426, 71_000
"""On the two quiet cores that the design's targets were set on, where a card is read in 14 µs."""
_JOBS = 400


@dataclass(frozen=True, slots=True)
class Yardstick:
    """One look at the machine."""

    jobs: float
    """Empty jobs a second through one RQ `SimpleWorker`: two processes, sockets, much Python."""
    readings: float
    """`orjson.loads` of a card, a second: one core and its memory."""

    @property
    def pace(self) -> float:
        """This machine's speed where the design's is 1: the geometric mean of both parts."""
        return math.sqrt(self.jobs / _JOBS_THERE * self.readings / _READINGS_THERE)

    def __str__(self) -> str:
        return f"{self.jobs:.0f} empty jobs/s, a card is read in {1e6 / self.readings:.0f} µs: pace {self.pace:.2f}"


def measure() -> Yardstick:
    """Look at the machine; takes some seconds."""
    cards = secondary_cards(200)
    seconds = min(_seconds_of_loads(cards) for _ in range(20))
    return Yardstick(_jobs_per_second(), len(cards) / seconds)


def mean(before: Yardstick, after: Yardstick) -> Yardstick:
    """What the machine was like between two looks at it."""
    return Yardstick((before.jobs + after.jobs) / 2, (before.readings + after.readings) / 2)


def figures(_: Path) -> list[Figure]:
    """The same as figures, for a look at the machine alone."""
    found = measure()
    return [
        Figure("empty RQ jobs, SimpleWorker", found.jobs, "/s"),
        Figure("`orjson.loads` of a card", found.readings, "/s"),
        Figure("pace, where the design's machine has 1", found.pace, "×"),
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
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        start = time.perf_counter()
        worker.work(burst=True, logging_level="ERROR")
        seconds = time.perf_counter() - start
        for number, handler in handlers.items():  # RQ takes them for itself
            signal.signal(number, handler)
        return _JOBS / seconds
    finally:
        server.kill()
