"""Who calls: a UsernameToken (WS-Security), HTTP Basic, a key, or a client certificate; the same clients as of REST.

The name is the client's, the password its key. A digest is made with a password of its own (`digest_password`),
because keys are kept as hashes. Whoever brings several proofs has to bring good ones, and is the one that the token
names. Source: OASIS Web Services Security, UsernameToken Profile 1.1.1.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime

from fastapi import Request
from lxml import etree
from starlette.concurrency import run_in_threadpool

from hocba_hub.api.context import Hub
from hocba_hub.api.http.certificates import identities
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.soap.envelope import Envelope
from hocba_hub.api.soap.faults import WSSE, WSU, Fault, Kind
from hocba_hub.store.access import Client
from hocba_hub.store.credentials import digest_passwords_of, use_nonce

FRESH_MS = 300_000
"""How far Created may be from our clock, before or after."""
_TYPE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#"
_LONGEST_NONCE = 256


async def caller_by_head(hub: Hub, request: Request) -> Client | None:
    """The client that the HTTP headers name: HTTP Basic, a key, or a certificate; None if they name nobody.

    Raises:
        Fault: the proof is not taken.
        StoreError: the store cannot say.
    """
    if "authorization" in request.headers:
        try:
            return await _client_of_header(hub, request.headers["authorization"])
        except Fault as refused:
            raise _challenge(refused) from None
    known = identities(hub.settings, request)
    if not known:
        return None
    client = await hub.keys.client_of(known)
    if client is None:
        raise _refusal("access.token-refused", "wsse:InvalidSecurityToken")
    return client


async def caller_by_token(hub: Hub, envelope: Envelope) -> Client | None:
    """The client that a UsernameToken names; None if there is no token.

    Raises:
        Fault: the proof is not taken.
        StoreError: the store cannot say.
    """
    token = _token(envelope, hub.clock()) if envelope.security is not None else None
    return None if token is None else await _client_of_token(hub, token)


def nobody() -> Fault:
    """The fault where nobody says who calls: 401 with a challenge, which makes many clients send their credentials."""
    return _challenge(_refusal("access.proof-missing", "wsse:InvalidSecurity"))


def _challenge(fault: Fault) -> Fault:
    fault.problem.headers["WWW-Authenticate"] = 'Basic realm="hocba-hub", charset="UTF-8"'
    return fault


def _token(envelope: Envelope, now: int) -> etree._Element | None:
    """The UsernameToken, with nothing beside it but a Timestamp that is in force."""
    token: etree._Element | None = None
    for part in envelope.security if envelope.security is not None else ():
        if part.tag == f"{{{WSSE}}}UsernameToken" and token is None:
            token = part
        elif part.tag == f"{{{WSU}}}Timestamp":
            created, expires = (_moment(part.findtext(f"{{{WSU}}}{name}")) for name in ("Created", "Expires"))
            if (created is not None and created > now + FRESH_MS) or (expires is not None and expires < now - FRESH_MS):
                raise _refusal("access.token-stale", "wsu:MessageExpired")
        else:
            raise _refusal("access.token-unsupported", "wsse:UnsupportedSecurityToken")
    return token


async def _client_of_token(hub: Hub, token: etree._Element) -> Client:
    name = token.findtext(f"{{{WSSE}}}Username") or ""
    password = token.find(f"{{{WSSE}}}Password")
    given = (password.text or "") if password is not None else ""
    nonce, created = token.findtext(f"{{{WSSE}}}Nonce"), token.findtext(f"{{{WSU}}}Created")
    match password.get("Type", _TYPE + "PasswordText") if password is not None else "":
        case kind if kind == _TYPE + "PasswordText":
            client = await _client_of_key(hub, given, name)
        case kind if kind == _TYPE + "PasswordDigest":
            client = await _client_of_digest(hub, name, given, nonce or "", created or "")
        case _:
            raise _refusal("access.token-unsupported", "wsse:UnsupportedSecurityToken")
    if created is not None and abs(hub.clock() - (_moment(created) or 0)) > FRESH_MS:
        raise _refusal("access.token-stale")
    if nonce is not None and not await hub.writing.run(_is_new, hub, client, nonce):
        raise _refusal("access.token-stale")
    return client


async def _client_of_digest(hub: Hub, name: str, given: str, nonce: str, created: str) -> Client:
    """Base64(SHA-1(nonce + created + password)), profile 1.1.1 section 3.1; both nonce and created are needed."""
    if not hub.digest_secrets:
        raise _refusal("access.digest-off")
    salt = _decoded(nonce)
    if not salt or len(salt) > _LONGEST_NONCE or not created:
        raise _refusal("access.token-refused")
    client, passwords = await run_in_threadpool(_digest_passwords_of, hub, name)
    for password in passwords:
        digest = hashlib.sha1(salt + created.encode() + password.encode()).digest()  # noqa: S324 - the profile's
        if hmac.compare_digest(base64.b64encode(digest), given.strip().encode()) and client is not None:
            return client
    raise _refusal("access.token-refused")


async def _client_of_header(hub: Hub, header: str) -> Client:
    """The client of `Authorization: Basic` (RFC 7617) or `Bearer`."""
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() == "bearer":
        return await _client_of_key(hub, credentials.strip())
    name, separator, password = _decoded(credentials).decode("utf-8", "replace").partition(":")
    if scheme.lower() != "basic" or not separator:
        raise _refusal("access.token-refused")
    return await _client_of_key(hub, password, name)


async def _client_of_key(hub: Hub, key: str, name: str | None = None) -> Client:
    owner = await hub.keys.owner(key)
    if not isinstance(owner, Client) or (name is not None and owner.name != name):
        raise _refusal("access.token-refused")
    return owner


def _digest_passwords_of(hub: Hub, name: str) -> tuple[Client | None, list[str]]:
    with hub.store.read() as connection:
        return digest_passwords_of(connection, name, hub.digest_secrets, now=hub.clock())


def _is_new(hub: Hub, client: Client, nonce: str) -> bool:
    now = hub.clock()
    with hub.store.write() as connection:
        return use_nonce(connection, client, _decoded(nonce), now=now, expires_at=now + 2 * FRESH_MS)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _moment(text: str | None) -> int | None:
    """Milliseconds; a time without a zone is UTC (WS-Security 1.1.1 section 10)."""
    try:
        moment = datetime.fromisoformat((text or "").strip())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def _refusal(code: str, subcode: str = "wsse:FailedAuthentication") -> Fault:
    return Fault(ProblemError(code), Kind.SENDER, subcode=subcode)
