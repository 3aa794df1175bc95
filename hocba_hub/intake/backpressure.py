"""Back-pressure: nothing more is taken in while the backlog or a disk has passed its limit."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from hocba_hub.settings import Settings
from hocba_hub.store.counters import backlog
from hocba_hub.store.engine import Store

_FRESH_SECONDS = 1.0
_SIZE_FRESH_SECONDS = 30.0
"""PostgreSQL looks at every file of the database to say how large it is."""


class Backpressure:
    """Whether there is room for more; looked up at most once a second, whatever the number of requests."""

    def __init__(
        self,
        store: Store,
        *,
        folders: Sequence[Path],
        free_bytes: int,
        backlog_limit: int,
        database_bytes: int | None = None,
    ) -> None:
        """Watches the store's backlog, the disks of some folders and of SQLite's file, and PostgreSQL's size."""
        self._store, self._free_bytes, self._backlog_limit = store, free_bytes, backlog_limit
        self._database_bytes = None if store.is_sqlite else database_bytes
        self._folders = [*([store.folder] if store.folder is not None else []), *folders]
        self._looked_at = self._measured_at = -_SIZE_FRESH_SECONDS
        self._size = 0
        self.problem: str | None = None
        """The code of the problem that stood against taking in more at the last look; None if there was room."""

    @classmethod
    def of(cls, settings: Settings, store: Store) -> Self:
        """As the settings say."""
        return cls(
            store,
            folders=(settings.files_folder, *settings.watched_folders),
            free_bytes=settings.free_disk_bytes,
            backlog_limit=settings.backlog_limit,
            database_bytes=settings.database_bytes,
        )

    def claim_look(self) -> bool:
        """Whether whoever asks is to `look`; only the first in a second is, the others go by `problem`."""
        now = time.monotonic()
        if now - self._looked_at <= _FRESH_SECONDS:
            return False
        self._looked_at = now
        return True

    def look(self) -> str | None:
        """The problem that stands against taking in more now.

        Raises:
            StoreError: the store cannot say.
        """
        self.problem = self._found()
        return self.problem

    def _found(self) -> str | None:
        if any(shutil.disk_usage(existing(folder)).free < self._free_bytes for folder in self._folders):
            return "hub.disk-full"
        with self._store.read() as connection:
            if backlog(connection) > self._backlog_limit:
                return "hub.backlog-full"
            if self._database_bytes is not None:
                if time.monotonic() - self._measured_at > _SIZE_FRESH_SECONDS:
                    self._size, self._measured_at = self._store.size(connection), time.monotonic()
                if self._size > self._database_bytes:
                    return "hub.disk-full"
        return None


def existing(folder: Path) -> Path:
    """The folder, or the one in which it will be made."""
    while not folder.exists():
        folder = folder.parent
    return folder
