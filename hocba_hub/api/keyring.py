"""Whose a presented key is, remembered for a second: a dictionary look-up for all but the first call of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool

from hocba_hub.store.access import Client, Operator, identify
from hocba_hub.store.engine import Store

FRESH_SECONDS = 1.0
"""A revoked key opens nothing after this."""
_MOST_KEYS = 10_000
"""Keys that are remembered at once: whoever tries made-up ones cannot fill the memory."""

Owner = Client | Operator | None


class Keyring:
    """The keys that were presented lately. Used from one event loop."""

    def __init__(self, store: Store, *, seconds: Callable[[], float] = time.monotonic) -> None:
        """`seconds` is the clock that says what is still fresh."""
        self._store, self._seconds = store, seconds
        self._known: dict[str, tuple[float, Owner]] = {}
        self._asking: dict[str, asyncio.Task[Owner]] = {}

    async def owner(self, key: str) -> Owner:
        """The client or operator whose key this is; None if it is nobody's.

        Raises:
            StoreError: the store cannot say.
        """
        known = self._known.get(key)
        if known is not None and self._seconds() - known[0] < FRESH_SECONDS:
            return known[1]
        asking = self._asking.get(key)
        if asking is None:  # of many calls that come at once only one asks the store
            asking = self._asking[key] = asyncio.get_running_loop().create_task(self._ask(key))
            asking.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(asking)

    async def _ask(self, key: str) -> Owner:
        asked_at = self._seconds()  # what is revoked while the store answers counts as older than the answer
        owner = await run_in_threadpool(self._identify, key)
        if len(self._known) >= _MOST_KEYS:
            self._known.clear()
        self._known[key] = (asked_at, owner)
        return owner

    def _identify(self, key: str) -> Owner:
        with self._store.read() as connection:
            return identify(connection, key)
