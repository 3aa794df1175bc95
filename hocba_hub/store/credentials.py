"""How a client is known: keys, certificates, passwords for digests. Each has an id, and ends by itself.

A certificate is known by its own SHA-256 (`sha256:<hex>`), or by its subject (`subject:<name>`) where the TLS proxy
vouches for who issued it. A digest (WS-Security) can only be checked by who knows the password, and the hub keeps no
passwords: each is derived from the hub's own secret and its public id, so that a copy of the store opens nothing. Who
has that secret can make them all; a new secret ends them all, the old one's after a time that the settings say.

To rotate one is to make its successor: the one that it replaces goes on for some days, so that nothing stands still.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, insert, select, true, update

from hocba_hub.model.clock import DAY_MS
from hocba_hub.store.access import (
    AccessError,
    Client,
    NewKey,
    Owner,
    add_key,
    client_in_force,
    client_named,
    find_client,
    in_force,
)
from hocba_hub.store.bulk import upsert
from hocba_hub.store.tables import client_certificates, clients, digest_passwords, keys, operators, used_nonces

_NEVER = 2**62
_MISSED_MS = 14 * DAY_MS
_IDENTITY = re.compile(r"sha256:[0-9a-f]{64}|subject:[^\x00-\x1f]{3,500}")


class CredentialKind(StrEnum):
    """What a credential is."""

    KEY = "key"
    CERTIFICATE = "certificate"
    DIGEST_PASSWORD = "digest-password"  # noqa: S105 - the name of a kind


_TABLES: dict[CredentialKind, Table] = {
    CredentialKind.KEY: keys,
    CredentialKind.CERTIFICATE: client_certificates,
    CredentialKind.DIGEST_PASSWORD: digest_passwords,
}


@dataclass(frozen=True, slots=True)
class Credential:
    """One credential as a list shows it."""

    id: str
    kind: CredentialKind
    created_at: int
    ends_at: int | None
    """When it ends by itself."""
    revoked_at: int | None
    identity: str = ""
    """Of a certificate."""
    of_former_secret: bool = False
    """A digest password that was made with a secret which is not the hub's newest."""


@dataclass(frozen=True, slots=True)
class DigestSecret:
    """A secret from which the passwords of digests are derived."""

    value: str
    until: int | None = None
    """Until when what was made with it counts, in milliseconds; None for the newest one."""

    @property
    def id(self) -> str:
        """Tells secrets apart; nothing can be derived from it."""
        return hmac.digest(self.value.encode(), b"digest secret", "sha256").hex()[:16]

    def password(self, password_id: str) -> str:
        """The password of this id."""
        return f"hbd_{hmac.digest(self.value.encode(), b'digest password ' + password_id.encode(), 'sha256').hex()}"


@dataclass(frozen=True, slots=True)
class Replacing:
    """Which credential a new one of its kind takes the place of, and for how many days the old one goes on."""

    id: str
    overlap_days: int


@dataclass(frozen=True, slots=True)
class NewDigestPassword:
    """A password that was just made: it is shown this once."""

    id: str
    password: str


def credentials(connection: Connection, name: str, newest: DigestSecret | None = None) -> list[Credential]:
    """All credentials of a client, of each kind the oldest first; those that ended, too.

    Raises:
        AccessError: there is no such client in force.
    """
    client = find_client(connection, name)
    if client is None:
        raise AccessError("no-owner", f"There is no client {name} in force.")
    k, c, d = keys.c, client_certificates.c, digest_passwords.c
    of_keys = select(k.id, k.created_at, k.ends_at, k.revoked_at).where(
        k.owner_kind == Owner.CLIENT, k.owner_id == client.id
    )
    of_certificates = select(c.id, c.created_at, c.ends_at, c.revoked_at, c.identity).where(c.client_id == client.id)
    of_passwords = select(d.id, d.created_at, d.ends_at, d.revoked_at, d.secret_id).where(d.client_id == client.id)
    found = [
        Credential(key_id, CredentialKind.KEY, *more)
        for key_id, *more in connection.execute(of_keys.order_by(k.created_at, k.id))
    ]
    found += [
        Credential(row.id, CredentialKind.CERTIFICATE, row.created_at, row.ends_at, row.revoked_at, row.identity)
        for row in connection.execute(of_certificates.order_by(c.created_at, c.id))
    ]
    found += [
        Credential(
            row.id, CredentialKind.DIGEST_PASSWORD, row.created_at, row.ends_at, row.revoked_at,
            of_former_secret=newest is None or row.secret_id != newest.id,
        )
        for row in connection.execute(of_passwords.order_by(d.created_at, d.id))
    ]  # fmt: skip
    return found


def make_key(connection: Connection, name: str, *, now: int, most: int, replacing: Replacing | None = None) -> NewKey:
    """Give a client one more key.

    Raises:
        AccessError: see `add_key`; `no-credential`, there is nothing to replace.
    """
    _replace(connection, CredentialKind.KEY, client_named(connection, name), replacing, now)
    return add_key(connection, Owner.CLIENT, name, now=now, most=most)


def add_certificate(
    connection: Connection,
    name: str,
    identity: str,
    *,
    now: int,
    most: int,
    ends_at: int | None = None,
    replacing: Replacing | None = None,
) -> str:
    """Let a certificate stand for a client; its id. Times in milliseconds.

    Raises:
        AccessError: there is no such client; `certificate-wrong`, this is no identity, or it has ended;
            `certificate-taken`, it stands for somebody; `too-many-keys`; `no-credential`, there is nothing to replace.
    """
    client = client_named(connection, name)
    if not _IDENTITY.fullmatch(identity) or (ends_at is not None and ends_at <= now):
        raise AccessError("certificate-wrong", "This is no certificate that is in force.")
    c = client_certificates.c
    taken = select(c.id).where(c.identity == identity, c.revoked_at.is_(None))
    if connection.execute(taken).first() is not None:
        raise AccessError("certificate-taken", "This certificate stands for a client already.")
    _replace(connection, CredentialKind.CERTIFICATE, client, replacing, now)
    made = _new_id(connection, CredentialKind.CERTIFICATE, client, most, now)
    connection.execute(
        insert(client_certificates).values(
            id=made, client_id=client.id, identity=identity, created_at=now, ends_at=ends_at
        )
    )
    return made


def make_digest_password(
    connection: Connection, name: str, secret: DigestSecret, *, now: int, most: int, replacing: Replacing | None = None
) -> NewDigestPassword:
    """Make a password for digests; `now` in milliseconds.

    Raises:
        AccessError: there is no such client; `too-many-keys`; `no-credential`, there is nothing to replace.
    """
    client = client_named(connection, name)
    _replace(connection, CredentialKind.DIGEST_PASSWORD, client, replacing, now)
    made = _new_id(connection, CredentialKind.DIGEST_PASSWORD, client, most, now)
    connection.execute(
        insert(digest_passwords).values(id=made, client_id=client.id, secret_id=secret.id, created_at=now)
    )
    return NewDigestPassword(made, secret.password(made))


def revoke_credential(connection: Connection, name: str, credential_id: str, *, now: int) -> CredentialKind:
    """End a credential of a client, for ever; of which kind it was.

    Raises:
        AccessError: `no-owner`; `no-credential`, the client has none of this id in force.
    """
    client = client_named(connection, name)
    for kind, table in _TABLES.items():
        mine = and_(table.c.id == credential_id, _of(kind, client), in_force(table, now))
        if connection.execute(update(table).where(mine).values(revoked_at=now)).rowcount:
            return kind
    raise AccessError("no-credential", f"{name} has no credential {credential_id} in force.")


def client_of_certificate(connection: Connection, identities: Sequence[str], *, now: int) -> Client | None:
    """The client in force for which a certificate of these identities stands."""
    c = client_certificates.c
    query = select(c.client_id).where(c.identity.in_(identities), in_force(client_certificates, now))
    found = connection.execute(query.order_by(c.identity).limit(1)).scalar_one_or_none()
    return None if found is None else client_in_force(connection, found)


def digest_passwords_of(
    connection: Connection, name: str, known: Sequence[DigestSecret], *, now: int
) -> tuple[Client | None, list[str]]:
    """A client with its passwords for digests in force, the newest first; None where nobody in force has that name."""
    client, d = find_client(connection, name), digest_passwords.c
    if client is None:
        return None, []
    counting = {secret.id: secret for secret in known if secret.until is None or now < secret.until}
    query = select(d.id, d.secret_id).where(d.client_id == client.id, in_force(digest_passwords, now))
    rows = connection.execute(query.order_by(d.created_at.desc(), d.id))
    return client, [counting[secret_id].password(made) for made, secret_id in rows if secret_id in counting]


def use_nonce(connection: Connection, client: Client, nonce: bytes, *, now: int, expires_at: int) -> bool:
    """Whether this nonce is new for the client; it is not the next time. Both times in milliseconds.

    It is kept until a message with it would be too old anyway, so that every process knows it, also after a restart.
    """
    connection.execute(delete(used_nonces).where(used_nonces.c.expires_at < now))
    digest = hashlib.sha256(b"%d\0" % client.id + nonce).digest()
    statement = upsert(connection, used_nonces).values(digest=digest, expires_at=expires_at).on_conflict_do_nothing()
    return connection.execute(statement.returning(used_nonces.c.digest)).one_or_none() is not None


def soonest_ends(connection: Connection, now: int) -> dict[str, int]:
    """When the first owner in force runs out of a kind of credential (milliseconds), by owner and kind.

    What was given a successor does not count, nor what ended more than fourteen days ago: nobody misses it.
    """
    k, c, d = keys.c, client_certificates.c, digest_passwords.c
    of_client = (clients, clients.c.revoked_at.is_(None))
    sources = (
        ("client-key", k.owner_id, k, of_client, k.owner_kind == Owner.CLIENT),
        ("operator-key", k.owner_id, k, (operators, operators.c.revoked_at.is_(None)), k.owner_kind == Owner.OPERATOR),
        ("client-certificate", c.client_id, c, of_client, true()),
        ("digest-password", d.client_id, d, of_client, true()),
    )
    found: dict[str, int] = {}
    for name, owner_id, held, (owners, in_force_still), of_kind in sources:
        last = func.max(func.coalesce(held.ends_at, _NEVER)).label("ends_at")
        query = select(last).join_from(owner_id.table, owners, owners.c.id == owner_id)
        query = query.where(held.revoked_at.is_(None), in_force_still, of_kind).group_by(owner_id)
        ends = query.subquery().c.ends_at
        soonest = select(func.min(ends)).where(ends < _NEVER, ends > now - _MISSED_MS)
        value = connection.execute(soonest).scalar()
        if value is not None:
            found[name] = value
    return found


def _of(kind: CredentialKind, client: Client) -> ColumnElement[bool]:
    if kind is CredentialKind.KEY:
        return and_(keys.c.owner_kind == Owner.CLIENT, keys.c.owner_id == client.id)
    return _TABLES[kind].c.client_id == client.id


def _replace(
    connection: Connection, kind: CredentialKind, client: Client, replacing: Replacing | None, now: int
) -> None:
    if replacing is None:
        return
    table, ends_at = _TABLES[kind], now + replacing.overlap_days * DAY_MS
    mine = and_(table.c.id == replacing.id, _of(kind, client), in_force(table, now))
    sooner = func.min if connection.dialect.name == "sqlite" else func.least
    if not connection.execute(
        update(table).where(mine).values(ends_at=sooner(func.coalesce(table.c.ends_at, ends_at), ends_at))
    ).rowcount:
        raise AccessError("no-credential", f"{client.name} has no {kind} {replacing.id} in force.")


def _new_id(connection: Connection, kind: CredentialKind, client: Client, most: int, now: int) -> str:
    table = _TABLES[kind]
    held = select(func.count()).select_from(table).where(_of(kind, client), in_force(table, now))
    if connection.execute(held).scalar_one() >= most:
        raise AccessError("too-many-keys", f"{client.name} has {most} of them in force; revoke one first.")
    return secrets.token_hex(6)
