"""Problem details (RFC 9457): the one shape of everything that is not a good answer.

    {"type": "/problems/rate.exceeded", "title": …, "status": 429, "detail": …, "instance": "/v1/report-cards",
     "code": "rate.exceeded", "title_vi": …, "title_en": …, "trace_id": …, "errors": […], …}

`title` and `detail` speak the language that `Accept-Language` prefers; both titles are always there. Nothing of what
the client sent is ever repeated.
"""

from __future__ import annotations

import math
from http import HTTPStatus
from itertools import chain
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from hocba_hub.api.http.call import current_call
from hocba_hub.api.problems.problem_kinds import KINDS
from hocba_hub.api.problems.request_errors import request_errors
from hocba_hub.intake.errors import SubmissionError, UnknownProfileError
from hocba_hub.store.access import AccessError
from hocba_hub.store.engine import StoreError, StoreFullError
from hocba_hub.store.mappings import ConfigurationError
from hocba_hub.store.selection import SelectionError

MEDIA_TYPE = "application/problem+json"

_OF_ACCESS = {
    "too-many-keys": "credential.too-many",
    "certificate-taken": "credential.certificate-taken",
    "certificate-wrong": "credential.certificate-wrong",
}
_STORE_RETRY_SECONDS = 5
_BY_STATUS = {404: "path-unknown", 405: "method-not-allowed", 413: "body.too-large", 415: "body.media-type"}
"""Problem code of what the framework itself refuses; anything else is a malformed request."""


class ProblemError(HTTPException):
    """Ends a call with a problem. An HTTPException, since the framework lets only those out of a body's reading."""

    headers: dict[str, str]

    def __init__(self, code: str, *, retry_after: float | None = None, **members: object) -> None:
        """`code` is one of `KINDS`, `retry_after` in seconds; `members` stand in the problem beside the usual ones."""
        self.kind = KINDS[code]
        super().__init__(self.kind.status, self.kind.title_en, {})
        self.members: dict[str, Any] = dict(members)
        if retry_after is not None:
            self.headers["Retry-After"] = str(max(1, math.ceil(retry_after)))

    def response(self) -> Response:
        """The answer to the call that is being answered."""
        call, kind = current_call(), self.kind
        in_vietnamese = call.language == "vi"
        body = {
            "type": kind.type,
            "title": kind.title_vi if in_vietnamese else kind.title_en,
            "status": kind.status,
            "detail": kind.detail_vi if in_vietnamese else kind.detail_en,
            "instance": call.path,
            "code": kind.code,
            "title_vi": kind.title_vi,
            "title_en": kind.title_en,
            "trace_id": call.trace_id,
            **self.members,
        }
        headers = {"Content-Language": call.language, **self.headers}
        return Response(orjson.dumps(body), kind.status, headers, MEDIA_TYPE)


def plain_problem(code: str) -> bytes:
    """The problem of this code for a call of which nothing is known, not even its language."""
    kind = KINDS[code]
    said = {"type": kind.type, "title": kind.title_en, "status": kind.status, "detail": kind.detail_en}
    return orjson.dumps(said | {"code": kind.code, "title_vi": kind.title_vi, "title_en": kind.title_en})


def problem_of(error: Exception) -> ProblemError:
    """The problem that stands for an error of the framework or of a room below; raises what has no problem."""
    match error:
        case ProblemError():
            problem = error
        case HTTPException():
            problem = ProblemError(_BY_STATUS.get(error.status_code, "request.malformed"))
            problem.headers |= error.headers or {}
        case RequestValidationError():
            found = error.errors()
            is_json = all(each["type"] != "json_invalid" for each in found)
            problem = (
                ProblemError("request.invalid", errors=request_errors(found))
                if is_json
                else ProblemError("body.not-json")
            )
        case AccessError():
            problem = ProblemError(_OF_ACCESS.get(error.code, "not-found"))
        case UnknownProfileError():
            problem = ProblemError(error.code, profiles=list(error.known))
        case SubmissionError() | SelectionError() | ConfigurationError():
            problem = ProblemError(error.code)
        case ClientDisconnect():
            problem = ProblemError("body.cut-off")
        case StoreFullError():
            problem = ProblemError("hub.store-full", retry_after=_STORE_RETRY_SECONDS)
        case StoreError():
            problem = ProblemError("hub.store-away", retry_after=_STORE_RETRY_SECONDS)
        case _:
            raise error
    return problem


async def _answer(request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    if problem.kind.status == HTTPStatus.METHOD_NOT_ALLOWED:
        # The framework names the methods of the first route at this address alone (RFC 9110 section 15.5.6).
        problem.headers = {"Allow": ", ".join(sorted(_methods(request)))}
    return problem.response()


def _methods(request: Request) -> set[str]:
    included = (getattr(route, "original_router", request.app).routes for route in request.app.routes)
    here = (route for route in chain(*included) if route.matches(request.scope)[0] is not Match.NONE)
    return {method for route in here for method in getattr(route, "methods", None) or ()}


def add_problems(app: FastAPI) -> None:
    """Answer every error that has a kind with its problem; whatever has none is left to `http/fault_middleware.py`."""
    ours = (AccessError, SubmissionError, SelectionError, ConfigurationError, StoreError)
    for kind in (HTTPException, RequestValidationError, ClientDisconnect, *ours):
        app.add_exception_handler(kind, _answer)
