"""Signing in and out, and what an operator does about his own account: password, second factor, language, colours."""

from __future__ import annotations

import re
import threading
from typing import Annotated

import segno
from fastapi import Path, Query, Request, Response
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool

from hocba_hub.api.console.oidc import finish_oidc, start_oidc
from hocba_hub.api.console.rendering import LANGUAGE_COOKIE, STATIC, THEME_COOKIE, render, static_file
from hocba_hub.api.console.route import YEAR_SECONDS, console_router, go_to, set_preference, set_session, sign_out_of
from hocba_hub.api.console.visit import ACCOUNT, Form, ScopedViewing, Visit, field, read_form
from hocba_hub.api.context import Hub
from hocba_hub.api.operator.callers import TheHub
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.model import sign_in
from hocba_hub.store import audit, sessions
from hocba_hub.store.access import Owner, find_operator
from hocba_hub.store.sessions import LockedError, Way

router = console_router()

_HOME = "/console"
_OIDC_BACK = "/console/oidc/return"
_PATH = re.compile(r"/(?:console|portal)(/[A-Za-z0-9._:/~-]*)?(\?[A-Za-z0-9._:=&%+~-]*)?")
_SECRET = re.compile(r"[A-Z2-7]{32}")
_WAIT_SECONDS = 3.0
_HASHING = threading.BoundedSemaphore(2)
"""A hash takes 64 MB and a twentieth of a second, before it is known who calls: no more of them than this at once."""

To = Annotated[str, Query(max_length=500)]


def safe(to: str, otherwise: str = _HOME) -> str:
    """A page of ours, or a home: nobody is sent elsewhere by a link to us."""
    return to if _PATH.fullmatch(to) and "//" not in to else otherwise


@router.get("/console/sign-in")
async def sign_in_page(request: Request, hub: TheHub, to: To = _HOME) -> Response:
    """Who are you?"""
    return render(request, "sign_in.html", to=safe(to), failed="", name="", has_oidc=hub.identity_provider is not None)


@router.post("/console/sign-in")
async def sign_in_form(request: Request, hub: TheHub) -> Response:
    """The session, or what was wrong."""
    form = await read_form(request)
    name, password, code = field(form, "name")[:200], str(form.get("password", "")), field(form, "code")[:20]
    to = safe(field(form, "to"))
    try:
        token, failed = await run_in_threadpool(_try, hub, name, password, code)
    except LockedError:
        token, failed = None, "locked"
    if token is None:
        has_oidc = hub.identity_provider is not None
        return render(request, "sign_in.html", 401, to=to, failed=failed, name=name, has_oidc=has_oidc)
    response = go_to(to)
    set_session(request, response, token)
    return response


def _try(hub: Hub, name: str, password: str, code: str) -> tuple[str | None, str]:
    """The token of a new session; or None, and which of `wrong` and `code` was the matter."""
    now = hub.clock()
    with hub.store.write() as connection:
        kept = sessions.begin_try(connection, name, now)
    if not _is_password(None if kept is None else kept.hash, password) or kept is None:
        return None, "wrong"
    step = None
    if kept.totp_secret is not None:
        step = sign_in.step_of_code(kept.totp_secret, code, now)
        if step is None:
            return None, "code"
    with hub.store.write() as connection:
        if not sessions.note_right(connection, kept.operator_id, step):
            return None, "code"
        token = sessions.open_session(connection, Owner.OPERATOR, kept.operator_id, Way.PASSWORD, now)
        audit.write(
            connection, at=now, actor=f"operator:{name}", action="operator.sign-in", reason="",
            detail={"second_factor": step is not None},
        )  # fmt: skip
    return token, ""


def _is_password(kept: str | None, password: str) -> bool:
    """Whether it is; waits for its turn to be looked at.

    Raises:
        ProblemError: `console.sign-in-busy`, too many try at once.
    """
    if not _HASHING.acquire(timeout=_WAIT_SECONDS):
        raise ProblemError("console.sign-in-busy", retry_after=_WAIT_SECONDS)
    try:
        return sign_in.is_password(kept, password)
    finally:
        _HASHING.release()


@router.get("/console/oidc/start")
def oidc_start(hub: TheHub, to: To = _HOME) -> Response:
    """To the identity provider."""
    return start_oidc(hub, _OIDC_BACK, safe(to))


@router.get("/console/oidc/return")
def oidc_return(request: Request, hub: TheHub) -> Response:
    """Back from the identity provider: the session of the operator whose name it tells."""
    claims, to = finish_oidc(request, hub, _OIDC_BACK)
    name, now = claims.get(hub.settings.oidc_operator_claim), hub.clock()
    with hub.store.write() as connection:
        operator = find_operator(connection, name) if isinstance(name, str) else None
        if operator is None:
            raise ProblemError("console.identity-unknown")
        token = sessions.open_session(connection, Owner.OPERATOR, operator.id, Way.OIDC, now)
        audit.write(
            connection, at=now, actor=operator.actor, action="operator.sign-in", reason="", detail={"oidc": True}
        )
    response = go_to(safe(to))
    set_session(request, response, token)
    return response


@router.post("/console/sign-out")
def sign_out(request: Request, visit: ScopedViewing, _: Form) -> Response:
    """End this session."""
    return sign_out_of(request, visit.session)


@router.get("/console/account")
def account(visit: ScopedViewing, done: str = "") -> Response:
    """The operator's own account."""
    return _account(visit, done=done)


def _account(visit: Visit, failed: str = "", done: str = "", status: int = 200) -> Response:
    with visit.hub.store.read() as connection:
        kept = sessions.password_of(connection, visit.operator.id)
    secret = sign_in.new_secret()
    drawn = segno.make(sign_in.secret_uri(secret, visit.operator.name), error="m")
    return render(
        visit.request, "account.html", status, visit=visit, failed=failed, done=done, kept=kept, secret=secret,
        qr=Markup(drawn.svg_inline(scale=5, border=2, dark="#000", light="#fff")),  # noqa: S704 - made of our own text
        fewest=sign_in.FEWEST_CHARACTERS,
    )  # fmt: skip


@router.post("/console/account/password")
def change_password(request: Request, visit: ScopedViewing, form: Form) -> Response:
    """Choose another password; every session of the operator ends, and this browser gets a new one."""
    old, new, again = (str(form.get(name, "")) for name in ("old", "new", "again"))
    hub, name = visit.hub, visit.operator.name
    if not _proved(visit, old):
        return _account(visit, "wrong", status=422)
    if new != again:
        return _account(visit, "not-same", status=422)
    if new == old or sign_in.is_weak(new, name):
        return _account(visit, "weak", status=422)
    kept, now = sign_in.hash_password(new), hub.clock()
    with hub.store.write() as connection:
        operator_id = sessions.set_password(connection, name, kept, must_change=False, now=now)
        token = sessions.open_session(connection, Owner.OPERATOR, operator_id, Way.PASSWORD, now)
        visit.note(connection, "operator.password", "", {"name": name})
    response = go_to(f"{ACCOUNT}?done=password")
    set_session(request, response, token)
    return response


@router.post("/console/account/second-factor")
def set_second_factor(visit: ScopedViewing, form: Form) -> Response:
    """Ask for codes from now on, once one of them was shown; or no more."""
    hub, wanted = visit.hub, field(form, "secret")
    if not _proved(visit, str(form.get("password", ""))):
        return _account(visit, "wrong", status=422)
    if wanted and (
        not _SECRET.fullmatch(wanted) or sign_in.step_of_code(wanted, field(form, "code"), hub.clock()) is None
    ):
        return _account(visit, "code", status=422)
    with hub.store.write() as connection:
        sessions.set_second_factor(connection, visit.operator.id, wanted or None)
        action = "operator.second-factor" if wanted else "operator.no-second-factor"
        visit.note(connection, action, "", {"name": visit.operator.name})
    return go_to(f"{ACCOUNT}?done={'second-factor' if wanted else 'no-second-factor'}")


def _proved(visit: Visit, password: str) -> bool:
    """Whether the operator has given the password again; a wrong one counts as a try to sign in.

    Raises:
        ProblemError: `console.locked`.
    """
    hub, now = visit.hub, visit.hub.clock()
    try:
        with hub.store.write() as connection:
            kept = sessions.begin_try(connection, visit.operator.name, now)
    except LockedError as error:
        raise ProblemError("console.locked", retry_after=(error.until - now) / 1000) from error
    if kept is None or not _is_password(kept.hash, password):
        return False
    with hub.store.write() as connection:
        sessions.note_right(connection, kept.operator_id, None)
    return True


@router.get("/console/language/{language}")
async def choose_language(
    request: Request, language: Annotated[str, Path(pattern="^(vi|en)$")], to: To = _HOME
) -> Response:
    """Vietnamese or English from now on."""
    response = go_to(safe(to))
    set_preference(request, response, LANGUAGE_COOKIE, language)
    return response


@router.get("/console/theme/{theme}")
async def choose_theme(
    request: Request, theme: Annotated[str, Path(pattern="^(light|dark)$")], to: To = _HOME
) -> Response:
    """Light or dark from now on; before, as the machine has it."""
    response = go_to(safe(to))
    set_preference(request, response, THEME_COOKIE, theme)
    return response


@router.get("/console/static/{name}")
async def static(name: str) -> Response:
    """A file that pages load."""
    if name not in STATIC:
        raise ProblemError("not-found")
    headers = {"Cache-Control": f"public, max-age={YEAR_SECONDS}, immutable"}
    return Response(static_file(name), media_type=STATIC[name], headers=headers)
