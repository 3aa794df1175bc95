"""When cards may go: windows by level and school year, and hours of maintenance. Days are Vietnam's."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hocba_hub.model.clock import VIETNAM
from hocba_hub.model.windows import (
    NEVER,
    IntakeWindows,
    Level,
    Maintenance,
    Window,
    WindowsError,
    level_of,
    maintained,
    maintained_until,
    opens_at,
    read_windows,
)

YEAR = "2025-2026"
PLAN = (
    Window(opens="05-15", closes="06-30"),
    Window(opens="07-20", closes="08-15"),
    Window(closes="05-31", levels=(Level.CONTINUING,), school_years=("2026-2027",)),
)


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=VIETNAM).timestamp() * 1000)


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-05-14 23:59:59", "2026-05-15 00:00"),
        ("2026-05-15 00:00", None),
        ("2026-06-30 23:59:59", None),
        ("2026-07-01 00:00", "2026-07-20 00:00"),
        ("2026-08-15 12:00", None),
        ("2026-08-16 00:00", "never"),
    ],
)
def test_a_window_is_open_on_its_days_both_included(moment: str, opens: str | None):
    expected = {None: None, "never": NEVER}.get(opens) if opens in {None, "never"} else at(str(opens))
    assert opens_at(PLAN, Level.PRIMARY, YEAR, at(moment)) == expected


def test_a_year_that_is_named_has_only_its_own_windows():
    assert opens_at(PLAN, Level.CONTINUING, "2026-2027", at("2027-05-31 10:00")) is None
    assert opens_at(PLAN, Level.CONTINUING, "2026-2027", at("2027-06-01 10:00")) == NEVER
    assert opens_at(PLAN, Level.PRIMARY, "2026-2027", at("2030-01-01 10:00")) is None  # none is for its level


def test_without_windows_cards_may_always_go():
    assert opens_at((), Level.PRIMARY, YEAR, 0) is None
    assert IntakeWindows().closed_on(Level.PRIMARY, YEAR, at("2099-01-01")) is None


def test_a_late_card_is_told_the_day_on_which_it_was_due():
    windows = IntakeWindows(windows=PLAN)
    for moment, due in [
        ("2026-04-01", None), ("2026-06-30", None), ("2026-07-02", date(2026, 6, 30)), ("2026-08-01", None),
        ("2026-09-01", date(2026, 8, 15)),
    ]:  # fmt: skip
        assert windows.closed_on(Level.UPPER_SECONDARY, YEAR, at(moment)) == due


def test_the_last_of_february_and_whole_days():
    leap = Window(opens="02-29", closes="2026-03-02")
    assert leap.span(YEAR) == (at("2026-02-28"), at("2026-03-03"))


@pytest.mark.parametrize(
    ("circular", "grade", "level"),
    [
        ("TT27/2020", 5, Level.PRIMARY), ("TT22/2021", 6, Level.LOWER_SECONDARY),
        ("TT58/2011", 9, Level.LOWER_SECONDARY),
        ("TT22/2021", 10, Level.UPPER_SECONDARY), ("TT43/2021", 12, Level.CONTINUING),
    ],
)  # fmt: skip
def test_the_level_of_a_card(circular: str, grade: int, level: Level):
    assert level_of(circular, grade) is level


@pytest.mark.parametrize(
    "document",
    [
        {"late": "maybe"}, {"windows": [{"closes": "13-01"}]}, {"windows": [{}]},
        {"windows": [{"closes": "06-30", "levels": ["kindergarten"]}]}, {"window": []}, [1],
        {"windows": [{"closes": "06-30", "school_years": ["2025"]}]},
    ],
)  # fmt: skip
def test_windows_that_are_not_understood_are_refused(document: object):
    with pytest.raises(WindowsError, match="The file of windows"):
        read_windows(document)


WEEKLY = Maintenance(cron="0 22 * * 6", hours=8)
ONCE = Maintenance(begins=datetime(2026, 7, 4, tzinfo=VIETNAM), ends=datetime(2026, 7, 6, tzinfo=VIETNAM))


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        ("2026-07-03 23:59", None),
        ("2026-07-04 00:00", "2026-07-06 00:00"),
        ("2026-07-06 00:00", None),
        ("2026-07-11 21:59", None),
        ("2026-07-11 22:00", "2026-07-12 06:00"),
        ("2026-07-12 05:59", "2026-07-12 06:00"),
        ("2026-07-12 06:00", None),
    ],
)
def test_maintenance_once_and_weekly(moment: str, until: str | None):
    assert maintained_until((WEEKLY, ONCE), at(moment)) == (None if until is None else at(until))


def test_what_overlaps_counts_once():
    calendar = (WEEKLY, ONCE)  # the weekly one of 4 July lies within the other
    assert maintained(calendar, at("2026-07-01"), at("2026-07-13")) == (48 + 8) * 3_600_000
    assert maintained(calendar, at("2026-07-05"), at("2026-07-05 01:00")) == 3_600_000


@given(st.integers(0, 10**7), st.integers(0, 10**6))
def test_maintenance_is_never_longer_than_the_span(offset: int, length: int):
    since = at("2026-07-01") + offset * 100
    assert 0 <= maintained((WEEKLY, ONCE), since, since + length) <= length


@pytest.mark.parametrize(
    "wrong",
    [
        {}, {"cron": "0 22 * * 6"}, {"cron": "at night", "hours": 2}, {"hours": 2},
        {"begins": "2026-07-04T00:00:00+07:00"},
        {"begins": "2026-07-04T00:00:00+07:00", "ends": "2026-07-03T00:00:00+07:00"},
        {"begins": "2026-07-04T00:00:00", "ends": "2026-07-05T00:00:00"},
        {"cron": "0 22 * * 6", "hours": 2, "begins": "2026-07-04T00:00:00+07:00", "ends": "2026-07-05T00:00:00+07:00"},
    ],
)  # fmt: skip
def test_a_maintenance_that_is_not_understood_is_refused(wrong: dict[str, object]):
    with pytest.raises(ValidationError):
        Maintenance.model_validate(wrong)
