"""One worker process: an RQ worker while Redis is there, a poller of the store while it is not."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Protocol

import redis
from rq import Queue
from rq.exceptions import DequeueTimeout, StopRequested
from rq.job import Job
from rq.worker import SimpleWorker
from rq.worker.base import WorkerStatus

from hocba_hub.queue.doorbell import Doorbell, connect
from hocba_hub.queue.rings import queue_of, serve

log = logging.getLogger(__name__)

_WORKER_TTL_SECONDS = 20


class Work(Protocol):
    """What one kind of worker does."""

    @property
    def doorbell(self) -> Doorbell:
        """What rings for it."""
        ...

    @property
    def stop(self) -> threading.Event:
        """Set when the process is to end."""
        ...

    def run(self, argument: str) -> None:
        """The job: work off what was rung for; never raises."""
        ...

    def poll(self) -> None:
        """One round without Redis: whatever is due; never raises."""
        ...


class _HubWorker(SimpleWorker):
    """Runs jobs in this process, so that connections and the parsed WSDL are kept between them.

    It gives up at once when Redis goes away, since then the store is polled; and a signal lets the job that runs
    finish what is under way.
    """

    stop: threading.Event

    def dequeue_job_and_maintain_ttl(self, timeout: int | None, max_idle_time: int | None = None) -> tuple[Job, Queue]:  # noqa: ARG002
        # RQ's own loop would wait for Redis by itself, up to a minute at a time.
        with _giving_up():
            self.set_state(WorkerStatus.IDLE)
            while True:
                self.heartbeat()
                if self.should_run_maintenance_tasks:
                    self.run_maintenance_tasks()
                try:
                    found = self.queue_class.dequeue_any(
                        self._ordered_queues, timeout, connection=self.connection, job_class=self.job_class,
                        serializer=self.serializer, death_penalty_class=self.death_penalty_class,
                    )  # fmt: skip
                except DequeueTimeout:
                    continue
                if found is not None:
                    found[0].redis_server_version = self.get_redis_server_version()
                    return found

    def execute_job(self, job: Job, queue: Queue) -> None:
        with _giving_up():
            super().execute_job(job, queue)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.stop.set()
        super().request_stop(signum, frame)

    def teardown(self) -> None:
        with suppress(redis.RedisError):
            super().teardown()

    def subscribe(self) -> None:
        """Commands reach a worker by signal, not through Redis: no thread that listens for them."""

    def unsubscribe(self) -> None:
        """See `subscribe`."""


@contextmanager
def _giving_up() -> Iterator[None]:
    """Leave RQ's loop when Redis goes away."""
    try:
        yield
    except redis.RedisError as error:
        raise StopRequested from error


def work(name: str, work: Work, redis_url: str | None, *, poll_seconds: float) -> None:
    """Answer the rings of a kind (`queue/rings.py`), and no others, until SIGTERM or SIGINT sets `work.stop`."""
    serve(name, work.run)
    while not work.stop.is_set():
        _answer_signals(work.stop)
        if redis_url is not None and work.doorbell.answers():
            _listen(name, work.stop, redis_url)
        work.poll()  # once after every loss of Redis, too: what was rung before it may be lost
        work.stop.wait(poll_seconds)


def _answer_signals(stop: threading.Event) -> None:
    def ask_to_stop(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of signal handlers
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)


def _listen(name: str, stop: threading.Event, redis_url: str) -> None:
    """Run RQ jobs until Redis goes away, or holds what is not ours, or the process is to stop."""
    for logger in ("rq.worker", "rq.job", "rq.queue"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)  # the jobs log for themselves
    connection = connect(redis_url)
    try:
        # One queue for each worker: only then does RQ move jobs without a gap in which they could be lost.
        queue = queue_of(name, connection)
        worker = _HubWorker(
            [queue], connection=connection, job_class=queue.job_class, serializer=queue.serializer,
            worker_ttl=_WORKER_TTL_SECONDS,
        )  # fmt: skip
        worker.stop = stop
        worker.work(logging_level=None)
    except (redis.RedisError, StopRequested) as error:
        log.info("Redis is away, polling the store: %s", type(error).__name__)
    except Exception as error:  # noqa: BLE001 - whatever a stranger put there costs one round of polling
        log.warning("Redis holds what this hub did not put there, polling the store: %s", type(error).__name__)
    finally:
        connection.close()
