"""Whether the parts of a card fit together: what no part can say by itself.

Each check needs only some of the parts, so that those of a card that is wrong elsewhere can still be looked at. What
the circulars say of marks and results is not checked here but in `rules/`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, NamedTuple, TypeAlias

CardParts: TypeAlias = Any
"""A card, or as much of one as could be read: `card.py` knows this file, not the other way round."""

_GRADES = {"02": range(1, 6), "03": range(6, 10), "04": range(10, 13), "05": range(6, 13)}
_LEVELS: dict[str, tuple[str, ...]] = {"primary": ("02",), "secondary": ("03", "04"), "continuing": ("05",)}
_CIRCULARS: dict[str, tuple[str, ...]] = {
    "primary": ("TT27/2020",),
    "secondary": ("TT22/2021",),
    "continuing": ("TT43/2021",),
}
_EARLIER_CIRCULARS: dict[str, tuple[str, ...]] = {
    "primary": ("TT30/2014", "TT22/2016"),
    "secondary": ("TT58/2011", "TT26/2020"),
    "continuing": ("TT58/2011", "TT26/2020"),
}
"""Only on a card that was transcribed from paper."""


class Objection(NamedTuple):
    """Parts of a card that are right by themselves but do not fit together."""

    kind: str
    """Last part of the finding's code."""
    pointer: str
    expected: str


Check = Callable[[CardParts], list[Objection]]
"""Looks at a card; raises AttributeError where the card lacks a part that the check needs."""


def school_year(card: CardParts) -> list[Objection]:
    """The school year is two years in a row."""
    return list(_two_years("/school_year", card.school_year))


def grade(card: CardParts) -> list[Objection]:
    """The grade is one of the school's level (Luật Giáo dục 43/2019 Art. 28)."""
    grades = _GRADES[card.school.level]
    if card.class_.grade in grades:
        return []
    return [Objection("grade-level", "/class/grade", f"{grades.start}-{grades.stop - 1}")]


def level(card: CardParts) -> list[Objection]:
    """The school's level has this kind of card."""
    levels = _LEVELS[card.kind]
    return [] if card.school.level in levels else [Objection("kind-level", "/school/level", ", ".join(levels))]


def circular(card: CardParts) -> list[Objection]:
    """The circular is one for this kind of card; an earlier one only where the card was transcribed from paper."""
    circulars = _CIRCULARS[card.kind]
    if card.transcribed:
        circulars = (*circulars, *_EARLIER_CIRCULARS[card.kind])
    return [] if card.circular in circulars else [Objection("circular", "/circular", ", ".join(circulars))]


def personal_number(card: CardParts) -> list[Objection]:
    """Only a foreign pupil with a passport may have no personal number."""
    pupil = card.pupil
    if pupil.personal_number is not None or (pupil.nationality != "VN" and pupil.passport_number is not None):
        return []
    return [Objection("personal-number", "/pupil/personal_number", "12")]


def birth_day(card: CardParts) -> list[Objection]:
    """The birth date, where it is a day, is in the calendar."""
    return list(_day("/pupil/birth", card.pupil.birth)) if len(card.pupil.birth) == len("YYYY-MM-DD") else []


def issue_days(card: CardParts) -> list[Objection]:
    """The days of issue and of creation are in the calendar."""
    return [*_day("/issue/issued_on", card.issue.issued_on), *_day("/issue/created_on", card.issue.created_on)]


def study_history(card: CardParts) -> list[Objection]:
    """Every earlier year is two years in a row, and every day of arrival in the calendar."""
    found: list[Objection] = []
    for place, year in enumerate(card.study_history):
        found += _two_years(f"/study_history/{place}/school_year", year.school_year)
        if year.arrived_on is not None:
            found += _day(f"/study_history/{place}/arrived_on", year.arrived_on)
    return found


def subjects_once(card: CardParts) -> list[Objection]:
    """No subject stands twice."""
    codes = [subject.code for subject in card.year.subjects]
    if len(set(codes)) == len(codes):
        return []
    return [
        Objection("subject-twice", f"/year/subjects/{place}/code", "")
        for place, code in enumerate(codes)
        if code in codes[:place]
    ]


def homeroom_number(card: CardParts) -> list[Objection]:
    """At primary the homeroom teacher's personal number is required (NDC 2026, `soddcngvcn`)."""
    if card.signers.homeroom.personal_number is not None:
        return []
    return [Objection("homeroom-number", "/signers/homeroom/personal_number", "12")]


def learning_results(card: CardParts) -> list[Objection]:
    """Learning results are required unless the pupil is not assessed (NDC 2026, `hocky1`, `hocky2`, `canam`)."""
    if card.pupil.not_assessed:
        return []
    learning = card.year.learning
    results = {"term1": learning.term1, "term2": learning.term2, "year": learning.year}
    return [
        Objection("learning-missing", f"/year/learning/{when}", "T, K, Đ, CĐ")
        for when, result in results.items()
        if result is None
    ]


COMMON: tuple[Check, ...] = (
    school_year, grade, level, circular, personal_number, birth_day, issue_days, study_history, subjects_once,
)  # fmt: skip
"""The checks of every kind of card."""


NEEDED: dict[str, tuple[str, ...]] = {
    "primary": ("pupil/personal_number", "signers/homeroom/personal_number"),
    "secondary": (
        "pupil/personal_number", "year/learning/term1", "year/learning/term2", "year/learning/year",
        "year/subjects[]/year",
    ),
}  # fmt: skip
"""By kind, the fields that a card may lack by its form, but is refused without in all but rare cases.

A foreign pupil with a passport has no personal number; a pupil who is not assessed has no results.
"""
NEEDED["continuing"] = NEEDED["secondary"]


def _two_years(pointer: str, years: str) -> Iterator[Objection]:
    first = int(years[:4])
    if int(years[5:]) != first + 1:
        yield Objection("school-year", pointer, f"{first}-{first + 1}")


def _day(pointer: str, day: str) -> Iterator[Objection]:
    try:
        date.fromisoformat(day)
    except ValueError:
        yield Objection("date", pointer, "YYYY-MM-DD")
