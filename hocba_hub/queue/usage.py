"""Rates and quotas of clients, shared by all processes of a hub.

Each process counts for itself and four times a second adds what is new to counters that all share, in Redis if it is
there, else in the store; what it learns of the others is part of its next decisions. So nobody waits for a counter,
and a limit is passed by a quarter of a second's worth at most. A lost Redis makes limits more generous for a while; it
never refuses anybody.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, Self

import redis

from hocba_hub.mappings.delivery import VIETNAM
from hocba_hub.model.clock import Clock
from hocba_hub.queue.doorbell import connect
from hocba_hub.settings import Settings
from hocba_hub.store import usage
from hocba_hub.store.engine import Store, StoreError
from hocba_hub.store.usage import Window

log = logging.getLogger(__name__)

RATE_SECONDS = 10
"""Requests are counted in windows of so many seconds, so that a short burst is no matter."""
_SHARE_SECONDS = 0.25
_KEPT_SECONDS = 2 * 86_400
_VIETNAM_MS = VIETNAM.utcoffset(None) // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Quotas:
    """What one client may use; 0 for no limit."""

    requests_per_second: float
    records_per_day: int
    bytes_per_day: int


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A limit that a client has reached."""

    measure: str
    """`requests`, `records` or `bytes`."""
    retry_after: float
    """Seconds until a new window begins."""


class Counters(Protocol):
    """Counters that all processes share."""

    def add(self, amounts: Mapping[Window, int]) -> Mapping[Window, int]:
        """Add to some windows; what each holds now."""
        ...


class RedisCounters:
    """Counters in Redis; they end by themselves."""

    def __init__(self, url: str) -> None:
        """`url` as in the settings."""
        self._redis = connect(url)

    def add(self, amounts: Mapping[Window, int]) -> Mapping[Window, int]:
        """As `Counters` has it.

        Raises:
            redis.RedisError: Redis is away.
        """
        pipeline = self._redis.pipeline(transaction=False)
        for (client_id, measure, start), amount in amounts.items():
            name = f"hocba:usage:{client_id}:{measure}:{start}"
            pipeline.incrby(name, amount)
            pipeline.expire(name, _KEPT_SECONDS)
        answers = pipeline.execute()[::2]
        return {window: int(total) for window, total in zip(amounts, answers, strict=True)}


class StoreCounters:
    """Counters in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, amounts: Mapping[Window, int]) -> Mapping[Window, int]:
        """As `Counters` has it.

        Raises:
            StoreError: the store is away.
        """
        with self._store.write() as connection:
            return usage.add(connection, amounts)


class Usage:
    """What the clients use, as this process knows it."""

    def __init__(self, quotas: Quotas, store: Store, redis_url: str | None, clock: Clock) -> None:
        """Counts nothing until something is used."""
        self._quotas, self._clock = quotas, clock
        self._shared: list[Counters] = [RedisCounters(redis_url)] if redis_url else []
        self._shared.append(StoreCounters(store))
        self._known: dict[Window, int] = {}
        self._new: Counter[Window] = Counter()
        self._adding: Counter[Window] = Counter()
        self._lock = threading.Lock()
        self._has_news = threading.Event()
        self._is_closed = threading.Event()
        self._thread: threading.Thread | None = None

    @classmethod
    def of(cls, settings: Settings, store: Store, clock: Clock) -> Self:
        """As the settings say."""
        quotas = Quotas(settings.requests_per_second, settings.records_per_day, settings.bytes_per_day)
        return cls(quotas, store, settings.redis_url, clock)

    def exceeded(self, client_id: int) -> Exceeded | None:
        """Count one request of a client; the limit that stands against it, and then it is not counted."""
        now, quotas = self._clock(), self._quotas
        limits = (
            ("requests", quotas.requests_per_second * RATE_SECONDS),
            ("records", quotas.records_per_day),
            ("bytes", quotas.bytes_per_day),
        )
        for measure, most in limits:
            start, end = _window(measure, now)
            if most and self._total((client_id, measure, start)) >= most:
                return Exceeded(measure, (end - now) / 1000)
        if quotas.requests_per_second:
            self._note((client_id, "requests", _window("requests", now)[0]), 1)
        return None

    def note(self, client_id: int, *, records: int = 0, size: int = 0) -> None:
        """Count what a client sent; `size` in bytes."""
        now = self._clock()
        for measure, amount in (("records", records), ("bytes", size)):
            if amount:
                self._note((client_id, measure, _window(measure, now)[0]), amount)

    def close(self) -> None:
        """Share what is new, then count no more."""
        self._is_closed.set()
        self._has_news.set()
        if self._thread is not None:
            self._thread.join(5)

    def _total(self, window: Window) -> int:
        return self._known.get(window, 0) + self._adding[window] + self._new[window]

    def _note(self, window: Window, amount: int) -> None:
        with self._lock:
            self._new[window] += amount
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="usage", daemon=True)
                self._thread.start()
        # Set once for a quarter of a second's calls: to wake the thread for each would cost each a switch.
        if not self._has_news.is_set():
            self._has_news.set()

    def _run(self) -> None:
        while True:
            self._has_news.wait()
            self._has_news.clear()
            with self._lock:
                self._adding, self._new = self._new, Counter()
            if self._adding:
                totals = self._share(self._adding)
                with self._lock:
                    self._known.update(totals)
                    self._adding = Counter()
                    self._forget()
            elif self._is_closed.is_set():
                return
            if self._is_closed.wait(_SHARE_SECONDS):
                self._has_news.set()

    def _share(self, amounts: Mapping[Window, int]) -> Mapping[Window, int]:
        for counters in self._shared:
            try:
                return counters.add(amounts)
            except (redis.RedisError, StoreError) as error:
                log.debug("usage is not shared: %s", type(error).__name__)
        return {window: self._known.get(window, 0) + amount for window, amount in amounts.items()}

    def _forget(self) -> None:
        now = self._clock()
        for window in [each for each in self._known if _window(each[1], now)[0] > each[2]]:
            del self._known[window]


def _window(measure: str, now: int) -> tuple[int, int]:
    """When the window of this moment begins and ends, in milliseconds: a day is one in Vietnam."""
    length, ahead = (RATE_SECONDS * 1000, 0) if measure == "requests" else (86_400_000, _VIETNAM_MS)
    start = now - (now + ahead) % length
    return start, start + length
