"""Rules of the marks of a year at secondary school (TT 22/2021) and at a centre (TT 43/2021): rows S1 to S5."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hocba_hub.model.secondary import SecondarySubject, TermMarks
from hocba_hub.rules.circulars import CONTINUING, SCHOOL
from hocba_hub.rules.marks import TENTHS, shown, term_average, year_average
from hocba_hub.rules.rule import Objection, Outcome, Outcomes, Reason, Unchecked, rule
from hocba_hub.rules.view import SecondaryView

_RESULTS = ("term1", "term2", "year", "retest")
_PASSED = frozenset({"Đ", "CĐ"})
_NO_RAW_MARKS = (Unchecked(Reason.NO_RAW_MARKS, "/year/subjects"),)


def articles(school: str, continuing: str) -> dict[str, Any]:
    """The reference to an article of TT 22/2021, and to the same matter's article of TT 43/2021."""
    both: Mapping[str, str] = {SCHOOL: f"TT 22/2021 Art. {school}", CONTINUING: f"TT 43/2021 Art. {continuing}"}
    return {"references": both}


OF_SECONDARY: dict[str, Any] = {
    "kinds": frozenset({"secondary", "continuing"}),
    "circulars": frozenset({SCHOOL, CONTINUING}),
    "grades": range(6, 13),
    "since": 2021,
    "checks_paper": False,
}
"""What the rules of both circulars have in common."""
ASSESSED: dict[str, Any] = {**OF_SECONDARY, "needs_assessment": True}
"""The same, for rules that say nothing of a pupil who is not assessed."""


@rule("secondary.assessment-kind", row="S1", **articles("5.3", "5.3"), **OF_SECONDARY)
def assessment_kind(view: SecondaryView) -> Iterator[Outcome]:
    """Each result is of its subject's kind; a code that no list knows cannot be judged."""
    assessments = view.basis.taught.assessments
    for place, (subject, code, term1, term2, year) in enumerate(view.rows):
        assessment = assessments.get(code)
        if assessment == "mark":
            if term1 is None or term2 is None or year is None or view.again is not None:
                yield from _of_wrong_kind(place, subject, is_mark=True)
        elif assessment == "comment" and (
            term1 is not None or term2 is not None or year is not None or view.again is not None
        ):
            yield from _of_wrong_kind(place, subject, is_mark=False)


def _of_wrong_kind(place: int, subject: SecondarySubject, *, is_mark: bool) -> Iterator[Outcome]:
    for name in _RESULTS:
        result = getattr(subject, name)
        if result not in {None, "M"} and (result in TENTHS) != is_mark:
            yield Objection(f"/year/subjects/{place}/{name}", "0-10" if is_mark else "Đ, CĐ")


@rule("secondary.result-missing", row="S1", **articles("5.3, 9.1", "5.3, 9.1"), **ASSESSED)
def result_missing(view: SecondaryView) -> Outcomes:
    """Every subject ends the year with a result, if only M."""
    if view.whole.complete:
        return ()
    return [
        Objection(f"/year/subjects/{place}/year", "0-10, Đ, CĐ, M")
        for place, (subject, *_) in enumerate(view.rows)
        if subject.year is None
    ]


@rule("secondary.regular-marks", row="S3", **articles("6", "6"), **ASSESSED)
def regular_marks(view: SecondaryView) -> Iterator[Outcome]:
    """As many regular marks as the periods ask for, where the marks are shown."""
    if not view.shows_marks:
        yield from _without_marks(view)
        return
    wanted = view.basis.taught.regular_marks
    for place, (subject, code, _, _, _) in enumerate(view.rows):
        counts = wanted.get(code)
        if counts is None:
            continue
        first, second = subject.term1_marks, subject.term2_marks
        if first is not None and len(first.regular) not in counts:
            yield Objection(f"/year/subjects/{place}/term1_marks/regular", " / ".join(map(str, counts)))
        if second is not None and len(second.regular) not in counts:
            yield Objection(f"/year/subjects/{place}/term2_marks/regular", " / ".join(map(str, counts)))


def _without_marks(view: SecondaryView) -> Outcomes:
    """What there is to say of averages with nothing behind them."""
    return _NO_RAW_MARKS if view.term1.marks or view.term2.marks else ()


@rule(
    "secondary.term-average", row="S4", **articles("9.1", "9.1"), **OF_SECONDARY, follows=("secondary.regular-marks",)
)
def average_of_term(view: SecondaryView) -> Outcomes:
    """The recorded average is that of the marks behind it; without all of these there is nothing to compare."""
    if not view.shows_marks:
        return _without_marks(view)
    found: list[Outcome] = []
    for place, (subject, _, term1, term2, _) in enumerate(view.rows):
        if term1 is not None and (computed := _computed(subject.term1_marks)) != term1:
            found.append(_recorded(place, "term1", computed))
        if term2 is not None and (computed := _computed(subject.term2_marks)) != term2:
            found.append(_recorded(place, "term2", computed))
    return found


def _recorded(place: int, term: str, computed: int | None) -> Outcome:
    """What to say of a recorded average that is not the computed one."""
    return _NO_RAW_MARKS[0] if computed is None else Objection(f"/year/subjects/{place}/{term}", shown(computed))


def _computed(marks: TermMarks | None) -> int | None:
    """The average of the marks; None where one of them is missing."""
    if marks is None:
        return None
    regular, midterm, final = marks.regular, marks.midterm, marks.final
    if not regular or midterm is None or final is None:
        return None
    tenths = TENTHS
    return term_average([tenths[mark] for mark in regular], tenths[midterm], tenths[final])


@rule(
    "secondary.year-average",
    row="S5",
    **articles("9.1", "9.1"),
    **OF_SECONDARY,
    follows=("secondary.term-average", "secondary.assessment-kind"),
)
def average_of_year(view: SecondaryView) -> Iterator[Outcome]:
    """The recorded year average is that of the recorded term averages, with no tolerance."""
    for place, (subject, _, term1, term2, year) in enumerate(view.rows):
        if year is None:
            if subject.year == "M":
                yield Unchecked(Reason.EXEMPT, f"/year/subjects/{place}")
        elif term1 is None or term2 is None:
            yield Unchecked(Reason.INCOMPLETE, f"/year/subjects/{place}/year")
        elif year != (computed := year_average(term1, term2)):
            yield Objection(f"/year/subjects/{place}/year", shown(computed))


@rule(
    "secondary.comment-year", row="S5", **articles("9.1", "9.1"), **OF_SECONDARY, follows=("secondary.assessment-kind",)
)
def comment_year(view: SecondaryView) -> Iterator[Outcome]:
    """Đ or CĐ in term 2 is Đ or CĐ of the year."""
    for place, (subject, _, _, _, year) in enumerate(view.rows):
        if year is None and subject.year != subject.term2 and {subject.year, subject.term2} == _PASSED:
            yield Objection(f"/year/subjects/{place}/year", str(subject.term2))


RULES = (assessment_kind, result_missing, regular_marks, average_of_term, average_of_year, comment_year)
"""In the order of the rows."""
