"""The RQ jobs. They carry no message, only a name; what to do stands in the store."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

from hocba_hub.model.keys import DestinationName
from hocba_hub.queue.doorbell import Doorbell
from hocba_hub.queue.drain import Engine

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerProcess:
    """What the jobs of this process work with; made once, before the first job."""

    engine: Engine
    doorbell: Doorbell
    drain_seconds: float
    stop: threading.Event
    """Set when the process is to end: what is under way is finished, nothing new is leased."""


_process: WorkerProcess | None = None


def serve(process: WorkerProcess) -> None:
    """Make `process` the one that this process's jobs work with."""
    global _process  # noqa: PLW0603 - RQ calls jobs by name, with nothing but their arguments
    _process = process


def drain(destination: str) -> None:
    """Work off what is due at a destination; ring again if something is left when the time is over."""
    if _process is None:
        raise RuntimeError("This process was not set up to run jobs.")
    name = DestinationName(destination)
    if name not in _process.engine.destinations:
        return
    _process.doorbell.answer(name)
    try:
        finished = _process.engine.drain(name, seconds=_process.drain_seconds, stop=_process.stop)
        if finished and not _process.stop.is_set() and name in _process.engine.due():
            _process.doorbell.ring_now(name)
    except Exception:
        # A job that fails would be retried by nobody: the scheduler rings again for what is due.
        log.exception("draining %s failed", name)
