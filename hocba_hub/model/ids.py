"""Ids that sort by time and hold nothing else."""

from __future__ import annotations

import os
import time


def uuid7() -> str:
    """A new UUID version 7 (RFC 9562 section 5.7): 48 bits of Unix milliseconds, the rest random."""
    milliseconds = time.time_ns() // 1_000_000
    chance = int.from_bytes(os.urandom(10), "big")
    value = (
        (milliseconds << 80) | (0x7 << 76) | ((chance >> 62 & 0xFFF) << 64) | (0b10 << 62) | (chance & (1 << 62) - 1)
    )
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def first_uuid7(milliseconds: int) -> str:
    """The lowest UUID version 7 of a moment: older ones are less, newer ones are not."""
    text = f"{milliseconds:012x}"
    return f"{text[:8]}-{text[8:]}-7000-8000-000000000000"


def moment_of(uuid: str) -> int:
    """The milliseconds that a UUID version 7 was made at."""
    return int(uuid[:8] + uuid[9:13], 16)
