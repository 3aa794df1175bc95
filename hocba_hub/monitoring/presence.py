"""Telling the store, every few seconds, that this process is alive, and what it has answered since."""

from __future__ import annotations

import logging
import threading
import time
from typing import Self

from hocba_hub.model.clock import Clock
from hocba_hub.store import exemplars, processes
from hocba_hub.store.counters import CALL_SECONDS, COMMIT_SECONDS, Counters, bucket_of
from hocba_hub.store.engine import Store, StoreError
from hocba_hub.store.exemplars import Exemplar, Place

log = logging.getLogger(__name__)

_SECONDS = 5.0
_CALLS, _COMMITS = "http_request_seconds", "store_commit_seconds"


class Presence:
    """A process that runs until the block ends, or until `close`.

    What a killed process had answered in its last seconds is not counted: to write each answer down would let anybody
    who may not even ask make the store work.
    """

    def __init__(self, store: Store, holder: str, kind: str, clock: Clock) -> None:
        """Note the start.

        Raises:
            StoreError: the store is away.
        """
        self._store, self._holder, self._clock = store, holder, clock
        self._lock = threading.Lock()
        self._counted = Counters()
        self._traces: dict[Place, Exemplar] = {}
        self._round_at: int | None = None
        self._over = threading.Event()
        with store.write() as connection:
            processes.begin(connection, holder, kind, clock())
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)
        self._thread.start()

    def answered(self, status: int, surface: str, seconds: float, trace_id: str | None) -> None:
        """Count an answer: its HTTP status, who asked (`hocba_http_request_duration_seconds`), what it took.

        `trace_id` is that of the call, if there is a trace of it.
        """
        with self._lock:
            self._counted.add("http_responses", str(status))
            self._counted.observe(_CALLS, CALL_SECONDS, (surface,), (seconds,))
            if trace_id is not None:
                place = (_CALLS, f"{surface} {bucket_of(CALL_SECONDS, seconds)}")
                self._traces[place] = Exemplar(seconds, trace_id, self._clock())

    def round_done(self) -> None:
        """Note that this process, a scheduler, has looked for what is due."""
        self._round_at = self._clock()

    def close(self) -> None:
        """Note the end."""
        self._over.set()
        self._thread.join()
        self._tell(ends=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        while not self._over.wait(_SECONDS):
            self._tell()

    def _tell(self, *, ends: bool = False) -> None:
        with self._lock:
            counted, self._counted = self._counted, Counters()
            traces, self._traces = self._traces, {}
        began = time.monotonic()
        try:
            with self._store.write() as connection:
                exemplars.note(connection, traces)
                processes.seen(connection, self._holder, self._clock(), counted, round_at=self._round_at, ends=ends)
        except StoreError as error:
            log.debug("nobody is told that this process is alive: %s", error)
            with self._lock:
                self._counted.merge(counted)
                self._traces = traces | self._traces
        else:
            with self._lock:
                self._counted.observe(_COMMITS, COMMIT_SECONDS, (), (time.monotonic() - began,))
