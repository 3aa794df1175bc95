"""Edits of cards: what was proposed, by whom, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Row, insert, select, update

from hocba_hub.model.editing import Change, EditError, EditState
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.store import audit
from hocba_hub.store.bodies import pack, unpack
from hocba_hub.store.engine import in_states
from hocba_hub.store.tables import edits

_e = edits.c


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit; times in milliseconds."""

    id: int
    key: CardKey
    base_version: int
    """That is changed."""
    made_version: int | None
    """That came of it."""
    changes: Sequence[Change]
    canonical: bytes
    """The card as it is to be."""
    state: EditState
    asked_at: int
    asked_by: str
    reason: str
    decided_at: int | None
    decided_by: str | None


def propose(
    connection: Connection,
    key: CardKey,
    base_version: int,
    canonical: bytes,
    changes: Sequence[Change],
    *,
    actor: str,
    reason: str,
    now: int,
) -> Edit:
    """Keep what is proposed, with the audit trail; the caller has locked the card.

    Raises:
        EditError: `edit.open`, another edit of the card waits to be decided.
    """
    waiting = select(_e.id, _e.asked_by).where(
        _e.school_year == key.school_year, _e.card_id == key.card_id, in_states(_e.state, EditState.PROPOSED)
    )
    other = connection.execute(waiting).one_or_none()
    if other is not None:
        raise EditError("edit.open", edit=other.id, by=other.asked_by)
    values = {
        "school_year": key.school_year, "card_id": key.card_id, "base_version": base_version,
        "changes": pack(orjson.dumps(list(map(list, changes)))), "canonical": pack(canonical),
        "state": EditState.PROPOSED, "asked_at": now, "asked_by": actor, "reason": reason,
    }  # fmt: skip
    made = _edit(connection.execute(insert(edits).values(values).returning(edits)).one())
    _note(connection, made, "propose-edit", actor, reason, now)
    return made


def decided(  # noqa: PLR0917 - what was decided
    connection: Connection, edit: Edit, state: EditState, made_version: int | None, actor: str, reason: str, now: int
) -> Edit:
    """Note what came of an edit that is proposed, with the whole difference in the audit trail.

    Raises:
        EditError: `edit.decided`, somebody else has decided it meanwhile.
    """
    values = {"state": state, "made_version": made_version, "decided_at": now, "decided_by": actor}
    mine = update(edits).where(_e.id == edit.id, _e.state == EditState.PROPOSED)
    row = connection.execute(mine.values(values).returning(edits)).one_or_none()
    if row is None:
        raise EditError("edit.decided")
    made = _edit(row)
    action = {EditState.MADE: "approve-edit", EditState.REJECTED: "reject-edit", EditState.STALE: "edit-is-stale"}
    _note(connection, made, action[state], actor, reason, now)
    return made


def _note(connection: Connection, edit: Edit, action: str, actor: str, reason: str, now: int) -> None:  # noqa: PLR0917
    detail = {
        "edit": edit.id, "card": edit.key.record_id(), "base_version": edit.base_version,
        "made_version": edit.made_version, "changes": [one._asdict() for one in edit.changes],
    }  # fmt: skip
    audit.write(connection, at=now, actor=actor, action=action, reason=reason, detail=detail)


def find(connection: Connection, edit_id: int) -> Edit | None:
    """An edit; None if there is none of this id."""
    row = connection.execute(select(edits).where(_e.id == edit_id)).one_or_none()
    return None if row is None else _edit(row)


def listed(
    connection: Connection, *, open_only: bool = False, before: int | None = None, limit: int = 100
) -> list[Edit]:
    """The newest first; `before` is the id of the last one seen."""
    query = select(edits).order_by(_e.id.desc()).limit(limit)
    if open_only:
        query = query.where(in_states(_e.state, EditState.PROPOSED))
    if before is not None:
        query = query.where(_e.id < before)
    return [_edit(row) for row in connection.execute(query)]


def _edit(row: Row[Any]) -> Edit:
    return Edit(
        row.id, CardKey(SchoolYear(row.school_year), CardId(row.card_id)), row.base_version, row.made_version,
        [Change(*one) for one in orjson.loads(unpack(row.changes))], unpack(row.canonical), EditState(row.state),
        row.asked_at, row.asked_by, row.reason, row.decided_at, row.decided_by,
    )  # fmt: skip
