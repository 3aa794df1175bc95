"""Rules of learning levels and re-assessment at secondary: TT 22/2021 and TT 43/2021, rows S6 to S10, S14 and S17."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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


@rule("secondary.learning.good", row="S6", **_LEVEL)
def good(view: SecondaryView) -> Outcomes:
    """Mức Tốt."""
    return _level_of_year(view, 0)


@rule("secondary.learning.fair", row="S7", **_LEVEL)
def fair(view: SecondaryView) -> Outcomes:
    """Mức Khá."""
    return _level_of_year(view, 1)


@rule("secondary.learning.satisfactory", row="S8", **_LEVEL)
def satisfactory(view: SecondaryView) -> Outcomes:
    """Mức Đạt."""
    return _level_of_year(view, 2)


@rule("secondary.learning.unsatisfactory", row="S9", **_LEVEL)
def unsatisfactory(view: SecondaryView) -> Outcomes:
    """Mức Chưa đạt."""
    return _level_of_year(view, _LOWEST)


@rule("secondary.learning.adjusted", row="S10", **{**_LEVEL, **articles("9.3", "9.3")})
def adjusted(view: SecondaryView) -> Iterator[Outcome]:
    """The stated level is one that another reading of Art. 9.3 would give."""
    for when, tally in (("term1", view.term1), ("term2", view.term2), ("year", view.whole)):
        readings = tally.readings(view.basis.limits)
        stated = _stated(view, when)
        if readings is not None and stated in readings and stated != readings.adjusted:
            yield Objection(f"/year/learning/{when}", LEVELS[readings.adjusted])


@rule("secondary.learning.term", row="S17", **_LEVEL)
def term(view: SecondaryView) -> Iterator[Outcome]:
    """The levels of both terms, by the same thresholds."""
    for when, tally in (("term1", view.term1), ("term2", view.term2)):
        if tally.readings(view.basis.limits) is None:
            yield Unchecked(Reason.INCOMPLETE, f"/year/learning/{when}")
        elif (rank := _right(view, tally, when)) is not None:
            yield Objection(f"/year/learning/{when}", LEVELS[rank])


LEVEL_CODES = tuple(r.code for r in (good, fair, satisfactory, unsatisfactory))
"""Of the rules that find the year's level wrong."""


@rule("secondary.retest", row="S14", **articles("14", "13"), **OF_SECONDARY, follows=LEVEL_CODES)
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
    row="S14",
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
