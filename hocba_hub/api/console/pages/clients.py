"""The systems that send: added, for which schools, by which keys and certificates they are known, when last seen."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field

from hocba_hub.api.console.pages.operators import in_force_first
from hocba_hub.api.console.rendering import render
from hocba_hub.api.console.route import console_router, go_to
from hocba_hub.api.console.visit import Administering, Form, Visit, asked, field
from hocba_hub.api.operator import credentials, mappings
from hocba_hub.api.operator.credentials import AskedCertificate, AskedCredential, AskedRevocation, MadeCredential
from hocba_hub.api.operator.delivery_shapes import Reason
from hocba_hub.api.operator.mapping_shapes import ClientName
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.mappings.schemas import REPORT_CARD
from hocba_hub.store import access, senders
from hocba_hub.store.access import ALL_SCHOOLS, Owner

router = console_router()

NameInPath = Annotated[str, Path(min_length=1, max_length=200)]
_School = Annotated[str, Field(pattern=r"^(\*|[0-9A-Za-z._-]{1,20})$")]


class AskedClient(BaseModel):
    """A new client."""

    model_config = ConfigDict(extra="forbid")

    name: ClientName
    schools: Annotated[list[_School], Field(min_length=1, max_length=2_000)]
    reason: Reason


class AskedClientChange(BaseModel):
    """What is changed of a client."""

    model_config = ConfigDict(extra="forbid")

    schools: Annotated[list[_School], Field(max_length=2_000)] = []
    profile: str = ""
    reason: Reason


@router.get("/console/clients")
def listed(visit: Administering) -> Response:
    """All of them."""
    with visit.hub.store.read() as connection:
        found, seen = access.owners(connection, Owner.CLIENT), senders.last_of_clients(connection)
    return render(
        visit.request,
        "clients.html",
        visit=visit,
        clients=in_force_first(found),
        seen=seen,
        now=visit.hub.clock(),
        all_schools=ALL_SCHOOLS,
    )


@router.post("/console/clients")
def add(visit: Administering, form: Form) -> Response:
    """Add one, with its first key, which is shown this once."""
    schools = field(form, "schools").replace(",", " ").split()
    wanted = asked(AskedClient, {"name": field(form, "name"), "schools": schools, "reason": field(form, "reason")})
    with visit.hub.store.write() as connection:
        unknown = access.schools_without_trace(connection, wanted.schools)
        made = access.add_client(connection, wanted.name, wanted.schools, now=visit.hub.clock())
        detail = {"name": wanted.name, "schools": sorted(set(wanted.schools)), "key": made.id}
        visit.note(connection, "client.add", wanted.reason, detail)
    return _client(visit, wanted.name, secret=made.key, unknown=unknown)


@router.get("/console/clients/{name}")
def one(visit: Administering, name: NameInPath, done: str = "") -> Response:
    """One client."""
    return _client(visit, name, done=done)


def _client(
    visit: Visit,
    name: str,
    *,
    secret: str = "",
    certificate: str = "",
    done: str = "",
    unknown: list[str] | None = None,
) -> Response:
    hub = visit.hub
    with hub.store.read() as connection:
        found = next((each for each in access.owners(connection, Owner.CLIENT) if each.name == name), None)
        seen = senders.last_of_clients(connection)
    if found is None:
        raise ProblemError("not-found")
    profiles = [each.name for each in mappings.mappings(visit.operator, hub).mappings if each.target == REPORT_CARD]
    held = credentials.credentials(name, visit.operator, hub).items if found.revoked_at is None else ()
    return render(
        visit.request, "client.html", visit=visit, one=found, held=held, secret=secret, certificate=certificate,
        done=done, now=hub.clock(), profiles=profiles, seen=seen.get(found.id), all_schools=ALL_SCHOOLS,
        unknown=unknown, has_digests=bool(hub.digest_secrets),
    )  # fmt: skip


@router.post("/console/clients/{name}/credentials")
def make(visit: Administering, name: NameInPath, form: Form) -> Response:
    """Give it one more key, certificate or digest password; the secret is shown this once."""
    kind, days = field(form, "kind"), field(form, "days")
    facts = {"reason": field(form, "reason"), "replaces": field(form, "replaces")}
    answer = Response()
    operator, hub = visit.operator, visit.hub
    if kind == "certificate":
        pem = str(form.get("pem", "")).strip()
        more = {"pem": pem} if pem else {"days": int(days) if days.isdecimal() else None}
        made: MadeCredential = credentials.certificate(
            name, asked(AskedCertificate, facts | more), operator, hub, answer
        )
    elif kind == "digest-password":
        made = credentials.digest_password(name, asked(AskedCredential, facts), operator, hub, answer)
    else:
        made = credentials.key(name, asked(AskedCredential, facts), operator, hub, answer)
    return _client(visit, name, secret=made.secret or "", certificate=made.certificate or "", done="made")


@router.post("/console/clients/{name}/credentials/{credential_id}/revoke")
def revoke_credential(
    visit: Administering, name: NameInPath, credential_id: Annotated[str, Path(pattern=r"^[0-9a-f]{12}$")], form: Form
) -> Response:
    """End a key or certificate, within a second."""
    wanted = asked(AskedRevocation, {"reason": field(form, "reason")})
    credentials.revoke(name, credential_id, wanted, visit.operator, visit.hub)
    return go_to(f"/console/clients/{name}?done=revoked")


@router.post("/console/clients/{name}")
def change(visit: Administering, name: NameInPath, form: Form) -> Response:
    """For which schools it speaks, and which mapping reads what it sends."""
    facts = {
        "schools": field(form, "schools").replace(",", " ").split(), "profile": field(form, "profile"),
        "reason": field(form, "reason"),
    }  # fmt: skip
    wanted = asked(AskedClientChange, facts)
    with visit.hub.store.write() as connection:
        access.set_schools(connection, name, wanted.schools)
        access.set_profile(connection, name, wanted.profile or None)
        profile = wanted.profile or REPORT_CARD
        detail = {"name": name, "schools": sorted(set(wanted.schools)), "profile": profile}
        visit.note(connection, "client.change", wanted.reason, detail)
    return go_to(f"/console/clients/{name}?done=changed")


@router.post("/console/clients/{name}/revoke")
def revoke(visit: Administering, name: NameInPath, form: Form) -> Response:
    """End it with all its keys, for ever."""
    wanted = asked(AskedRevocation, {"reason": field(form, "reason")})
    with visit.hub.store.write() as connection:
        access.revoke_owner(connection, Owner.CLIENT, name, now=visit.hub.clock())
        visit.note(connection, "client.revoke", wanted.reason, {"name": name})
    return go_to("/console/clients")
