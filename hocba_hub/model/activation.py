"""For whom and when a version of a mapping is in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class ActivationScope:
    """For which cards an activation counts; nothing given means for all."""

    client: str | None = None
    """Name of a client."""
    school_year: str | None = None
    valid_from: date | None = None
    """First day on which cards come in."""
    valid_to: date | None = None
    """Last day."""


EVERYWHERE = ActivationScope()
