"""Idempotency keys: the first call with a key is run, whoever asks again gets its stored answer.

Semantics of draft-ietf-httpapi-idempotency-key-header-07, within one client and one route. The caller begins, runs,
and then finishes with the answer, each in a transaction of its own: a call that dies between them leaves its claim,
and may be taken over when that is over. The natural key of the cards makes the second run harmless; and where the first
call was not dead but stood still, it is accepted no more (`require`).

    match begin(connection, client_id, route, key, now, hold_ms):
        case Fresh():   run the call, then `finish`; `forget` if it had no answer worth keeping
        case Running(): 409, the first call is still under way
        case Stored():  422 if `body_sha256` is another, else the stored answer
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, delete, select, update

from hocba_hub.store.bodies import pack, unpack
from hocba_hub.store.bulk import upsert
from hocba_hub.store.counters import Counters
from hocba_hub.store.engine import StoreError, one_of
from hocba_hub.store.tables import idempotency_keys


class ClaimLostError(StoreError):
    """Another call has taken over the key, since this one was not heard of for too long."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A key of a client on a route, held by one call."""

    client_id: int
    route: str
    key: str
    owner: str
    """Random: who takes over the key has another one."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """The key is new, or its first call died: run the call."""

    claim: Claim


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
    connection: Connection, client_id: int, route: str, key: str, now: int, hold_ms: int
) -> Begun:
    """Claim a key for `hold_ms` from `now` (both milliseconds), or say why not; counts the answers given again."""
    table = idempotency_keys
    claim = Claim(client_id, route, key, uuid4().hex)
    held = {"owner": claim.owner, "started_at": now, "locked_until": now + hold_ms}
    while True:
        statement = upsert(connection, table).values(client_id=client_id, route=route, key=key, **held)
        claimed = connection.execute(statement.on_conflict_do_nothing().returning(table.c.key)).one_or_none()
        if claimed is not None:
            return Fresh(claim)
        row = connection.execute(select(table).where(*_row(claim)).with_for_update()).one_or_none()
        if row is None:
            continue  # forgotten or purged between the two statements
        if row.status is not None:
            counters = Counters()
            counters.add("replays")
            counters.write(connection)
            return Stored(row.body_sha256, row.status, unpack(row.answer))
        if row.locked_until > now:
            return Running()
        connection.execute(update(table).where(*_row(claim)).values(held))
        return Fresh(claim)


def require(connection: Connection, claims: Sequence[Claim]) -> None:
    """See to it that each of these calls still holds its key.

    To be asked once the cards are locked that a call changes: who takes over the key later finds them as this call
    left them.

    Raises:
        ClaimLostError: one of them does not.
    """
    if not claims:
        return
    c = idempotency_keys.c
    found = select(c.owner).where(
        one_of(connection, c.client_id, sorted({claim.client_id for claim in claims})),
        one_of(connection, c.route, sorted({claim.route for claim in claims})),
        one_of(connection, c.key, sorted({claim.key for claim in claims})),
    )
    if {claim.owner for claim in claims} - set(connection.execute(found).scalars()):
        raise ClaimLostError("Another call has taken over the idempotency key.")


def finish(connection: Connection, claim: Claim, *, body_sha256: str, status: int, answer: bytes) -> None:
    """Store the answer of a call, unless another one has taken over the key: then that one's answer stays."""
    statement = update(idempotency_keys).where(*_held(claim))
    connection.execute(statement.values(body_sha256=body_sha256, status=status, answer=pack(answer)))


def renew(connection: Connection, claim: Claim, *, until: int) -> None:
    """The call goes on: nobody takes over its key before a moment (milliseconds), unless somebody has already."""
    connection.execute(update(idempotency_keys).where(*_held(claim)).values(locked_until=until))


def forget(connection: Connection, claim: Claim) -> None:
    """Let the key be new again: the call had no answer worth keeping."""
    connection.execute(delete(idempotency_keys).where(*_held(claim)))


def purge(connection: Connection, *, before: int) -> int:
    """Forget the keys whose first call began before `before` (milliseconds); how many there were."""
    return connection.execute(delete(idempotency_keys).where(idempotency_keys.c.started_at < before)).rowcount


def _row(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    c = idempotency_keys.c
    return (c.client_id == claim.client_id, c.route == claim.route, c.key == claim.key)


def _held(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    c = idempotency_keys.c
    return (*_row(claim), c.owner == claim.owner, c.status.is_(None))
