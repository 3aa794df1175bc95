"""Who may ask: clients with their schools, operators with their roles, and the keys of both.

A key is `hbc_<id>_<secret>` for a client and `hbo_<id>_<secret>` for an operator: the prefix lets scanners of leaked
secrets find it, the id is public and names the row, the secret has 256 random bits and is shown once. Only its SHA-256
is kept. A slow password hash would protect a secret that people choose; 256 random bits cannot be guessed however
quick the hash, and every call of every client pays for it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, func, insert, null, or_, select, update

from hocba_hub.model.errors import HubError
from hocba_hub.store.bulk import upsert
from hocba_hub.store.engine import one_of
from hocba_hub.store.tables import clients, keys, operators, report_cards

ALL_SCHOOLS = "*"
"""Stands in a client's list for every school."""

_PRESENTED = re.compile(r"hb([co])_([0-9a-f]{12})_([0-9a-f]{64})")


class AccessError(HubError):
    """A name that is taken, or that nobody has."""

    def __init__(self, code: str, message: str) -> None:
        """With a stable `code`.

        It is `name-taken`, `no-owner`, `no-key`, `too-many-keys`, `no-school`, `is-destination`, or one of
        `credentials.py`.
        """
        super().__init__(message)
        self.code = code


class Owner(StrEnum):
    """Kind of a key's owner."""

    CLIENT = "client"
    OPERATOR = "operator"


class Role(StrEnum):
    """What an operator may do; each role may also do what the ones before it may."""

    VIEWER = "viewer"
    """See states, failures and the audit trail; never a card's content."""
    OPERATOR = "operator"
    """Replay, return, propose, cancel, pause and resume."""
    APPROVER = "approver"
    """Approve what another operator has proposed."""
    ADMINISTRATOR = "administrator"
    """Whatever may be done over the API."""

    def covers(self, needed: Role) -> bool:
        """Whether this role may do what `needed` may."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(needed)


@dataclass(frozen=True, slots=True)
class Client:
    """A vendor system that presented a good key."""

    id: int
    name: str
    schools: frozenset[str] | None
    """The schools it may speak for; None for all."""
    profile: str | None = None
    """The mapping of what it sends, unless a call says otherwise; None for canonical cards."""
    destination: str | None = None
    """The destination that it is: it brings verdicts, and sends no cards."""

    def may_speak_for(self, school: str) -> bool:
        """Whether this client may send and see the cards of a school."""
        return self.schools is None or school in self.schools


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of the province that an operator is for: the schools of communes, and schools by name."""

    communes: frozenset[str] = frozenset()
    schools: frozenset[str] = frozenset()

    def as_json(self) -> dict[str, list[str]]:
        """As the store keeps it."""
        return {"communes": sorted(self.communes), "schools": sorted(self.schools)}


@dataclass(frozen=True, slots=True)
class Operator:
    """A person of the education department who presented a good key."""

    id: int
    name: str
    role: Role
    sees_bodies: bool = False
    """May see what cards and calls hold of people, one at a time and with a reason."""
    scope: Scope | None = None
    """None for the whole province."""

    @property
    def actor(self) -> str:
        """Who it is in the audit trail."""
        return f"operator:{self.name}"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made: the only moment at which its secret is known."""

    owner_id: int
    id: str
    key: str


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One key as a list shows it."""

    id: str
    created_at: int
    revoked_at: int | None
    ends_at: int | None
    """When it ends by itself."""


@dataclass(frozen=True, slots=True)
class OwnerEntry:
    """A client or an operator as a list shows it."""

    id: int
    name: str
    scope: Sequence[str]
    """A client's schools, or the destination that it is; an operator's role."""
    created_at: int
    revoked_at: int | None
    keys: Sequence[KeyEntry]
    profile: str | None = None
    """A client's: the mapping of what it sends; None for canonical cards."""
    destination: str | None = None
    """The destination that a client is."""
    part: Scope | None = None
    """The part of the province that an operator is for; None for all of it."""
    sees_bodies: bool = False
    """Of an operator."""

    def keys_in_force(self, now: int) -> int:
        """How many of its keys count at a moment (milliseconds)."""
        return sum(one.revoked_at is None and (one.ends_at is None or one.ends_at > now) for one in self.keys)


def schools_without_trace(connection: Connection, schools: Iterable[str]) -> list[str]:
    """Those of `schools` of which no card is stored and for which no client in force may speak by name."""
    asked = set(schools) - {ALL_SCHOOLS}
    if not asked:
        return []
    cards, c = report_cards.c, clients.c
    known = set(
        connection.execute(
            select(cards.school_code).where(one_of(connection, cards.school_code, sorted(asked))).distinct()
        ).scalars()
    )
    for scope in connection.execute(select(c.schools).where(c.revoked_at.is_(None))).scalars():
        known.update(asked.intersection(scope))
    return sorted(asked - known)


def add_client(
    connection: Connection, name: str, schools: Iterable[str], *, now: int, destination: str | None = None
) -> NewKey:
    """Add a client that may speak for `schools` (`*` for all) with its first key; `now` in milliseconds.

    With `destination` it is that destination, which brings verdicts: it speaks for no school.

    Raises:
        AccessError: the name is taken (also by a revoked client, whose records keep it), or there is no school.
    """
    spoken_for = _schools(schools) if destination is None else []
    row = {"name": name, "schools": spoken_for, "created_at": now, "destination": destination}
    owner_id = _add(connection, clients, row)
    return _new_key(connection, Owner.CLIENT, owner_id, now)


def add_operator(
    connection: Connection, name: str, role: Role, *, now: int, sees_bodies: bool = False, scope: Scope | None = None
) -> NewKey:
    """Add an operator with a first key, for a part of the province or all of it; `now` in milliseconds.

    Raises:
        AccessError: the name is taken.
    """
    of_role = {"name": name, "role": role, "scope": null() if scope is None else scope.as_json()}
    owner_id = _add(connection, operators, {**of_role, "created_at": now, "sees_bodies": sees_bodies})
    return _new_key(connection, Owner.OPERATOR, owner_id, now)


def set_scope(connection: Connection, name: str, scope: Scope | None) -> None:
    """Say for which part of the province an operator is from now on; None for all of it.

    Raises:
        AccessError: there is no such operator.
    """
    owner_id = _owner_id(connection, Owner.OPERATOR, name)
    kept = null() if scope is None else scope.as_json()
    connection.execute(update(operators).where(operators.c.id == owner_id).values(scope=kept))


def schools_of(connection: Connection, scope: Scope | None) -> frozenset[str] | None:
    """The schools that a scope holds, as far as a card of them is stored; None for all."""
    if scope is None:
        return None
    c = report_cards.c
    query = select(c.school_code).where(one_of(connection, c.commune_code, sorted(scope.communes))).distinct()
    found = connection.execute(query).scalars() if scope.communes else ()
    return scope.schools.union(found)


def _scope_of(kept: dict[str, list[str]] | None) -> Scope | None:
    return None if kept is None else Scope(frozenset(kept["communes"]), frozenset(kept["schools"]))


def set_sees_bodies(connection: Connection, name: str, *, sees_bodies: bool) -> None:
    """Let an operator see what cards and calls hold of people, or no more.

    Raises:
        AccessError: there is no such operator.
    """
    owner_id = _owner_id(connection, Owner.OPERATOR, name)
    connection.execute(update(operators).where(operators.c.id == owner_id).values(sees_bodies=sees_bodies))


def set_schools(connection: Connection, name: str, schools: Iterable[str]) -> None:
    """Replace the schools that a client may speak for.

    Raises:
        AccessError: there is no such client, or no school; it is a destination.
    """
    owner_id = _owner_id(connection, Owner.CLIENT, name)
    c = clients.c
    changed = update(clients).where(c.id == owner_id, c.destination.is_(None)).values(schools=_schools(schools))
    if not connection.execute(changed).rowcount:
        raise AccessError("is-destination", f"{name} is a destination; it speaks for no school.")


def add_key(connection: Connection, owner: Owner, name: str, *, now: int, most: int) -> NewKey:
    """Give an owner one more key: the older ones go on until they are revoked, so that a change needs no break.

    Raises:
        AccessError: there is no such owner, or it is revoked; it has `most` keys in force.
    """
    owner_id, k = _owner_id(connection, owner, name), keys.c
    held = select(func.count()).where(k.owner_kind == owner, k.owner_id == owner_id, in_force(keys, now))
    if connection.execute(held).scalar_one() >= most:
        raise AccessError("too-many-keys", f"{name} has {most} keys in force; revoke one first.")
    return _new_key(connection, owner, owner_id, now)


def revoke_key(connection: Connection, owner: Owner, name: str, key_id: str, *, now: int) -> None:
    """End one key of an owner, for ever.

    Raises:
        AccessError: the owner has no such key in force.
    """
    k = keys.c
    mine = (k.owner_kind == owner, k.owner_id == _owner_id(connection, owner, name))
    ended = connection.execute(
        update(keys).where(k.id == key_id, *mine, k.revoked_at.is_(None)).values(revoked_at=now)
    ).rowcount
    if not ended:
        raise AccessError("no-key", f"{name} has no key {key_id} in force.")


def revoke_owner(connection: Connection, owner: Owner, name: str, *, now: int) -> None:
    """End an owner with all its keys, for ever; its records stay, and so does its name.

    Raises:
        AccessError: there is no such owner, or it is revoked.
    """
    table, k = _table(owner), keys.c
    owner_id = _owner_id(connection, owner, name)
    connection.execute(update(table).where(table.c.id == owner_id).values(revoked_at=now))
    connection.execute(
        update(keys).where(k.owner_kind == owner, k.owner_id == owner_id, k.revoked_at.is_(None)).values(revoked_at=now)
    )


def owners(connection: Connection, owner: Owner) -> list[OwnerEntry]:
    """All clients, or all operators, by name; with their keys, oldest first."""
    held: dict[int, list[KeyEntry]] = {}
    k = keys.c
    rows = select(k.owner_id, k.id, k.created_at, k.revoked_at, k.ends_at).where(k.owner_kind == owner)
    for owner_id, *entry in connection.execute(rows.order_by(k.created_at, k.id)):
        held.setdefault(owner_id, []).append(KeyEntry(*entry))
    table = _table(owner)
    return [
        OwnerEntry(
            row.id, row.name, _scope(owner, row), row.created_at, row.revoked_at, held.get(row.id, []),
            **_more(owner, row),
        )
        for row in connection.execute(select(table).order_by(table.c.name))
    ]  # fmt: skip


def _more(owner: Owner, row: Row[Any]) -> dict[str, Any]:
    if owner is Owner.CLIENT:
        return {"profile": row.profile, "destination": row.destination}
    return {"part": _scope_of(row.scope), "sees_bodies": row.sees_bodies}


def _scope(owner: Owner, row: Row[Any]) -> Sequence[str]:
    if owner is Owner.OPERATOR:
        return [row.role]
    return row.schools if row.destination is None else [row.destination]


def looks_like_key(presented: str) -> bool:
    """Whether this has the form of a key; nothing else need ever be looked up."""
    return _PRESENTED.fullmatch(presented) is not None


def identify(connection: Connection, presented: str, *, now: int) -> Client | Operator | None:
    """Whose key this is at a moment (milliseconds); None for anything but a key in force of an owner in force."""
    match = _PRESENTED.fullmatch(presented)
    if match is None:
        return None
    owner = Owner.CLIENT if match[1] == "c" else Owner.OPERATOR
    k = keys.c
    row = connection.execute(
        select(k.owner_id, k.secret_sha256).where(k.id == match[2], k.owner_kind == owner, in_force(keys, now))
    ).one_or_none()
    if row is None or not hmac.compare_digest(row.secret_sha256, _digest(match[3])):
        return None
    table = _table(owner)
    found = connection.execute(
        select(table).where(table.c.id == row.owner_id, table.c.revoked_at.is_(None))
    ).one_or_none()
    if found is None:
        return None
    return _operator(found) if owner is Owner.OPERATOR else _client(found)


def key_in_force(connection: Connection, key_id: str, now: int) -> bool:
    """Whether a key counts at a moment (milliseconds)."""
    query = select(keys.c.id).where(keys.c.id == key_id, in_force(keys, now))
    return connection.execute(query).one_or_none() is not None


def find_operator(connection: Connection, name: str) -> Operator | None:
    """An operator in force by name."""
    found = connection.execute(
        select(operators).where(operators.c.name == name, operators.c.revoked_at.is_(None))
    ).one_or_none()
    return None if found is None else _operator(found)


def key_id_of(presented: str) -> str:
    """The public part of a key that was found good."""
    return presented.split("_")[1]


def operator_in_force(connection: Connection, operator_id: int) -> Operator | None:
    """An operator by its number; None if it is revoked."""
    found = connection.execute(
        select(operators).where(operators.c.id == operator_id, operators.c.revoked_at.is_(None))
    ).one_or_none()
    return None if found is None else _operator(found)


def client_in_force(connection: Connection, client_id: int) -> Client | None:
    """A client by its number; None if it is revoked."""
    found = connection.execute(
        select(clients).where(clients.c.id == client_id, clients.c.revoked_at.is_(None))
    ).one_or_none()
    return None if found is None else _client(found)


def in_force(credentials: Table, now: int) -> ColumnElement[bool]:
    """Whether a row of such a table counts at a moment (milliseconds): not revoked, and not at its end."""
    c = credentials.c
    return and_(c.revoked_at.is_(None), or_(c.ends_at.is_(None), c.ends_at > now))


def find_client(connection: Connection, name: str) -> Client | None:
    """A client in force by its name, for whoever only reads; `client_named` locks it until the transaction ends."""
    found = connection.execute(
        select(clients).where(clients.c.name == name, clients.c.revoked_at.is_(None))
    ).one_or_none()
    return None if found is None else _client(found)


def client_names(connection: Connection) -> dict[int, str]:
    """The names of all clients, revoked ones too, by number."""
    return {row.id: row.name for row in connection.execute(select(clients.c.id, clients.c.name))}


def client_named(connection: Connection, name: str) -> Client:
    """A client in force by its name.

    Raises:
        AccessError: there is none.
    """
    found = client_in_force(connection, _owner_id(connection, Owner.CLIENT, name))
    assert found is not None  # noqa: S101 - its number was just found
    return found


def set_profile(connection: Connection, name: str, profile: str | None) -> None:
    """Set the mapping that reads what a client sends; None for canonical cards.

    Raises:
        AccessError: there is no such client.
    """
    owner_id = _owner_id(connection, Owner.CLIENT, name)
    connection.execute(update(clients).where(clients.c.id == owner_id).values(profile=profile))


def _client(row: Row[*tuple[Any, ...]]) -> Client:
    schools = None if ALL_SCHOOLS in row.schools else frozenset(row.schools)
    return Client(row.id, row.name, schools, row.profile, row.destination)


def _operator(row: Row[*tuple[Any, ...]]) -> Operator:
    return Operator(row.id, row.name, Role(row.role), row.sees_bodies, _scope_of(row.scope))


def _new_key(connection: Connection, owner: Owner, owner_id: int, now: int) -> NewKey:
    key_id, secret = secrets.token_hex(6), secrets.token_hex(32)
    connection.execute(
        insert(keys).values(
            id=key_id, owner_kind=owner, owner_id=owner_id, secret_sha256=_digest(secret), created_at=now
        )
    )
    return NewKey(owner_id, key_id, f"hb{'c' if owner is Owner.CLIENT else 'o'}_{key_id}_{secret}")


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("ascii")).digest()


def _schools(schools: Iterable[str]) -> list[str]:
    known = sorted(set(schools))
    if not known or not all(known):
        raise AccessError("no-school", f"A client speaks for one school at least; {ALL_SCHOOLS} stands for all.")
    return [ALL_SCHOOLS] if ALL_SCHOOLS in known else known


def _table(owner: Owner) -> Table:
    return clients if owner is Owner.CLIENT else operators


def _add(connection: Connection, table: Table, values: Mapping[str, Any]) -> int:
    statement = upsert(connection, table).values(values).on_conflict_do_nothing().returning(table.c.id)
    owner_id = connection.execute(statement).scalar_one_or_none()
    if owner_id is None:
        raise AccessError("name-taken", f"The name {values['name']} is taken; a revoked owner keeps its name.")
    return int(owner_id)


def _owner_id(connection: Connection, owner: Owner, name: str) -> int:
    table = _table(owner)
    query = select(table.c.id).where(table.c.name == name, table.c.revoked_at.is_(None)).with_for_update()
    found = connection.execute(query).scalar_one_or_none()
    if found is None:
        raise AccessError("no-owner", f"There is no {owner} {name} in force.")
    return int(found)
