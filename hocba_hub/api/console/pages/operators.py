"""The people who work here: added with a password that they must change, their role and part, ended."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import FormData

from hocba_hub.api.console.rendering import render
from hocba_hub.api.console.route import console_router, go_to
from hocba_hub.api.console.visit import Administering, Form, Visit, asked, field
from hocba_hub.api.operator.delivery_shapes import Reason
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.model.sign_in import hash_password
from hocba_hub.store import access, sessions
from hocba_hub.store.access import Owner, OwnerEntry, Role, Scope

router = console_router()

NameInPath = Annotated[str, Path(min_length=1, max_length=200)]
_CODE = r"^[0-9A-Za-z._-]{1,20}$"


class AskedScope(BaseModel):
    """The part of the province that an operator is for; neither for all of it."""

    model_config = ConfigDict(extra="forbid")

    communes: list[Annotated[str, Field(pattern=_CODE)]] = []
    schools: list[Annotated[str, Field(pattern=_CODE)]] = []
    reason: Reason


class AskedOperator(AskedScope):
    """A new operator."""

    name: Annotated[str, Field(min_length=2, max_length=100, pattern=r"^[^\x00-\x1f/]+$")]
    role: Role
    sees_bodies: bool = False


class AskedChange(BaseModel):
    """Why something of an operator is changed."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


@router.get("/console/operators")
def listed(visit: Administering, done: str = "") -> Response:
    """All of them."""
    return _listed(visit, done=done)


def _listed(visit: Visit, *, done: str = "", name: str = "", password: str = "") -> Response:
    with visit.hub.store.read() as connection:
        people, states = access.owners(connection, Owner.OPERATOR), sessions.password_states(connection)
    return render(
        visit.request, "operators.html", visit=visit, people=in_force_first(people), states=states, done=done,
        name=name, password=password, roles=list(Role), now=visit.hub.clock(),
    )  # fmt: skip


def in_force_first(owners: Sequence[OwnerEntry]) -> list[OwnerEntry]:
    """Clients or operators by name, those that have ended behind the others."""
    return sorted(owners, key=lambda one: one.revoked_at is not None)


@router.post("/console/operators")
def add(visit: Administering, form: Form) -> Response:
    """Add one, with a password that is shown this once and must be changed."""
    facts = {
        "name": field(form, "name"), "role": field(form, "role"), "sees_bodies": bool(field(form, "sees_bodies")),
        "reason": field(form, "reason"),
    }  # fmt: skip
    wanted = asked(AskedOperator, facts | _places(form))
    scope = _scope(wanted)
    password, now = secrets.token_urlsafe(15), visit.hub.clock()
    kept = hash_password(password)
    with visit.hub.store.write() as connection:
        made = access.add_operator(
            connection, wanted.name, wanted.role, now=now, sees_bodies=wanted.sees_bodies, scope=scope
        )
        # Of an operator who works by the console no key is known to anybody: `operators rotate` makes one if needed.
        access.revoke_key(connection, Owner.OPERATOR, wanted.name, made.id, now=now)
        sessions.set_password(connection, wanted.name, kept, must_change=True, now=now)
        detail = {"role": wanted.role, "sees_bodies": wanted.sees_bodies}
        visit.note(connection, "operator.add", wanted.reason, {"name": wanted.name} | detail | _told(scope))
    return _listed(visit, name=wanted.name, password=password)


def _places(form: FormData) -> dict[str, list[str]]:
    return {name: field(form, name).replace(",", " ").split() for name in ("communes", "schools")}


def _scope(wanted: AskedScope) -> Scope | None:
    whole = not wanted.communes and not wanted.schools
    return None if whole else Scope(frozenset(wanted.communes), frozenset(wanted.schools))


def _told(scope: Scope | None) -> dict[str, object]:
    return {} if scope is None else {"scope": scope.as_json()}


@router.post("/console/operators/{name}/password")
def new_password(visit: Administering, name: NameInPath, form: Form) -> Response:
    """Give one another password, shown this once; the lock and the second factor end."""
    reason = asked(AskedChange, {"reason": field(form, "reason")}).reason
    password = secrets.token_urlsafe(15)
    kept = hash_password(password)
    with visit.hub.store.write() as connection:
        operator_id = sessions.set_password(connection, name, kept, must_change=True, now=visit.hub.clock())
        sessions.set_second_factor(connection, operator_id, None)
        visit.note(connection, "operator.password", reason, {"name": name, "second_factor": "forgotten"})
    return _listed(visit, name=name, password=password)


@router.post("/console/operators/{name}/revoke")
def revoke(visit: Administering, name: NameInPath, form: Form) -> Response:
    """End one, with keys and sessions, for ever."""
    reason = asked(AskedChange, {"reason": field(form, "reason")}).reason
    if name == visit.operator.name:
        raise ProblemError("console.own-account")
    with visit.hub.store.write() as connection:
        access.revoke_owner(connection, Owner.OPERATOR, name, now=visit.hub.clock())
        visit.note(connection, "operator.revoke", reason, {"name": name})
    return go_to("/console/operators?done=revoked")


@router.post("/console/operators/{name}/scope")
def scope(visit: Administering, name: NameInPath, form: Form) -> Response:
    """Say for which part of the province one is; with neither communes nor schools for all of it."""
    wanted = asked(AskedScope, _places(form) | {"reason": field(form, "reason")})
    meant = _scope(wanted)
    with visit.hub.store.write() as connection:
        access.set_scope(connection, name, meant)
        visit.note(connection, "operator.scope", wanted.reason, {"name": name} | _told(meant))
    return go_to("/console/operators?done=changed")


@router.post("/console/operators/{name}/bodies")
def bodies(visit: Administering, name: NameInPath, form: Form) -> Response:
    """Let one see what cards hold of people, or no more."""
    reason, allowed = asked(AskedChange, {"reason": field(form, "reason")}).reason, field(form, "allowed") == "yes"
    with visit.hub.store.write() as connection:
        access.set_sees_bodies(connection, name, sees_bodies=allowed)
        visit.note(connection, "operator.bodies", reason, {"name": name, "sees_bodies": allowed})
    return go_to("/console/operators?done=changed")
