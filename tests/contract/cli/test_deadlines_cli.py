"""`hocba-hub deadlines`: the board, who needs help, the workbook, rosters; and `hocba-hub clients silent`."""

from __future__ import annotations

import time
from pathlib import Path

from openpyxl import load_workbook
from sqlalchemy import insert

from hocba_hub.model.clock import DAY_MS
from hocba_hub.store import senders
from hocba_hub.store.board import take_snapshot
from hocba_hub.store.engine import Store
from hocba_hub.store.expected import said
from hocba_hub.store.tables import senders as senders_table
from tests.support.command_line import Run, cells
from tests.support.planted import NAMES, YEAR, plant


def test_the_board_is_shown_and_written(run: Run, store: Store, tmp_path: Path):
    assert "hocba-hub jobs run deadlines" in run("deadlines", "show", code=1).output
    plant(store, per_class=2)
    take_snapshot(store, YEAR, NAMES, time.time_ns() // 1_000_000)
    shown = run("deadlines", "show").output
    assert f"School year {YEAR}" in shown
    assert "province - backlog 0" in shown
    by_school = run("deadlines", "show", "--by", "school", "--destination", "province", "--school", "S1").output
    [row] = [line for line in cells(by_school) if "S1" in line]
    assert "lower secondary" in " ".join(row).replace("-", " ")
    for asked, there, not_there in (
        (("--destination", "province"), "province", "ministry"), (("--level", "primary"), "primary", "continuing"),
    ):  # fmt: skip
        lines = [" ".join(line) for line in cells(run("deadlines", "show", *asked).output)]
        assert any(there in line for line in lines)
        assert not any(not_there in line for line in lines if "open" in line or "always" in line)
    whole, commune = (sum_of_levels(run("deadlines", "show", *asked).output) for asked in ((), ("--commune", "C1")))
    assert 0 < commune < whole
    assert f"School year {YEAR}" in run("deadlines", "show", "--year", YEAR).output
    assert "jobs run deadlines" in run("deadlines", "show", "--year", "2030-2031", code=1).output
    assert "two years in a row" in run("deadlines", "show", "--year", "2025-2027", code=2).output
    listed = run("deadlines", "schools", "--limit", "2").output
    assert "more (--limit)" in listed
    file = tmp_path / "board.xlsx"
    run("deadlines", "report", str(file))
    assert load_workbook(file, read_only=True).sheetnames[1] == "Xã - Commune"


def sum_of_levels(shown: str) -> int:
    """Of the column `expected`, over the rows of the ministry."""
    rows = cells(shown)
    [place] = [row.index("Expected") for row in rows if "Expected" in row]
    return sum(int(row[place].replace(",", "")) for row in rows if row[0] == "ministry")


def test_a_roster_is_taken_whole_or_not_at_all(run: Run, store: Store, tmp_path: Path):
    file = tmp_path / "roster.csv"
    file.write_text("school,grade,class,pupils\nS1,6,6A,40\nS1,6,6B,x\n", encoding="utf-8")
    wrong = run("deadlines", "roster", str(file), "--year", YEAR, code=1).output
    assert "D3" in wrong
    with store.read() as connection:
        assert not any(said(connection, YEAR).values())
    assert "two years in a row" in run("deadlines", "roster", str(file), "--year", "2025", code=2).output
    file.write_text("school,grade,class,pupils\nS1,6,6A,40\nS1,6,6B,41\n", encoding="utf-8")
    taken = run("deadlines", "roster", str(file), "--year", YEAR).output
    assert "81 pupils of 2 classes in 1 grades" in taken


def test_who_fell_silent(run: Run, store: Store):
    assert "None." in run("clients", "silent").output
    ago = time.time_ns() // 1_000_000 - 8 * DAY_MS
    with store.write() as connection:
        connection.execute(insert(senders_table).values(school_code="33-TH-0001", client_id=7, last_at=ago))
        assert senders.silent(connection, ago + 8 * DAY_MS) == (1, 1)
    shown = run("clients", "silent").output
    assert "33-TH-0001" in shown


def test_reports_on_the_command_line(run: Run, store: Store, tmp_path: Path):
    plant(store, per_class=1)
    assert "Report 1 is made" in run("reports", "make", "yearly", "--year", YEAR).output
    [row] = [line for line in cells(run("reports", "list").output) if YEAR in line]
    assert "yearly" in row
    for form in ("docx", "xlsx"):
        run("reports", "write", "1", str(tmp_path / f"report.{form}"))
        assert (tmp_path / f"report.{form}").read_bytes().startswith(b"PK")
    assert ".docx or .xlsx" in run("reports", "write", "1", str(tmp_path / "report.pdf"), code=2).output
    assert "no report 7" in run("reports", "write", "7", str(tmp_path / "report.docx"), code=1).output
