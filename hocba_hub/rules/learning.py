"""Rules of learning levels and re-assessment at secondary: TT 22/2021 and TT 43/2021, rows S6 to S10, S14 and S17."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hocba_hub.model.findings import Severity
from hocba_hub.rules.marks import LEVELS, RANKS
from hocba_hub.rules.rule import NOTHING, Objection, Outcome, Outcomes, Reason, Unchecked, rule
from hocba_hub.rules.secondary import ASSESSED, OF_SECONDARY, articles
from hocba_hub.rules.view import SecondaryView, Tally

_LOWEST = 3
_INCOMPLETE = (Unchecked(Reason.INCOMPLETE, "/year/learning/year"),)
_AFTER_MARKS = (
    "secondary.term-average",
    "secondary.year-average",
    "secondary.assessment-kind",
    "secondary.comment-year",
    "secondary.result-missing",
)
_LEVEL: dict[str, Any] = {**articles("9.2", "9.2"), **ASSESSED, "follows": _AFTER_MARKS}


def _stated(view: SecondaryView, when: str) -> int | None:
    level = getattr(view.year.learning, when)
    return None if level is None else RANKS[level]


def _right(view: SecondaryView, tally: Tally, when: str) -> int | None:
    """The right rank, where the card states one that no reading of Art. 9 gives."""
    readings = tally.readings(view.basis.limits)
    stated = _stated(view, when)
    return None if readings is None or stated is None or stated in readings else readings.adjusted


def _level_of_year(view: SecondaryView, rank: int) -> Outcomes:
    """An objection where the year's level has this rank and the card says another."""
    if view.whole.readings(view.basis.limits) is None:
        return _INCOMPLETE
    return (Objection("/year/learning/year", LEVELS[rank]),) if _right(view, view.whole, "year") == rank else ()


@rule(
    "secondary.learning.good",
    Severity.ERROR,
    row="S6",
    vi="Các môn nhận xét đều Đ, mọi môn có điểm từ 6,5, ít nhất 6 môn (GDTX: 5) từ 8,0: kết quả học tập cả năm là Tốt "
    "(T).",
    en="All comment subjects Đ, all marks at least 6.5, 6 of them (5 at a centre) at least 8.0: the year's learning "
    "level is Tốt (T).",
    **_LEVEL,
)
def good(view: SecondaryView) -> Outcomes:
    """Mức Tốt."""
    return _level_of_year(view, 0)


@rule(
    "secondary.learning.fair",
    Severity.ERROR,
    row="S7",
    vi="Các môn nhận xét đều Đ, mọi môn có điểm từ 5,0, ít nhất 6 môn (GDTX: 5) từ 6,5 mà chưa ở mức Tốt (hoặc được "
    "điều chỉnh theo Điều 9.3): kết quả học tập cả năm là Khá (K).",
    en="All comment subjects Đ, all marks at least 5.0, 6 of them (5 at a centre) at least 6.5 but not good (or "
    "raised by Art. 9.3): the year's learning level is Khá (K).",
    **_LEVEL,
)
def fair(view: SecondaryView) -> Outcomes:
    """Mức Khá."""
    return _level_of_year(view, 1)


@rule(
    "secondary.learning.satisfactory",
    Severity.ERROR,
    row="S8",
    vi="Nhiều nhất một môn nhận xét CĐ, ít nhất 6 môn (GDTX: 5) từ 5,0, không môn nào dưới 3,5 mà chưa ở mức Khá "
    "(hoặc được điều chỉnh theo Điều 9.3): kết quả học tập cả năm là Đạt (Đ).",
    en="At most one comment subject CĐ, 6 marks (5 at a centre) at least 5.0, none below 3.5 but not fair (or raised "
    "by Art. 9.3): the year's learning level is Đạt (Đ).",
    **_LEVEL,
)
def satisfactory(view: SecondaryView) -> Outcomes:
    """Mức Đạt."""
    return _level_of_year(view, 2)


@rule(
    "secondary.learning.unsatisfactory",
    Severity.ERROR,
    row="S9",
    vi="Không đủ điều kiện của mức Đạt: kết quả học tập cả năm là Chưa đạt (CĐ).",
    en="The conditions of mức Đạt are not met: the year's learning level is Chưa đạt (CĐ).",
    **_LEVEL,
)
def unsatisfactory(view: SecondaryView) -> Outcomes:
    """Mức Chưa đạt."""
    return _level_of_year(view, _LOWEST)


@rule(
    "secondary.learning.adjusted",
    Severity.WARNING,
    row="S10",
    vi="Chỉ một môn làm mức bị thấp xuống từ hai bậc: theo Điều 9.3 điều chỉnh lên mức liền kề, {expected}. Cách hiểu "
    "này còn chờ xác nhận.",
    en="One subject alone lowers the level by two steps or more: by Art. 9.3 it rises to the next level, {expected}. "
    "This reading is still to be confirmed.",
    **{**_LEVEL, **articles("9.3", "9.3")},
)
def adjusted(view: SecondaryView) -> Iterator[Outcome]:
    """The stated level is one that another reading of Art. 9.3 would give."""
    for when, tally in (("term1", view.term1), ("term2", view.term2), ("year", view.whole)):
        readings = tally.readings(view.basis.limits)
        if readings is None or readings.plain == readings.adjusted:
            continue
        stated = _stated(view, when)
        if stated in readings and stated != readings.adjusted:
            yield Objection(f"/year/learning/{when}", LEVELS[readings.adjusted])


@rule(
    "secondary.learning.term",
    Severity.ERROR,
    row="S17",
    vi="Kết quả học tập học kì tính như cả năm, từ điểm trung bình học kì: {expected}.",
    en="A term's learning level goes by the term's averages as the year's does by the year's: {expected}.",
    **_LEVEL,
)
def term(view: SecondaryView) -> Iterator[Outcome]:
    """The levels of both terms, by the same thresholds."""
    for when, tally in (("term1", view.term1), ("term2", view.term2)):
        if tally.readings(view.basis.limits) is None:
            yield Unchecked(Reason.INCOMPLETE, f"/year/learning/{when}")
        elif (rank := _right(view, tally, when)) is not None:
            yield Objection(f"/year/learning/{when}", LEVELS[rank])


LEVEL_CODES = tuple(r.code for r in (good, fair, satisfactory, unsatisfactory))
"""Of the rules that find the year's level wrong."""


@rule(
    "secondary.retest",
    Severity.WARNING,
    row="S14",
    vi="Chỉ kiểm tra lại khi kết quả học tập cả năm là CĐ, ở môn CĐ hoặc có điểm cả năm dưới 5,0; ở đây: {expected}.",
    en="Only a pupil whose year's level is CĐ is tested again, in subjects CĐ or below 5.0; here: {expected}.",
    **articles("14", "13"),
    **OF_SECONDARY,
    follows=LEVEL_CODES,
)
def retest(view: SecondaryView) -> Iterator[Outcome]:
    """A re-test stands only where the circular has one."""
    learning = view.year.learning
    is_due = learning.year in {"CĐ", None}
    if learning.again is not None and not is_due:
        yield Objection("/year/learning/again", NOTHING)
    if view.again is None:
        return
    for place, (subject, _, _, _, year) in enumerate(view.rows):
        if subject.retest is None:
            continue
        is_low = subject.year == "CĐ" or (year is not None and year < view.basis.limits.retest_below)
        if not (is_due and is_low):
            yield Objection(f"/year/subjects/{place}/retest", NOTHING)


@rule(
    "secondary.learning.again",
    Severity.WARNING,
    row="S14",
    vi="Sau kiểm tra lại, kết quả học tập được tính lại với điểm kiểm tra lại: {expected}.",
    en="After re-assessment the learning level is computed again with the new results: {expected}.",
    **articles("14", "13"),
    **ASSESSED,
    follows=(*_AFTER_MARKS, *LEVEL_CODES, "secondary.retest"),
)
def again(view: SecondaryView) -> Outcomes:
    """The level after re-assessment is that of the results with the re-tests in their places."""
    if view.again is None or view.year.learning.again is None:
        return ()
    rank = _right(view, view.again, "again")
    return () if rank is None else (Objection("/year/learning/again", LEVELS[rank]),)


RULES = (good, fair, satisfactory, unsatisfactory, adjusted, term, retest, again)
"""In the order of the rows."""
