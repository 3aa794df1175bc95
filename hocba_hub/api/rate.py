"""How fast one client may call: a token bucket for each, in this process."""

from __future__ import annotations

import time
from collections.abc import Callable


class Rate:
    """Buckets that hold one second's worth of calls, and fill evenly."""

    def __init__(self, per_second: float, *, seconds: Callable[[], float] = time.monotonic) -> None:
        """Without a rate (0) nobody ever waits."""
        self._rate, self._seconds = per_second, seconds
        self._most = max(per_second, 1.0)
        self._buckets: dict[int, tuple[float, float]] = {}

    def wait(self, client_id: int) -> float:
        """Take one call: 0 if it may go on, else the seconds after which one may, and then none is taken."""
        if not self._rate:
            return 0.0
        now = self._seconds()
        level, since = self._buckets.get(client_id, (self._most, now))
        level = min(self._most, level + (now - since) * self._rate)
        if level < 1:
            self._buckets[client_id] = (level, now)
            return (1 - level) / self._rate
        self._buckets[client_id] = (level - 1, now)
        return 0.0
