"""Records as clients sent them, to try a draft mapping on: of the newest submissions, and of those that wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, and_, select

from hocba_hub.model.keys import CardId, CardKey, Event, SchoolYear
from hocba_hub.store.bodies import unpack
from hocba_hub.store.tables import records, submissions, versions, waiting_records

MOST_SUBMISSIONS = 20_000
"""So many of the newest submissions are looked through, however few of them fit."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One accepted version of a card."""

    key: CardKey
    version: int
    event: Event
    accepted_at: datetime
    school: str
    canonical: bytes
    original: bytes


def accepted(connection: Connection, limit: int, media_types: Sequence[str] | None = None) -> list[Recorded]:
    """Accepted records of the newest submissions, at most `limit`; with `media_types` only of those."""
    s, r, v = submissions.c, records.c, versions.c
    newest = select(s.id, s.media_type).order_by(s.id.desc()).limit(MOST_SUBMISSIONS).subquery()
    version = and_(v.school_year == r.school_year, v.card_id == r.card_id, v.version == r.version)
    query = (
        select(v.school_year, v.card_id, v.version, v.event, v.accepted_at, v.school_code, v.canonical, v.original)
        .join_from(newest, records, r.submission_id == newest.c.id)
        .join(versions, version)
        .where(r.status == "accepted")
        .order_by(newest.c.id.desc(), r.position)
        .limit(limit)
    )
    if media_types is not None:
        query = query.where(newest.c.media_type.in_(media_types))
    found = []
    for row in connection.execute(query):
        canonical = unpack(row.canonical)
        found.append(
            Recorded(
                CardKey(SchoolYear(row.school_year), CardId(row.card_id)),
                row.version,
                Event(row.event),
                datetime.fromtimestamp(row.accepted_at / 1000, UTC),
                row.school_code,
                canonical,
                canonical if row.original is None else unpack(row.original),
            )
        )
    return found


def waiting(connection: Connection, mapping: str, limit: int) -> list[tuple[CardKey, bytes]]:
    """Records that this mapping reads and that wait for the meaning of a code, the newest first."""
    w = waiting_records.c
    query = select(w.school_year, w.card_id, w.original).where(w.mapping == mapping)
    rows = connection.execute(query.order_by(w.submission_id.desc(), w.position).limit(limit))
    return [(CardKey(SchoolYear(year), CardId(card)), unpack(original)) for year, card, original in rows]
