"""Weekly and yearly reports: their figures are those of the board, their documents the same whenever they are made."""

from __future__ import annotations

import io
import zipfile
from functools import partial

import pytest
from docx import Document
from openpyxl import load_workbook
from sqlalchemy import insert, text

from hocba_hub.model.clock import DAY_MS
from hocba_hub.model.keys import DestinationName
from hocba_hub.monitoring.deadlines import board
from hocba_hub.monitoring.reports import content
from hocba_hub.monitoring.reports.making import document, gather_report, make_report
from hocba_hub.queue.jobs.reports import Reporting
from hocba_hub.store.board import take_snapshot
from hocba_hub.store.engine import Store
from hocba_hub.store.reports import Report, ReportKind, find, listed
from hocba_hub.store.tables import failure_counts, failure_groups, job_runs, open_findings
from tests.support.jobs import run_once
from tests.support.planted import BEFORE, NAMES, NOW, SCHOOLS, YEAR, destination, plant

WEEK = 7 * DAY_MS
KNOWN = {
    DestinationName("province"): destination("province", windows=[{"opens": "06-01", "closes": "06-20"}]),
    DestinationName("ministry"): destination("ministry"),
}


def report(store: Store, kind: ReportKind = ReportKind.WEEKLY, *, now: int = NOW, year: str | None = None) -> Report:
    made = make_report(store, KNOWN, kind, now, made_by="os:lan", school_year=year)
    with store.read() as connection:
        found = find(connection, made)
    assert found is not None
    return found


def test_its_figures_are_those_of_the_board(store: Store):
    plant(store)
    take_snapshot(store, YEAR, NAMES, NOW)
    made = report(store)
    with store.read() as connection:
        shown = board(connection, KNOWN, NOW)
    assert shown is not None
    assert made.facts["totals"] == shown.snapshot.totals
    assert sum(one["known"] for one in made.facts["institutions"].values()) == SCHOOLS
    for name, levels in shown.snapshot.totals.items():
        missing = sum(counts["missing"] for counts in levels.values())
        assert sum(one["destinations"][name]["missing"] for one in made.facts["communes"]) == missing
        title = made.facts["destinations"][name]
        [sentence] = [one for one in content.summary(made) if one.startswith(title) and "học bạ" in one][:1]
        assert f"còn thiếu {content.number(missing)}" in sentence
    # What a Word document and a workbook say is the same.
    words = Document(io.BytesIO(document(made, "docx")))
    cells = [[cell.text for cell in row.cells] for table in words.tables[1:] for row in table.rows]
    book = load_workbook(io.BytesIO(document(made, "xlsx")))
    of_levels = [list(row) for row in book["Học bạ theo cấp học"].iter_rows(values_only=True)][1:]
    assert of_levels
    for row in of_levels:
        assert [content.number(one) if isinstance(one, int) else one for one in row] in cells
    assert len(book["Học bạ theo cấp học"]._charts) == 1  # type: ignore[attr-defined]
    assert len(words.inline_shapes) >= 3  # the charts
    assert "SỞ GIÁO DỤC VÀ ĐÀO TẠO" in words.tables[0].rows[0].cells[0].text


def test_what_was_acknowledged_in_time(store: Store):
    plant(store)
    closed = 1_781_974_800_000  # 21 June 2026, the day after the window's last
    with store.write() as connection:
        connection.execute(text("UPDATE deliveries SET settled_at = :late"), {"late": closed + 1})
        connection.execute(text(
            "UPDATE deliveries SET settled_at = :early WHERE school_year = :year AND card_id LIKE '0-%'"
        ), {"early": closed - 1, "year": YEAR})  # fmt: skip
        query = text(
            "SELECT count(*) FROM deliveries d JOIN report_cards c ON c.school_year = d.school_year AND "
            "c.card_id = d.card_id AND c.version = d.version WHERE d.school_year = :year AND d.state = 'acknowledged' "
            "AND d.destination = 'province' AND NOT c.recalled AND c.card_id LIKE '0-%'"
        )
        early = connection.execute(query, {"year": YEAR}).scalar_one()
    on_time = report(store).facts["on_time"]
    assert sum(one["in_time"] for one in on_time["province"].values()) == early
    assert sum(one["acknowledged"] for one in on_time["province"].values()) > early
    assert on_time["ministry"] == {}  # it has no window


def test_incidents_problems_and_availability(store: Store):
    plant(store, per_class=1)
    hour = NOW - 2 * DAY_MS - (NOW - 2 * DAY_MS) % 3_600_000
    with store.write() as connection:
        group = {
            "fingerprint": bytes(32), "essence": bytes(32), "destination": "province", "stage": "send",
            "error_class": "refused", "code": "SCHOOL_UNKNOWN", "detail": "", "mapping": "", "times": 500,
            "first_at": 1, "last_at": NOW, "state": "open", "revision": 1,
        }  # fmt: skip
        connection.execute(insert(failure_groups).values(group))
        for at, times in ((hour, 30), (hour - 30 * DAY_MS, 470)):
            counted = {"group_id": 1, "hour_at": at, "school_code": "S1", "client_id": 1, "times": times}
            connection.execute(insert(failure_counts).values(counted))
        finding = {
            "school_code": "S1", "school_year": YEAR, "card_id": "x", "client_id": 1, "since": 1, "last_at": 1,
            "times": 1, "submission_id": "s", "position": 0, "findings": b"", "matter": "record",
        }  # fmt: skip
        connection.execute(insert(open_findings), [finding, finding | {"matter": "pupil"}, finding | {"card_id": "y"}])
        run = {
            "key": "audit-anchors", "kind": "audit-anchors", "asked_by": "schedule", "state": "done", "result": {},
            "leased_until": 0, "attempts": 0, "takeovers": 0, "ended_at": 1,
        }  # fmt: skip
        minutes = [NOW - 60_000 * n for n in range(1, 7_000)]
        connection.execute(insert(job_runs), [run | {"started_at": at} for at in (*minutes, minutes[0] + 1)])
    made = report(store)
    assert [(one["code"], one["times"]) for one in made.facts["incidents"]] == [("SCHOOL_UNKNOWN", 30)]
    assert {one["commune"]: one["problems"] for one in made.facts["communes"] if one["problems"]} == {"C1": 2}
    assert made.facts["availability"]["up"] in {6_999, 7_000}
    assert "Trục làm việc" in content.availability(made)


def test_the_year_is_the_one_before_and_sums_its_weeks(store: Store):
    plant(store, per_class=1)
    for week in range(3):
        report(store, now=NOW + week * WEEK)
    autumn = NOW + 150 * DAY_MS
    made = report(store, ReportKind.YEARLY, now=autumn)
    assert (made.school_year, made.kind) == (YEAR, ReportKind.YEARLY)
    assert report(store, now=autumn).school_year == "2026-2027"
    assert report(store, ReportKind.YEARLY, now=autumn, year=BEFORE).school_year == BEFORE
    assert [week["until"] for week in made.facts["progress"]] == [NOW + week * WEEK for week in range(3)]
    with store.read() as connection:
        of_weeks = [one.facts["availability"]["minutes"] for one in listed(connection, ReportKind.WEEKLY)]
    assert len(of_weeks) == 4  # the one of the new school year is of the same hub
    assert made.facts["availability"]["minutes"] == sum(of_weeks[1:])
    with store.read() as connection:
        assert [one.kind for one in listed(connection, ReportKind.YEARLY)] == ["yearly", "yearly"]


@pytest.mark.parametrize("form", ["docx", "xlsx"])
def test_a_document_is_the_same_whenever_it_is_made(store: Store, form: str):
    plant(store, per_class=1)
    made = report(store)
    with store.write() as connection:
        connection.execute(text("DELETE FROM deliveries"))  # what came after it changes nothing
    first = document(made, form)
    with store.read() as connection:
        again = find(connection, made.id)
    assert again is not None
    assert document(again, form) == first
    with zipfile.ZipFile(io.BytesIO(first)) as parts:
        assert parts.testzip() is None


def test_the_job_makes_one(store: Store):
    plant(store, per_class=1)

    work = Reporting(partial(gather_report, store, KNOWN, ReportKind.WEEKLY))
    run = run_once(store, "weekly-report", work, now=NOW)
    assert (run.state, dict(run.result)) == ("done", {"reports": 1})
    with store.read() as connection:
        [made] = listed(connection)
    assert (made.made_by, made.until - made.since >= WEEK) == ("test", True)
