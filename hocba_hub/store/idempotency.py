"""Idempotency keys: the first call with a key is run, whoever asks again gets its stored answer.

Semantics of draft-ietf-httpapi-idempotency-key-header-07, within one client and one route. The caller begins, runs,
and then finishes with the answer, each in a transaction of its own: a call that dies between them leaves its lock,
and may be taken over when that is over. The natural key of the cards makes the second run harmless.

    match begin(connection, client_id, route, key, now, lock_ms):
        case Fresh():   run the call, then `finish`; `forget` if it had no answer worth keeping
        case Running(): 409, the first call is still under way
        case Stored():  422 if `body_sha256` is another, else the stored answer
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, select, update

from hocba_hub.store.bodies import pack, unpack
from hocba_hub.store.bulk import upsert
from hocba_hub.store.counters import Counters
from hocba_hub.store.tables import idempotency_keys


@dataclass(frozen=True, slots=True)
class Fresh:
    """The key is new, or its first call died: run the call."""


@dataclass(frozen=True, slots=True)
class Running:
    """The first call with this key is under way."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The first call's answer."""

    body_sha256: str
    status: int
    answer: bytes


Begun = Fresh | Running | Stored


def begin(  # noqa: PLR0917 - the row's own key, then two times
    connection: Connection, client_id: int, route: str, key: str, now: int, lock_ms: int
) -> Begun:
    """Claim a key for `lock_ms` from `now` (both milliseconds), or say why not; counts the answers given again."""
    table, mine = idempotency_keys, _row(client_id, route, key)
    claim = {"started_at": now, "locked_until": now + lock_ms}
    while True:
        statement = upsert(connection, table).values(client_id=client_id, route=route, key=key, **claim)
        claimed = connection.execute(statement.on_conflict_do_nothing().returning(table.c.key)).one_or_none()
        if claimed is not None:
            return Fresh()
        row = connection.execute(select(table).where(*mine).with_for_update()).one_or_none()
        if row is None:
            continue  # forgotten or purged between the two statements
        if row.status is not None:
            counters = Counters()
            counters.add("replays")
            counters.write(connection)
            return Stored(row.body_sha256, row.status, unpack(row.answer))
        if row.locked_until > now:
            return Running()
        connection.execute(update(table).where(*mine).values(claim))
        return Fresh()


def finish(
    connection: Connection, client_id: int, route: str, key: str, *, body_sha256: str, status: int, answer: bytes
) -> None:
    """Store the answer of a call; of two calls with the key, the second having taken over, the first answer stays."""
    statement = update(idempotency_keys).where(*_row(client_id, route, key), idempotency_keys.c.status.is_(None))
    connection.execute(statement.values(body_sha256=body_sha256, status=status, answer=pack(answer)))


def renew(connection: Connection, client_id: int, route: str, key: str, *, until: int) -> None:
    """The first call with this key goes on: nobody takes it over before a moment (milliseconds)."""
    statement = update(idempotency_keys).where(*_row(client_id, route, key), idempotency_keys.c.status.is_(None))
    connection.execute(statement.values(locked_until=until))


def forget(connection: Connection, client_id: int, route: str, key: str) -> None:
    """Let the key be new again: the call had no answer worth keeping."""
    connection.execute(
        delete(idempotency_keys).where(*_row(client_id, route, key), idempotency_keys.c.status.is_(None))
    )


def purge(connection: Connection, *, before: int) -> int:
    """Forget the keys whose first call began before `before` (milliseconds); how many there were."""
    return connection.execute(delete(idempotency_keys).where(idempotency_keys.c.started_at < before)).rowcount


def _row(client_id: int, route: str, key: str) -> tuple[ColumnElement[bool], ...]:
    c = idempotency_keys.c
    return (c.client_id == client_id, c.route == route, c.key == key)
