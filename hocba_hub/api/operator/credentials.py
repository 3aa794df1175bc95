"""What administrators do about how a client is known: keys, certificates, passwords for digests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from hocba_hub.api.context import Hub
from hocba_hub.api.http.bounded import BoundedRoute
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.operator.callers import Administrator, TheHub
from hocba_hub.api.operator.delivery_shapes import Reason
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.shapes import Moment, Shape, shown_as
from hocba_hub.model.certificates import CertificateError, make_certificate, read_certificate
from hocba_hub.store import audit
from hocba_hub.store import credentials as stored
from hocba_hub.store.access import Operator
from hocba_hub.store.credentials import CredentialKind, Replacing

router = APIRouter(
    prefix="/v1/operations/clients/{name}",
    tags=["operations"],
    route_class=BoundedRoute,
    responses=problems(400, 401, 403, 404, 409, 413, 422, 429, 500, 503),
)

NameInPath = Annotated[str, Path(min_length=1, max_length=200, description="The client's. / Tên phần mềm.")]
CredentialId = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$", examples=["0f3a5c9d1e2b"])]
_ENTRY = {
    "id": "0f3a5c9d1e2b",
    "kind": "certificate",
    "created_at": "2026-05-30T02:30:00.000Z",
    "ends_at": "2027-05-30T02:30:00.000Z",
    "identity": "sha256:" + "0" * 64,
}


class CredentialEntry(Shape):
    """One way in which a client is known; its secret is shown once, when it is made. / Một thông tin xác thực."""

    model_config = shown_as(_ENTRY)

    id: str
    kind: CredentialKind
    created_at: Moment
    ends_at: Moment | None = Field(None, description="When it ends by itself. / Thời điểm tự hết hạn.")
    revoked_at: Moment | None = None
    identity: str | None = Field(None, description="Of a certificate. / Của chứng thư.")
    of_former_secret: bool | None = Field(
        None, description="Made with a secret that is not the newest. / Tạo bằng bí mật trước đó."
    )


class CredentialList(Shape):
    """All credentials of a client. / Mọi thông tin xác thực của phần mềm."""

    model_config = shown_as({"items": [_ENTRY]})

    items: Sequence[CredentialEntry]


class MadeCredential(Shape):
    """A new credential; its secret is told this once. / Thông tin xác thực mới; phần bí mật chỉ hiện một lần."""

    model_config = shown_as({"id": "0f3a5c9d1e2b", "kind": "digest-password", "secret": "hbd_…"})

    id: str
    kind: CredentialKind
    secret: str | None = Field(None, description="Key, digest password, or private key (PEM). / Phần bí mật.")
    certificate: str | None = Field(None, description="PEM, where the hub made it. / Chứng thư do hệ thống tạo.")


class AskedCredential(BaseModel):
    """A new credential, and which one it replaces. / Tạo mới, và thay cho cái nào."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "Yearly change of keys"}]})

    reason: Reason
    replaces: CredentialId | None = None
    overlap_days: Annotated[int, Field(ge=0, le=366)] = Field(
        14, description="How long the replaced one goes on. / Số ngày cái cũ còn dùng được."
    )

    def replacing(self) -> Replacing | None:
        """What it replaces."""
        return None if self.replaces is None else Replacing(self.replaces, self.overlap_days)


class AskedCertificate(AskedCredential):
    """A certificate (PEM), its identity, or for how many days to make one. / Chứng thư, định danh, hoặc số ngày."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "New TLS certificate", "days": 365}]}
    )

    pem: Annotated[str, Field(min_length=1, max_length=100_000)] | None = None
    identity: Annotated[str, Field(min_length=1, max_length=600)] | None = Field(
        None, description="`sha256:<hex>` or `subject:<name>`."
    )
    days: Annotated[int, Field(ge=1, le=1_098)] | None = None


class AskedRevocation(BaseModel):
    """Why it ends. / Lý do thu hồi."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "The laptop was lost"}]})

    reason: Reason


@router.get("/credentials", response_model_exclude_none=True)
def credentials(name: NameInPath, _: Administrator, hub: TheHub) -> CredentialList:
    """How a client is known, what ended too. / Các thông tin xác thực của phần mềm, cả đã hết hạn."""
    with hub.store.read() as connection:
        found = stored.credentials(connection, name, hub.digest_secrets[0] if hub.digest_secrets else None)
    return CredentialList(
        items=[
            CredentialEntry(
                id=one.id,
                kind=one.kind,
                created_at=one.created_at,
                ends_at=one.ends_at,
                revoked_at=one.revoked_at,
                identity=one.identity or None,
                of_former_secret=one.of_former_secret or None,
            )
            for one in found
        ]
    )


@router.post("/keys", status_code=201, response_model_exclude_none=True)
def key(
    name: NameInPath, asked: AskedCredential, operator: Administrator, hub: TheHub, response: Response
) -> MadeCredential:
    """Give a client one more key. / Cấp thêm một khóa."""
    with hub.store.write() as connection:
        made = stored.make_key(
            connection, name, now=hub.clock(), most=hub.settings.keys_per_client, replacing=asked.replacing()
        )
        _note(hub, connection, operator, "client.rotate", asked.reason, {"name": name, "key": made.id})
    return _secret(response, MadeCredential(id=made.id, kind=CredentialKind.KEY, secret=made.key))


@router.post("/certificates", status_code=201, response_model_exclude_none=True)
def certificate(
    name: NameInPath, asked: AskedCertificate, operator: Administrator, hub: TheHub, response: Response
) -> MadeCredential:
    """Let a certificate stand for a client, or make one. / Đăng ký hoặc tạo chứng thư máy khách."""
    if sum(given is not None for given in (asked.pem, asked.identity, asked.days)) != 1:
        raise ProblemError("credential.certificate-wrong")
    now, made, identity, ends_at = hub.clock(), None, asked.identity or "", None
    pem = (asked.pem or "").encode()
    if asked.days is not None:
        made = make_certificate(name, now=now, days=asked.days)
        pem = made.certificate
    if pem:
        try:
            identity, ends_at = read_certificate(pem)
        except CertificateError as error:
            raise ProblemError("credential.certificate-wrong") from error
    with hub.store.write() as connection:
        certificate_id = stored.add_certificate(
            connection, name, identity, now=now, most=hub.settings.keys_per_client, ends_at=ends_at,
            replacing=asked.replacing(),
        )  # fmt: skip
        detail = {"name": name, "certificate": certificate_id, "identity": identity}
        _note(hub, connection, operator, "client.certificate", asked.reason, detail)
    answer = MadeCredential(id=certificate_id, kind=CredentialKind.CERTIFICATE)
    if made is not None:
        answer.secret, answer.certificate = made.private_key.decode(), made.certificate.decode()
    return _secret(response, answer)


@router.post("/digest-passwords", status_code=201, response_model_exclude_none=True)
def digest_password(
    name: NameInPath, asked: AskedCredential, operator: Administrator, hub: TheHub, response: Response
) -> MadeCredential:
    """Make a password for WS-Security digests. / Tạo mật khẩu cho digest của WS-Security."""
    if not hub.digest_secrets:
        raise ProblemError("credential.digest-off")
    with hub.store.write() as connection:
        made = stored.make_digest_password(
            connection, name, hub.digest_secrets[0], now=hub.clock(), most=hub.settings.keys_per_client,
            replacing=asked.replacing(),
        )  # fmt: skip
        detail = {"name": name, "digest_password": made.id}
        _note(hub, connection, operator, "client.digest-password", asked.reason, detail)
    return _secret(response, MadeCredential(id=made.id, kind=CredentialKind.DIGEST_PASSWORD, secret=made.password))


@router.post("/credentials/{credential_id}/revocation", status_code=204, response_class=Response)
def revoke(
    name: NameInPath,
    credential_id: Annotated[str, Path(pattern=r"^[0-9a-f]{12}$")],
    asked: AskedRevocation,
    operator: Administrator,
    hub: TheHub,
) -> None:
    """End a credential, for ever, within a second. / Thu hồi, không hoàn tác được."""
    with hub.store.write() as connection:
        kind = stored.revoke_credential(connection, name, credential_id, now=hub.clock())
        _note(hub, connection, operator, "client.revoke", asked.reason, {"name": name, kind: credential_id})


def _note(  # noqa: PLR0917 - what is written
    hub: Hub, connection: Connection, operator: Operator, action: str, reason: str, detail: dict[str, Any]
) -> None:
    actor = operator.actor
    audit.write(connection, at=hub.clock(), actor=actor, action=action, reason=reason, detail=detail)


def _secret(response: Response, made: MadeCredential) -> MadeCredential:
    response.headers["Cache-Control"] = "no-store"
    return made
