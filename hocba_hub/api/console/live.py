"""Parts of pages that follow what happens, by server-sent events: the part's HTML, whenever it is another.

A stream ends by itself after a while and the browser opens it anew, so that a session that ended, a right that was
taken away and a process that stops are noticed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from hocba_hub.api.console.portal.visit import ClientVisit
from hocba_hub.api.console.rendering import render_text
from hocba_hub.api.console.visit import Visit
from hocba_hub.api.problems.problem import ProblemError

_EVERY_SECONDS = 1.0
_LONGEST_SECONDS = 60.0
_MOST_STREAMS = 50
"""Of one process."""
_open = 0

_Part = Callable[[], tuple[str, bool]]
"""Gives the part's HTML, and whether nothing more will happen to it."""
Followed = TypeVar("Followed")


def follow(
    visit: ClientVisit | Visit, template: str, ask: Callable[[], Followed], is_at_rest: Callable[[Followed], bool]
) -> StreamingResponse:
    """The stream of a template's HTML over `one`, what `ask` answers, until that `is_at_rest`.

    Raises:
        ProblemError: what `ask` raises, before the stream begins; `console.too-many-streams`.
    """
    request = visit.request

    def part() -> tuple[str, bool]:
        one = ask()
        return render_text(request, template, one=one, visit=visit), is_at_rest(one)

    part()  # what may not be seen is refused now
    if _open >= _MOST_STREAMS:
        raise ProblemError("console.too-many-streams", retry_after=_LONGEST_SECONDS)
    headers = {"X-Accel-Buffering": "no"}  # a proxy hands on each event as it comes
    return StreamingResponse(_events(request, part), media_type="text/event-stream", headers=headers)


async def _events(request: Request, part: _Part) -> AsyncIterator[str]:
    global _open  # noqa: PLW0603 - a count of this process
    _open += 1
    try:
        yield "retry: 1000\n\n"
        last = ""
        for _ in range(round(_LONGEST_SECONDS / _EVERY_SECONDS)):
            html, has_ended = await run_in_threadpool(part)
            if html != last:
                yield _event("part", html)
                last = html
            if has_ended:
                yield _event("end", "")
                return
            await asyncio.sleep(_EVERY_SECONDS)
            if getattr(request.app.state, "is_stopping", bool)():
                return
    finally:
        _open -= 1


def _event(name: str, data: str) -> str:
    lines = "".join(f"data: {line}\n" for line in data.splitlines()) or "data:\n"
    return f"event: {name}\n{lines}\n"
