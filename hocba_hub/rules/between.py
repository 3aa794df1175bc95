"""Rules between cards: of one pupil over the years and schools, and of one class.

The fault may lie in the other card, so all of it is warnings unless a configuration says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hocba_hub.model.card import AnyCard, card_key
from hocba_hub.model.findings import Severity
from hocba_hub.rules.circulars import first_year
from hocba_hub.rules.rule import Objection, Outcome, Outcomes, rule
from hocba_hub.rules.view import Basis

_GRADE = "/class/grade"


def _before(basis: Basis, earlier: Sequence[AnyCard]) -> AnyCard | None:
    """The card of the latest year before this one's that is in force."""
    cards = [card for card in earlier if not card.is_recalled and first_year(card.school_year) < basis.first_year]
    return max(cards, key=lambda card: card.school_year, default=None)


@rule(
    "between.lower-grade",
    Severity.WARNING,
    vi="Khối lớp thấp hơn khối của năm học trước: cần {expected}.",
    en="The grade is lower than that of an earlier year: {expected} expected.",
    reference="Luật Giáo dục 43/2019 Art. 28",
)
def lower_grade(basis: Basis, _: AnyCard, earlier: Sequence[AnyCard]) -> Outcomes:
    """A pupil never goes down."""
    last = _before(basis, earlier)
    if last is None or basis.scope.grade >= last.class_.grade:
        return ()
    return (Objection(_GRADE, f"≥ {last.class_.grade}"),)


@rule(
    "between.skipped-grade",
    Severity.WARNING,
    vi="Khối lớp cao hơn số năm đã học kể từ học bạ trước: cần {expected}.",
    en="The grade is higher than the years since the earlier card allow: {expected} expected.",
    reference="Luật Giáo dục 43/2019 Art. 28",
)
def skipped_grade(basis: Basis, _: AnyCard, earlier: Sequence[AnyCard]) -> Outcomes:
    """A grade a year; going up faster is legal but rare."""
    last = _before(basis, earlier)
    if last is None:
        return ()
    highest = last.class_.grade + basis.first_year - first_year(last.school_year)
    return (Objection(_GRADE, f"≤ {highest}"),) if basis.scope.grade > highest else ()


@rule(
    "between.same-grade-promoted",
    Severity.WARNING,
    vi="Năm học trước đã được lên lớp mà vẫn học khối cũ: cần {expected}.",
    en="The pupil was promoted last year but is in the same grade: {expected} expected.",
    reference="TT 27/2020 Art. 11; TT 22/2021 Art. 12",
)
def same_grade_promoted(basis: Basis, _: AnyCard, earlier: Sequence[AnyCard]) -> Outcomes:
    """Who was promoted is in a higher grade."""
    last = _before(basis, earlier)
    if last is None or last.class_.grade != basis.scope.grade or not last.year.promoted:
        return ()
    return (Objection(_GRADE, f"≥ {last.class_.grade + 1}"),)


@rule(
    "between.not-promoted",
    Severity.WARNING,
    vi="Năm học trước chưa được lên lớp mà đã học khối cao hơn: cần {expected}.",
    en="The pupil was not promoted last year but is in a higher grade: {expected} expected.",
    reference="TT 27/2020 Art. 11; TT 22/2021 Art. 12",
)
def not_promoted(basis: Basis, _: AnyCard, earlier: Sequence[AnyCard]) -> Outcomes:
    """Who was not promoted a year ago repeats the grade."""
    last = _before(basis, earlier)
    if last is None or last.year.promoted or first_year(last.school_year) != basis.first_year - 1:
        return ()
    return (Objection(_GRADE, str(last.class_.grade)),) if basis.scope.grade > last.class_.grade else ()


@rule(
    "between.two-schools",
    Severity.WARNING,
    vi="Học sinh này đã có học bạ khác còn hiệu lực trong cùng năm học ở trường khác; khi chuyển trường, trường cũ thu "
    "hồi học bạ của mình.",
    en="This pupil has another card in force at another school in the same school year; after a transfer the former "
    "school recalls its own.",
    reference="QĐ 295/QĐ-SGDĐT",
)
def two_schools(_: Basis, card: AnyCard, earlier: Sequence[AnyCard]) -> Outcomes:
    """One pupil is at one school at a time."""
    for other in earlier:
        is_another = card_key(other) != card_key(card) and other.school.code != card.school.code
        if is_another and other.school_year == card.school_year and not other.is_recalled:
            return (Objection("/school/code"),)
    return ()


@rule(
    "between.other-person",
    Severity.WARNING,
    vi="Ngày sinh hoặc giới tính khác với học bạ trước của cùng học sinh.",
    en="Birth date or gender differ from the pupil's earlier card.",
    reference="Luật Căn cước 26/2023 Art. 12",
)
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


@rule(
    "class.size",
    Severity.WARNING,
    vi="Lớp có nhiều học sinh hơn quy định: {expected}.",
    en="The class has more pupils than the charter allows: {expected}.",
    reference="TT 28/2020 Art. 17; TT 32/2020 Art. 16; TT 15/2026",
)
def class_size(basis: Basis, pupils: int) -> Outcomes:
    """35 pupils at primary, 45 above; centres as above."""
    most = basis.limits.class_pupils
    return (Objection("/class", f"≤ {most}"),) if pupils > most else ()


CLASS_RULES = (class_size,)
"""Their checks take the basis and the number of cards of the class."""
