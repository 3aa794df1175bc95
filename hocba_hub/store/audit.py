"""The audit trail: what people did, with their reason. Rows are added, never removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from hocba_hub.store.tables import audit


@dataclass(frozen=True, slots=True)
class Entry:
    """One act of a person."""

    id: int
    at: int
    actor: str
    """`operator:<name>` over the API, `os:<name>` on the command line."""
    action: str
    reason: str
    detail: Mapping[str, Any]


def write(connection: Connection, *, at: int, actor: str, action: str, reason: str, detail: Mapping[str, Any]) -> int:
    """Write one row in the transaction of the act itself; its id. `at` in milliseconds."""
    statement = insert(audit).values(at=at, actor=actor, action=action, reason=reason, detail=dict(detail))
    return int(connection.execute(statement.returning(audit.c.id)).scalar_one())


def extend(connection: Connection, entry_id: int, detail: Mapping[str, Any]) -> None:
    """Bring the detail of an act of several transactions up to date, in each of them."""
    connection.execute(update(audit).where(audit.c.id == entry_id).values(detail=dict(detail)))


def entries(connection: Connection, *, before: int | None = None, limit: int = 100) -> list[Entry]:
    """The newest rows first, at most `limit`; `before` is the id of the last one seen."""
    query = select(audit).order_by(audit.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.id < before)
    return [Entry(row.id, row.at, row.actor, row.action, row.reason, row.detail) for row in connection.execute(query)]
