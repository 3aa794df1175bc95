"""The deadline board: how many cards are expected, how many are there, and whether the rest comes in time. Pure.

What is expected of a grade is what its roster says; else how many cards the same school had in the same grade last
year; else what the school itself has stated. A roster or a statement may say it class by class, or for the grade.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from hocba_hub.model.windows import NEVER, Level, Window, closes_at, opens_at, windows_for


class ExpectedBy(StrEnum):
    """Who says how many cards are expected."""

    ROSTER = "roster"
    """The department, by file or API."""
    LAST_YEAR = "last-year"
    """As many as the school had in this grade last year."""
    STATEMENT = "statement"
    """The school itself."""


class Unit(NamedTuple):
    """A grade of a school."""

    school_code: str
    level: Level
    grade: int


class ExpectedClass(NamedTuple):
    """So many pupils of a class, or of a whole grade."""

    school_code: str
    level: Level
    grade: int
    class_code: str
    """Empty for the whole grade."""
    pupils: int


Classes = Mapping[str, int]
"""Class → pupils; the empty class stands for the whole grade."""


@dataclass(frozen=True, slots=True)
class Expected:
    """How many cards are expected of a grade, class by class or as a whole."""

    classes: Classes
    by: ExpectedBy


def expected_of(roster: Classes | None, last_year: int, statement: Classes | None) -> Expected | None:
    """What is expected of a grade, by whoever counts most; None if nobody says it."""
    if roster:
        return Expected(roster, ExpectedBy.ROSTER)
    if last_year:
        return Expected({"": last_year}, ExpectedBy.LAST_YEAR)
    return Expected(statement, ExpectedBy.STATEMENT) if statement else None


def missing_of(expected: Classes, accepted: Classes) -> dict[str, int]:
    """How many cards are missing, class by class as they are expected; of a whole grade under the empty class.

    Cards of a class that is not on the roster make up for none of another class.
    """
    if set(expected) == {""}:
        return {"": max(0, expected[""] - sum(accepted.values()))}
    return {name: max(0, pupils - accepted.get(name, 0)) for name, pupils in expected.items()}


class Timing(StrEnum):
    """How a window stands."""

    ALWAYS = "always"
    """There is none: cards may go at any time."""
    AHEAD = "ahead"
    OPEN = "open"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class WindowState:
    """The window of a destination for a level and a school year, at a moment."""

    timing: Timing
    opens_at: int | None
    """Milliseconds; of one that is ahead."""
    closes_at: int | None
    """Milliseconds; of one that is open, ahead, or was the last."""


def window_state(windows: Sequence[Window], level: Level, school_year: str, now: int) -> WindowState:
    """The window that is open for a level; else the next; else the last that was."""
    spans = sorted(one.span(school_year) for one in windows_for(windows, level, school_year))
    if opens_at(windows, level, school_year, now) is None:
        closes = closes_at(windows, level, school_year, now)
        return WindowState(Timing.ALWAYS if closes is None else Timing.OPEN, None, closes)
    ahead = next(((opens, over) for opens, over in spans if opens > now), None)
    if ahead is not None:
        return WindowState(Timing.AHEAD, *ahead)
    return WindowState(Timing.OVER, None, max((over for _, over in spans), default=None))


@dataclass(frozen=True, slots=True)
class Forecast:
    """When the backlog of a destination will be gone."""

    backlog: int
    """Deliveries that have not ended."""
    per_second: float | None
    """As measured, and no more than the destination's limit; None if nothing can be said."""
    clears_at: int | None
    """Milliseconds; None if nobody can tell."""

    def in_time(self, window: WindowState) -> bool | None:
        """Whether it is gone before a window closes; None if nobody can tell, or nothing closes."""
        if self.backlog == 0:
            return True
        if window.closes_at is None or window.timing is Timing.ALWAYS:
            return None
        return self.clears_at is not None and self.clears_at <= window.closes_at


def forecast(backlog: int, measured: float | None, most: float | None, now: int) -> Forecast:
    """`measured` is the rate at which deliveries ended lately, `most` the destination's own limit; records a second.

    Where nothing ended lately, the limit is what can be hoped for.
    """
    known = [rate for rate in (measured or None, most) if rate]
    per_second = min(known, default=None)
    if backlog == 0:
        return Forecast(0, per_second, now)
    if measured == 0 or per_second is None:
        return Forecast(backlog, per_second if measured is None else 0.0, None)
    return Forecast(backlog, per_second, now + round(backlog / per_second * 1000))


class SchoolNeed(NamedTuple):
    """How far a school is with a level."""

    school_code: str
    commune_code: str
    level: Level
    expected: int
    accepted: int
    acknowledged: int
    refused: int
    missing: int
    closes_at: int | None
    """When the next window closes that its cards are for; milliseconds."""

    @property
    def undone(self) -> int:
        """Cards that somebody must do something about: missing or refused."""
        return self.missing + self.refused


def first_in_need(schools: Iterable[SchoolNeed]) -> list[SchoolNeed]:
    """Who needs help first: whose window closes first, of these who has most undone; who has nothing is left out."""

    def place(one: SchoolNeed) -> tuple[int, int, str, str]:
        return one.closes_at or NEVER, -one.undone, one.school_code, one.level

    return sorted((one for one in schools if one.undone), key=place)
