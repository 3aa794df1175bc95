"""The deadline board of a synthetic province with planted gaps, against figures counted by hand-written SQL."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import select, text, update

from hocba_hub.adapters.workbook.roster import RosterError, read_roster
from hocba_hub.model.deadlines import ExpectedBy, ExpectedClass, Timing
from hocba_hub.model.keys import DestinationName
from hocba_hub.model.windows import Level
from hocba_hub.monitoring.deadlines import board, needs
from hocba_hub.monitoring.deadlines_workbook import workbook
from hocba_hub.queue.jobs.deadlines import Deadlines
from hocba_hub.store import audit
from hocba_hub.store.board import COUNTS, figures, measured_rates, newest_snapshot, take_snapshot
from hocba_hub.store.bulk import insert_rows
from hocba_hub.store.counters import Counters
from hocba_hub.store.engine import Store
from hocba_hub.store.expected import said, say
from hocba_hub.store.tables import board_cells, board_snapshots, deliveries
from tests.support.jobs import run_once
from tests.support.planted import NAMES, NOW, SCHOOLS, YEAR, destination, plant

ORACLE = """
SELECT d.name, CASE WHEN c.circular = 'TT43/2021' THEN 'continuing' WHEN c.grade <= 5 THEN 'primary'
                    WHEN c.grade <= 9 THEN 'lower-secondary' ELSE 'upper-secondary' END AS level, c.school_code,
       SUM(CASE WHEN c.recalled THEN 0 ELSE 1 END) AS accepted,
       SUM(CASE WHEN c.recalled THEN 1 ELSE 0 END) AS recalled,
       SUM(CASE WHEN NOT c.recalled AND x.state = 'acknowledged' THEN 1 ELSE 0 END) AS acknowledged,
       SUM(CASE WHEN NOT c.recalled AND x.state = 'refused' THEN 1 ELSE 0 END) AS refused,
       SUM(CASE WHEN NOT c.recalled AND x.state IN ('queued', 'awaiting_ack', 'in_doubt', 'held', 'parked') THEN 1
                ELSE 0 END) AS waiting
FROM report_cards c CROSS JOIN (SELECT 'province' AS name UNION ALL SELECT 'ministry') d
JOIN deliveries x ON x.school_year = c.school_year AND x.card_id = c.card_id AND x.version = c.version
                 AND x.destination = d.name
WHERE c.school_year = '2025-2026' GROUP BY 1, 2, 3
"""
EXPECTED = """
SELECT school_code, grade, COUNT(*) FROM report_cards WHERE school_year = '2024-2025' AND NOT recalled GROUP BY 1, 2
"""
THERE = """
SELECT school_code, grade, COUNT(*) FROM report_cards WHERE school_year = '2025-2026' AND NOT recalled GROUP BY 1, 2
"""


def test_the_board_says_what_hand_written_sql_says(store: Store):
    plant(store)
    take_snapshot(store, YEAR, NAMES, NOW)
    with store.read() as connection:
        found = newest_snapshot(connection)
        assert found is not None
        assert (found.school_year, found.as_of) == (YEAR, NOW)
        by_school = figures(connection, found, by="school")
        told = {(row.name, row.level, row.school_code): row._mapping for row in connection.execute(text(ORACLE))}
        expected = {(school, grade): cards for school, grade, cards in connection.execute(text(EXPECTED))}
        there = {(school, grade): cards for school, grade, cards in connection.execute(text(THERE))}
    of_school: dict[str, int] = {}
    missing: dict[str, int] = {}
    for (school, grade), cards in expected.items():
        of_school[school] = of_school.get(school, 0) + cards
        missing[school] = missing.get(school, 0) + max(0, cards - there.get((school, grade), 0))
    assert sum(missing.values()) > 100  # there are gaps
    assert {one.school_code for one in by_school} == {f"S{n}" for n in range(SCHOOLS)}  # also those that sent nothing
    for one in by_school:
        row = told.get((one.destination, one.level, one.school_code), {})
        for count in ("accepted", "recalled", "acknowledged", "refused", "waiting"):
            assert one.counts[count] == row.get(count, 0), (one, count)
        assert one.counts["expected"] == of_school[one.school_code or ""]
        assert one.counts["missing"] == missing[one.school_code or ""]
        assert one.commune_code == f"C{int((one.school_code or '')[1:]) % 7}"
    # Every other way of putting it together has the same sums.
    with store.read() as connection:
        whole = {(name, level): counts for name, levels in found.totals.items() for level, counts in levels.items()}
        for by in ("level", "commune", "grade", "class"):
            sums = {place: dict.fromkeys(COUNTS, 0) for place in whole}
            for one in figures(connection, found, by=by):
                for count in COUNTS:
                    sums[one.destination, one.level][count] += one.counts[count]
            assert sums == whole, by
        part = figures(connection, found, by="class", destination="province", school="S4", schools=["S4", "S5"])
        assert {one.school_code for one in part} == {"S4"}
        assert figures(connection, found, by="school", school="S4", schools=["S5"]) == []


def test_a_roster_counts_before_last_year_and_a_statement_where_there_is_neither(store: Store):
    plant(store)
    rosters = [
        ExpectedClass("S0", Level.PRIMARY, 1, "10", 40), ExpectedClass("S0", Level.PRIMARY, 1, "1Z", 5),
        ExpectedClass("NEW", Level.PRIMARY, 2, "", 50),
    ]  # fmt: skip
    with store.write() as connection:
        say(connection, YEAR, ExpectedBy.ROSTER, [ExpectedClass("S0", Level.PRIMARY, 1, "old", 99)], actor="a", now=1)
        assert say(connection, YEAR, ExpectedBy.ROSTER, rosters, actor="os:lan", now=2) == 2
        stated = [ExpectedClass("S0", Level.PRIMARY, 1, "", 7), ExpectedClass("LATE", Level.PRIMARY, 3, "", 20)]
        say(connection, YEAR, ExpectedBy.STATEMENT, stated, actor="client:1", now=3)
    with store.read() as connection:
        assert {one.action for one in audit.entries(connection)} == {"expect-cards"}
        assert set(said(connection, YEAR)[ExpectedBy.ROSTER]) == {("S0", "primary", 1), ("NEW", "primary", 2)}
    take_snapshot(store, YEAR, NAMES, NOW)
    with store.read() as connection:
        rows = connection.execute(
            select(board_cells).where(board_cells.c.expected > 0, board_cells.c.destination == "province")
        ).all()
    cells = {(row.school_code, row.grade, row.class_code): row for row in rows}
    assert ("S0", 1, "") not in cells
    first, none = cells["S0", 1, "10"], cells["S0", 1, "1Z"]
    assert (first.expected, first.missing, first.expected_by) == (40, 40 - first.accepted, "roster")
    assert (none.accepted, none.missing) == (0, 5)
    assert cells["S0", 2, ""].expected_by == "last-year"
    assert (cells["NEW", 2, ""].missing, cells["LATE", 3, ""].expected_by) == (50, "statement")


KNOWN = {
    DestinationName("province"): destination("province", limits={"records_per_second": 10}),
    DestinationName("ministry"): destination(
        "ministry", windows=[
            {"opens": "06-01", "closes": "06-30", "levels": ["primary"]},
            {"opens": "07-01", "closes": "07-10", "levels": ["lower-secondary"]},
        ],
    ),
}  # fmt: skip


def test_windows_forecasts_and_who_needs_help_first(store: Store):
    plant(store)
    run = run_once(store, "deadlines", Deadlines(KNOWN), now=NOW)
    assert (run.state, dict(run.result)) == ("done", {"snapshots": 1})
    with store.write() as connection:
        counters = Counters()
        for name in KNOWN:
            counters.add("depth", name, "queued", amount=600)
        counters.write(connection)
    with store.read() as connection:
        found = board(connection, KNOWN, NOW + 30_000)
        assert found is not None
        assert {name: one.clears_at for name, one in found.forecasts.items()} == {
            "province": NOW + 30_000 + 60_000, "ministry": None,
        }  # fmt: skip
        timings = {(one.destination, one.level): one.window.timing for one in found.levels}
        assert timings["ministry", Level.PRIMARY] is Timing.OPEN
        assert timings["ministry", Level.LOWER_SECONDARY] is Timing.AHEAD
        assert timings["ministry", Level.CONTINUING] is Timing.ALWAYS
        assert {one.in_time for one in found.levels if one.destination == "ministry"} == {False, None}
        first = needs(connection, KNOWN, found)
        assert first[0].level is Level.PRIMARY  # whose window closes first
        assert [one.undone for one in first if one.level is Level.PRIMARY] == sorted(
            (one.undone for one in first if one.level is Level.PRIMARY), reverse=True
        )
        assert {one.commune_code for one in needs(connection, KNOWN, found, commune="C3")} == {"C3"}
        assert {one.school_code for one in needs(connection, KNOWN, found, schools=["S1"])} == {"S1"}
        mine = board(connection, KNOWN, NOW, schools=["S1"])
        assert mine is not None
        assert {one.level for one in mine.levels} == {Level.LOWER_SECONDARY}
        sheets = load_workbook(io.BytesIO(workbook(connection, KNOWN, found)), read_only=True)
        rows = list(sheets["Trường - School"].iter_rows(values_only=True))[1:]
        assert len(rows) == 2 * SCHOOLS
        accepted = {one.level: one.counts["accepted"] for one in found.levels if one.destination == "province"}
        assert sum(row[5] for row in rows if row[0] == "province") == sum(accepted.values())
        assert len(list(sheets["Cần hỗ trợ - Need help"].iter_rows())) == len(first) + 1


def test_the_rate_is_that_of_the_last_hour(store: Store):
    plant(store, per_class=1)
    take_snapshot(store, YEAR, NAMES, NOW)
    with store.write() as connection:
        counters = Counters()
        counters.add("ended", "province", "acknowledged", amount=1_000)
        counters.add("ended", "province", "refused", amount=200)
        counters.add("ended", "province", "superseded", amount=5_000)  # no verdict
        counters.write(connection)
    with store.read() as connection:
        assert measured_rates(connection, NOW + 30_000) == {}  # too short a time
        assert measured_rates(connection, NOW + 600_000) == {"province": 2.0, "ministry": 0.0}
        assert measured_rates(connection, NOW + 7_200_000) == {}  # nothing is known of the last hour


def test_only_whole_snapshots_are_shown_and_old_ones_go(store: Store):
    plant(store, per_class=1)
    first = take_snapshot(store, YEAR, NAMES, NOW)
    with store.write() as connection:  # one that a killed process left half written
        left = {"school_year": YEAR, "as_of": NOW + 1, "is_whole": False, "has_cells": True, "ended": {}, "totals": {}}
        insert_rows(
            connection, board_snapshots, [left | {"ended": "{}", "totals": "{}"}] if not store.is_sqlite else [left]
        )
    with store.read() as connection:
        shown = newest_snapshot(connection, YEAR)
        assert shown is not None
        assert shown.id == first
    third = take_snapshot(store, YEAR, NAMES, NOW + 2)
    with store.read() as connection:
        assert set(connection.execute(select(board_cells.c.snapshot_id).distinct()).scalars()) == {third}
        assert len(connection.execute(select(board_snapshots.c.id)).all()) == 3
    take_snapshot(store, YEAR, NAMES, NOW + 2 * 86_400_000)
    with store.read() as connection:
        assert len(connection.execute(select(board_snapshots.c.id)).all()) == 1


@pytest.mark.parametrize("name", ["roster.csv", "roster.xlsx"])
def test_a_roster_is_read_from_a_workbook_or_csv(name: str):
    lines = [
        ["Mã trường", "Khối", "Lớp", "Sĩ số", "Cấp học"], ["33-TH-0001", "1", "1A", "34", "Tiểu học"],
        ["33-TH-0001", "2", "", "70", ""], ["", "", "", "", ""], ["33-GD-0001", "10", "10A", "20", "GDTX"],
    ]  # fmt: skip
    out = io.BytesIO()
    if name.endswith(".csv"):
        out.write("\n".join(";".join(line) for line in lines).encode("utf-8-sig"))
    else:
        book = Workbook()
        for line in lines:
            book.active.append([int(cell) if cell.isdecimal() else cell for cell in line])  # type: ignore[union-attr]
        book.save(out)
    assert read_roster(out, name) == [
        ExpectedClass("33-TH-0001", Level.PRIMARY, 1, "1A", 34), ExpectedClass("33-TH-0001", Level.PRIMARY, 2, "", 70),
        ExpectedClass("33-GD-0001", Level.CONTINUING, 10, "10A", 20),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text_", "code", "place"),
    [
        ("school,grade\nS,1", "columns", "A1"),
        ("school,grade,pupils\nS,13,5", "number", "B2"),
        ("school,grade,pupils\nS,1,many", "number", "C2"),
        ("school,grade,pupils\n,1,5", "text", "A2"),
        ("school,grade,pupils,level\nS,1,5,university", "level", "D2"),
    ],
)
def test_a_roster_with_a_fault_says_where(text_: str, code: str, place: str, tmp_path: Path):
    with pytest.raises(RosterError) as raised:
        read_roster(io.BytesIO(text_.encode()), "roster.csv")
    assert (raised.value.code, raised.value.place) == (code, place)


def test_moved_cards_move_on_the_next_board(store: Store):
    plant(store, per_class=1)
    take_snapshot(store, YEAR, NAMES, NOW)
    with store.write() as connection:
        connection.execute(update(deliveries).values(state="acknowledged"))
    take_snapshot(store, YEAR, NAMES, NOW + 1)
    with store.read() as connection:
        found = newest_snapshot(connection, YEAR)
        assert found is not None
        for levels in found.totals.values():
            for counts in levels.values():
                assert (counts["acknowledged"], counts["waiting"], counts["refused"]) == (counts["accepted"], 0, 0)
