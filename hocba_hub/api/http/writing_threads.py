"""Writing to the store from a call: in few threads of their own, so that a locked store holds up no reader."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

import anyio
import anyio.to_thread

from hocba_hub.store.engine import StoreAwayError

P = ParamSpec("P")
R = TypeVar("R")


class WritingThreads:
    """The threads of one process in which calls write."""

    def __init__(self, number: int, wait_seconds: float) -> None:
        """So many write at once; whoever waits longer for its turn is told that the store does not answer."""
        self._limiter = anyio.CapacityLimiter(number)
        self._wait_seconds = wait_seconds

    async def run(self, function: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> R:
        """What the function returns.

        Raises:
            StoreAwayError: nobody made way in time; it was not called.
        """
        borrower = object()
        with anyio.move_on_after(self._wait_seconds) as waiting:
            await self._limiter.acquire_on_behalf_of(borrower)
        if waiting.cancelled_caught:
            raise StoreAwayError("The store does not answer.")
        try:
            return await anyio.to_thread.run_sync(partial(function, *arguments, **options), limiter=_NO_LIMIT)
        finally:
            self._limiter.release_on_behalf_of(borrower)


_NO_LIMIT = anyio.CapacityLimiter(1_000)
