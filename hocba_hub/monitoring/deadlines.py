"""The deadline board as people read it: the newest snapshot against the windows and the rates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from hocba_hub.adapters.destination import Destination
from hocba_hub.model.deadlines import Forecast, SchoolNeed, Timing, WindowState, first_in_need, forecast, window_state
from hocba_hub.model.keys import DestinationName
from hocba_hub.model.windows import Level
from hocba_hub.store.board import Figures, Snapshot, figures, measured_rates, newest_snapshot
from hocba_hub.store.counters import backlogs

Known = Mapping[DestinationName, Destination]


@dataclass(frozen=True, slots=True)
class LevelState:
    """A level at a destination: its window, its counts, and whether what waits comes in time."""

    destination: str
    level: Level
    window: WindowState
    counts: Mapping[str, int]
    in_time: bool | None


@dataclass(frozen=True, slots=True)
class Board:
    """The whole board."""

    snapshot: Snapshot
    forecasts: Mapping[str, Forecast]
    """By destination."""
    levels: Sequence[LevelState]
    """Only those of which there is, or should be, a card."""


def board(
    connection: Connection,
    known: Known,
    now: int,
    school_year: str | None = None,
    *,
    schools: Iterable[str] | None = None,
) -> Board | None:
    """The newest board; None if none was counted yet, of this school year if one is given.

    `schools` are those whose cards are counted; None for all. Forecasts are of all cards in any case.
    """
    snapshot = newest_snapshot(connection, school_year)
    if snapshot is None:
        return None
    rates, waiting = measured_rates(connection, now), backlogs(connection)
    forecasts = {
        str(name): forecast(waiting.get(name, 0), rates.get(name), one.limits.records_per_second, now)
        for name, one in sorted(known.items())
    }
    totals: dict[str, dict[str, Mapping[str, int]]] = {name: dict(of) for name, of in snapshot.totals.items()}
    if schools is not None:
        totals = {}
        for row in figures(connection, snapshot, by="level", schools=schools):
            totals.setdefault(row.destination, {})[row.level] = row.counts
    levels = []
    for name, one in sorted(known.items()):
        for level in Level:
            counts = totals.get(name, {}).get(level, {})
            if not any(counts.values()):
                continue
            window = window_state(one.windows, level, snapshot.school_year, now)
            in_time = True if counts["waiting"] == 0 else forecasts[name].in_time(window)
            levels.append(LevelState(str(name), level, window, counts, in_time))
    return Board(snapshot, forecasts, levels)


def needs(
    connection: Connection,
    known: Known,
    found: Board,
    *,
    level: Level | None = None,
    commune: str | None = None,
    schools: Iterable[str] | None = None,
) -> list[SchoolNeed]:
    """Who needs help first, school by school and level by level."""
    closes = {
        one.level: min(
            (
                other.window.closes_at
                for other in found.levels
                if other.level is one.level and other.window.closes_at and other.window.timing is not Timing.OVER
            ),
            default=None,
        )
        for one in found.levels
    }
    by_place: dict[tuple[str, str], list[Figures]] = {}
    for one in figures(connection, found.snapshot, by="school", level=level, commune=commune, schools=schools):
        if one.destination in known:
            by_place.setdefault((one.school_code or "", one.level), []).append(one)
    return first_in_need(
        SchoolNeed(
            school, of_school[0].commune_code or "", Level(its_level),
            # What is expected and accepted is the same everywhere; the verdicts are those of each destination.
            expected=of_school[0].counts["expected"], accepted=of_school[0].counts["accepted"],
            acknowledged=min(one.counts["acknowledged"] for one in of_school),
            refused=sum(one.counts["refused"] for one in of_school), missing=of_school[0].counts["missing"],
            closes_at=closes.get(Level(its_level)),
        )
        for (school, its_level), of_school in by_place.items()
    )  # fmt: skip
