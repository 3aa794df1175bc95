"""Rules between cards: of one pupil over the years and schools, and of one class.

The fault may lie in the other card, so all of it is warnings unless a configuration says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hocba_hub.model.card import AnyCard, card_key
from hocba_hub.rules.circulars import first_year
from hocba_hub.rules.rule import Objection, Outcome, Outcomes, rule
from hocba_hub.rules.view import Basis

_GRADE = "/class/grade"


def _before(basis: Basis, earlier: Sequence[AnyCard]) -> AnyCard | None:
    """The card of the latest year before this one's that is in force."""
    cards = [card for card in earlier if not card.is_recalled and first_year(card.school_year) < basis.first_year]
    return max(cards, key=lambda card: card.school_year, default=None)


@rule("between.lower-grade")
def lower_grade(basis: Basis, _: AnyCard, earlier: Sequence[AnyCard]) -> Outcomes:
    """A pupil never goes down."""
    last = _before(basis, earlier)
    if last is None or basis.scope.grade >= last.class_.grade:
        return ()
    return (Objection(_GRADE, f"≥ {last.class_.grade}"),)


@rule("between.skipped-grade")
def skipped_grade(basis: Basis, _: AnyCard, earlier: Sequence[AnyCard]) -> Outcomes:
    """A grade a year; going up faster is legal but rare."""
    last = _before(basis, earlier)
    if last is None:
        return ()
    highest = last.class_.grade + basis.first_year - first_year(last.school_year)
    return (Objection(_GRADE, f"≤ {highest}"),) if basis.scope.grade > highest else ()


@rule("between.same-grade-promoted")
def same_grade_promoted(basis: Basis, _: AnyCard, earlier: Sequence[AnyCard]) -> Outcomes:
    """Who was promoted is in a higher grade."""
    last = _before(basis, earlier)
    if last is None or last.class_.grade != basis.scope.grade or not last.year.promoted:
        return ()
    return (Objection(_GRADE, f"≥ {last.class_.grade + 1}"),)


@rule("between.not-promoted")
def not_promoted(basis: Basis, _: AnyCard, earlier: Sequence[AnyCard]) -> Outcomes:
    """Who was not promoted a year ago repeats the grade."""
    last = _before(basis, earlier)
    if last is None or last.year.promoted or first_year(last.school_year) != basis.first_year - 1:
        return ()
    return (Objection(_GRADE, str(last.class_.grade)),) if basis.scope.grade > last.class_.grade else ()


@rule("between.two-schools")
def two_schools(_: Basis, card: AnyCard, earlier: Sequence[AnyCard]) -> Outcomes:
    """One pupil is at one school at a time."""
    for other in earlier:
        is_another = card_key(other) != card_key(card) and other.school.code != card.school.code
        if is_another and other.school_year == card.school_year and not other.is_recalled:
            return (Objection("/school/code"),)
    return ()


@rule("between.other-person")
def other_person(_: Basis, card: AnyCard, earlier: Sequence[AnyCard]) -> Iterator[Outcome]:
    """Birth and gender stay the same; a birth date may have become more precise."""
    if not earlier:
        return
    last = max(earlier, key=lambda other: other.school_year).pupil
    pupil = card.pupil
    shorter, longer = sorted((pupil.birth, last.birth), key=len)
    if not longer.startswith(shorter):
        yield Objection("/pupil/birth")
    if "0" not in {pupil.gender, last.gender} and pupil.gender != last.gender:
        yield Objection("/pupil/gender")


RULES = (lower_grade, skipped_grade, same_grade_promoted, not_promoted, two_schools, other_person)
"""Their checks take the basis, the card, and the pupil's other cards as last accepted."""


@rule("class.size")
def class_size(basis: Basis, pupils: int) -> Outcomes:
    """35 pupils at primary, 45 above; centres as above."""
    most = basis.limits.class_pupils
    return (Objection("/class", f"≤ {most}"),) if pupils > most else ()


CLASS_RULES = (class_size,)
"""Their checks take the basis and the number of cards of the class."""
