"""Calls whose JSON body is small: nobody's is read before it is known who calls, and it is cut off at a limit."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import Message, Receive

from hocba_hub.api.http.authentication import authenticated
from hocba_hub.api.problems.problem import ProblemError

MOST_BYTES = 262_144


def counted(receive: Receive, most: int = MOST_BYTES) -> Receive:
    """As `receive`, up to so many bytes; what is more ends the call with `body.too-large`."""
    taken = 0

    async def receiving() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most:
            raise ProblemError("body.too-large", limit_bytes=most)
        return message

    return receiving


class BoundedRoute(APIRoute):
    """A route that reads at most `MOST_BYTES` of a body, and none without a key in force.

    The framework would read it whole, and first of all.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's handler, on a request that counts."""
        inner = super().get_route_handler()

        async def bounded(request: Request) -> Response:
            await authenticated(request)
            return await inner(Request(request.scope, counted(request.receive)))

        return bounded
