"""`hocba-hub jobs`, as an operator types it."""

from __future__ import annotations

import pytest

from hocba_hub.cli.session import now
from hocba_hub.queue.jobs.schedules import planned
from hocba_hub.store import audit, files, jobs
from hocba_hub.store.access import add_client
from hocba_hub.store.engine import Store
from tests.support.command_line import Run, cells
from tests.support.jobs import job_worker, run_once


@pytest.fixture
def store(store: Store) -> Store:
    job_worker(store, planned(None, ["ministry"]), {}, clock=now)
    return store


def test_jobs_are_shown_run_paused_resumed_and_cancelled(run: Run, store: Store):
    listed = cells(run("jobs", "list").stdout)
    assert ["retention", "idle", "17 * * * *"] in [row[:3] for row in listed]
    run("jobs", "run", "retention", "--reason", "disk is short")
    assert "waiting" in run("jobs", "show", "retention").stdout
    assert "paused since" in run("jobs", "pause", "retention", "--reason", "maintenance").stdout
    assert "The job is paused" in run("jobs", "run", "retention", "--reason", "again", code=1).output
    assert "waiting" in run("jobs", "resume", "retention", "--reason", "over").stdout
    assert "cancelled" in run("jobs", "cancel", "retention", "--reason", "not now").stdout
    assert "No run" not in run("jobs", "history", "retention").stdout
    assert "nothing to end" in run("jobs", "cancel", "retention", "--reason", "again", code=1).output
    with store.read() as connection:
        acts = [(entry.action, entry.detail) for entry in audit.entries(connection)]
    assert acts == [
        (f"{act}-job", {"job": "retention"}) for act in ("cancel", "resume", "pause", "run")
    ]  # what was refused was not done


def test_the_history_says_what_came_of_each_run(run: Run, store: Store):
    def counts(of: jobs.Run | object) -> None:
        with of.step():  # type: ignore[attr-defined]
            of.result["answers"] = 12  # type: ignore[attr-defined]

    def breaks(_: object) -> None:
        raise ValueError

    for work in (counts, breaks):
        run_once(store, "retention", work, now=now())  # type: ignore[arg-type]
    told = run("jobs", "history", "retention").stdout
    assert "answers 12" in told
    assert "a fault of the hub itself" in told
    assert len(cells(run("jobs", "history", "retention", "--limit", "1").stdout)) == 3  # head, line, run


def test_an_import_that_waits_is_among_the_jobs(run: Run, store: Store):
    with store.write() as connection:
        add_client(connection, "vendor", ["*"], now=1)
        file_id = files.create(connection, 1, name="a.csv", form="csv", profile="p", now=now())
        files.complete(connection, file_id, size=1, sha256="x", now=now())
    key = f"import:{file_id}"
    assert any(row[:2] == [key, "waiting"] for row in cells(run("jobs", "list").stdout))
    assert "paused" in run("jobs", "pause", key, "--reason", "a wrong file").stdout
    run("jobs", "resume", key, "--reason", "right after all")
    assert "cancelled" in run("jobs", "cancel", key, "--reason", "wrong").stdout
    assert "client:1" in run("jobs", "history", key).stdout


def test_an_unknown_job_is_told_the_known_ones(run: Run, store: Store):
    assert "The jobs are: " in run("jobs", "run", "nothing", "--reason", "why not", code=1).output


@pytest.mark.parametrize("command", ["worker", "up"])
def test_a_wrong_schedule_is_told_at_the_start(run: Run, store: Store, tmp_path, monkeypatch, command: str):
    file = tmp_path / "jobs.yaml"
    file.write_text("retention: sometimes", encoding="utf-8")
    monkeypatch.setenv("HOCBA_JOBS_FILE", str(file))
    arguments = ("worker", "--jobs") if command == "worker" else ("up",)
    assert "retention: not a cron expression" in run(*arguments, code=1).output
