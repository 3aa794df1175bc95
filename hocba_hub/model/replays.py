"""Replays: what is sent again, how it is made, how fast, and when it stops by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from hocba_hub.model.errors import HubError


class ReplayMeaning(StrEnum):
    """What "again" means for a record."""

    SAME_BYTES = "same-bytes"
    """Exactly what was made of it last; where that cannot be made any more, nothing is sent."""
    SAME_MAPPING = "same-mapping"
    """The same input by the mapping version that made it last; code tables as they are now."""
    MAPPING_IN_FORCE = "mapping-in-force"
    """The same input by the mapping in force: what was mended since then counts."""


class ReplayState(StrEnum):
    """How a replay stands."""

    FROZEN = "frozen"
    """Its records are chosen and claimed; nothing is sent yet."""
    RUNNING = "running"
    PAUSED = "paused"
    """By a person; no more goes out until it is resumed."""
    STOPPED = "stopped"
    """By itself, for the reason that it tells; a person resumes or cancels it."""
    DONE = "done"
    CANCELLED = "cancelled"


class ItemOutcome(StrEnum):
    """What became of one record of a replay."""

    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"
    """Refused, parked or held again."""
    SUPERSEDED = "superseded"
    """A newer version of the card took its place."""
    SKIPPED = "skipped"
    """Not sent; the code says why."""


OPEN = frozenset({ReplayState.FROZEN, ReplayState.RUNNING, ReplayState.PAUSED, ReplayState.STOPPED})
"""States in which the records are claimed: no other replay takes them."""
SAME_CAUSE, TOO_MANY_FAILED = "same-cause", "too-many-failed"
"""Why a replay stops by itself."""
MOST_RECORDS = 200_000
"""Of one replay: its records are chosen in one transaction."""


class ReplayError(HubError):
    """A replay cannot be had or changed so; `code` is a problem's, `facts` what its text names."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """How a replay goes about it."""

    meaning: ReplayMeaning = ReplayMeaning.MAPPING_IN_FORCE
    canary: Sequence[int] = (1, 10, 100)
    """How many records of each cause at each destination go out first, step by step; the next step begins when all of
    the one before have their outcome. Then the rest follows. Empty: no canary."""
    records_per_second: float | None = None
    """Most that go out over all destinations; None: as fast as the destinations take them beside what else goes there.
    """
    most_failed: float = 0.1
    """Share of failures among what has an outcome at which it stops, from 0 to 1."""

    def turns(self, step: int) -> int | None:
        """Up to which turn records may go out in a step, from 0; None in the steps behind the canary."""
        return sum(self.canary[: step + 1]) if step < len(self.canary) else None
