"""Transfers: who may correct a card whose pupil has gone to another school, as a person decided it.

Only the issuing school may correct a card; on transfer that right passes to the new school (QĐ 295/QĐ-SGDĐT, Art 4).
The card goes on to name the school that issued it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, update

from hocba_hub.model.errors import HubError
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.store import audit
from hocba_hub.store.bulk import insert_rows
from hocba_hub.store.decide import cards_of
from hocba_hub.store.engine import one_of
from hocba_hub.store.tables import report_cards, transfers

_r, _t = report_cards.c, transfers.c


class TransferError(HubError):
    """The decision is not possible; `code` is a problem's: `transfer.unknown-card`."""

    def __init__(self, code: str, cards: Sequence[str]) -> None:
        super().__init__(", ".join(cards))
        self.code = code
        self.cards = cards


@dataclass(frozen=True, slots=True)
class Transfer:
    """One decision; the time in milliseconds."""

    id: int
    school_year: str
    card_id: str
    from_school: str
    """That could correct the card before."""
    to_school: str
    decided_at: int
    decided_by: str
    reason: str


def transfer(
    connection: Connection,
    keys: Sequence[CardKey],
    to_school: str,
    *,
    all_of_pupil: bool = False,
    actor: str,
    reason: str,
    now: int,
) -> list[Transfer]:
    """Give a school the right to correct cards, with the audit trail; those that it has already are left out.

    With `all_of_pupil` it gets every card of the same pupils.

    Raises:
        TransferError: there is no such card.
    """
    wanted = sorted(set(keys))
    found = cards_of(connection, wanted, lock=True)
    if missing := [key.record_id() for key in wanted if key not in found]:
        raise TransferError("transfer.unknown-card", missing)
    if all_of_pupil:
        pupils = sorted({card.compared.pupil for card in found.values()})
        of_pupils = select(_r.school_year, _r.card_id).where(one_of(connection, _r.pupil, pupils))
        more = {CardKey(SchoolYear(year), CardId(card)) for year, card in connection.execute(of_pupils)}
        found = cards_of(connection, sorted(more), lock=True)
    rows = [
        {
            "school_year": key.school_year, "card_id": key.card_id, "from_school": card.manager,
            "to_school": to_school, "decided_at": now, "decided_by": actor, "reason": reason,
        }
        for key, card in sorted(found.items())
        if card.manager != to_school
    ]  # fmt: skip
    for row in rows:
        mine = (_r.school_year == row["school_year"], _r.card_id == row["card_id"])
        connection.execute(update(report_cards).where(*mine).values(managed_by=to_school))
    insert_rows(connection, transfers, rows)
    moved = [{"card": f"{row['school_year']}/{row['card_id']}", "from": row["from_school"]} for row in rows]
    detail = {"to": to_school, "cards": moved}
    audit.write(connection, at=now, actor=actor, action="transfer-cards", reason=reason, detail=detail)
    return listed(connection, limit=len(rows)) if rows else []


def listed(
    connection: Connection,
    *,
    school: str | None = None,
    key: CardKey | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Transfer]:
    """The newest first, at most `limit`; of cards that came to or left a school, or of one card."""
    query = select(transfers).order_by(_t.id.desc()).limit(limit)
    if school is not None:
        query = query.where((_t.to_school == school) | (_t.from_school == school))
    if key is not None:
        query = query.where(_t.school_year == key.school_year, _t.card_id == key.card_id)
    if before is not None:
        query = query.where(_t.id < before)
    return [_transfer(row) for row in connection.execute(query)]


def _transfer(row: Row[Any]) -> Transfer:
    return Transfer(**{name: getattr(row, name) for name in Transfer.__slots__})
