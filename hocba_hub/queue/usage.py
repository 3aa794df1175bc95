"""Rates and quotas of clients, shared by all processes of a hub.

Each process counts for itself and four times a second adds what is new to counters that all share, in Redis if it is
there, else in the store; what it learns of the others is part of its next decisions. So nobody waits for a counter,
and a limit is passed by a quarter of a second's worth at most. A lost Redis makes limits more generous for a while; it
never refuses anybody.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, Self

import redis

from hocba_hub.model.clock import DAY_MS, Clock, vietnam_day_start
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
        self._clock = clock
        limits = (
            ("requests", quotas.requests_per_second * RATE_SECONDS),
            ("records", quotas.records_per_day),
            ("bytes", quotas.bytes_per_day),
        )
        self._limits = [(measure, most) for measure, most in limits if most]
        self._shared: list[Counters] = [RedisCounters(redis_url)] if redis_url else []
        self._shared.append(StoreCounters(store))
        self._windows: dict[str, tuple[int, int]] = {}
        self._windows_hold = range(0)
        """The moments that lie in all of them."""
        self._used: dict[Window, int] = {}
        self._new: dict[Window, int] = {}
        """What of it the other processes have not been told."""
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
        now = self._now()
        for measure, most in self._limits:
            start, end = self._windows[measure]
            if self._used.get((client_id, measure, start), 0) >= most:
                return Exceeded(measure, (end - now) / 1000)
        self._note(client_id, (("requests", 1),))
        return None

    def note(self, client_id: int, *, records: int = 0, size: int = 0) -> None:
        """Count what a client sent; `size` in bytes."""
        self._now()
        self._note(client_id, (("records", records), ("bytes", size)))

    def close(self) -> None:
        """Share what is new, then count no more."""
        self._is_closed.set()
        self._has_news.set()
        if self._thread is not None:
            self._thread.join(5)

    def _now(self) -> int:
        """This moment; `_windows` are those that it lies in."""
        now = self._clock()
        if now not in self._windows_hold:
            self._windows = {measure: _window(measure, now) for measure in ("requests", "records", "bytes")}
            starts, ends = zip(*self._windows.values(), strict=True)
            self._windows_hold = range(max(starts), min(ends))
        return now

    def _note(self, client_id: int, amounts: Iterable[tuple[str, int]]) -> None:
        with self._lock:
            for measure, amount in amounts:
                if not amount:
                    continue
                window = (client_id, measure, self._windows[measure][0])
                self._used[window] = self._used.get(window, 0) + amount
                self._new[window] = self._new.get(window, 0) + amount
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
                telling, self._new = self._new, {}
            if telling:
                totals = self._share(telling)
                with self._lock:
                    for window, total in totals.items():
                        self._used[window] = total + self._new.get(window, 0)
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
        return {}  # this process goes on by what it knows

    def _forget(self) -> None:
        now = self._clock()
        for window in [each for each in self._used if _window(each[1], now)[0] > each[2]]:
            del self._used[window]


def _window(measure: str, now: int) -> tuple[int, int]:
    """When the window of this moment begins and ends, in milliseconds: a day is one in Vietnam."""
    if measure == "requests":
        start = now - now % (RATE_SECONDS * 1000)
        return start, start + RATE_SECONDS * 1000
    start = vietnam_day_start(now)
    return start, start + DAY_MS
