"""The audit trail: what people did, decided and looked at, with their reason. Rows are added, never changed or removed.

The rows are one chain (`model/audit_chain.py`), in the order of their commits. A row is written in the transaction of
what it tells, at its very end: so the lock on the chain's end, for which all who write to it wait, is held for the
commit alone. The user of the processes needs to insert and select here, nothing else (`store/grants.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, func, select, text

from hocba_hub.model.audit_chain import FIRST, Anchor, Fault, link
from hocba_hub.model.keys import CardKey
from hocba_hub.store.bulk import insert_rows
from hocba_hub.store.engine import at_the_end
from hocba_hub.store.tables import audit, audit_cards

_CHAIN_LOCK = 0x617564697400
"""Number of the advisory lock on the chain's end: "audit" in ASCII."""
_PAGE = 1_000
_c = audit.c


@dataclass(frozen=True, slots=True)
class Entry:
    """One act, decision or look."""

    id: int
    at: int
    actor: str
    """`operator:<name>` over the API, `os:<name>` on the command line, `hub` of what it does by itself."""
    action: str
    reason: str
    detail: Mapping[str, Any]


def write(
    connection: Connection,
    *,
    at: int,
    actor: str,
    action: str,
    reason: str,
    detail: Mapping[str, Any],
    cards: Iterable[CardKey] = (),
) -> int:
    """Write one row in the transaction of the act itself, when that commits; its id. `at` in milliseconds.

    `cards` are those in whose story it is told: of acts that are not told there by rows of their own.
    """
    rows = at_the_end(connection, _chain)
    row = {
        "id": _next_id(connection, len(rows)), "at": at, "actor": actor, "action": str(action), "reason": reason,
        "detail": orjson.loads(orjson.dumps(dict(detail), option=orjson.OPT_NON_STR_KEYS)),
    }  # fmt: skip
    rows.append(row)
    about = [{"school_year": year, "card_id": card_id, "audit_id": row["id"]} for year, card_id in sorted(set(cards))]
    if about:
        insert_rows(connection, audit_cards, about)
    return int(row["id"])


def _next_id(connection: Connection, waiting: int) -> int:
    if connection.dialect.name == "postgresql":
        return int(connection.execute(text("SELECT nextval(pg_get_serial_sequence('audit', 'id'))")).scalar_one())
    return int(connection.execute(select(func.coalesce(func.max(_c.id), 0))).scalar_one()) + 1 + waiting


def _chain(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Put rows behind the end of the chain, which nobody else moves until this transaction is over."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_CHAIN_LOCK})"))
    end = newest(connection)
    seq, before = (0, FIRST) if end is None else (end.seq, end.hash)
    made = []
    for row in rows:
        seq += 1
        before = link(before, seq, row)
        made.append({**row, "seq": seq, "hash": before})
    connection.execute(audit.insert(), made)


def newest(connection: Connection) -> Anchor | None:
    """The end of the chain; None if it has not begun."""
    query = select(_c.seq, _c.hash, _c.at).where(_c.seq.is_not(None)).order_by(_c.seq.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else Anchor(row.seq, bytes(row.hash), row.at)


def entries(connection: Connection, *, before: int | None = None, limit: int = 100) -> list[Entry]:
    """The newest rows first, at most `limit`; `before` is the id of the last one seen."""
    query = select(audit).order_by(_c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(_c.id < before)
    return [Entry(row.id, row.at, row.actor, row.action, row.reason, row.detail) for row in connection.execute(query)]


def about(connection: Connection, key: CardKey, limit: int) -> list[Entry]:
    """The newest rows about a card that are told in its story, at most `limit`."""
    a = audit_cards.c
    mine = select(a.audit_id).where(a.school_year == key.school_year, a.card_id == key.card_id)
    mine = mine.order_by(a.audit_id.desc()).limit(limit)
    rows = connection.execute(select(audit).where(_c.id.in_(mine)).order_by(_c.id.desc()))
    return [Entry(row.id, row.at, row.actor, row.action, row.reason, row.detail) for row in rows]


def verify(connection: Connection, *, since: int | None = None, anchors: Iterable[Anchor] = ()) -> Iterator[Fault]:
    """What is wrong with the chain, in its order; from the first row of a moment (milliseconds), or from its beginning.

    `anchors` are ends of the chain that were copied away before.
    """
    first = 1
    if since is not None:
        query = select(func.min(_c.seq)).where(_c.at >= since)
        first = connection.execute(query).scalar() or 1
    stray = connection.execute(select(func.count()).select_from(audit).where(_c.seq.is_(None))).scalar_one()
    if stray:
        yield Fault(0, "unchained")
    before: bytes | None = FIRST
    if first > 1:
        before = connection.execute(select(_c.hash).where(_c.seq == first - 1)).scalar()
    expected = first
    while True:
        page = select(audit).where(_c.seq >= expected).order_by(_c.seq).limit(_PAGE)
        rows = connection.execute(page).all()
        for row in rows:
            if row.seq != expected:
                yield Fault(expected, "missing")
                before = None
            told = {name: getattr(row, name) for name in ("id", "at", "actor", "action", "reason", "detail")}
            if before is not None and link(before, row.seq, told) != bytes(row.hash):
                yield Fault(row.seq, "changed")
            # From here on the chain is held against what stands: one fault is told once.
            before, expected = bytes(row.hash), row.seq + 1
        if len(rows) < _PAGE:
            break
    for anchor in anchors:
        hashed = connection.execute(select(_c.hash).where(_c.seq == anchor.seq)).scalar()
        if hashed is None:
            yield Fault(anchor.seq, "cut")
        elif bytes(hashed) != anchor.hash:
            yield Fault(anchor.seq, "rewritten")
