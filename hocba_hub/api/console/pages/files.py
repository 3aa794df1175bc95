"""Files that clients sent: how far each is, what was found of it, and the sender's own workbook, marked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Path, Response

from hocba_hub.api.console.live import follow
from hocba_hub.api.console.rendering import render
from hocba_hub.api.console.route import console_router, go_to
from hocba_hub.api.console.visit import Acting, Form, Viewing, asked, field
from hocba_hub.api.file_results import UNDER_WAY
from hocba_hub.api.http.pages import Cursor
from hocba_hub.api.operator import files
from hocba_hub.api.operator.delivery_shapes import AskedReason
from hocba_hub.api.operator.files import FileInPath

router = console_router()

_PAGE = 50
_ACTS: dict[str, Callable[..., Any]] = {"cancel": files.cancel_file, "retry": files.retry_file}


@router.get("/console/files")
def listed(visit: Viewing, after: Cursor = None) -> Response:
    """The newest first."""
    page = files.files_listed(_=visit.operator, hub=visit.hub, after=after, limit=_PAGE)
    return render(visit.request, "files.html", visit=visit, page=page)


@router.get("/console/files/{file_id}")
def one(visit: Viewing, file_id: FileInPath, done: str = "") -> Response:
    """One file."""
    found = files.file(file_id, visit.operator, visit.hub)
    return render(
        visit.request, "file.html", visit=visit, one=found, done=done, is_live=found.state in UNDER_WAY
    )  # fmt: skip


@router.get("/console/files/{file_id}/live")
def live(visit: Viewing, file_id: FileInPath) -> Response:
    """How far a file is, as it goes on."""
    return follow(
        visit,
        "file_live.html",
        lambda: files.file(file_id, visit.operator, visit.hub),
        lambda one: one.state not in UNDER_WAY,
    )  # fmt: skip


@router.get("/console/files/{file_id}/workbook")
def workbook(visit: Viewing, file_id: FileInPath) -> Response:
    """The sender's own workbook, with what was found in its cells."""
    return files.file_workbook(file_id, visit.operator, visit.hub)


@router.post("/console/files/{file_id}/{act}")
def act(
    visit: Acting, file_id: FileInPath, act: Annotated[str, Path(pattern="^(cancel|retry)$")], form: Form
) -> Response:
    """Want no more of it, or try again what failed."""
    _ACTS[act](file_id, asked(AskedReason, {"reason": field(form, "reason")}), visit.operator, visit.hub)
    return go_to(f"/console/files/{file_id}?done={act}")
