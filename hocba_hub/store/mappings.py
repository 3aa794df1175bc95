"""Which versions of the mappings are in force: texts that were stored, activations, and who did what.

A version's text never changes once it was activated. An activation puts a version in force for everybody, or for one
client, one school year, some days; of those that fit a card the narrowest wins, then the newest. Ending one brings
back what was in force before it, in the end the version that comes with the hub.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, exists, insert, select, update

from hocba_hub.model.activation import ActivationScope
from hocba_hub.model.errors import HubError
from hocba_hub.store import audit
from hocba_hub.store.bodies import pack, unpack
from hocba_hub.store.revision import move
from hocba_hub.store.tables import clients, mapping_activations, mapping_versions

_a, _v = mapping_activations.c, mapping_versions.c


class ConfigurationError(HubError):
    """A change that cannot be made; `code` is that of the problem that says so."""

    def __init__(self, code: str, message: str) -> None:
        """`code` is a problem code, `message` English text."""
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version of a mapping as the store keeps it."""

    name: str
    version: str
    sha256: str
    added_at: int
    added_by: str


@dataclass(frozen=True, slots=True)
class Activation:
    """A version in force."""

    id: int
    name: str
    version: str
    scope: ActivationScope
    activated_at: int
    activated_by: str


def add_version(
    connection: Connection, name: str, version: str, document: bytes, *, actor: str, reason: str, now: int
) -> StoredVersion:
    """Store a draft: a version that is in force for nobody yet. The same text again changes nothing.

    Raises:
        ConfigurationError: `mapping.version-taken`, another text of this version was activated once.
    """
    move(connection)
    digest = hashlib.sha256(document).hexdigest()
    known = stored_version(connection, name, version)
    if known is not None and known.sha256 == digest:
        return known
    if known is not None:
        if connection.execute(select(exists().where(*_is(name, version)))).scalar_one():
            raise ConfigurationError("mapping.version-taken", f"{name} {version} was activated with another text.")
        connection.execute(delete(mapping_versions).where(_v.name == name, _v.version == version))
    added = _store(connection, name, version, document, actor=actor, now=now)
    detail = {"mapping": name, "version": version, "sha256": digest, "replaces": known.sha256 if known else None}
    audit.write(connection, at=now, actor=actor, action="mapping.draft", reason=reason, detail=detail)
    return added


def activate(
    connection: Connection,
    name: str,
    version: str,
    document: bytes,
    scope: ActivationScope,
    *,
    actor: str,
    reason: str,
    now: int,
    expected: str | None = None,
) -> Activation:
    """Put a version in force. Its text is kept: what was activated can be activated again after any upgrade.

    `expected` is the state (`state_of`) that the caller has seen, if the act shall depend on it.

    Raises:
        ConfigurationError: `precondition.failed`, the state is another one; `mapping.version-taken`;
            `activation.scope`, the client is not there, or the last day comes before the first.
    """
    move(connection)
    _expect(connection, name, expected)
    _check(connection, scope)
    known = stored_version(connection, name, version)
    digest = hashlib.sha256(document).hexdigest()
    if known is None:
        _store(connection, name, version, document, actor=actor, now=now)
    elif known.sha256 != digest:
        raise ConfigurationError("mapping.version-taken", f"{name} {version} is stored with another text.")
    values = _values(scope)
    row = {"name": name, "version": version, "activated_at": now, "activated_by": actor, **values}
    made = connection.execute(insert(mapping_activations).values(row).returning(_a.id)).scalar_one()
    detail = {"mapping": name, "version": version, "sha256": digest, "activation": made, **values}
    audit.write(connection, at=now, actor=actor, action="mapping.activate", reason=reason, detail=detail)
    return Activation(made, name, version, scope, now, actor)


def deactivate(
    connection: Connection,
    name: str,
    activation_id: int | None = None,
    *,
    actor: str,
    reason: str,
    now: int,
    expected: str | None = None,
) -> Activation:
    """End an activation, the newest if none is named: what was in force before it is so again.

    Raises:
        ConfigurationError: `not-found`, the mapping has no such activation; `precondition.failed`.
    """
    move(connection)
    _expect(connection, name, expected)
    in_force = activations(connection, name)
    found = next((one for one in reversed(in_force) if activation_id in (None, one.id)), None)
    if found is None:
        raise ConfigurationError("not-found", f"{name} has no such activation in force.")
    ended = update(mapping_activations).where(_a.id == found.id).values(ended_at=now, ended_by=actor)
    connection.execute(ended)
    detail = {"mapping": name, "version": found.version, "activation": found.id, **_values(found.scope)}
    audit.write(connection, at=now, actor=actor, action="mapping.deactivate", reason=reason, detail=detail)
    return found


def stored_version(connection: Connection, name: str, version: str) -> StoredVersion | None:
    """One version, if it is stored."""
    return next(iter(_versions(connection, _v.name == name, _v.version == version)), None)


def stored_versions(connection: Connection, name: str | None = None) -> list[StoredVersion]:
    """Every stored version, or those of one mapping, in the order of their names and of their coming."""
    return _versions(connection, *([] if name is None else [_v.name == name]))


def document_of(connection: Connection, name: str, version: str) -> bytes | None:
    """The text of a stored version."""
    packed = connection.execute(select(_v.document).where(_v.name == name, _v.version == version)).scalar_one_or_none()
    return None if packed is None else unpack(packed)


def activations(connection: Connection, name: str | None = None) -> list[Activation]:
    """What is in force, the oldest first."""
    query = select(mapping_activations).where(_a.ended_at.is_(None)).order_by(_a.id)
    if name is not None:
        query = query.where(_a.name == name)
    return [
        Activation(
            row.id,
            row.name,
            row.version,
            ActivationScope(row.client, row.school_year, _day(row.valid_from), _day(row.valid_to)),
            row.activated_at,
            row.activated_by,
        )
        for row in connection.execute(query)
    ]


def state_of(versions: Sequence[StoredVersion], in_force: Sequence[Activation]) -> str:
    """A digest of a mapping's stored versions and activations: another one after any change."""
    parts = sorted(f"{one.version} {one.sha256}" for one in versions) + [str(one.id) for one in in_force]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _expect(connection: Connection, name: str, expected: str | None) -> None:
    if expected is None:
        return
    if expected != state_of(stored_versions(connection, name), activations(connection, name)):
        raise ConfigurationError("precondition.failed", f"{name} was changed by somebody else meanwhile.")


def _check(connection: Connection, scope: ActivationScope) -> None:
    if scope.valid_from and scope.valid_to and scope.valid_to < scope.valid_from:
        raise ConfigurationError("activation.scope", "The last day comes before the first.")
    known = select(exists().where(clients.c.name == scope.client))
    if scope.client is not None and not connection.execute(known).scalar_one():
        raise ConfigurationError("activation.scope", "There is no such client.")


def _is(name: str, version: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _a.name == name, _a.version == version


def _versions(connection: Connection, *conditions: ColumnElement[bool]) -> list[StoredVersion]:
    query = select(_v.name, _v.version, _v.sha256, _v.added_at, _v.added_by).where(*conditions)
    return [StoredVersion(*row) for row in connection.execute(query.order_by(_v.name, _v.added_at, _v.version))]


def _store(connection: Connection, name: str, version: str, document: bytes, *, actor: str, now: int) -> StoredVersion:
    added = StoredVersion(name, version, hashlib.sha256(document).hexdigest(), now, actor)
    connection.execute(insert(mapping_versions).values(**asdict(added), document=pack(document)))
    return added


def _values(scope: ActivationScope) -> dict[str, Any]:
    days = {
        name: day and day.isoformat() for name, day in (("valid_from", scope.valid_from), ("valid_to", scope.valid_to))
    }
    return {"client": scope.client, "school_year": scope.school_year, **days}


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
