"""Locks (chốt dữ liệu): the cards of a school, grade and school year that nobody changes any more.

A lock ends when two different people say so: the first asks, the second does it. Source: QĐ 295/QĐ-SGDĐT (Kiên Giang).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, insert, select, text, update

from hocba_hub.model.errors import HubError
from hocba_hub.store import audit
from hocba_hub.store.engine import one_of
from hocba_hub.store.tables import data_locks

ALL_SCHOOLS = "*"
ALL_GRADES = 0
_l = data_locks.c


class Scope(NamedTuple):
    """What is locked: one school or all, in one school year, one grade or all."""

    school: str
    school_year: str
    grade: int


class LockError(HubError):
    """The act is not possible; `code` is a problem's: `lock.there`, `lock.over`, `lock.same-person`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock; times in milliseconds."""

    id: int
    school_code: str
    """`*` for all."""
    school_year: str
    grade: int
    """0 for all."""
    locked_at: int
    locked_by: str
    reason: str
    unlock_asked_at: int | None
    unlock_asked_by: str | None
    unlock_reason: str | None
    unlocked_at: int | None
    unlocked_by: str | None


class Locked:
    """The locks in force of some schools: whether a card may be changed."""

    def __init__(self, since: Mapping[Scope, int]) -> None:
        self._since = since
        """Scope -> when it was locked."""

    def since(self, school: str, school_year: str, grade: int) -> int | None:
        """When the data that a card is of were locked (milliseconds); None if they are not."""
        if not self._since:
            return None
        scopes = (Scope(s, school_year, g) for s in (school, ALL_SCHOOLS) for g in (grade, ALL_GRADES))
        return min((self._since[scope] for scope in scopes if scope in self._since), default=None)


NOTHING_LOCKED = Locked({})


def locked(connection: Connection, schools: Iterable[str]) -> Locked:
    """The locks in force that are about some of these schools.

    Asked for after the cards were locked in the same transaction: whoever locks data waits for that.
    """
    about = one_of(connection, _l.school_code, sorted({*schools, ALL_SCHOOLS}))
    query = select(_l.school_code, _l.school_year, _l.grade, _l.locked_at).where(about, _l.unlocked_at.is_(None))
    found = {Scope(row.school_code, row.school_year, row.grade): row.locked_at for row in connection.execute(query)}
    return Locked(found) if found else NOTHING_LOCKED


def lock(connection: Connection, scope: Scope, *, actor: str, reason: str, now: int) -> Lock:
    """Lock data, with the audit trail; whatever is being accepted now comes before it.

    Raises:
        LockError: `lock.there`, the same is locked already.
    """
    if connection.dialect.name == "postgresql":  # SQLite has one writer
        connection.execute(text("LOCK TABLE report_cards IN EXCLUSIVE MODE"))
    same = (_l.school_code == scope.school, _l.school_year == scope.school_year, _l.grade == scope.grade)
    if connection.execute(select(_l.id).where(*same, _l.unlocked_at.is_(None))).scalar() is not None:
        raise LockError("lock.there")
    values = {
        "school_code": scope.school, "school_year": scope.school_year, "grade": scope.grade, "locked_at": now,
        "locked_by": actor, "reason": reason,
    }  # fmt: skip
    made = _lock(connection.execute(insert(data_locks).values(values).returning(data_locks)).one())
    detail = {"lock": made.id, **scope._asdict()}
    audit.write(connection, at=now, actor=actor, action="lock-data", reason=reason, detail=detail)
    return made


def unlock(connection: Connection, lock_id: int, *, actor: str, reason: str, now: int) -> Lock | None:
    """Ask for a lock to end, or, if another person has asked, end it; None if there is none of this id.

    Raises:
        LockError: `lock.over`, it has ended; `lock.same-person`, the one who asked cannot do it, too.
    """
    found = find(connection, lock_id)
    if found is None:
        return None
    if found.unlocked_at is not None:
        raise LockError("lock.over")
    if found.unlock_asked_by is None:
        action = "ask-to-unlock-data"
        values: dict[str, Any] = {"unlock_asked_at": now, "unlock_asked_by": actor, "unlock_reason": reason}
    elif found.unlock_asked_by == actor:
        raise LockError("lock.same-person")
    else:
        action, values = "unlock-data", {"unlocked_at": now, "unlocked_by": actor}
    connection.execute(update(data_locks).where(_l.id == lock_id).values(values))
    detail = {"lock": lock_id, "school": found.school_code, "school_year": found.school_year, "grade": found.grade}
    audit.write(connection, at=now, actor=actor, action=action, reason=reason, detail=detail)
    return find(connection, lock_id)


def find(connection: Connection, lock_id: int) -> Lock | None:
    """A lock, in force or not, which nobody else changes until the transaction ends; None if there is none."""
    row = connection.execute(select(data_locks).where(_l.id == lock_id).with_for_update()).one_or_none()
    return None if row is None else _lock(row)


def listed(
    connection: Connection,
    *,
    school: str | None = None,
    school_year: str | None = None,
    ended: bool = False,
    before: int | None = None,
    limit: int = 100,
) -> list[Lock]:
    """Locks in force, with `ended` those that ended too; the newest first. Of one school: those that are about it."""
    query = select(data_locks).order_by(_l.id.desc()).limit(limit)
    if not ended:
        query = query.where(_l.unlocked_at.is_(None))
    if school is not None:
        query = query.where(_l.school_code.in_([school, ALL_SCHOOLS]))
    if school_year is not None:
        query = query.where(_l.school_year == school_year)
    if before is not None:
        query = query.where(_l.id < before)
    return [_lock(row) for row in connection.execute(query)]


def _lock(row: Row[Any]) -> Lock:
    return Lock(**{name: getattr(row, name) for name in Lock.__slots__})
