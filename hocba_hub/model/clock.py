"""What time it is, as something that can be handed in: tests run days of the retry schedule in seconds."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Returns milliseconds since 1970-01-01T00:00Z."""


def system_clock() -> int:
    """The machine's time in milliseconds."""
    return time.time_ns() // 1_000_000
