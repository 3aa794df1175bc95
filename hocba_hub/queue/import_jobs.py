"""The RQ jobs of files, what rings for them, and the rounds that find whatever nobody rang for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import redis
from rq import Queue

from hocba_hub.adapters.files.spool import Spool
from hocba_hub.model.clock import Clock
from hocba_hub.queue.doorbell import QUEUE, connect
from hocba_hub.queue.imports import Importer
from hocba_hub.store import files
from hocba_hub.store.engine import Store, StoreError
from hocba_hub.store.files import FileState

log = logging.getLogger(__name__)

_RUNG_MS = 5_000
_JOB_SECONDS = 6 * 3_600
"""Longest time that cutting a file and one slice of its import may take."""


def clear(spool: Spool, store: Store, *, before: int) -> None:
    """Remove what lies in the spool of files that ended, or were not gone on with, before a moment (milliseconds)."""
    for file_id in list(spool.ids()):
        with store.read() as connection:
            file = files.find(connection, file_id)
        if file is not None and (file.state == FileState.WAITING or file.changed_at >= before):
            continue
        with store.write() as connection:
            files.forget(connection, file_id)
        spool.remove(file_id)


class ImportBell:
    """Rings for files as the doorbell does for destinations."""

    def __init__(self, url: str | None) -> None:
        """Without a URL nothing is rung: workers poll."""
        self._redis = connect(url) if url else None

    def ring(self, file_id: str) -> bool:
        """Ring for a file, and say whether Redis took it; several rings before its import starts make one job."""
        if self._redis is None:
            return False
        try:
            if self._redis.set(_bell(file_id), 1, nx=True, px=_RUNG_MS):
                Queue(QUEUE, connection=self._redis).enqueue_call(
                    "hocba_hub.queue.import_jobs.import_file",
                    args=(file_id,),
                    timeout=_JOB_SECONDS,
                    result_ttl=0,
                    failure_ttl=60,
                    ttl=60,
                )
        except redis.RedisError as error:
            log.debug("the doorbell is out of order: %s", type(error).__name__)
            return False
        return True

    def answer(self, file_id: str) -> None:
        """Take the ring down: what is rung from now on makes a new job."""
        if self._redis is not None:
            try:
                self._redis.delete(_bell(file_id))
            except redis.RedisError:
                log.debug("the doorbell is out of order")


def _bell(file_id: str) -> str:
    return f"hocba:bell:file:{file_id}"


@dataclass
class ImportProcess:
    """What the import jobs of this process work with."""

    store: Store
    bell: ImportBell
    clock: Clock
    make: Callable[[], Importer]
    """Called before the first import: reading files needs much that deliveries do not."""
    slice_seconds: float
    """Longest time one job imports before the others get their turn."""
    stop: threading.Event
    _importer: Importer | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, file_id: str) -> None:
        """Go on with a file, and ring again if something is left."""
        self.bell.answer(file_id)
        try:
            with self._lock:
                if self._importer is None:
                    self._importer = self.make()
            if not self._importer.run(file_id, seconds=self.slice_seconds, stop=self.stop) and not self.stop.is_set():
                self.bell.ring(file_id)
        except StoreError as error:
            # The row stays as it is: when the lease has expired, somebody goes on.
            log.warning("the import of file %s was interrupted: %s", file_id, error)

    def round(self, *, may_import: bool) -> None:
        """Ring for every file that waits; import it here where Redis is away and `may_import`."""
        with self.store.read() as connection:
            waiting = files.due(connection, self.clock())
        for file_id in waiting:
            if not self.bell.ring(file_id) and may_import and not self.stop.is_set():
                self.run(file_id)

    def rounds(self, every_seconds: float, *, may_import: bool) -> threading.Thread:
        """A running thread that makes a round each `every_seconds` until `stop` is set."""
        thread = threading.Thread(
            target=self._rounds, args=(every_seconds, may_import), name="import-rounds", daemon=True
        )
        thread.start()
        return thread

    def _rounds(self, every_seconds: float, may_import: bool) -> None:  # noqa: FBT001 - a thread's arguments
        while not self.stop.is_set():
            try:
                self.round(may_import=may_import)
            except StoreError as error:
                log.warning("the store cannot be asked for files: %s", error)
            self.stop.wait(every_seconds)


_process: ImportProcess | None = None


def serve(process: ImportProcess) -> None:
    """Make `process` the one that this process's import jobs work with."""
    global _process  # noqa: PLW0603 - RQ calls jobs by name, with nothing but their arguments
    _process = process


def import_file(file_id: str) -> None:
    """The RQ job: go on with the import of a file."""
    if _process is None:
        raise RuntimeError("This process was not set up to import files.")
    _process.run(file_id)
