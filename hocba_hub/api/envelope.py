"""What goes round every call: it is noted for logs and problems, and a fault is told, but not what it was about."""

from __future__ import annotations

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hocba_hub.api.call import enter_call
from hocba_hub.api.problems import ProblemError

log = logging.getLogger(__name__)


class Envelope:
    """Middleware: turns whatever no handler knows into a problem with a trace id, and logs it under the same id."""

    def __init__(self, app: ASGIApp) -> None:
        """`app` is the rest of the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        call = enter_call(scope)
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception:
            log.exception("an unforeseen fault while answering a call", extra={"trace_id": call.trace_id})
            if started:  # too late for another answer: the server cuts the connection
                raise
            await ProblemError("hub.fault").response()(scope, receive, send)
