"""The deadline board as people read it: the newest snapshot against the windows and the rates, and as a workbook."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from openpyxl import Workbook
from sqlalchemy import Connection

from hocba_hub.adapters.destination import Destination
from hocba_hub.adapters.workbook.written import write_table
from hocba_hub.model.clock import vietnam_time
from hocba_hub.model.deadlines import Forecast, SchoolNeed, Timing, WindowState, first_in_need, forecast, window_state
from hocba_hub.model.keys import DestinationName
from hocba_hub.model.windows import Level
from hocba_hub.store.board import COUNTS, Figures, Snapshot, figures, measured_rates, newest_snapshot
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


_HEADS = {
    "destination": "Nơi nhận / Destination", "level": "Cấp học / Level", "commune_code": "Xã / Commune",
    "school_code": "Trường / School", "grade": "Khối / Grade", "class_code": "Lớp / Class",
    "expected": "Phải có / Expected", "accepted": "Đã nhận / Accepted", "acknowledged": "Đã xác nhận / Acknowledged",
    "refused": "Bị từ chối / Refused", "waiting": "Đang chuyển / Waiting", "missing": "Còn thiếu / Missing",
    "recalled": "Đã thu hồi / Recalled", "closes_at": "Đóng lúc / Closes", "in_time": "Kịp / In time",
    "timing": "Đợt nhận / Window",
}  # fmt: skip
_SHEETS = (
    ("Xã - Commune", "commune", ("commune_code",)),
    ("Trường - School", "school", ("commune_code", "school_code")),
    ("Lớp - Class", "class", ("commune_code", "school_code", "grade", "class_code")),
)
_LEVELS = {
    Level.PRIMARY: "Tiểu học / Primary", Level.LOWER_SECONDARY: "THCS / Lower secondary",
    Level.UPPER_SECONDARY: "THPT / Upper secondary", Level.CONTINUING: "GDTX / Continuing",
}  # fmt: skip
_TIMINGS = {
    "always": "Luôn nhận / Always", "open": "Đang mở / Open", "ahead": "Chưa mở / Ahead", "over": "Đã đóng / Over",
}  # fmt: skip
_IN_TIME = {True: "Có / Yes", False: "Không / No", None: ""}


def workbook(connection: Connection, known: Known, found: Board) -> bytes:
    """The board as a workbook: by level, commune, school and class, and who needs help first."""
    made = Workbook(write_only=True)
    counted = ("expected", "accepted", "acknowledged", "refused", "missing")
    levels = (
        (
            one.destination, _LEVELS[one.level], _TIMINGS[one.window.timing], _shown(one.window.closes_at),
            _IN_TIME[one.in_time], *(one.counts[name] for name in COUNTS),
        )
        for one in found.levels
    )  # fmt: skip
    _write(made, "Tổng hợp - Summary", ("destination", "level", "timing", "closes_at", "in_time", *COUNTS), levels)
    for title, by, places in _SHEETS:
        rows = (
            (
                row.destination, _LEVELS[Level(row.level)], *(getattr(row, name) for name in places),
                *(row.counts[name] for name in COUNTS),
            )
            for row in figures(connection, found.snapshot, by=by)
        )  # fmt: skip
        _write(made, title, ("destination", "level", *places, *COUNTS), rows)
    helped = (
        (
            need.school_code, need.commune_code, _LEVELS[need.level],
            *(getattr(need, name) for name in counted), _shown(need.closes_at),
        )
        for need in needs(connection, known, found)
    )  # fmt: skip
    columns = ("school_code", "commune_code", "level", *counted, "closes_at")
    _write(made, "Cần hỗ trợ - Need help", columns, helped)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _write(made: Workbook, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    write_table(made, title, [_HEADS[name] for name in columns], rows)


def _shown(milliseconds: int | None) -> str:
    return "" if milliseconds is None else vietnam_time(milliseconds)
