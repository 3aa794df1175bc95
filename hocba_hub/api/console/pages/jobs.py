"""What the hub does by itself: each job with its plan and runs, run now, paused, resumed, cancelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Path, Response

from hocba_hub.api.console.live import follow
from hocba_hub.api.console.rendering import render
from hocba_hub.api.console.route import console_router, go_to
from hocba_hub.api.console.visit import Acting, Form, Viewing, asked, field
from hocba_hub.api.http.pages import Cursor
from hocba_hub.api.http.parameters import JobInPath
from hocba_hub.api.operator import jobs
from hocba_hub.api.operator.delivery_shapes import AskedReason
from hocba_hub.store.job_acts import Standing

router = console_router()

_PAGE = 30
_ACTS: dict[str, Callable[..., Any]] = {
    "run": jobs.run_job, "pause": jobs.pause_job, "resume": jobs.resume_job, "cancel": jobs.cancel_job
}  # fmt: skip
_AT_REST = frozenset({Standing.IDLE, Standing.PAUSED})


@router.get("/console/jobs")
def listed(visit: Viewing) -> Response:
    """All of them."""
    return render(visit.request, "jobs.html", visit=visit, jobs=jobs.jobs(visit.operator, visit.hub).jobs)


@router.get("/console/jobs/{key}")
def one(visit: Viewing, key: JobInPath, after: Cursor = None, done: str = "") -> Response:
    """One job with its runs."""
    found = jobs.job(key, visit.operator, visit.hub)
    runs = jobs.job_runs(key, visit.operator, visit.hub, after=after, limit=_PAGE)
    return render(
        visit.request, "job.html", visit=visit, one=found, runs=runs, done=done,
        is_live=found.standing not in _AT_REST,
    )  # fmt: skip


@router.get("/console/jobs/{key}/live")
def live(visit: Viewing, key: JobInPath) -> Response:
    """How far its run is."""
    return follow(
        visit, "job_live.html", lambda: jobs.job(key, visit.operator, visit.hub), lambda one: one.standing in _AT_REST
    )


@router.post("/console/jobs/{key}/{act}")
def act(
    visit: Acting, key: JobInPath, act: Annotated[str, Path(pattern="^(run|pause|resume|cancel)$")], form: Form
) -> Response:
    """Run it now, let it rest, let it go on, end its run."""
    _ACTS[act](key, asked(AskedReason, {"reason": field(form, "reason")}), visit.operator, visit.hub)
    return go_to(f"/console/jobs/{key}?done={act}")
