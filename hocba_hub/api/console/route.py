"""How the console answers: always a page, also of an error, with the headers that keep a browser from anything else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from hocba_hub.api.console.rendering import LANGUAGE_COOKIE, home_of, render
from hocba_hub.api.console.visit import ACCOUNT, COOKIES, PasswordNeededError, SignInNeededError
from hocba_hub.api.context import hub_of_app
from hocba_hub.api.http.call import current_call
from hocba_hub.api.problems.problem import ProblemError, problem_of
from hocba_hub.store.sessions import Session, end_session

log = logging.getLogger(__name__)

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
YEAR_SECONDS = 31_536_000


class ConsoleRoute(APIRoute):
    """A route of the console."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's handler, whose errors become pages."""
        inner = super().get_route_handler()

        async def answered(request: Request) -> Response:
            current_call().language = "en" if request.cookies.get(LANGUAGE_COOKIE) == "en" else "vi"
            _drop_empty(request)
            try:
                response = await inner(request)
            except SignInNeededError:
                response = _to_sign_in(request)
            except PasswordNeededError:
                response = go_to(ACCOUNT)
            except Exception as error:  # noqa: BLE001 - whatever it is, a person gets a page
                response = error_page(request, _problem(error))
            for name, value in _HEADERS.items():
                response.headers.setdefault(name, value)
            response.headers.setdefault("Cache-Control", "no-store")
            token = getattr(request.state, "new_token", None)
            if token is not None:
                set_session(request, response, token)
            return response

        return answered


def _drop_empty(request: Request) -> None:
    """Leave out what a filter's form sends empty: `?state=&school=33` asks for no state, not for the empty one."""
    query = request.scope["query_string"]
    if b"=" in query:
        kept = [part for part in query.split(b"&") if part.partition(b"=")[2]]
        request.scope["query_string"] = b"&".join(kept)


def console_router() -> APIRouter:
    """A router for pages; they are no part of the API that is documented."""
    return APIRouter(route_class=ConsoleRoute, tags=["console"], include_in_schema=False)


def _problem(error: Exception) -> ProblemError:
    try:
        return problem_of(error)
    except Exception:
        log.exception("an unforeseen fault while answering a page", extra={"trace_id": current_call().trace_id})
        return ProblemError("hub.fault")


def error_page(request: Request, problem: ProblemError) -> Response:
    """What happened, what it means and what to do, as a page."""
    call = current_call()
    message = f"message_{call.language}"
    found = (*problem.members.get("errors", ()), *problem.members.get("findings", ()))
    details = [(one["pointer"], one[message]) for one in found]
    kind = problem.kind
    in_vietnamese = call.language == "vi"
    return render(
        request, "error.html", kind.status, code=kind.code, details=details, trace_id=call.trace_id,
        title=kind.title_vi if in_vietnamese else kind.title_en,
        detail=kind.detail_vi if in_vietnamese else kind.detail_en,
        retry_after=problem.headers.get("Retry-After"), visit=getattr(request.state, "visit", None),
        required_role=problem.members.get("required_role"),
    )  # fmt: skip


def _to_sign_in(request: Request) -> Response:
    home = home_of(request)
    to = request.url.path if request.method == "GET" else home
    if request.method == "GET" and request.url.query:
        to = f"{to}?{request.url.query}"
    return go_to(f"{home}/sign-in?to={quote(to, safe='')}")


def go_to(path: str) -> Response:
    """Another page, to be asked for."""
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)


def set_session(request: Request, response: Response, token: str) -> None:
    """Give the browser the session's token: for this host alone, not for scripts, not for requests from other sites."""
    settings, home = hub_of_app(request).settings, home_of(request)
    request.state.new_token = None
    response.set_cookie(
        COOKIES[home], token, path=home, max_age=settings.console_hours * 3600, httponly=True, samesite="lax",
        secure=settings.public_address.startswith("https:"),
    )  # fmt: skip


def sign_out_of(request: Request, session: Session) -> Response:
    """End a session, here and in the browser; the answer leads to the page to sign in."""
    home = home_of(request)
    with hub_of_app(request).store.write() as connection:
        end_session(connection, session.id)
    request.state.new_token = None
    response = go_to(f"{home}/sign-in")
    response.delete_cookie(COOKIES[home], path=home)
    return response


def set_preference(request: Request, response: Response, name: str, value: str) -> None:
    """Let the browser remember a choice that is no secret."""
    secure = hub_of_app(request).settings.public_address.startswith("https:")
    response.set_cookie(name, value, path="/", max_age=YEAR_SECONDS, httponly=True, samesite="lax", secure=secure)
