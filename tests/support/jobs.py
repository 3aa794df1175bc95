"""Job workers as tests drive them: in this process, under a clock of the test's own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from hocba_hub.queue.doorbell import Doorbell
from hocba_hub.queue.jobs.retention import Retention
from hocba_hub.queue.jobs.runner import JobWorker, Work
from hocba_hub.settings import Settings
from hocba_hub.store import jobs
from hocba_hub.store.engine import Store
from hocba_hub.store.jobs import Planned, Run


def job_worker(
    store: Store,
    planned: Mapping[str, Planned],
    works: Mapping[str, Work],
    *,
    clock: Callable[[], int],
    holder: str = "one",
    slice_seconds: float = 60,
) -> JobWorker:
    """A worker whose jobs are written down."""
    made = JobWorker(
        store=store, doorbell=Doorbell(None), clock=clock, planned=planned, works=works, holder=holder,
        lease_seconds=6, slice_seconds=slice_seconds, stop=threading.Event(),
    )  # fmt: skip
    made.plan()
    return made


def run_once(store: Store, kind: str, work: Work, *, now: int, about: str | None = None) -> Run:
    """The run of a job of this kind that somebody asks for now, when it has ended."""
    key = kind if about is None else f"{kind}:{about}"
    worker = job_worker(store, {key: Planned(kind, None)}, {kind: work}, clock=lambda: now)
    with store.write() as connection:
        jobs.ask(connection, key, "test", now)
    worker.run(key)
    with store.read() as connection:
        [run] = jobs.history(connection, key, limit=1)
    return run


def forget_old(store: Store, settings: Settings, now: int) -> Run:
    """The job `retention`, run now."""
    return run_once(store, "retention", Retention(settings), now=now)
