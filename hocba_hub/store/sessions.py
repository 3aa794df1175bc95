"""Who is signed in to the web pages: passwords of operators, the lock after wrong ones, and open sessions.

Of a session's token only its SHA-256 is kept. A token is replaced while the session goes on; the one before it counts
for a moment longer, for the pages that were under way.
"""

from __future__ import annotations

import hashlib
import secrets
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, or_, select, update

from hocba_hub.store.access import (
    AccessError,
    Client,
    Operator,
    Owner,
    client_in_force,
    key_in_force,
    operator_in_force,
)
from hocba_hub.store.bulk import upsert
from hocba_hub.store.tables import operators, passwords, sessions

FAILURES_TO_LOCK = 5
LOCK_MS = 15 * 60_000
"""How long a password is locked after so many wrong ones, and after each further one."""
_ROTATE_MS = 15 * 60_000
_FORMER_MS = 60_000
_NOTE_SEEN_MS = 30_000
_p, _s, _o = passwords.c, sessions.c, operators.c


class Password(NamedTuple):
    """What is kept of an operator's password and second factor."""

    operator_id: int
    hash: str
    must_change: bool
    totp_secret: str | None


class PasswordState(NamedTuple):
    """How an operator's password stands, for a list."""

    set_at: int
    must_change: bool
    locked_until: int
    has_second_factor: bool


class LockedError(AccessError):
    """Too many wrong passwords: none is looked at for a while."""

    def __init__(self, until: int) -> None:
        """Locked `until` a moment, in milliseconds."""
        super().__init__("locked", "Too many wrong passwords.")
        self.until = until


class Way(StrEnum):
    """How the owner of a session signed in."""

    PASSWORD = "password"  # noqa: S105 - a name
    KEY = "key"
    """A client's, to its own page."""
    OIDC = "oidc"
    """At an identity provider (OpenID Connect)."""


class Session(NamedTuple):
    """An open session."""

    id: int
    owner: Operator | Client
    way: Way
    csrf: str
    must_change: bool
    """Whether the operator has to choose a password before anything else."""
    is_to_be_noted: bool
    """Whether it is time to note that it is used: who clicks about does not write at each click."""


def set_password(connection: Connection, name: str, kept: str, *, must_change: bool, now: int) -> int:
    """Give an operator a password, of which `kept` is the hash; its id. Its sessions end, a lock ends.

    Raises:
        AccessError: there is no such operator in force.
    """
    query = select(_o.id).where(_o.name == name, _o.revoked_at.is_(None)).with_for_update()
    operator_id = connection.execute(query).scalar_one_or_none()
    if operator_id is None:
        raise AccessError("no-owner", f"There is no operator {name} in force.")
    row = {"hash": kept, "set_at": now, "must_change": must_change, "failures": 0, "locked_until": 0}
    made = upsert(connection, passwords).values(operator_id=operator_id, totp_step=0, **row)
    connection.execute(made.on_conflict_do_update(index_elements=[_p.operator_id], set_=row))
    end_sessions(connection, operator_id)
    return int(operator_id)


def set_second_factor(connection: Connection, operator_id: int, secret: str | None) -> None:
    """Ask an operator for the codes of this secret from now on; None: for none."""
    connection.execute(update(passwords).where(_p.operator_id == operator_id).values(totp_secret=secret, totp_step=0))


def begin_try(connection: Connection, name: str, now: int) -> Password | None:
    """Count a try to sign in before it is looked at; what it is to be compared with, None if the name has no password.

    Counted first, so that many tries at once are no more tries than the lock allows.

    Raises:
        LockedError: no password is looked at now.
    """
    query = (
        select(passwords).join_from(passwords, operators, _o.id == _p.operator_id)
        .where(_o.name == name, _o.revoked_at.is_(None)).with_for_update(of=passwords)
    )  # fmt: skip
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if row.locked_until > now:
        raise LockedError(row.locked_until)
    failures = row.failures + 1
    locked = now + LOCK_MS if failures >= FAILURES_TO_LOCK else 0
    connection.execute(
        update(passwords).where(_p.operator_id == row.operator_id).values(failures=failures, locked_until=locked)
    )
    return Password(row.operator_id, row.hash, row.must_change, row.totp_secret)


def note_right(connection: Connection, operator_id: int, step: int | None) -> bool:
    """Forget the wrong tries; whether the code of this step (None: no code) was not used before."""
    fits = _p.operator_id == operator_id
    if step is None:
        connection.execute(update(passwords).where(fits).values(failures=0, locked_until=0))
        return True
    used = update(passwords).where(fits, _p.totp_step < step).values(failures=0, locked_until=0, totp_step=step)
    return bool(connection.execute(used).rowcount)


def password_of(connection: Connection, operator_id: int) -> Password | None:
    """What is kept of an operator's password; None if it has none."""
    row = connection.execute(select(passwords).where(_p.operator_id == operator_id)).one_or_none()
    return None if row is None else Password(row.operator_id, row.hash, row.must_change, row.totp_secret)


def password_states(connection: Connection) -> dict[str, PasswordState]:
    """How the passwords of all operators that have one stand, by name."""
    query = select(passwords, _o.name).join_from(passwords, operators, _o.id == _p.operator_id)
    return {
        row.name: PasswordState(row.set_at, row.must_change, row.locked_until, row.totp_secret is not None)
        for row in connection.execute(query)
    }


def open_session(  # noqa: PLR0917 - what a session is
    connection: Connection, owner: Owner, owner_id: int, way: Way, now: int, key_id: str | None = None
) -> str:
    """Open a session; its token, which nobody can tell later. One that a key opened ends with the key."""
    token = secrets.token_urlsafe(32)
    row = {
        "token_sha256": _digest(token), "owner_kind": owner, "owner_id": owner_id, "way": way, "key_id": key_id,
        "csrf": secrets.token_urlsafe(24), "opened_at": now, "rotated_at": now, "seen_at": now,
    }  # fmt: skip
    connection.execute(insert(sessions).values(**row))
    return token


def session_of(connection: Connection, token: str, now: int, *, idle_ms: int, most_ms: int) -> Session | None:
    """The session that a token stands for; None if there is none, it rested too long, or it lasts too long."""
    digest = _digest(token)
    is_former = (_s.former_sha256 == digest) & (_s.rotated_at > now - _FORMER_MS)
    row = connection.execute(select(sessions).where(or_(_s.token_sha256 == digest, is_former))).one_or_none()
    if row is None or row.seen_at <= now - idle_ms or row.opened_at <= now - most_ms:
        return None
    if row.key_id is not None and not key_in_force(connection, row.key_id, now):
        return None
    is_due = row.seen_at <= now - _NOTE_SEEN_MS
    if row.owner_kind == Owner.CLIENT:
        client = client_in_force(connection, row.owner_id)
        return None if client is None else Session(row.id, client, Way(row.way), row.csrf, False, is_due)  # noqa: FBT003
    operator = operator_in_force(connection, row.owner_id)
    if operator is None:
        return None
    kept = password_of(connection, operator.id) if row.way == Way.PASSWORD else None
    return Session(row.id, operator, Way(row.way), row.csrf, kept is not None and kept.must_change, is_due)


def note_seen(connection: Connection, session_id: int, token: str, now: int) -> str | None:
    """Note that a session is used; the token that replaces its own from now on, if it is time for one."""
    row = connection.execute(select(sessions).where(_s.id == session_id)).one_or_none()
    if row is None:
        return None
    fresh = secrets.token_urlsafe(32) if row.rotated_at <= now - _ROTATE_MS else None
    mine = update(sessions).where(_s.id == session_id, _s.token_sha256 == _digest(token))
    if fresh is None:
        connection.execute(mine.values(seen_at=now))
        return None
    rotated = {"seen_at": now, "token_sha256": _digest(fresh), "former_sha256": _digest(token), "rotated_at": now}
    return fresh if connection.execute(mine.values(**rotated)).rowcount else None


def end_session(connection: Connection, session_id: int) -> None:
    """End a session."""
    connection.execute(delete(sessions).where(_s.id == session_id))


def end_sessions(connection: Connection, operator_id: int) -> None:
    """End every session of an operator."""
    connection.execute(delete(sessions).where(_s.owner_kind == Owner.OPERATOR, _s.owner_id == operator_id))


def forget(connection: Connection, *, before: int) -> int:
    """Forget sessions that were opened before a moment; how many."""
    return int(connection.execute(delete(sessions).where(_s.opened_at < before)).rowcount)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
