"""What the check of a pupil's personal number against the population database came to.

Only the Ministry may ask that database; a destination tells the result of each card that it has had checked.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from hocba_hub.model.keys import CardKey, Version


class IdentityResult(StrEnum):
    """The result for one version of a card."""

    VERIFIED = "verified"
    """The number is of this person."""
    MISMATCH = "mismatch"
    """The number is of somebody whose name or birth date is another."""
    NOT_FOUND = "not-found"
    """Nobody has this number."""


class IdentityEntry(NamedTuple):
    """What a destination tells of the personal number of one version."""

    key: CardKey
    version: Version
    result: IdentityResult


TO_MEND = frozenset({IdentityResult.MISMATCH, IdentityResult.NOT_FOUND})
"""What the school has to mend, with the commune that keeps the pupil's papers."""
