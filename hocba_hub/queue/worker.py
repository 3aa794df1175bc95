"""One worker process: an RQ worker while Redis is there, a poller of the store while it is not."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import redis
from rq import Queue
from rq.exceptions import DequeueTimeout, StopRequested
from rq.job import Job
from rq.worker import SimpleWorker
from rq.worker.base import WorkerStatus

from hocba_hub.queue import jobs
from hocba_hub.queue.doorbell import QUEUE, connect
from hocba_hub.store.engine import StoreError

log = logging.getLogger(__name__)

_WORKER_TTL_SECONDS = 20


class _DrainWorker(SimpleWorker):
    """Runs jobs in this process, so that connections and the parsed WSDL are kept between them.

    It gives up at once when Redis goes away, since then the store is polled; and a signal lets the job that runs
    finish what is under way.
    """

    process: jobs.WorkerProcess

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
        self.process.stop.set()
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


def work(process: jobs.WorkerProcess, redis_url: str | None, *, poll_seconds: float) -> None:
    """Work until `process.stop` is set by SIGTERM or SIGINT."""
    jobs.serve(process)
    while not process.stop.is_set():
        _answer_signals(process)
        if redis_url is not None and process.doorbell.answers():
            _listen(process, redis_url)
        _poll(process)  # once after every loss of Redis, too: what was rung before it may be lost
        process.stop.wait(poll_seconds)


def _answer_signals(process: jobs.WorkerProcess) -> None:
    def stop(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of signal handlers
        process.stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


def _listen(process: jobs.WorkerProcess, redis_url: str) -> None:
    """Run RQ jobs until Redis goes away or the process is to stop."""
    for name in ("rq.worker", "rq.job", "rq.queue"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # the jobs log for themselves
    connection = connect(redis_url)
    try:
        # One queue for each worker: only then does RQ move jobs without a gap in which they could be lost.
        worker = _DrainWorker([QUEUE], connection=connection, worker_ttl=_WORKER_TTL_SECONDS)
        worker.process = process
        worker.work(logging_level=None)
    except (redis.RedisError, StopRequested) as error:
        log.info("Redis is away, polling the store: %s", type(error).__name__)
    finally:
        connection.close()


def _poll(process: jobs.WorkerProcess) -> None:
    """One round without Redis: take over expired leases, then drain whatever is due."""
    try:
        process.engine.sweep()
        for name in process.engine.due():
            if not process.stop.is_set():
                process.engine.drain(name, seconds=process.drain_seconds, stop=process.stop)
    except StoreError as error:
        log.warning("the store cannot be polled: %s", error)
