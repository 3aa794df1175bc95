"""The circulars: since when each is in force for which grade, and the figures that its rules count with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PRIMARY, SCHOOL, CONTINUING = "TT27/2020", "TT22/2021", "TT43/2021"
EARLIER = frozenset({"TT30/2014", "TT22/2016", "TT58/2011", "TT26/2020"})
"""Only on cards that were transcribed from paper."""

_PRIMARY_SINCE = {1: 2020, 2: 2021, 3: 2022, 4: 2023, 5: 2024}
_SECONDARY_SINCE = {6: 2021, 7: 2022, 8: 2023, 9: 2024, 10: 2022, 11: 2023, 12: 2024}
SINCE: Mapping[int, int] = {**_PRIMARY_SINCE, **_SECONDARY_SINCE}
"""Grade → first year of the first school year under TT 27/2020, TT 22/2021 or TT 43/2021.

Sources: TT 27/2020 Art. 17; TT 22/2021 Art. 21; TT 43/2021 Art. 19.
"""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a circular's rules count with; marks in tenths. A configuration may set another figure."""

    enough: int = 6
    """Scored subjects that must reach the higher mark of a learning level (Art. 9.2)."""
    good_each: int = 65
    good_many: int = 80
    fair_each: int = 50
    fair_many: int = 65
    satisfactory_each: int = 35
    satisfactory_many: int = 50
    outstanding: int = 90
    """Mark that so many subjects (`enough`) must reach for the title of Học sinh Xuất sắc (Art. 15)."""
    retest_below: int = 50
    """A year average below it may be tested again (Art. 14)."""
    most_absences: int = 45
    """Sessions of a school year (Art. 12)."""
    excellent_test: int = 9
    good_test: int = 7
    completed_test: int = 5
    """Year-end tests at primary, in whole marks (TT 27/2020 Art. 9.2)."""
    class_pupils: int = 45
    """Pupils of a class at most (TT 32/2020 Art. 16; TT 28/2020 Art. 17)."""


THRESHOLDS: Mapping[str, Thresholds] = {
    PRIMARY: Thresholds(class_pupils=35),
    SCHOOL: Thresholds(),
    CONTINUING: Thresholds(enough=5),
    **dict.fromkeys(("TT30/2014", "TT22/2016"), Thresholds(class_pupils=35)),
    **dict.fromkeys(("TT58/2011", "TT26/2020"), Thresholds()),
}
"""Circular → its figures; TT 43/2021 asks for 5 subjects where TT 22/2021 asks for 6."""


def first_year(school_year: str) -> int:
    """The year in which a school year such as 2025-2026 begins."""
    return int(school_year[:4])
