"""Who looks at a page: the session of its cookie, the rights of its operator, and the form that was sent from it.

Every page depends on `visiting(role)`; what acts depends on `posted` beside it, which takes a form only with the token
that the session's own pages hold, and only from a page of this origin.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from hocba_hub.api.context import Hub, hub_of_app
from hocba_hub.api.http.bounded import MOST_BYTES, counted
from hocba_hub.api.http.call import current_call
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.model.keys import DestinationName
from hocba_hub.store import audit, sessions
from hocba_hub.store.access import Operator, Role, client_names
from hocba_hub.store.schools import school_names_by_code
from hocba_hub.store.sessions import Session

COOKIE = "hocba_console"
COOKIES = {"/console": COOKIE, "/portal": "hocba_portal"}
"""Home → the cookie of its sessions: an operator's and a client's may be open in one browser."""
ACCOUNT = "/console/account"
_MOST_FIELDS = 200
_MOST_FILE_BYTES = 8_000_000

Asked = TypeVar("Asked", bound=BaseModel)
Found = TypeVar("Found")


class SignInNeededError(Exception):
    """Nobody is signed in, or not any more."""


class PasswordNeededError(Exception):
    """The operator has to choose a password of their own first."""


@dataclass(frozen=True, slots=True)
class Visit:
    """An operator who is signed in and looks at a page."""

    request: Request
    hub: Hub
    session: Session
    home = "/console"
    """Where the pages of such a session are."""

    @property
    def operator(self) -> Operator:
        """Who it is."""
        owner = self.session.owner
        assert isinstance(owner, Operator)  # noqa: S101 - `signed_in` takes no other session
        return owner

    def note(self, connection: Connection, action: str, reason: str, detail: Mapping[str, object]) -> None:
        """Write an act of this operator into the audit trail, in its own transaction."""
        now, actor = self.hub.clock(), self.operator.actor
        audit.write(connection, at=now, actor=actor, action=action, reason=reason, detail=detail)

    def school_name(self, code: str) -> str:
        """What a school is called; empty if it is not known."""
        return self._names("schools", school_names_by_code).get(code, "")

    def client_name(self, client_id: int) -> str:
        """What a client is called."""
        return self._names("clients", client_names).get(client_id, str(client_id))

    def destination_title(self, name: str) -> str:
        """What a destination is called in the language of the call; its name if it is configured no more."""
        known = self.hub.destinations.get(DestinationName(name))
        return name if known is None else str(getattr(known.title, current_call().language))

    def _names(self, kind: str, read: Callable[[Connection], dict[Any, str]]) -> dict[Any, str]:
        """All names of a kind, read once a call and only if a page has any: there are some hundred."""
        found: dict[Any, str] | None = getattr(self.request.state, kind, None)
        if found is None:
            with self.hub.store.read() as connection:
                found = read(connection)
            setattr(self.request.state, kind, found)
        return found

    def may(self, role: str, *, scoped: bool = False) -> bool:
        """Whether the operator may open what needs a role; `scoped` as in `api/http/authentication.py`."""
        operator = self.operator
        return operator.role.covers(Role(role)) and (scoped or operator.scope is None)

    def require(self, role: Role, *, scoped: bool = False) -> None:
        """Do nothing if the operator may open what needs a role.

        Raises:
            ProblemError: 403, a higher role is needed, or an operator for the whole province.
        """
        if not self.operator.role.covers(role):
            raise ProblemError("access.role-too-low", required_role=role)
        if not self.may(role, scoped=scoped):
            raise ProblemError("access.scope")


async def session_of(request: Request, cookie: str) -> Session | None:
    """The session of a cookie, if it is open."""
    token = request.cookies.get(cookie, "")
    return await run_in_threadpool(_session, request, hub_of_app(request), token) if token else None


async def signed_in(request: Request) -> Visit:
    """Whoever is signed in; once a call.

    Raises:
        SignInNeededError: nobody is.
        PasswordNeededError: the operator has to choose a password first.
    """
    found = await session_of(request, COOKIE)
    if found is None or not isinstance(found.owner, Operator):
        raise SignInNeededError
    if found.must_change and request.url.path not in {ACCOUNT, f"{ACCOUNT}/password", "/console/sign-out"}:
        raise PasswordNeededError
    request.state.visit = visit = Visit(request, hub_of_app(request), found)
    return visit


def _session(request: Request, hub: Hub, token: str) -> Session | None:
    now, settings = hub.clock(), hub.settings
    with hub.store.read() as connection:
        found = sessions.session_of(
            connection, token, now, idle_ms=settings.console_idle_minutes * 60_000,
            most_ms=settings.console_hours * 3_600_000,
        )  # fmt: skip
    is_stream = "text/event-stream" in request.headers.get("accept", "")  # a page that is left open rests
    if found is not None and found.is_to_be_noted and not is_stream:
        with hub.store.write() as connection:
            request.state.new_token = sessions.note_seen(connection, found.id, token, now)
    return found


def visiting(role: Role, *, scoped: bool = False) -> Callable[..., Coroutine[Any, Any, Visit]]:
    """The dependency for pages of this role or a higher one."""

    async def visit(found: Annotated[Visit, Depends(signed_in)]) -> Visit:
        found.require(role, scoped=scoped)
        return found

    return visit


def require_same_origin(request: Request) -> None:
    """Do nothing if a form comes from a page of this origin, or from no browser at all.

    Raises:
        ProblemError: `console.form-foreign`, 403.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    host = request.headers.get("host", "")
    foreign = site not in {None, "same-origin", "none"}
    if foreign or (origin is not None and origin.partition("://")[2] != host):
        raise ProblemError("console.form-foreign")


async def read_form(request: Request, *, files: int = 0, most: int = MOST_BYTES) -> FormData:
    """The form that was sent, from here, of so many bytes and files at most.

    Raises:
        ProblemError: it is not from here, or too large.
    """
    require_same_origin(request)
    bounded = Request(request.scope, counted(request.receive, most))
    return await bounded.form(max_files=files, max_fields=_MOST_FIELDS, max_part_size=most)


def require_token(form: FormData, session: Session) -> None:
    """Do nothing if a form holds the token of its session.

    Raises:
        ProblemError: `console.form-foreign`, 403.
    """
    if not hmac.compare_digest(str(form.get("csrf", "")).encode(), session.csrf.encode()):
        raise ProblemError("console.form-foreign")


async def posted(request: Request, visit: Annotated[Visit, Depends(signed_in)]) -> FormData:
    """The form that a page of this session sent.

    Raises:
        ProblemError: `console.form-foreign`, its token is not that of the session.
    """
    form = await read_form(request)
    require_token(form, visit.session)
    return form


async def posted_file(request: Request, visit: Annotated[Visit, Depends(signed_in)]) -> FormData:
    """As `posted`, with one file of some megabytes."""
    form = await read_form(request, files=1, most=_MOST_FILE_BYTES)
    require_token(form, visit.session)
    return form


Viewing = Annotated[Visit, Depends(visiting(Role.VIEWER))]
Acting = Annotated[Visit, Depends(visiting(Role.OPERATOR))]
Administering = Annotated[Visit, Depends(visiting(Role.ADMINISTRATOR))]
ScopedViewing = Annotated[Visit, Depends(visiting(Role.VIEWER, scoped=True))]
ScopedActing = Annotated[Visit, Depends(visiting(Role.OPERATOR, scoped=True))]
"""Of the whole province or a part of it: the page shows the operator's part alone."""
Form = Annotated[FormData, Depends(posted)]
FileForm = Annotated[FormData, Depends(posted_file)]


def asked(shape: type[Asked], facts: dict[str, Any]) -> Asked:
    """What the API would have been asked; empty fields of a form are left out.

    Raises:
        RequestValidationError: a field is wrong, as the API says it.
    """
    try:
        return shape.model_validate({name: value for name, value in facts.items() if value is not None and value != ""})
    except ValidationError as error:
        wrong = [{**each, "loc": ("body", *each["loc"])} for each in error.errors(include_url=False)]
        raise RequestValidationError(wrong) from error


def found(ask: Callable[[], Found]) -> Found | None:
    """What a call of the API answers; None where it is not there, as the deadline board before it was first counted."""
    try:
        return ask()
    except ProblemError as problem:
        if problem.kind.code != "not-found":
            raise
        return None


def field(form: FormData, name: str) -> str:
    """A field of a form as text, without space around it; empty if it is not there."""
    value = form.get(name, "")
    return value.strip() if isinstance(value, str) else ""
