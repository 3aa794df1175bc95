"""What unmapped codes mean, as people said: each fill with its source, audited, and taken back without a trace left."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, insert, select, update

from hocba_hub.model.codes import CodeFill
from hocba_hub.model.masking import shown_value
from hocba_hub.store import audit
from hocba_hub.store.mappings import ConfigurationError
from hocba_hub.store.revision import move
from hocba_hub.store.tables import code_fills, unmapped_codes

_f, _c = code_fills.c, unmapped_codes.c


@dataclass(frozen=True, slots=True)
class StoredFill:
    """A fill in force."""

    id: int
    fill: CodeFill
    source: str
    """Where it comes from."""
    filled_at: int
    filled_by: str


def fill(connection: Connection, code_fill: CodeFill, *, source: str, actor: str, now: int) -> StoredFill:
    """Say what a value means; the entry of the work list, if there is one, is done with. `now` in milliseconds.

    Raises:
        ConfigurationError: `code.filled`, somebody said it already.
    """
    move(connection)
    row = {**_place(code_fill), "result_system": code_fill.result_system, "result": code_fill.result}
    known = select(_f.id).where(
        *(_f[name] == value for name, value in _place(code_fill).items()), _f.ended_at.is_(None)
    )
    if connection.execute(known).first() is not None:
        raise ConfigurationError("code.filled", "Somebody has said already what this value means.")
    row |= {
        "is_new": code_fill.is_new,
        "valid_from": _text(code_fill.valid_from),
        "valid_to": _text(code_fill.valid_to),
    }
    statement = insert(code_fills).values(**row, source=source, filled_at=now, filled_by=actor).returning(_f.id)
    made = int(connection.execute(statement).scalar_one())
    here = (_c[name] == value for name, value in _place(code_fill).items())
    connection.execute(update(unmapped_codes).where(*here).values(fill_id=made))
    audit.write(
        connection,
        at=now,
        actor=actor,
        action="code.fill",
        reason=source,
        detail={"fill": made, **row, "value": shown_value(code_fill.value)},
    )
    return StoredFill(made, code_fill, source, now, actor)


def take_back(connection: Connection, fill_id: int, *, actor: str, reason: str, now: int) -> StoredFill:
    """End a fill: the value is unknown again. Cards that were accepted with it stay as they are.

    Raises:
        ConfigurationError: `not-found`, there is none of this number in force.
    """
    move(connection)
    found = next((one for one in fills(connection) if one.id == fill_id), None)
    if found is None:
        raise ConfigurationError("not-found", f"There is no fill {fill_id} in force.")
    connection.execute(update(code_fills).where(_f.id == fill_id).values(ended_at=now, ended_by=actor))
    connection.execute(update(unmapped_codes).where(_c.fill_id == fill_id).values(fill_id=None))
    detail = {"fill": fill_id, **_place(found.fill), "value": shown_value(found.fill.value)}
    audit.write(connection, at=now, actor=actor, action="code.take-back", reason=reason, detail=detail)
    return found


def fills(connection: Connection, table: str | None = None) -> list[StoredFill]:
    """Every fill in force, or those of one table, the oldest first."""
    query = select(code_fills).where(_f.ended_at.is_(None)).order_by(_f.id)
    if table is not None:
        query = query.where(_f.code_table == table)
    return [
        StoredFill(
            row.id,
            CodeFill(
                row.code_table,
                row.system,
                row.value,
                row.result_system,
                row.result,
                json.loads(row.conditions),
                row.is_new,
                _day(row.valid_from),
                _day(row.valid_to),
            ),
            row.source,
            row.filled_at,
            row.filled_by,
        )
        for row in connection.execute(query)
    ]


def _place(code_fill: CodeFill) -> dict[str, Any]:
    conditions = json.dumps(dict(code_fill.where), ensure_ascii=False, sort_keys=True)
    return {
        "code_table": code_fill.table,
        "system": code_fill.system,
        "conditions": conditions,
        "value": code_fill.value,
    }


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
