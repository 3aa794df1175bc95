"""What is expected, what is missing, how a window stands, when a backlog is gone, and who needs help first."""

from __future__ import annotations

from datetime import datetime

import pytest

from hocba_hub.model.clock import VIETNAM
from hocba_hub.model.deadlines import (
    Expected,
    ExpectedBy,
    Forecast,
    SchoolNeed,
    Timing,
    WindowState,
    expected_of,
    first_in_need,
    forecast,
    missing_of,
    window_state,
)
from hocba_hub.model.windows import Level, Window, school_year_at


def at(day: str) -> int:
    return round(datetime.fromisoformat(day).replace(tzinfo=VIETNAM).timestamp() * 1000)


def test_a_roster_counts_before_last_year_and_that_before_the_schools_word():
    roster, said = {"1A": 30, "1B": 31}, {"": 60}
    assert expected_of(roster, 55, said) == Expected(roster, ExpectedBy.ROSTER)
    assert expected_of(None, 55, said) == Expected({"": 55}, ExpectedBy.LAST_YEAR)
    assert expected_of(None, 0, said) == Expected(said, ExpectedBy.STATEMENT)
    assert expected_of(None, 0, None) is None


@pytest.mark.parametrize(
    ("expected", "accepted", "missing"),
    [
        ({"": 60}, {"1A": 30, "1B": 20}, {"": 10}),
        ({"": 60}, {"1A": 70}, {"": 0}),
        ({"1A": 30, "1B": 31}, {"1A": 32, "1B": 20, "1C": 5}, {"1A": 0, "1B": 11}),  # no class makes up for another
        ({"1A": 30}, {}, {"1A": 30}),
    ],
)
def test_what_is_missing(expected: dict[str, int], accepted: dict[str, int], missing: dict[str, int]):
    assert missing_of(expected, accepted) == missing


def test_a_window_is_ahead_open_over_or_there_is_none():
    windows = [
        Window(opens="06-01", closes="06-30", levels=(Level.PRIMARY,)),
        Window(opens="08-01", closes="08-25", levels=(Level.PRIMARY,)),
    ]

    def state(day: str, level: Level = Level.PRIMARY) -> WindowState:
        return window_state(windows, level, "2025-2026", at(day))

    assert state("2026-05-01") == WindowState(Timing.AHEAD, at("2026-06-01"), at("2026-07-01"))
    assert state("2026-06-15") == WindowState(Timing.OPEN, None, at("2026-07-01"))
    assert state("2026-07-15") == WindowState(Timing.AHEAD, at("2026-08-01"), at("2026-08-26"))
    assert state("2026-09-01") == WindowState(Timing.OVER, None, at("2026-08-26"))
    assert state("2026-06-15", Level.CONTINUING) == WindowState(Timing.ALWAYS, None, None)


def test_a_school_year_begins_in_september():
    days = ("2026-08-31", "2026-09-01", "2027-01-01")
    assert [school_year_at(at(day)) for day in days] == ["2025-2026", "2026-2027", "2026-2027"]


@pytest.mark.parametrize(
    ("backlog", "measured", "most", "expected"),
    [
        (0, None, None, Forecast(0, None, 1_000)),
        (100, 10.0, None, Forecast(100, 10.0, 11_000)),
        (100, 10.0, 5.0, Forecast(100, 5.0, 21_000)),  # no more than the destination bears
        (100, None, 5.0, Forecast(100, 5.0, 21_000)),  # nothing is known yet: what can be hoped for
        (100, None, None, Forecast(100, None, None)),
        (100, 0.0, 5.0, Forecast(100, 0.0, None)),  # nothing moves
    ],
)
def test_when_a_backlog_is_gone(backlog: int, measured: float | None, most: float | None, expected: Forecast):
    assert forecast(backlog, measured, most, 1_000) == expected


def test_whether_it_comes_in_time():
    closes = WindowState(Timing.OPEN, None, 50_000)
    assert Forecast(10, 1.0, 50_000).in_time(closes) is True
    assert Forecast(10, 1.0, 50_001).in_time(closes) is False
    assert Forecast(10, 0.0, None).in_time(closes) is False
    assert Forecast(0, None, 1).in_time(closes) is True
    assert Forecast(10, 1.0, 1).in_time(WindowState(Timing.ALWAYS, None, None)) is None


def test_who_needs_help_first():
    def school(code: str, *, missing: int = 0, refused: int = 0, closes: int | None = None) -> SchoolNeed:
        return SchoolNeed(code, "c", Level.PRIMARY, 100, 90, 80, refused, missing, closes)

    listed = first_in_need([
        school("done"), school("never", missing=90), school("later", missing=80, closes=20),
        school("few", missing=1, closes=10), school("many", missing=2, refused=3, closes=10),
    ])  # fmt: skip
    assert [one.school_code for one in listed] == ["many", "few", "later", "never"]
