"""Submissions of all clients, and what became of each record of one."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from hocba_hub.api.console.rendering import render
from hocba_hub.api.console.route import console_router
from hocba_hub.api.console.visit import Viewing
from hocba_hub.api.http.pages import Cursor
from hocba_hub.api.http.parameters import SubmissionId
from hocba_hub.api.operator import support

router = console_router()

_PAGE = 50


@router.get("/console/submissions")
def listed(
    visit: Viewing, client: Annotated[str | None, Query(max_length=200)] = None, after: Cursor = None
) -> Response:
    """The newest first."""
    page = support.submissions(_=visit.operator, hub=visit.hub, client=client, after=after, limit=_PAGE)
    return render(visit.request, "submissions.html", visit=visit, page=page, client=client)


@router.get("/console/submissions/{submission_id}")
def one(visit: Viewing, submission_id: SubmissionId, after: Cursor = None) -> Response:
    """One submission with a page of its records."""
    found = support.submission(submission_id, visit.operator, visit.hub, after=after, limit=_PAGE)
    return render(visit.request, "submission.html", visit=visit, one=found)
