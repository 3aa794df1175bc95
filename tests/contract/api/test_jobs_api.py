"""Jobs over real HTTP: seen by viewers, acted upon by operators."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hocba_hub.api.operator import jobs as router
from hocba_hub.queue.jobs.schedules import planned
from hocba_hub.store import jobs
from hocba_hub.store.access import Role
from hocba_hub.store.engine import Store
from tests.support.api_server import Api, running_api
from tests.support.jobs import job_worker

JOBS = "/v1/operations/jobs"
WHY = {"reason": "the disk is short"}


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'hub.db'}"


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    with running_api(store, routers=(router.router,)) as running:
        job_worker(store, planned(None, []), {}, clock=lambda: running.now)
        yield running


def test_jobs_are_seen_by_viewers_and_acted_upon_by_operators(api: Api):
    viewer, operator = api.operator_key(Role.VIEWER), api.operator_key()
    listed = {job["key"]: job for job in api.get(JOBS, viewer).json()["jobs"]}
    assert (listed["retention"]["standing"], listed["retention"]["schedule"]) == ("idle", "17 * * * *")
    assert api.post(f"{JOBS}/retention/run", viewer, json=WHY).json()["code"] == "access.role-too-low"
    assert api.get(JOBS, api.client_key()).json()["code"] == "access.wrong-kind"
    run = api.post(f"{JOBS}/retention/run", operator, json=WHY).json()
    assert (run["standing"], run["run"]["asked_by"]) == ("waiting", "operator:operator")
    paused = api.post(f"{JOBS}/retention/pause", operator, json=WHY).json()
    assert (paused["standing"], paused["pause_reason"]) == ("paused", "the disk is short")
    refused = api.post(f"{JOBS}/retention/run", operator, json=WHY)
    assert (refused.status_code, refused.json()["code"]) == (409, "job.paused")
    assert api.post(f"{JOBS}/retention/resume", operator, json=WHY).json()["standing"] == "waiting"
    assert api.post(f"{JOBS}/retention/cancel", operator, json=WHY).json()["run"]["state"] == "cancelled"
    refused = api.post(f"{JOBS}/retention/cancel", operator, json=WHY)
    assert (refused.status_code, refused.json()["code"]) == (409, "job.not-open")


def test_the_history_comes_page_by_page(api: Api):
    operator = api.operator_key()
    for _ in range(3):
        api.post(f"{JOBS}/retention/run", operator, json=WHY)
        api.post(f"{JOBS}/retention/cancel", operator, json=WHY)
    first = api.get(f"{JOBS}/retention/runs?limit=2", operator).json()
    rest = api.get(f"{JOBS}/retention/runs?limit=2&after={first['next']}", operator).json()
    with api.store.read() as connection:
        runs = [run.id for run in jobs.history(connection, "retention")]
    assert [one["id"] for one in first["items"] + rest["items"]] == runs
    assert len(runs) == 3
    assert "next" not in rest


@pytest.mark.parametrize("path", ["nothing", "import:0192f3a4-0000-7000-8000-000000000000"])
def test_an_unknown_job_is_not_found(api: Api, path: str):
    operator = api.operator_key()
    assert api.get(f"{JOBS}/{path}", operator).status_code == 404
    assert api.post(f"{JOBS}/{path}/pause", operator, json=WHY).status_code == 404
    assert api.get(f"{JOBS}/Nothing%20", operator).status_code == 422
