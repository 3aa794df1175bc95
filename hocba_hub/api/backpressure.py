"""Back-pressure: new submissions are put off while the backlog or the disk has passed its limit."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from starlette.concurrency import run_in_threadpool

from hocba_hub.api.problems import ProblemError
from hocba_hub.settings import Settings
from hocba_hub.store.engine import Store
from hocba_hub.store.tally import backlog

_FRESH_SECONDS = 1.0
_RETRY_AFTER_SECONDS = 30


class Room:
    """Whether there is room for more; looked up at most once a second, whatever the number of requests."""

    def __init__(self, settings: Settings, store: Store) -> None:
        """Watches the store's backlog and, for SQLite, the disk it lies on."""
        self._settings, self._store = settings, store
        database = store.url.database
        self._disk = Path(database).absolute().parent if store.is_sqlite and database else None
        self._looked_at = 0.0
        self._problem: str | None = None

    async def check(self) -> None:
        """Do nothing if there is room.

        Raises:
            ProblemError: 503 with Retry-After: the backlog or the disk is full.
        """
        now = time.monotonic()
        if now - self._looked_at > _FRESH_SECONDS:
            self._looked_at = now  # whoever comes meanwhile goes by the last look
            self._problem = await run_in_threadpool(self._look)
        if self._problem is not None:
            raise ProblemError(self._problem, retry_after=_RETRY_AFTER_SECONDS)

    def _look(self) -> str | None:
        if self._disk is not None and shutil.disk_usage(self._disk).free < self._settings.free_disk_bytes:
            return "hub.disk-full"
        with self._store.read() as connection:
            if backlog(connection) > self._settings.backlog_limit:
                return "hub.backlog-full"
        return None
