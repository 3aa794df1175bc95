"""Every other address of the console and the portal: a page that says so."""

from __future__ import annotations

from fastapi import Response

from hocba_hub.api.console.route import console_router
from hocba_hub.api.problems.problem import ProblemError

router = console_router()


@router.get("/console/{path:path}")
@router.get("/portal/{path:path}")
async def unknown() -> Response:
    """There is no such page."""
    raise ProblemError("not-found")
