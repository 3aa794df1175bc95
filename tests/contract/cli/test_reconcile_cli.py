"""`hocba-hub reconcile`, and the same over the API, on what a run found."""

from __future__ import annotations

import time
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import insert, select, update

from hocba_hub.cli.session import now
from hocba_hub.model.delivery import DeliveryState
from hocba_hub.store import jobs, reconciliation
from hocba_hub.store.access import Role
from hocba_hub.store.engine import Store
from hocba_hub.store.jobs import Planned
from hocba_hub.store.tables import deliveries, job_runs
from tests.support.acceptance import submit
from tests.support.api_server import running_api
from tests.support.command_line import Run, cells


def reconciled(store: Store) -> None:
    """A run that found one card missing and one refused, of three."""
    submit(store, ("a", "1"), ("b", "1"), ("c", "1"), now=now(), destinations=("ministry",))
    with store.write() as connection:
        connection.execute(update(deliveries).values(state=DeliveryState.ACKNOWLEDGED, settled_at=now()))
        refused = update(deliveries).where(deliveries.c.card_id == "b").values(state=DeliveryState.REFUSED)
        connection.execute(refused)
        jobs.plan(connection, {"reconcile:ministry": Planned("reconcile", None)}, lambda _, moment: moment, now())
        run = {"key": "reconcile:ministry", "kind": "reconcile", "asked_by": "t", "started_at": now(), "state": "done"}
        run |= {"ended_at": now(), "leased_until": 0, "attempts": 0, "takeovers": 0}
        run_id = connection.execute(insert(job_runs).values(**run, result={}).returning(job_runs.c.id)).scalar_one()
        theirs = reconciliation.Theirs(1, reconciliation.TheirState.HELD, None)
        key = reconciliation.CardKey(reconciliation.SchoolYear("2025-2026"), reconciliation.CardId("c"))
        reconciliation.stage(connection, run_id, [reconciliation.InventoryEntry(key, theirs)])
        reconciliation.compare_page(connection, run_id, "ministry", None, 100)
        found = reconciliation.count(connection, run_id)
        connection.execute(update(job_runs).where(job_runs.c.id == run_id).values(result=found))


def test_a_run_is_shown_repaired_and_written(run: Run, store: Store, tmp_path: Path):
    assert "jobs run reconcile:ministry" in run("reconcile", "show", "ministry", code=1).output
    reconciled(store)
    assert cells(run("reconcile", "show", "ministry").stdout)[2][:3] == ["3", "1", "1"]
    assert ["SCHOOL", "8", "a", "1", "0", "1"] in [
        row[:6] for row in cells(run("reconcile", "show", "ministry", "--by", "class").stdout)
    ]
    assert "2025-2026/b" in run("reconcile", "differences", "ministry", "--kind", "refused").stdout
    assert cells(run("reconcile", "trend", "ministry").stdout)[2][2:4] == ["3", "1"]
    file = tmp_path / "report.xlsx"
    run("reconcile", "report", "ministry", str(file))
    assert load_workbook(file).sheetnames[0] == "Trường - School"
    planned = run("reconcile", "repair", "ministry", "--dry-run").stdout
    assert ["Missing", "sent again", "1"] in cells(planned)
    done = run("reconcile", "repair", "ministry", "--kind", "missing", "--kind", "refused", "--reason", "lost", "--yes")
    assert ["Refused", "put on the school's open list", "1"] in cells(done.stdout)
    again = run("reconcile", "repair", "ministry", "--reason", "again", "--yes").stdout
    assert "repaired before" in again
    with store.read() as connection:
        states = dict(connection.execute(select(deliveries.c.card_id, deliveries.c.state)).all())
    assert states == {"a": "queued", "b": "refused", "c": "acknowledged"}
    assert "nowhere" in run("reconcile", "show", "nowhere", code=2).output


@pytest.mark.parametrize("name", ["ministry"])
def test_the_same_over_the_api(store: Store, name: str):
    with running_api(store) as api:
        api.now = time.time_ns() // 1_000_000
        viewer, operator = api.operator_key(Role.VIEWER), api.operator_key()
        url = f"/v1/operations/reconciliation/{name}"
        assert api.get(url, viewer).status_code == 404
        reconciled(store)
        [whole] = api.get(url, viewer).json()["places"]
        assert whole["counts"] == {"all": 3, "equal": 1, "missing": 1, "refused": 1}
        by_school = api.get(f"{url}?by=school", viewer).json()["places"]
        assert [one["school_code"] for one in by_school] == ["SCHOOL"]
        listed = api.get(f"{url}/differences?kind=missing", viewer).json()["items"]
        assert [(one["card_id"], one["our_version"]) for one in listed] == [("a", 1)]
        assert api.get(f"{url}/trend", viewer).json()["runs"][0]["result"]["all"] == 3
        report = api.get(f"{url}/report.xlsx", viewer)
        assert load_workbook(BytesIO(report.content)).sheetnames[2] == "Khác biệt - Differences"
        asked = {"kinds": ["missing"], "reason": "they lost some"}
        assert api.post(f"{url}/repair", viewer, json=asked).json()["code"] == "access.role-too-low"
        assert api.post(f"{url}/repair", operator, json=asked | {"dry_run": True}).json()["sent"] == {"missing": 1}
        done = api.post(f"{url}/repair", operator, json=asked).json()
        assert (done["sent"], done["changed"]) == ({"missing": 1}, 0)
        assert api.rung[-1] == name
        assert api.get("/v1/operations/reconciliation/nowhere", viewer).status_code == 404
