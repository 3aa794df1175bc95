"""Other ways than a key to know a client: certificates, and what digests of passwords need.

A certificate is known by its own SHA-256 (`sha256:<hex>`), or by its subject (`subject:<name>`) where the TLS proxy
vouches for who issued it. A nonce is kept until a message with it would be too old anyway, in the store, so that
every process of the hub knows it, also after a restart.
"""

from __future__ import annotations

import hashlib
import hmac

from sqlalchemy import Connection, delete, select

from hocba_hub.store.access import ALL_SCHOOLS, AccessError, Client, Owner
from hocba_hub.store.bulk import upsert
from hocba_hub.store.tables import client_certificates, clients, keys, used_nonces


def add_certificate(connection: Connection, name: str, identity: str, *, now: int) -> None:
    """Let a certificate stand for a client; one that stands for another client changes over. `now` in milliseconds.

    Raises:
        AccessError: there is no such client in force.
    """
    client = client_named(connection, name)
    if client is None:
        raise AccessError("no-owner", f"There is no client {name} in force.")
    statement = upsert(connection, client_certificates).values(identity=identity, client_id=client.id, created_at=now)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["identity"], set_={"client_id": client.id, "created_at": now})
    )


def remove_certificate(connection: Connection, identity: str) -> bool:
    """Let a certificate stand for nobody; whether it stood for somebody."""
    return (
        connection.execute(delete(client_certificates).where(client_certificates.c.identity == identity)).rowcount > 0
    )


def client_of_certificate(connection: Connection, identities: list[str]) -> Client | None:
    """The client in force for which a certificate of these identities stands."""
    c = client_certificates.c
    query = (
        select(clients.c.id, clients.c.name, clients.c.schools)
        .join(client_certificates, c.client_id == clients.c.id)
        .where(c.identity.in_(identities), clients.c.revoked_at.is_(None))
        .order_by(c.identity)
    )
    row = connection.execute(query).first()
    return None if row is None else _client(*row)


def client_named(connection: Connection, name: str) -> Client | None:
    """The client in force of this name."""
    c = clients.c
    row = connection.execute(
        select(c.id, c.name, c.schools).where(c.name == name, c.revoked_at.is_(None))
    ).one_or_none()
    return None if row is None else _client(*row)


def key_ids(connection: Connection, client: Client) -> list[str]:
    """The public parts of a client's keys in force, the newest first."""
    k = keys.c
    mine = (k.owner_kind == Owner.CLIENT, k.owner_id == client.id, k.revoked_at.is_(None))
    return list(connection.execute(select(k.id).where(*mine).order_by(k.created_at.desc(), k.id)).scalars())


def digest_password(secret: str, key_id: str) -> str:
    """The password that a client uses in digests (WS-Security), one for each of its keys.

    A digest can only be checked by who knows the password, and of keys only hashes are kept. So it is derived from
    the hub's own secret and the key's public part: nothing more is stored, a copy of the store opens nothing, and it
    ends with its key. Who has the hub's secret can make them all; a new secret changes them all.
    """
    return f"hbd_{hmac.digest(secret.encode(), b'soap-digest ' + key_id.encode(), 'sha256').hex()}"


def use_nonce(connection: Connection, client: Client, nonce: bytes, *, now: int, expires_at: int) -> bool:
    """Whether this nonce is new for the client; it is not the next time. Both times in milliseconds."""
    connection.execute(delete(used_nonces).where(used_nonces.c.expires_at < now))
    digest = hashlib.sha256(b"%d\0" % client.id + nonce).digest()
    statement = upsert(connection, used_nonces).values(digest=digest, expires_at=expires_at).on_conflict_do_nothing()
    return connection.execute(statement.returning(used_nonces.c.digest)).one_or_none() is not None


def _client(client_id: int, name: str, schools: list[str]) -> Client:
    return Client(client_id, name, None if ALL_SCHOOLS in schools else frozenset(schools))
