"""The outermost layer of every call: an exception that no handler knows → problem `hub.fault` and a line in the log.

Both have the same trace id; neither says anything of what was sent. Whoever is answered before the whole body was read
(401, 413, 429 …) has it read and thrown away for a short while, so that the answer is not lost in a connection that
breaks; then the connection is closed, because what would come next on it is the rest of a body and no request. Nobody
who waits for `100 Continue` is asked to send it.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import time
from http import HTTPStatus

from opentelemetry.trace import Span, SpanKind, StatusCode
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hocba_hub.api.http.call import enter_call
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.tracing import child_of, span_context, tracer

log = logging.getLogger(__name__)

_LINGER_SECONDS = 5.0
_LINGER_BYTES = 64_000_000
_SURFACES = (
    ("operator", "/v1/operations/"),
    ("client", "/v1/"),
    ("soap", "/soap"),
    ("console", "/console"),
    ("console", "/portal"),
)
_CLOSE = (b"connection", b"close")


class FaultMiddleware:
    """Middleware: counts what is answered, and turns whatever no handler knows into a problem.

    The problem has a trace id, under which the fault is logged.
    """

    def __init__(self, app: ASGIApp) -> None:
        """`app` is the rest of the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        call = enter_call(scope)
        if scope["app"].state.hub.traces is not None:
            call.span = tracer().start_span(
                scope["method"], child_of(span_context(call.sent_trace_parent)), SpanKind.SERVER,
                {"http.request.method": scope["method"]},
            )  # fmt: skip
        body = _Body(scope, receive)
        started, began = False, time.monotonic()

        async def sending(message: Message) -> None:
            nonlocal started
            if not started:
                started = True
                presence = scope["app"].state.hub.presence
                if presence is not None:
                    seconds = time.monotonic() - began
                    presence.answered(message["status"], _surface(scope["path"]), seconds, call.known_trace_id)
                if call.span is not None:
                    _tell(call.span, scope, message["status"])
                if not body.is_read and not await body.throw_away():
                    message["headers"] = [*message.get("headers", ()), _CLOSE]
            await send(message)

        try:
            await self._app(scope, body.receive, sending)
        except Exception:
            log.exception("an unforeseen fault while answering a call", extra={"trace_id": call.trace_id})
            if started:  # too late for another answer: the server cuts the connection
                raise
            await ProblemError("hub.fault").response()(scope, body.receive, sending)
        finally:
            if call.span is not None:
                call.span.end()
            if call.is_large:
                await run_in_threadpool(_give_back)


def _tell(span: Span, scope: Scope, status: int) -> None:
    """The span's name and facts: the route, never the path, which may name a card."""
    route = getattr(scope.get("route"), "path", "")
    span.update_name(f"{scope['method']} {route}".strip())
    span.set_attributes({"http.route": route, "http.response.status_code": status})
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        span.set_status(StatusCode.ERROR)


def _surface(path: str) -> str:
    """Who is served under a path: `client`, `soap`, `operator`, `console`, or `other`."""
    for surface, prefix in _SURFACES:
        if path.startswith(prefix):
            return surface
    return "other"


def _give_back() -> None:
    """Let the C library return what it no longer uses: by itself glibc keeps what many small pieces were cut from."""
    gc.collect()  # a fault on the way keeps, in a cycle with its frames, what was read
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class _Body:
    """The body of a call, and whether all of it has come."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._scope, self._receive = scope, receive
        self.is_read = self._is_asked_for = False

    async def receive(self) -> Message:
        self._is_asked_for = True
        message = await self._receive()
        if not message.get("more_body"):
            self.is_read = True
        return message

    async def throw_away(self) -> bool:
        """Read on for a while, unless the sender waits to be asked for the body; whether nothing more is to come."""
        names = {name for name, _ in self._scope["headers"]}
        if names.isdisjoint({b"content-length", b"transfer-encoding"}):
            return True
        if b"expect" in names and not self._is_asked_for:
            return False
        size = 0
        try:
            async with asyncio.timeout(_LINGER_SECONDS):
                while not self.is_read and size < _LINGER_BYTES:
                    size += len((await self.receive()).get("body", b""))
        except TimeoutError:
            return False
        return self.is_read
