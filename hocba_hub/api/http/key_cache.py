"""Who presented a key or a certificate, remembered for a second: a dictionary look-up for all but the first call of it.

What does not look like a key is not looked up and not remembered; of what does, only its SHA-256 is kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence

from starlette.concurrency import run_in_threadpool

from hocba_hub.model.clock import Clock, system_clock
from hocba_hub.store.access import Client, Operator, identify, looks_like_key
from hocba_hub.store.credentials import client_of_certificate
from hocba_hub.store.engine import Store

FRESH_SECONDS = 1.0
"""A revoked key opens nothing after this."""
_MOST_KEYS = 10_000
"""Good keys that are remembered at once."""
_MOST_UNKNOWN = 1_000
"""Made-up ones: whoever tries them neither fills the memory nor drives the good ones out."""

Owner = Client | Operator | None


class KeyCache:
    """The keys and certificates that were presented lately. Used from one event loop."""

    def __init__(
        self, store: Store, clock: Clock = system_clock, *, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock` says what is in force, `seconds` what is still fresh."""
        self._store, self._clock, self._seconds = store, clock, seconds
        self._known: dict[bytes, tuple[float, Owner]] = {}
        self._unknown: dict[bytes, tuple[float, Owner]] = {}
        self._asking: dict[bytes, asyncio.Task[Owner]] = {}

    async def owner(self, key: str) -> Owner:
        """The client or operator whose key this is; None if it is nobody's.

        Raises:
            StoreError: the store cannot say.
        """
        if not looks_like_key(key):
            return None
        return await self._remembered(key, lambda: self._identify(key))

    async def client_of(self, identities: Sequence[str]) -> Client | None:
        """The client for which a certificate of these identities stands; None if it is nobody's.

        Raises:
            StoreError: the store cannot say.
        """
        found = await self._remembered("\0".join(identities), lambda: self._client_of(identities))
        return found if isinstance(found, Client) else None

    async def _remembered(self, presented: str, ask: Callable[[], Owner]) -> Owner:
        digest = hashlib.sha256(presented.encode()).digest()
        known = self._known.get(digest) or self._unknown.get(digest)
        if known is not None and self._seconds() - known[0] < FRESH_SECONDS:
            return known[1]
        asking = self._asking.get(digest)
        if asking is None:  # of many calls that come at once only one asks the store
            asking = self._asking[digest] = asyncio.get_running_loop().create_task(self._ask(digest, ask))
            asking.add_done_callback(lambda _: self._asking.pop(digest, None))
        return await asyncio.shield(asking)

    async def _ask(self, digest: bytes, ask: Callable[[], Owner]) -> Owner:
        asked_at = self._seconds()  # what is revoked while the store answers counts as older than the answer
        owner = await run_in_threadpool(ask)
        self._known.pop(digest, None)
        self._unknown.pop(digest, None)
        kept, most = (self._unknown, _MOST_UNKNOWN) if owner is None else (self._known, _MOST_KEYS)
        if len(kept) >= most:
            del kept[next(iter(kept))]  # the one that was asked for longest ago
        kept[digest] = (asked_at, owner)
        return owner

    def _identify(self, key: str) -> Owner:
        with self._store.read() as connection:
            return identify(connection, key, now=self._clock())

    def _client_of(self, identities: Sequence[str]) -> Owner:
        with self._store.read() as connection:
            return client_of_certificate(connection, identities, now=self._clock())
