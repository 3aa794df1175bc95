"""How vendors write what the canonical card has in its own form: dates, marks, circulars."""

from __future__ import annotations

LEVELS = {"02": "TH", "03": "THCS", "04": "THPT", "05": "GDTX"}
"""Level code → its abbreviation, as schools say it."""


def day(iso: str) -> str:
    """An ISO date, as precise as it is, as 02/09/2013, 09/2013 or 2013."""
    return "/".join(reversed(iso.split("-")))


def comma(number: str) -> str:
    """A number or letter with a decimal comma."""
    return number.replace(".", ",")


def circular(code: str) -> str:
    """A circular as it is cited: TT22/2021 → 22/2021/TT-BGDĐT."""
    return f"{code.removeprefix('TT')}/TT-BGDĐT"
