"""Rules between the parts of one card: circular, age, subjects of the grade, signers, dates, earlier years.

That the grade belongs to the level is the model's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from hocba_hub.rules.circulars import EARLIER, SINCE
from hocba_hub.rules.programme import KNOWN
from hocba_hub.rules.rule import Objection, Outcome, Outcomes, Reason, Unchecked, rule
from hocba_hub.rules.view import SecondaryView, View

_AGE_BEFORE_GRADE = 5
"""A pupil is 6 in the calendar year in which grade 1 begins."""
_YOUNGER, _OLDER = 1, 3
"""Years that pupils may differ from the age of their grade (Luật Giáo dục 43/2019 Art. 28, school charters)."""
_CHOSEN = 4
"""Subjects to choose at upper secondary (TT 32/2018, TT 13/2022)."""
_HEADS = ("hiệu trưởng", "giám đốc", "hiệu phó")
_SCHOOL_KINDS = frozenset({"secondary", "continuing"})
_SUBJECTS = "/year/subjects"


@rule("cross.circular-year")
def circular_year(view: View) -> Outcomes:
    """The new circulars came grade by grade; those of before ended the same way."""
    basis = view.basis
    since = SINCE[basis.scope.grade]
    if (basis.first_year < since) == (basis.scope.circular in EARLIER):
        return ()
    return (Objection("/circular", f"{'<' if basis.scope.circular in EARLIER else '≥'} {since}-{since + 1}"),)


@rule("cross.age", kinds=frozenset({"primary", "secondary"}))
def age(view: View) -> Outcomes:
    """From one year younger to three years older than the grade's age is common; centres teach adults."""
    usual = view.basis.first_year - _AGE_BEFORE_GRADE - view.basis.scope.grade
    if usual - _OLDER <= int(view.card.pupil.birth[:4]) <= usual + _YOUNGER:
        return ()
    return (Objection("/pupil/birth", f"{usual - _OLDER}-{usual + _YOUNGER}"),)


@rule("cross.subject-of-grade", kinds=_SCHOOL_KINDS, checks_paper=False)
def subject_of_grade(view: SecondaryView) -> Iterator[Outcome]:
    """Every subject is one of the grade; where the programme or the code is not known, nothing can be said."""
    assessments = view.basis.taught.assessments
    if view.codes <= assessments.keys():
        return
    for place, (_, code, *_) in enumerate(view.rows):
        if code in assessments:
            continue
        if assessments and code in KNOWN:
            yield Objection(f"{_SUBJECTS}/{place}/code", ", ".join(assessments))
        else:
            yield Unchecked(Reason.UNKNOWN_SUBJECT, f"{_SUBJECTS}/{place}/code")


@rule("cross.subjects-missing", checks_paper=False, follows=("primary.subject-of-grade", "cross.subject-of-grade"))
def subjects_missing(view: View) -> Outcomes:
    """Whatever everybody in the grade learns is on the card, whole or in its parts."""
    codes = view.codes
    if codes >= view.basis.taught.compulsory.keys():
        return ()
    if not codes <= KNOWN:
        return (Unchecked(Reason.UNKNOWN_SUBJECT, _SUBJECTS),)
    missing = [
        code
        for code, parts in view.basis.taught.compulsory.items()
        if code not in codes and not (parts and codes.issuperset(parts))
    ]
    return (Objection(_SUBJECTS, ", ".join(missing)),) if missing else ()


@rule("cross.subjects-chosen", kinds=_SCHOOL_KINDS, grades=range(10, 13), checks_paper=False)
def subjects_chosen(view: SecondaryView) -> Outcomes:
    """Four of the subjects to choose; tự chọn ones come on top."""
    if len(view.codes & view.basis.taught.electives) == _CHOSEN:
        return ()
    return (
        (Objection(_SUBJECTS, str(_CHOSEN)),)
        if view.codes <= KNOWN
        else (Unchecked(Reason.UNKNOWN_SUBJECT, _SUBJECTS),)
    )


@rule("cross.signer-title")
def signer_title(view: View) -> Outcomes:
    """The manager's title is one that may sign."""
    if _may_sign(view.card.signers.manager.title):
        return ()
    return (Objection("/signers/manager/title", "Hiệu trưởng, Phó hiệu trưởng, Giám đốc, Phó giám đốc"),)


@lru_cache(maxsize=1024)
def _may_sign(title: str) -> bool:
    said = title.casefold()
    return any(head in said for head in _HEADS)


@rule("cross.issue-dates")
def issue_dates(view: View) -> Outcomes:
    """Created before it is issued, and not issued before the school year begins."""
    issue = view.card.issue
    begins = f"{view.basis.first_year}-08-01"
    if issue.issued_on < begins:
        return (Objection("/issue/issued_on", f"≥ {begins}"),)
    return (Objection("/issue/created_on", "≤ issued_on"),) if issue.created_on > issue.issued_on else ()


@rule("cross.study-history")
def study_history(view: View) -> Iterator[Outcome]:
    """Earlier years rise, and all are before the card's own; a year at two schools may stand twice."""
    before = ""
    for place, entry in enumerate(view.card.study_history):
        year = entry.school_year
        if year > view.basis.scope.school_year:
            yield Objection(f"/study_history/{place}/school_year", f"≤ {view.basis.scope.school_year}")
        elif year < before:
            yield Objection(f"/study_history/{place}/school_year", f"≥ {before}")
        before = max(before, year)


RULES = (
    circular_year, age, subject_of_grade, subjects_missing, subjects_chosen, signer_title, issue_dates, study_history,
)  # fmt: skip
