"""Rules between cards: of one pupil over the years and schools, and of one class.

The fault may lie in the other card, so all of it is warnings unless a configuration says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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


@rule("class.size")
def class_size(limits: Thresholds, pupils: int) -> Outcomes:
    """35 pupils at primary, 45 above; centres as above."""
    most = limits.class_pupils
    return (Objection("/class", f"≤ {most}"),) if pupils > most else ()


CLASS_RULES = (class_size,)
"""Their checks take the figures of the circular and the number of cards in force of the class."""
