"""How clients are known: certificates by a real TLS proxy over REST and SOAP, passwords for digests, and their ends."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from pydantic import ValidationError

from hocba_hub.model.certificates import CertificateError, make_certificate, read_certificate
from hocba_hub.settings import Settings
from hocba_hub.store.access import Role
from hocba_hub.store.engine import Store
from tests.support import soap_calls as soap
from tests.support.api_server import Api, running_api
from tests.support.tls_proxy import HEADER, tls_proxy

SECRET, NEXT_SECRET = "s" * 40, "t" * 40
REASON = "Yearly change of keys"
CLIENT = "/v1/operations/clients/vendor"
TRUSTING = {"client_certificate_header": HEADER, "trusted_proxies": ("127.0.0.0/8",), "soap_digest_secret": SECRET}


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    with running_api(store, **TRUSTING) as running:
        yield running


@pytest.fixture
def admin(api: Api) -> str:
    return api.operator_key(Role.ADMINISTRATOR, name="lan")


def made(api: Api, admin: str, what: str, **asked: object) -> dict[str, Any]:
    answer = api.post(f"{CLIENT}/{what}", admin, json={"reason": REASON, **asked})
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


def listed(api: Api, admin: str) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in api.get(f"{CLIENT}/credentials", admin).json()["items"]}


def revoked(api: Api, admin: str, credential: str) -> None:
    answer = api.post(f"{CLIENT}/credentials/{credential}/revocation", admin, json={"reason": REASON})
    assert answer.status_code == 204


def files(folder: Path, credential: dict[str, Any]) -> tuple[Path, Path]:
    paths = folder / f"{credential['id']}.crt", folder / f"{credential['id']}.key"
    for path, name in zip(paths, ("certificate", "secret"), strict=True):
        path.write_text(credential[name])
    return paths


def by(proxy: str, certificate: tuple[Path, Path] | None) -> httpx.Client:
    """A client that calls the hub by the proxy, with its certificate; the proxy's own is no matter here."""
    context = ssl._create_unverified_context()
    if certificate is not None:
        context.load_cert_chain(*certificate)
    return httpx.Client(base_url=proxy, verify=context, timeout=30)


def test_a_certificate_opens_rest_and_soap_behind_the_trusted_proxy(api: Api, admin: str, tmp_path: Path):
    api.client_key("33-XX-0001")
    credential = made(api, admin, "certificates", days=1_000)
    certificate = files(tmp_path, credential)
    (card,) = soap.cards(1)
    with tls_proxy(api.url, tmp_path, [certificate[0]]) as proxy, by(proxy, certificate) as caller:
        answer = caller.post("/v1/report-cards", content=card, headers={"Content-Type": "application/json"})
        assert answer.json()["code"] == "access.school-not-permitted"  # known, and held to its own schools
        said = caller.post(
            "/soap/v1",
            content=soap.envelope(soap.submit(soap.record(card))),
            headers={"Content-Type": soap.TYPES[soap.S11]},
        )
        assert b"access.school-not-permitted" in said.content
        with by(proxy, None) as stranger:
            claimed = {HEADER: f"sha256:{'0' * 64}", "Content-Type": "application/json"}
            assert (
                stranger.post("/v1/report-cards", content=card, headers=claimed).json()["code"] == "access.key-missing"
            )
        api.now += 1_000
        revoked(api, admin, credential["id"])
    with tls_proxy(api.url, tmp_path, [certificate[0]]) as proxy, by(proxy, certificate) as caller:
        api.hub.keys._known.clear()
        answer = caller.post("/v1/report-cards", content=card, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (401, "access.certificate-unknown")


def test_the_header_of_anybody_else_is_not_believed(store: Store):
    settings = {**TRUSTING, "trusted_proxies": ("10.0.0.0/24", "::1")}
    with running_api(store, **settings) as api:
        api.client_key()
        admin = api.operator_key(Role.ADMINISTRATOR)
        made(api, admin, "certificates", identity=f"sha256:{'a' * 64}")
        answer = api.post("/v1/report-cards", content=b"{}", headers={HEADER: "a" * 64})
        assert (answer.status_code, answer.json()["code"]) == (401, "access.key-missing")
    assert Settings(trusted_proxies=("10.0.0.0/24",)).is_trusted_proxy("10.0.0.7")
    assert not Settings(trusted_proxies=("10.0.0.0/24",)).is_trusted_proxy("10.0.1.7")


def test_whoever_is_believed_has_to_be_named():
    with pytest.raises(ValidationError, match="trusted_proxies"):
        Settings(client_certificate_header=HEADER)
    with pytest.raises(ValidationError, match="go together"):
        Settings(soap_digest_previous_secret="x" * 40)


def test_a_certificate_stands_for_one_client_and_is_rotated_without_a_break(api: Api, admin: str):
    api.client_key(), api.client_key(name="north")
    first = made(api, admin, "certificates", identity=f"sha256:{'a' * 64}")
    taken = {"reason": REASON, "identity": f"sha256:{'a' * 64}"}
    answer = api.post("/v1/operations/clients/north/certificates", admin, json=taken)
    assert (answer.status_code, answer.json()["code"]) == (409, "credential.certificate-taken")
    second = made(api, admin, "certificates", identity="subject:CN=vendor", replaces=first["id"], overlap_days=3)

    def opens(told: str) -> bool:
        api.hub.keys._known.clear(), api.hub.keys._unknown.clear()
        answer = api.post("/v1/report-cards", content=b"{}", headers={HEADER: told, "Content-Type": "application/json"})
        return answer.status_code != 401

    assert opens("a" * 64)
    assert opens("CN=vendor")
    api.now += 3 * 86_400_000
    assert not opens("a" * 64)
    assert opens("CN=vendor")
    entries = listed(api, admin)
    assert entries[first["id"]]["ends_at"] < entries[second["id"]].get("ends_at", "9")
    for wrong in ({"identity": "sha256:short"}, {"pem": "no certificate"}, {"days": 3, "identity": "subject:CN=x"}, {}):
        answer = api.post(f"{CLIENT}/certificates", admin, json={"reason": REASON, **wrong})
        assert (answer.status_code, answer.json()["code"]) == (422, "credential.certificate-wrong")
    old = make_certificate("vendor", now=api.now - 90 * 86_400_000, days=1).certificate.decode()
    assert api.post(f"{CLIENT}/certificates", admin, json={"reason": REASON, "pem": old}).status_code == 422


def digest(api: Api, password: str) -> int:
    header = soap.token("vendor", password, now=api.now, digest=True)
    body = soap.submit(*map(soap.record, soap.cards(1)), operation="ValidateReportCards")
    return soap.call(api, soap.envelope(body, header=header)).status_code


def test_a_digest_password_is_shown_once_listed_rotated_and_revoked(api: Api, admin: str):
    api.client_key()
    first = made(api, admin, "digest-passwords")
    assert digest(api, first["secret"]) == 200
    assert first["secret"] not in api.get(f"{CLIENT}/credentials", admin).text
    second = made(api, admin, "digest-passwords", replaces=first["id"], overlap_days=1)
    assert (digest(api, first["secret"]), digest(api, second["secret"])) == (200, 200)
    api.now += 86_400_000
    assert (digest(api, first["secret"]), digest(api, second["secret"])) == (500, 200)
    revoked(api, admin, second["id"])
    assert digest(api, second["secret"]) == 500
    answer = api.post(f"{CLIENT}/credentials/{second['id']}/revocation", admin, json={"reason": REASON})
    assert answer.status_code == 404


def test_a_key_can_be_replaced_too(api: Api, admin: str):
    old = api.client_key()
    new = made(api, admin, "keys", replaces=old.split("_")[1], overlap_days=0)
    api.now += 1
    assert api.get("/v1/findings", old).status_code == 401
    assert api.get("/v1/findings", new["secret"]).status_code == 200


def test_only_administrators_do_it_and_everything_is_audited(api: Api, admin: str):
    api.client_key()
    operator = api.operator_key(Role.OPERATOR)
    for method, path in (
        ("GET", "credentials"),
        ("POST", "keys"),
        ("POST", "certificates"),
        ("POST", "digest-passwords"),
    ):
        answer = api.call(method, f"{CLIENT}/{path}", operator, json={"reason": REASON})
        assert answer.json()["code"] == "access.role-too-low"
    for what in ("keys", "digest-passwords"):
        made(api, admin, what)
    assert api.post("/v1/operations/clients/nobody/keys", admin, json={"reason": REASON}).status_code == 404
    told = api.get("/v1/operations/audit", admin).json()["items"]
    assert [(one["action"], one["actor"], one["reason"]) for one in told] == [
        ("client.digest-password", "operator:lan", REASON), ("client.rotate", "operator:lan", REASON),
    ]  # fmt: skip
    assert not re.search(r"hb[cd]_", orjson.dumps(told).decode())


def test_the_digest_secret_is_rotated_with_the_old_one_valid_for_a_time(store: Store):
    with running_api(store, **TRUSTING) as api:
        api.client_key()
        now = api.now
        old = made(api, api.operator_key(Role.ADMINISTRATOR, name="lan"), "digest-passwords")["secret"]
    until = datetime.fromtimestamp(now / 1000 + 60, UTC)
    rotated = TRUSTING | {
        "soap_digest_secret": NEXT_SECRET, "soap_digest_previous_secret": SECRET, "soap_digest_previous_until": until,
    }  # fmt: skip
    again = Store(store.url.render_as_string(hide_password=False))
    with running_api(again, **rotated) as api:
        admin = api.operator_key(Role.ADMINISTRATOR, name="minh")
        assert digest(api, old) == 200
        new = made(api, admin, "digest-passwords")["secret"]
        assert {one.get("of_former_secret") for one in listed(api, admin).values()} == {None, True}
        api.now += 60_000
        assert (digest(api, old), digest(api, new)) == (500, 200)


def test_a_made_certificate_is_one_for_tls_clients():
    once = make_certificate("vendor", now=1_780_000_000_000, days=10)
    read = read_certificate(once.certificate)
    assert read.ends_at == 1_780_000_000_000 + 10 * 86_400_000
    assert re.fullmatch("sha256:[0-9a-f]{64}", read.identity)
    with pytest.raises(CertificateError):
        read_certificate(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
