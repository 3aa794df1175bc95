"""Rules of the circulars of before, for cards transcribed from paper (trích lục): what such a card can say of itself.

The paper is the original, so all of it is warnings: they find slips of the transcription. A card has four letters for
the five levels of TT 58/2011: T giỏi, K khá, Đ trung bình, CĐ yếu or kém.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hocba_hub.rules.marks import LEVELS, RANKS, TENTHS, half_up, shown, year_average
from hocba_hub.rules.rule import Objection, Outcome, Outcomes, rule
from hocba_hub.rules.view import PrimaryView, SecondaryView

_OF_SECONDARY: dict[str, Any] = {
    "kinds": frozenset({"secondary", "continuing"}),
    "circulars": frozenset({"TT58/2011", "TT26/2020"}),
    "grades": range(6, 13),
    "since": 2011,
    "until": 2023,
}
_LEAD = frozenset({"NGV", "TOA"})
"""Of Toán and Ngữ văn, one must reach the level's higher mark (TT 58/2011 Art. 13)."""
_STEPS = ((80, 65), (65, 50), (50, 35), (35, 20))
"""Overall average and each mark at least, in tenths, for giỏi, khá, trung bình and yếu."""
_COMMENTS_COUNT = 3
"""Giỏi, khá and trung bình need every comment subject Đ."""
_LEAD_COUNTS = 3
_RAISED = {(0, 2): 1, (0, 3): 2, (1, 3): 2, (1, 4): 3}
"""Art. 13.6: (rank but for one subject's own bar, rank) → rank after the adjustment."""


@rule("earlier.year-average", **_OF_SECONDARY)
def average_of_year(view: SecondaryView) -> Iterator[Outcome]:
    """The year average is that of the term averages."""
    for place, (_, _, term1, term2, year) in enumerate(view.rows):
        if term1 is None or term2 is None or year is None:
            continue
        if (computed := year_average(term1, term2)) != year:
            yield Objection(f"/year/subjects/{place}/year", shown(computed))


@rule("earlier.overall-average", follows=("earlier.year-average",), **_OF_SECONDARY)
def overall_average(view: SecondaryView) -> Outcomes:
    """The overall average, to one decimal, half up."""
    marks, recorded = view.whole.marks, view.year.overall_average
    if recorded is None or not marks or not view.whole.complete:
        return ()
    computed = half_up(sum(marks), len(marks))
    return () if TENTHS[recorded] == computed else (Objection("/year/overall_average", shown(computed)),)


def _rank(average: int, lowest: int, lead: int, failed: int) -> int:
    """0 giỏi, 1 khá, 2 trung bình, 3 yếu, 4 kém, before any adjustment."""
    for rank, (overall, each) in enumerate(_STEPS):
        has_lead = rank >= _LEAD_COUNTS or lead >= overall
        passed = not failed or rank >= _COMMENTS_COUNT
        if average >= overall and lowest >= each and has_lead and passed:
            return rank
    return len(_STEPS)


@rule(
    "earlier.learning-level",
    follows=("earlier.year-average", "earlier.overall-average"),
    needs_assessment=True,
    **_OF_SECONDARY,
)
def learning_level(view: SecondaryView) -> Outcomes:
    """The level from the overall average, Toán or Ngữ văn, each mark and each comment, and Art. 13.6."""
    marks, stated = view.whole.marks, view.year.learning.year
    leads = [year for _, code, _, _, year in view.rows if code in _LEAD and year is not None]
    if stated is None or not view.whole.complete or len(marks) < len(_LEAD) or not leads:
        return ()
    average, failed = half_up(sum(marks), len(marks)), view.whole.failed
    rank = _rank(average, marks[0], max(leads), failed)
    without = _rank(average, marks[1], max(leads), failed)
    if failed == 1:
        without = min(without, _rank(average, marks[0], max(leads), 0))
    letter = min(_RAISED.get((without, rank), rank), len(LEVELS) - 1)
    return () if RANKS[stated] == letter else (Objection("/year/learning/year", LEVELS[letter]),)


@rule(
    "earlier.completed-grade",
    kinds=frozenset({"primary"}),
    circulars=frozenset({"TT30/2014", "TT22/2016"}),
    grades=range(1, 6),
    since=2014,
    until=2023,
    needs_assessment=True,
)
def completed_grade(view: PrimaryView) -> Outcomes:
    """Nothing is C and no test below 5: the grade is completed; otherwise the head may have decided so."""
    if view.year.completed_grade or None in view.levels or not view.degrees:
        return ()
    if "C" in view.levels or "C" in view.degrees or min(view.tests, default=10) < view.basis.limits.completed_test:
        return ()
    return (Objection("/year/completed_grade", "true"),)


RULES = (average_of_year, overall_average, learning_level, completed_grade)
