"""Telling the store, every few seconds, that this process is alive, and which HTTP statuses it has answered."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from typing import Self

from hocba_hub.model.clock import Clock
from hocba_hub.store import processes
from hocba_hub.store.engine import Store, StoreError

log = logging.getLogger(__name__)

_SECONDS = 5.0


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
        self._responses: Counter[int] = Counter()
        self._over = threading.Event()
        with store.write() as connection:
            processes.begin(connection, holder, kind, clock())
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)
        self._thread.start()

    def answered(self, status: int) -> None:
        """Count an answer."""
        with self._lock:
            self._responses[status] += 1

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
            telling, self._responses = self._responses, Counter()
        try:
            with self._store.write() as connection:
                processes.seen(connection, self._holder, self._clock(), telling, ends=ends)
        except StoreError as error:
            log.debug("nobody is told that this process is alive: %s", error)
            with self._lock:
                self._responses += telling
