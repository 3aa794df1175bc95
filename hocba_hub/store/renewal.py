"""Renewing what is leased, in the background: one way for deliveries, imports and whatever else is held for a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from hocba_hub.store.engine import StoreError

log = logging.getLogger(__name__)

_RENEWALS_PER_LEASE = 4


class Renewal:
    """Calls `renew` again and again while the block runs, several times within the lease."""

    def __init__(self, renew: Callable[[], None], lease_seconds: float) -> None:
        """`renew` puts off the end of a lease of so many seconds; where the store is away, it is called again."""
        self._renew, self._wait_seconds = renew, lease_seconds / _RENEWALS_PER_LEASE
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="renewal", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._wait_seconds):
            try:
                self._renew()
            except StoreError as error:
                log.warning("a lease could not be renewed: %s", error)
