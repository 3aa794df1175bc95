"""The destinations' code lists as they were fetched: each version a draft until it counts, or is put aside."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Connection, Row, func, insert, not_, select, update

from hocba_hub.model.delivery import DeliveryState
from hocba_hub.model.errors import HubError
from hocba_hub.store import audit
from hocba_hub.store.bodies import pack, unpack
from hocba_hub.store.engine import in_states, one_of
from hocba_hub.store.revision import move
from hocba_hub.store.tables import code_lists, deliveries, unmapped_codes, waiting_codes
from hocba_hub.store.unmapped_codes import is_solved

BY_ITSELF = "hub"
"""Who activated a list that only adds."""
_l, _c = code_lists.c, unmapped_codes.c


class ListState(StrEnum):
    """How a fetched version of a list stands."""

    DRAFT = "draft"
    ACTIVE = "active"
    REPLACED = "replaced"
    """It counted until a newer one did, or never did since a newer draft came."""
    DISCARDED = "discarded"
    """A person put it aside."""


class CodeListError(HubError):
    """The act is not possible; `code` is a problem's: `code-list.not-draft`."""

    def __init__(self) -> None:
        super().__init__("It is no draft.")
        self.code = "code-list.not-draft"


@dataclass(frozen=True, slots=True)
class StoredList:
    """One version of a list; times in milliseconds."""

    id: int
    destination: str
    name: str
    """As the destination calls the list."""
    version: str
    """As the destination calls it."""
    sha256: str
    state: ListState
    code_table: str
    code_system: str
    name_system: str
    items: Sequence[tuple[str, str]]
    """Code and name."""
    counts: Mapping[str, int]
    """What it changed in the table when it came: added, renamed, ended."""
    fetched_at: int
    decided_at: int | None
    decided_by: str | None


@dataclass(frozen=True, slots=True)
class Target:
    """Which table a list is for, and which of its code systems."""

    code_table: str
    code_system: str
    name_system: str


def digest(items: Sequence[tuple[str, str]]) -> str:
    """The same for the same codes and names, in any order."""
    return hashlib.sha256(orjson.dumps(sorted(items))).hexdigest()


def newest(connection: Connection, destination: str, name: str) -> StoredList | None:
    """The version that was fetched last."""
    query = select(code_lists).where(_l.destination == destination, _l.name == name)
    row = connection.execute(query.order_by(_l.id.desc()).limit(1)).one_or_none()
    return None if row is None else _stored(row)


def add(
    connection: Connection,
    destination: str,
    name: str,
    target: Target,
    *,
    version: str,
    items: Sequence[tuple[str, str]],
    counts: Mapping[str, int],
    now: int,
) -> StoredList:
    """Keep a fetched version as a draft; an older draft of the list is replaced."""
    drafts = update(code_lists).where(_l.destination == destination, _l.name == name, _l.state == ListState.DRAFT)
    connection.execute(drafts.values(state=ListState.REPLACED))
    row = {
        "destination": destination, "name": name, "version": version, "sha256": digest(items),
        "state": ListState.DRAFT, "code_table": target.code_table, "code_system": target.code_system,
        "name_system": target.name_system, "items": pack(orjson.dumps([list(item) for item in items])),
        "counts": dict(counts), "fetched_at": now,
    }  # fmt: skip
    return _stored(connection.execute(insert(code_lists).values(row).returning(code_lists)).one())


def activate(
    connection: Connection, list_id: int, solved: Sequence[int], *, actor: str, reason: str, now: int
) -> StoredList | None:
    """Let a draft count, with the audit trail; None if there is none of this id.

    `solved` are the unmapped codes that the table knows with it: the records that wait for them are read again.

    Raises:
        CodeListError: it is no draft.
    """
    move(connection)
    found = _locked(connection, list_id)
    if found is None:
        return None
    if found.state is not ListState.DRAFT:
        raise CodeListError
    before = update(code_lists).where(
        _l.destination == found.destination, _l.name == found.name, _l.state == ListState.ACTIVE
    )
    connection.execute(before.values(state=ListState.REPLACED))
    _decide(connection, list_id, ListState.ACTIVE, actor, now)
    connection.execute(update(unmapped_codes).where(one_of(connection, _c.id, list(solved))).values(list_id=list_id))
    detail = {
        "list": list_id, "destination": found.destination, "name": found.name, "version": found.version,
        "changes": dict(found.counts), "solved": len(solved),
    }  # fmt: skip
    audit.write(connection, at=now, actor=actor, action="activate-code-list", reason=reason, detail=detail)
    return _locked(connection, list_id)


def discard(connection: Connection, list_id: int, *, actor: str, reason: str, now: int) -> StoredList | None:
    """Put a draft aside, with the audit trail; None if there is none of this id.

    Raises:
        CodeListError: it is no draft.
    """
    found = _locked(connection, list_id)
    if found is None:
        return None
    if found.state is not ListState.DRAFT:
        raise CodeListError
    _decide(connection, list_id, ListState.DISCARDED, actor, now)
    detail = {"list": list_id, "destination": found.destination, "name": found.name, "version": found.version}
    audit.write(connection, at=now, actor=actor, action="discard-code-list", reason=reason, detail=detail)
    return _locked(connection, list_id)


def active(connection: Connection) -> list[StoredList]:
    """Every list that counts, in the order in which they were activated."""
    query = select(code_lists).where(_l.state == ListState.ACTIVE).order_by(_l.decided_at, _l.id)
    return [_stored(row) for row in connection.execute(query)]


def find(connection: Connection, list_id: int) -> StoredList | None:
    """One version; None if there is none of this id."""
    row = connection.execute(select(code_lists).where(_l.id == list_id)).one_or_none()
    return None if row is None else _stored(row)


def listed(connection: Connection, *, before: int | None = None, limit: int = 100) -> list[StoredList]:
    """The newest first, at most `limit`."""
    query = select(code_lists).order_by(_l.id.desc()).limit(limit)
    return [_stored(row) for row in connection.execute(query if before is None else query.where(_l.id < before))]


def waiting_cards(connection: Connection, codes: Sequence[int]) -> int:
    """How many records wait for one of these unmapped codes."""
    w = waiting_codes.c
    cards = select(w.school_year, w.card_id, w.client_id).where(one_of(connection, w.code_id, list(codes))).distinct()
    return int(connection.execute(select(func.count()).select_from(cards.subquery())).scalar_one())


def held_for_values(connection: Connection, destination: str) -> int:
    """How many deliveries are held since a value of theirs could not be written for the destination."""
    d = deliveries.c
    held = (d.destination == destination, in_states(d.state, DeliveryState.HELD), d.code == "not-representable")
    return int(connection.execute(select(func.count()).select_from(deliveries).where(*held)).scalar_one())


def unsolved(connection: Connection, table: str) -> list[Any]:
    """The unmapped codes of a table that nothing says the meaning of."""
    query = select(unmapped_codes).where(_c.code_table == table, not_(is_solved()))
    return list(connection.execute(query.order_by(_c.id)))


def _decide(connection: Connection, list_id: int, state: ListState, actor: str, now: int) -> None:
    values = {"state": state, "decided_at": now, "decided_by": actor}
    connection.execute(update(code_lists).where(_l.id == list_id).values(values))


def _locked(connection: Connection, list_id: int) -> StoredList | None:
    row = connection.execute(select(code_lists).where(_l.id == list_id).with_for_update()).one_or_none()
    return None if row is None else _stored(row)


def _stored(row: Row[Any]) -> StoredList:
    found = {name: getattr(row, name) for name in StoredList.__slots__ if name not in {"items", "state"}}
    items = [(code, name) for code, name in orjson.loads(unpack(row.items))]
    return StoredList(**found, items=items, state=ListState(row.state))
