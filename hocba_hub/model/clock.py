"""What time it is, as something that can be handed in: tests run days of the retry schedule in seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone

Clock = Callable[[], int]
"""Returns milliseconds since 1970-01-01T00:00Z."""


def system_clock() -> int:
    """The machine's time in milliseconds."""
    return time.time_ns() // 1_000_000


VIETNAM = timezone(timedelta(hours=7))
DAY_MS = 86_400_000
VIETNAM_MS = 7 * 3_600_000


def vietnam_day(milliseconds: int) -> date:
    """The calendar day of Vietnam at a moment of a `Clock`."""
    return datetime.fromtimestamp(milliseconds / 1000, VIETNAM).date()


def vietnam_time(milliseconds: int) -> str:
    """A moment as people in Vietnam write it: 07/12/2026 06:00."""
    return datetime.fromtimestamp(milliseconds / 1000, VIETNAM).strftime("%d/%m/%Y %H:%M")


def vietnam_day_number(milliseconds: int) -> int:
    """The same day, as days since 1970-01-01: cheap enough for every record."""
    return (milliseconds + VIETNAM_MS) // DAY_MS


def vietnam_day_start(milliseconds: int) -> int:
    """When that day began."""
    return vietnam_day_number(milliseconds) * DAY_MS - VIETNAM_MS
