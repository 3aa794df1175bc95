"""What people did, decided and looked at; and whether anybody has changed it since."""

from __future__ import annotations

from fastapi import Response

from hocba_hub.api.console.rendering import render
from hocba_hub.api.console.route import console_router
from hocba_hub.api.console.visit import Viewing, found
from hocba_hub.api.http.pages import Cursor
from hocba_hub.api.operator import deliveries, jobs
from hocba_hub.monitoring.readings import AUDIT_JOB

router = console_router()

_PAGE = 100


@router.get("/console/audit")
def trail(visit: Viewing, after: Cursor = None) -> Response:
    """The newest first, and what the job that verifies the chain found last."""
    page = deliveries.audit_trail(visit.operator, visit.hub, after, _PAGE)
    verified = found(lambda: jobs.job(AUDIT_JOB, visit.operator, visit.hub))
    return render(visit.request, "audit.html", visit=visit, page=page, verified=verified, verify=AUDIT_JOB)
