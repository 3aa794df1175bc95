"""Running jobs: the work of a job worker, when it is rung for, or with whatever is due without Redis.

What a job does is a function of its `JobRun`, in steps. Each step is one transaction that also says how far the run is,
so that a killed run goes on at the next step; a run that takes long gives way to others in between.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn

from sqlalchemy import Connection

from hocba_hub.adapters.http import CallError
from hocba_hub.model.clock import Clock
from hocba_hub.queue.doorbell import Doorbell
from hocba_hub.queue.jobs.schedules import following
from hocba_hub.store import jobs
from hocba_hub.store.engine import Store, StoreError
from hocba_hub.store.jobs import Planned, Run, RunState
from hocba_hub.store.renewal import Renewal

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 5
"""To go on with a run that gets no further, before it is given up."""
GIVEN_UP = "given-up"
"""Error of a run whose processes died again and again without getting further."""
UNEXPECTED = "unexpected"
"""Error of a run that met a fault of the hub; the log has it."""
UNKNOWN_KIND = "unknown-kind"
"""Error of a run that this version of the hub cannot do."""


class _InterruptedError(Exception):
    """The run ends here for now, and somebody goes on with it later."""

    def note(self, connection: Connection, key: str, lease_id: str, now: int) -> None:  # noqa: ARG002
        """Write it down: by itself, that anybody may go on at once."""
        jobs.release(connection, lease_id)


class _GiveWayError(_InterruptedError):
    """The time of this slice is over, or the process is to end."""


class _RestError(_InterruptedError):
    """There is nothing to do for some seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    def note(self, connection: Connection, key: str, lease_id: str, now: int) -> None:  # noqa: ARG002
        """Write down from when on anybody may go on."""
        jobs.release(connection, lease_id, until=now + round(self.seconds * 1000))


class _PausedError(_InterruptedError):
    """The run is to stand still until a person resumes it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def note(self, connection: Connection, key: str, lease_id: str, now: int) -> None:  # noqa: ARG002
        """Pause its job."""
        jobs.pause(connection, key, self.reason, now)


class _RunLostError(Exception):
    """The run was taken over, paused or cancelled."""


class JobFailedError(Exception):
    """A run cannot go on for a reason that its kind knows."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class JobRun:
    """A run under way, as what it does sees it. Whoever does something changes these fields within its step."""

    store: Store
    clock: Clock
    id: int
    key: str
    asked_by: str
    """`schedule`, or who asked for it."""
    started_at: int
    """Milliseconds; of the whole run, whoever is at it now."""
    cursor: Any
    """Where the next step goes on: whatever JSON holds; None at the beginning."""
    done: int
    """How much of `total` is done."""
    total: int | None
    result: Counter[str]
    """What came of it, in counts."""
    _lease_id: str
    _must_give_way: Callable[[], bool]

    @property
    def about(self) -> str:
        """What the job is about: of `reconcile:ministry`, `ministry`."""
        return self.key.partition(":")[2]

    def give_way(self) -> None:
        """Between two steps: end here for now if others are to get their turn, or the process is to end."""
        if self._must_give_way():
            raise _GiveWayError

    def rest(self, seconds: float) -> NoReturn:
        """Between two steps: end here for now, since there is nothing to do for so long."""
        raise _RestError(seconds)

    def pause(self, reason: str) -> NoReturn:
        """Between two steps: let the job rest until a person resumes it."""
        raise _PausedError(reason)

    @contextmanager
    def step(self) -> Iterator[Connection]:
        """One writing transaction; how far the run is by the end of the block is committed with it.

        Whoever leaves the block by an exception has done nothing. Work of other transactions (a call to a
        destination, a portion accepted) goes before the step that notes it, and must bear being done again.
        """
        with self.store.write() as connection:
            yield connection
            if not jobs.advance(
                connection, self._lease_id, cursor=self.cursor, done=self.done, total=self.total, result=self.result
            ):
                raise _RunLostError


Work = Callable[[JobRun], None]
"""What a kind of job does; it returns when there is nothing left to do.

Raises:
    JobFailedError: it cannot go on.
    CallError: a destination did not give what it was asked for; the run fails with its code.
    StoreError: the store is away; somebody goes on when the lease has expired.
"""


@dataclass
class JobWorker:
    """What the job worker of a process works with."""

    store: Store
    doorbell: Doorbell
    clock: Clock
    planned: Mapping[str, Planned]
    """The jobs as configured, by key."""
    works: Mapping[str, Work]
    """What each kind does."""
    holder: str
    lease_seconds: float
    slice_seconds: float
    """Longest time that one run works before the others get their turn; a step under way is finished."""
    stop: threading.Event = field(default_factory=threading.Event)

    def plan(self) -> None:
        """Write the configured jobs and their times down.

        Raises:
            StoreError: the store is away.
        """
        with self.store.write() as connection:
            jobs.plan(connection, self.planned, following, self.clock())

    def run(self, key: str) -> None:
        """Go on with a job's run, or begin the one that is due; ring again if something is left."""
        self.doorbell.answer("job", key)
        try:
            if self._run(key) and not self.stop.is_set():
                self.doorbell.ring_now("job", key)
        except StoreError as error:
            # The row stays as it is: when the lease has expired, somebody goes on.
            log.warning("the job %s was interrupted: %s", key, error)

    def poll(self) -> None:
        """One round without Redis: whatever is due."""
        for key in self._due():
            if not self.stop.is_set():
                self.run(key)

    def ring(self) -> None:
        """Ring for every job that is due."""
        for key in self._due():
            self.doorbell.ring_now("job", key)

    def _due(self) -> list[str]:
        try:
            with self.store.read() as connection:
                return jobs.due(connection, self.clock())
        except StoreError as error:
            log.warning("the store cannot be asked for jobs: %s", error)
            return []

    def _run(self, key: str) -> bool:
        """True if something is left to do at once."""
        now = self.clock()
        with self.store.write() as connection:
            run = jobs.take(connection, key, self.holder, now=now, until=now + self._lease_ms, following=following)
        if run is None or run.lease_id is None:
            return False
        work = self.works.get(key.partition(":")[0])
        if work is None:
            return self._ends(run, RunState.FAILED, UNKNOWN_KIND)
        if run.attempts > MOST_ATTEMPTS:
            log.error("the job %s got no further in %d attempts", key, MOST_ATTEMPTS)
            return self._ends(run, RunState.FAILED, GIVEN_UP)
        try:
            with Renewal(partial(self._renew, run.lease_id), self.lease_seconds):
                error = self._work(work, run, run.lease_id)
        except _InterruptedError as interrupted:
            with self.store.write() as connection:
                interrupted.note(connection, run.key, run.lease_id, self.clock())
            return isinstance(interrupted, _GiveWayError)
        except _RunLostError:
            log.info("the run of %s was taken over, paused or cancelled", key)
            return False
        return self._ends(run, RunState.DONE if error is None else RunState.FAILED, error)

    def _work(self, work: Work, run: Run, lease_id: str) -> str | None:
        """Work until nothing is left; why it failed, if it did."""
        end = time.monotonic() + self.slice_seconds
        under_way = JobRun(
            self.store, self.clock, run.id, run.key, run.asked_by, run.started_at, run.cursor, run.done, run.total,
            Counter(run.result), lease_id, lambda: self.stop.is_set() or time.monotonic() > end,
        )  # fmt: skip
        try:
            work(under_way)
        except (CallError, JobFailedError) as error:
            log.warning("the job %s failed: %s", run.key, error.code)
            return error.code
        except (StoreError, _InterruptedError, _RunLostError):
            raise
        except Exception:
            log.exception("the job %s failed", run.key)
            return UNEXPECTED
        return None

    def _ends(self, run: Run, state: RunState, error: str | None = None) -> bool:
        with self.store.write() as connection:
            jobs.finish(connection, run, state, error=error, now=self.clock())
        return False

    def _renew(self, lease_id: str) -> None:
        with self.store.write() as connection:
            jobs.renew(connection, lease_id, self.clock() + self._lease_ms)

    @property
    def _lease_ms(self) -> int:
        return round(self.lease_seconds * 1000)
