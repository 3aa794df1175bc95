"""Rules between cards: of one pupil over the years and schools, and of one class.

The fault may lie in the other card, so all of it is warnings unless a configuration says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hocba_hub.model.compared_card import ComparedCard
from hocba_hub.rules.circulars import Thresholds
from hocba_hub.rules.rule import Objection, Outcome, Outcomes, rule

_GRADE = "/class/grade"


def _before(card: ComparedCard, others: Sequence[ComparedCard]) -> ComparedCard | None:
    """The card of the latest year before this one's that is in force."""
    cards = [other for other in others if not other.recalled and other.first_year < card.first_year]
    return max(cards, key=lambda other: other.first_year, default=None)


@rule("between.lower-grade")
def lower_grade(card: ComparedCard, others: Sequence[ComparedCard]) -> Outcomes:
    """A pupil never goes down."""
    last = _before(card, others)
    if last is None or card.grade >= last.grade:
        return ()
    return (Objection(_GRADE, f"≥ {last.grade}"),)


@rule("between.skipped-grade")
def skipped_grade(card: ComparedCard, others: Sequence[ComparedCard]) -> Outcomes:
    """A grade a year; going up faster is legal but rare."""
    last = _before(card, others)
    if last is None:
        return ()
    highest = last.grade + card.first_year - last.first_year
    return (Objection(_GRADE, f"≤ {highest}"),) if card.grade > highest else ()


@rule("between.same-grade-promoted")
def same_grade_promoted(card: ComparedCard, others: Sequence[ComparedCard]) -> Outcomes:
    """Who was promoted is in a higher grade."""
    last = _before(card, others)
    if last is None or last.grade != card.grade or not last.promoted:
        return ()
    return (Objection(_GRADE, f"≥ {last.grade + 1}"),)


@rule("between.not-promoted")
def not_promoted(card: ComparedCard, others: Sequence[ComparedCard]) -> Outcomes:
    """Who was not promoted a year ago repeats the grade."""
    last = _before(card, others)
    if last is None or last.promoted or last.first_year != card.first_year - 1:
        return ()
    return (Objection(_GRADE, str(last.grade)),) if card.grade > last.grade else ()


@rule("between.two-schools")
def two_schools(card: ComparedCard, others: Sequence[ComparedCard]) -> Outcomes:
    """One pupil is at one school at a time."""
    for other in others:
        is_another = other.key != card.key and other.school != card.school
        if is_another and other.key.school_year == card.key.school_year and not other.recalled:
            return (Objection("/school/code"),)
    return ()


@rule("between.other-person")
def other_person(card: ComparedCard, others: Sequence[ComparedCard]) -> Iterator[Outcome]:
    """Birth and gender stay the same; a birth date may have become more precise."""
    if not others:
        return
    last = max(others, key=lambda other: other.first_year)
    shorter, longer = sorted((card.birth, last.birth), key=len)
    if not longer.startswith(shorter):
        yield Objection("/pupil/birth")
    if "0" not in {card.gender, last.gender} and card.gender != last.gender:
        yield Objection("/pupil/gender")


RULES = (lower_grade, skipped_grade, same_grade_promoted, not_promoted, two_schools, other_person)
"""Their checks take the card, and the pupil's other cards, and earlier versions of this one, as last accepted."""


class ClassFigures(NamedTuple):
    """What is counted of the class of a card: its cards in force, this one included."""

    pupils: int
    same_results: int = 0
    """Cards with the same levels of all terms and the same promotion as this one."""
    same_teacher: int = 0
    """Cards on which the same one person teaches all subjects, as on this one; 0 if several do."""


_A_CLASS = 10
"""Pupils from whom on a pattern is no matter of chance."""


@rule("class.size")
def class_size(limits: Thresholds, figures: ClassFigures) -> Outcomes:
    """35 pupils at primary, 45 above; centres as above."""
    most = limits.class_pupils
    return (Objection("/class", f"≤ {most}"),) if figures.pupils > most else ()


@rule("class.same-results")
def same_results(_: Thresholds, figures: ClassFigures) -> Outcomes:
    """Not every pupil of a class has the same results."""
    is_copied = figures.pupils >= _A_CLASS and figures.same_results == figures.pupils
    return (Objection("/year", str(figures.pupils)),) if is_copied else ()


@rule("class.same-teacher")
def same_teacher(_: Thresholds, figures: ClassFigures) -> Outcomes:
    """Not one person teaches all subjects to a whole class at secondary school."""
    is_copied = figures.pupils >= _A_CLASS and figures.same_teacher == figures.pupils
    return (Objection("/year/subjects", str(figures.pupils)),) if is_copied else ()


CLASS_RULES = (class_size, same_results, same_teacher)
"""Their checks take the figures of the circular and those of the class."""
