"""What a mapping makes of a version for a destination, and how it must be made when it goes again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Made(NamedTuple):
    """What was made of a version."""

    mapping: str
    """That made it, or failed to, as `name 1.2.3`; empty if there is none."""
    sha256: bytes | None = None
    """Of all records that were made of it; None if none was."""


@dataclass(frozen=True, slots=True)
class Pin:
    """How a version must be made: by this mapping, and with this result."""

    mapping: str
    """As `name 1.2.3`."""
    sha256: bytes | None = None
    """Of all records that must come of it; None where whatever comes is right."""

    def __str__(self) -> str:
        """As the store keeps it: `name 1.2.3`, with the digest in hex behind it."""
        return self.mapping if self.sha256 is None else f"{self.mapping} {self.sha256.hex()}"

    @classmethod
    def of(cls, text: str) -> Pin:
        """What the store has kept."""
        name, version, *digest = text.split(" ")
        return cls(f"{name} {version}", bytes.fromhex(digest[0]) if digest else None)
