"""Rings: what lies in RQ's queues, a name of ours and one checked argument, never a function that a queue names.

Whoever can write to Redis could otherwise make a worker import and call anything, unpickle anything, or call a web
hook. Here RQ's job is read as the JSON of `[name, null, [argument], {}]` and as nothing else: the name must be in
`RINGS`, the argument must have its form, and every other field of the job (callbacks, web hooks, retries, time-outs,
dependencies) is not even fetched. What is left to a stranger is to ring a bell; what is to do stands in the store.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from redis import Redis
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer

Run = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RingKind:
    """One kind of ring that workers know."""

    queue: str
    """Each kind has a queue and worker processes of its own, so that none waits for another."""
    argument: re.Pattern[str]
    seconds: int
    """Longest time that answering one ring may take."""


RINGS = {
    "drain": RingKind("hocba-deliveries", re.compile(r"[a-z0-9][a-z0-9_-]{0,63}"), 600),
    "import": RingKind("hocba-files", re.compile(r"[0-9a-f-]{36}"), 6 * 3_600),
    "job": RingKind("hocba-jobs", re.compile(r"[a-z][a-z-]{0,30}(:[a-z0-9][a-z0-9_-]{0,63})?"), 600),
}
"""The whole allow-list. `drain` takes a destination's name, `import` a file's id, `job` a job's key."""

_MOST_BYTES = 300
"""Of a job as it lies in Redis, compressed; zlib makes at most about a thousand times as much of it."""

_runs: dict[str, Run] = {}


def serve(name: str, run: Run) -> None:
    """Let this process answer rings of a kind: `run` is called with the argument."""
    assert name in RINGS  # noqa: S101 - a kind of our own
    _runs[name] = run


class RingJob(Job):
    """A ring, as this hub's workers read RQ's job."""

    def refresh(self) -> None:
        """Fetch what says what to run, if it has the size of one of ours.

        Raises:
            NoSuchJobError: it is not a job of this hub; RQ goes on to the next one.
        """
        size = self.connection.hstrlen(self.key, "data")
        data = self.connection.hget(self.key, "data") if 0 < size <= _MOST_BYTES else None
        if data is None:
            raise NoSuchJobError(f"No job of this hub: {self.key}")
        self.restore({b"data": data})

    def restore(self, raw_data: Any) -> None:  # noqa: ANN401 - RQ's signature
        """Read a job of ours.

        Raises:
            NoSuchJobError: it is not one.
        """
        super().restore({b"data": raw_data[b"data"]})
        try:
            name, instance, arguments, options = self.serializer.loads(self.data)
            kind = RINGS[name]
            [argument] = arguments
            is_ours = instance is None and options == {} and kind.argument.fullmatch(argument) is not None
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise NoSuchJobError(f"No job of this hub: {self.key}") from error
        if not is_ours or name not in _runs:
            raise NoSuchJobError(f"No job of this process: {self.key}")
        self.origin, self.timeout, self.result_ttl, self.failure_ttl = kind.queue, kind.seconds, 0, 60

    @property
    def func(self) -> Run:
        """What this process runs for the ring's name."""
        return _runs[self.func_name or ""]


def queue_of(name: str, connection: Redis) -> Queue:
    """The queue of a kind of rings."""
    return Queue(RINGS[name].queue, connection=connection, job_class=RingJob, serializer=JSONSerializer)


def enqueue(name: str, argument: str, connection: Redis) -> None:
    """Put a ring into the queue of its kind; it is gone after a minute if nobody takes it."""
    queue_of(name, connection).enqueue_call(
        name, args=(argument,), timeout=RINGS[name].seconds, result_ttl=0, failure_ttl=60, ttl=60
    )
