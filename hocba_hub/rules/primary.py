"""Rules of a year at primary school: TT 27/2020/TT-BGDĐT, rows P1 to P13."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hocba_hub.rules.circulars import PRIMARY
from hocba_hub.rules.programme import KNOWN
from hocba_hub.rules.rule import NOTHING, Objection, Outcome, Outcomes, Reason, Unchecked, rule
from hocba_hub.rules.view import PrimaryView

RESULTS = ("Hoàn thành xuất sắc", "Hoàn thành tốt", "Hoàn thành", "Chưa hoàn thành")
"""Results of the year, the best first (Art. 9.2)."""
_LATER_CAPACITIES = frozenset({"technology", "informatics"})
"""Of subjects that begin in grade 3."""
_FIRST_WITH_LATER = 3
_DEGREES = 15
"""5 qualities, 3 general and 7 specific capacities."""
_LAST_GRADE = 5
_EXCELLENT_TITLE = "học sinh xuất sắc"
_GOOD_TITLE = "hoàn thành tốt trong học tập"

_OF_PRIMARY: dict[str, Any] = {
    "kinds": frozenset({"primary"}),
    "circulars": frozenset({PRIMARY}),
    "grades": range(1, 6),
    "since": 2020,
    "checks_paper": False,
}
_ASSESSED: dict[str, Any] = {**_OF_PRIMARY, "needs_assessment": True}
_INCOMPLETE = (Unchecked(Reason.INCOMPLETE, "/year/result"),)


@rule("primary.subject-level", row="P1", **_ASSESSED)
def subject_level(view: PrimaryView) -> Iterator[Outcome]:
    """No level is missing; which letters there are is the model's business."""
    for place, level in enumerate(view.levels):
        if level is None:
            yield Objection(f"/year/subjects/{place}/level", "T, H, C, M")


@rule("primary.test-zero", row="P2", **_OF_PRIMARY)
def test_zero(view: PrimaryView) -> Outcomes:
    """A mark of 0 is doubtful, not forbidden."""
    if 0 not in view.tests:
        return ()
    return [
        Objection(f"/year/subjects/{place}/test", "1-10")
        for place, subject in enumerate(view.year.subjects)
        if subject.test == "0"
    ]


@rule("primary.test-subject", row="P3", **_ASSESSED)
def test_subject(view: PrimaryView) -> Iterator[Outcome]:
    """Test marks stand where the grade has a test in the subject, and only there."""
    assessments = view.basis.taught.assessments
    for place, subject in enumerate(view.year.subjects):
        assessment = assessments.get(subject.code)
        if subject.level == "M":
            if subject.test not in {None, "M"}:
                yield Objection(f"/year/subjects/{place}/test", "M")
        elif assessment == "level" and subject.test is not None:
            yield Objection(f"/year/subjects/{place}/test", NOTHING)
        elif assessment == "level-and-mark" and subject.test in {None, "M"}:
            yield Objection(f"/year/subjects/{place}/test", "0-10")


@rule("primary.subject-of-grade", row="P4", **_OF_PRIMARY)
def subject_of_grade(view: PrimaryView) -> Iterator[Outcome]:
    """Every subject is one of the grade; a code that no list knows cannot be judged."""
    assessments = view.basis.taught.assessments
    if view.codes <= assessments.keys():
        return
    for place, subject in enumerate(view.year.subjects):
        if subject.code in assessments:
            continue
        pointer = f"/year/subjects/{place}/code"
        if subject.code in KNOWN:
            yield Objection(pointer, ", ".join(assessments))
        else:
            yield Unchecked(Reason.UNKNOWN_SUBJECT, pointer)


@rule("primary.degrees", row="P5", **_ASSESSED)
def degrees(view: PrimaryView) -> Iterator[Outcome]:
    """No quality or capacity of the grade is missing."""
    for part, group in (("qualities", view.year.qualities), ("capacities", view.year.capacities)):
        for name, degree in vars(group).items():
            if degree is None and (view.basis.scope.grade >= _FIRST_WITH_LATER or name not in _LATER_CAPACITIES):
                yield Objection(f"/year/{part}/{name}", "T, Đ, C")


def _computed(view: PrimaryView) -> int | None:
    """Rank of the result that levels, degrees and year-end tests give; None where one of them is missing."""
    needed = _DEGREES if view.basis.scope.grade >= _FIRST_WITH_LATER else _DEGREES - len(_LATER_CAPACITIES)
    if None in view.levels or len(view.degrees) < needed:
        return None
    lowest = min(view.tests, default=10)
    levels, limits = view.levels, view.basis.limits
    if "C" in levels or "C" in view.degrees or lowest < limits.completed_test:
        return 3
    if "H" in levels or "Đ" in view.degrees or lowest < limits.good_test:
        return 2
    return 0 if lowest >= limits.excellent_test else 1


def _result(view: PrimaryView, rank: int) -> Outcomes:
    """An objection where the computed result has this rank and the card says another."""
    computed = _computed(view)
    if computed is None:
        return _INCOMPLETE
    if computed != rank or view.year.result == RESULTS[rank]:
        return ()
    return (Objection("/year/result", RESULTS[rank]),)


_RESULT: dict[str, Any] = {
    **_ASSESSED,
    "follows": ("primary.subject-level", "primary.degrees", "primary.subject-of-grade", "primary.test-subject"),
}


@rule("primary.result.excellent", row="P6", **_RESULT)
def excellent(view: PrimaryView) -> Outcomes:
    """Hoàn thành xuất sắc."""
    return _result(view, 0)


@rule("primary.result.good", row="P7", **_RESULT)
def good(view: PrimaryView) -> Outcomes:
    """Hoàn thành tốt."""
    return _result(view, 1)


@rule("primary.result.completed", row="P8", **_RESULT)
def completed(view: PrimaryView) -> Outcomes:
    """Hoàn thành."""
    return _result(view, 2)


@rule("primary.result.not-completed", row="P9", **_RESULT)
def not_completed(view: PrimaryView) -> Outcomes:
    """Chưa hoàn thành."""
    return _result(view, 3)


_RESULT_CODES = tuple(r.code for r in (excellent, good, completed, not_completed))


@rule("primary.completed-grade", row="P10", follows=_RESULT_CODES, **_ASSESSED)
def completed_grade(view: PrimaryView) -> Outcomes:
    """P6 to P8 complete the grade; after P9 the head may decide so too, which is no mistake."""
    if view.year.completed_grade or view.year.result is None or view.year.result == RESULTS[3]:
        return ()
    return (Objection("/year/completed_grade", "true"),)


@rule("primary.completed-primary", row="P11", follows=("primary.completed-grade",), **_OF_PRIMARY)
def completed_primary(view: PrimaryView) -> Outcomes:
    """Grade 5 completed is primary completed; below grade 5 it never is."""
    expected = view.year.completed_grade and view.basis.scope.grade == _LAST_GRADE
    if view.year.completed_primary == expected:
        return ()
    return (Objection("/year/completed_primary", "true" if expected else "false"),)


@rule("primary.reward.excellent", row="P12", follows=_RESULT_CODES, **_ASSESSED)
def reward_excellent(view: PrimaryView) -> Outcomes:
    """The title of the best needs P6."""
    text = view.year.reward_text
    if text is None or view.year.result == RESULTS[0] or _EXCELLENT_TITLE not in text.casefold():
        return ()
    return (Objection("/year/reward_text", RESULTS[0]),)


@rule("primary.reward.good", row="P12", follows=_RESULT_CODES, **_ASSESSED)
def reward_good(view: PrimaryView) -> Outcomes:
    """The second title needs P7 at least."""
    text = view.year.reward_text
    if text is None or view.year.result in RESULTS[:2] or _GOOD_TITLE not in text.casefold():
        return ()
    return (Objection("/year/reward_text", RESULTS[1]),)


@rule("primary.promoted", row="P13", follows=("primary.completed-grade",), **_OF_PRIMARY)
def promoted(view: PrimaryView) -> Outcomes:
    """Who completed the grade goes up, and nobody else."""
    if view.year.promoted == view.year.completed_grade:
        return ()
    return (Objection("/year/promoted", "true" if view.year.completed_grade else "false"),)


RULES = (
    subject_level, test_zero, test_subject, subject_of_grade, degrees, excellent, good, completed, not_completed,
    completed_grade, completed_primary, reward_excellent, reward_good, promoted,
)  # fmt: skip
"""In the order of the rows."""
