"""What operators see of jobs, and do with them."""

from __future__ import annotations

from fastapi import APIRouter

from hocba_hub.api.context import Hub
from hocba_hub.api.http.bounded import BoundedRoute
from hocba_hub.api.http.pages import Cursor, Limit, cursor, place
from hocba_hub.api.http.parameters import JobInPath
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.operator.callers import Acting, TheHub, Viewer
from hocba_hub.api.operator.delivery_shapes import AskedReason
from hocba_hub.api.operator.job_shapes import JobEntry, JobList, RunEntry, job_entry, run_entry
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.shapes import Page
from hocba_hub.store import job_acts
from hocba_hub.store.access import Operator
from hocba_hub.store.job_acts import ActNotPossibleError, JobAct
from hocba_hub.store.jobs import history

router = APIRouter(
    prefix="/v1/operations/jobs",
    tags=["operations"],
    route_class=BoundedRoute,
    responses=problems(400, 401, 403, 422, 429, 500, 503),
)


@router.get("", response_model_exclude_none=True)
def jobs(_: Viewer, hub: TheHub) -> JobList:
    """Every job: how it stands, when it runs, its newest run. / Mọi việc: tình trạng, lịch, lần chạy gần nhất."""
    with hub.store.read() as connection:
        found = job_acts.listed(connection)
    return JobList(jobs=[job_entry(job, hub.clock()) for job in found])


@router.get("/{key}", response_model_exclude_none=True, responses=problems(404))
def job(key: JobInPath, _: Viewer, hub: TheHub) -> JobEntry:
    """One job. / Một việc."""
    with hub.store.read() as connection:
        found = job_acts.find(connection, key)
    if found is None:
        raise ProblemError("not-found")
    return job_entry(found, hub.clock())


@router.get("/{key}/runs", response_model_exclude_none=True)
def job_runs(key: JobInPath, _: Viewer, hub: TheHub, after: Cursor = None, limit: Limit = 100) -> Page[RunEntry]:
    """The runs of a job, the newest first. / Các lần chạy của một việc, mới nhất trước."""
    seen = place(after, int)
    with hub.store.read() as connection:
        found = history(connection, key, before=seen[0] if seen else None, limit=limit + 1)
    return Page(
        items=[run_entry(run) for run in found[:limit]],
        next=cursor((found[limit - 1].id,)) if len(found) > limit else None,
    )


@router.post("/{key}/run", response_model_exclude_none=True, responses=problems(404, 409))
def run_job(key: JobInPath, asked: AskedReason, operator: Acting, hub: TheHub) -> JobEntry:
    """Run a job now; of a failed import: try it again. / Chạy ngay; với tệp đã hỏng: nhập lại."""
    return _act(key, JobAct.RUN, asked, operator, hub)


@router.post("/{key}/pause", response_model_exclude_none=True, responses=problems(404, 409))
def pause_job(key: JobInPath, asked: AskedReason, operator: Acting, hub: TheHub) -> JobEntry:
    """Let it rest; an open run stops before its next step. / Tạm dừng, trước bước kế tiếp."""
    return _act(key, JobAct.PAUSE, asked, operator, hub)


@router.post("/{key}/resume", response_model_exclude_none=True, responses=problems(404, 409))
def resume_job(key: JobInPath, asked: AskedReason, operator: Acting, hub: TheHub) -> JobEntry:
    """Let it go on, where it was. / Chạy tiếp, từ chỗ đã dừng."""
    return _act(key, JobAct.RESUME, asked, operator, hub)


@router.post("/{key}/cancel", response_model_exclude_none=True, responses=problems(404, 409))
def cancel_job(key: JobInPath, asked: AskedReason, operator: Acting, hub: TheHub) -> JobEntry:
    """End the run that is open; what it did stays. / Hủy lần chạy đang mở; phần đã làm giữ nguyên."""
    return _act(key, JobAct.CANCEL, asked, operator, hub)


def _act(key: str, act: JobAct, asked: AskedReason, operator: Operator, hub: Hub) -> JobEntry:
    now = hub.clock()
    try:
        with hub.store.write() as connection:
            found = job_acts.act(connection, key, act, actor=operator.actor, reason=asked.reason, now=now)
    except ActNotPossibleError as error:
        raise ProblemError(error.code) from error
    if found is None:
        raise ProblemError("not-found")
    return job_entry(found, now)
