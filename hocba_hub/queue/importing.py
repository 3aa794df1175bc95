"""The work of an importer: go on with a file when it is rung for, or with whatever waits without Redis."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from hocba_hub.intake.files.importer import Importer
from hocba_hub.model.clock import Clock
from hocba_hub.queue.doorbell import Doorbell
from hocba_hub.store import files
from hocba_hub.store.engine import Store, StoreError

log = logging.getLogger(__name__)


@dataclass
class Importing:
    """What the importer of a process works with."""

    store: Store
    doorbell: Doorbell
    clock: Clock
    make: Callable[[], Importer]
    """Called before the first import: reading files needs much that others do not."""
    slice_seconds: float
    """Longest time one file is imported before the others get their turn."""
    stop: threading.Event
    _importer: Importer | None = None

    def run(self, file_id: str) -> None:
        """Go on with a file, and ring again if something is left."""
        self.doorbell.answer("import", file_id)
        try:
            if self._importer is None:
                self._importer = self.make()
            if not self._importer.run(file_id, seconds=self.slice_seconds, stop=self.stop) and not self.stop.is_set():
                self.doorbell.ring_now("import", file_id)
        except StoreError as error:
            # The row stays as it is: when the lease has expired, somebody goes on.
            log.warning("the import of file %s was interrupted: %s", file_id, error)

    def poll(self) -> None:
        """One round without Redis: go on with every file that waits."""
        for file_id in self._waiting():
            if not self.stop.is_set():
                self.run(file_id)

    def ring(self) -> None:
        """Ring for every file that waits."""
        for file_id in self._waiting():
            self.doorbell.ring_now("import", file_id)

    def _waiting(self) -> list[str]:
        try:
            with self.store.read() as connection:
                return files.due(connection, self.clock())
        except StoreError as error:
            log.warning("the store cannot be asked for files: %s", error)
            return []
