"""The newest records as clients sent them, to try a draft mapping on: accepted, waiting for a code, rejected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, func, or_, select

from hocba_hub.model.keys import CardId, CardKey, Event, SchoolYear
from hocba_hub.store.bodies import unpack
from hocba_hub.store.tables import (
    clients,
    files,
    records,
    rejected_records,
    submissions,
    versions,
    waiting_records,
)

MOST_SUBMISSIONS = 20_000
"""So many of the newest submissions are looked through, however few of them fit."""
_MOST_COUNTED = 100_000


@dataclass(frozen=True, slots=True)
class SentRecords:
    """What one mapping reads."""

    records: Sequence[Recorded]
    """The newest first."""
    not_kept: int
    """Rejected in the same submissions, and not kept; counted up to a bound."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One record as it was sent."""

    client: str
    received_at: int
    """Milliseconds."""
    original: bytes
    key: CardKey | None


@dataclass(frozen=True, slots=True)
class AcceptedVersion(Recorded):
    """One that became a version of a card."""

    key: CardKey
    version: int
    event: Event
    accepted_at: datetime
    school: str
    canonical: bytes


def sent(
    connection: Connection, mapping: str, media_type: str, limit: int, *, client: str | None = None
) -> SentRecords:
    """The newest records that this mapping reads, at most `limit`, of one client or of all, by whatever way they came.

    `media_type` is under which calls store what the mapping reads; files name the mapping themselves.
    """
    by_file = select(files.c.id).where(files.c.profile == mapping)
    of_mapping = or_(submissions.c.media_type == media_type, submissions.c.id.in_(by_file))
    found: list[tuple[_Place, Recorded]] = [
        *_accepted(connection, limit, client, of_mapping),
        *_kept(connection, waiting_records, mapping, limit, client),
        *_kept(connection, rejected_records, mapping, limit, client),
    ]
    found.sort(key=lambda placed: placed[0], reverse=True)
    not_kept = _rejected(connection, client, of_mapping) - sum(
        _counted(connection, table, mapping, client) for table in (waiting_records, rejected_records)
    )
    return SentRecords([recorded for _, recorded in found[:limit]], max(not_kept, 0))


def accepted(connection: Connection, limit: int, *, client: str | None = None) -> list[AcceptedVersion]:
    """The newest accepted versions, whatever read them."""
    return [version for _, version in _accepted(connection, limit, client)]


_Place = tuple[str, int]
"""Submission and position, the later the greater."""


def _submissions(client: str | None, *only: ColumnElement[bool]) -> Any:  # noqa: ANN401 - a sub-query
    s = submissions.c
    query = select(s.id, s.received_at, clients.c.name).join_from(submissions, clients, clients.c.id == s.client_id)
    if client is not None:
        query = query.where(clients.c.name == client)
    return query.where(*only).order_by(s.id.desc()).limit(MOST_SUBMISSIONS).subquery()


def _accepted(
    connection: Connection, limit: int, client: str | None, *only: ColumnElement[bool]
) -> list[tuple[_Place, AcceptedVersion]]:
    r, v = records.c, versions.c
    newest = _submissions(client, *only)
    version = and_(v.school_year == r.school_year, v.card_id == r.card_id, v.version == r.version)
    query = (
        select(newest, r.position, versions)
        .join_from(newest, records, r.submission_id == newest.c.id)
        .join(versions, version)
        .where(r.status == "accepted")
        .order_by(newest.c.id.desc(), r.position)
        .limit(limit)
    )
    return [((row.id, -row.position), _version(row)) for row in connection.execute(query)]


def _version(row: Row[Any]) -> AcceptedVersion:
    canonical = unpack(row.canonical)
    return AcceptedVersion(
        client=row.name,
        received_at=row.received_at,
        original=canonical if row.original is None else unpack(row.original),
        key=CardKey(SchoolYear(row.school_year), CardId(row.card_id)),
        version=row.version,
        event=Event(row.event),
        accepted_at=datetime.fromtimestamp(row.accepted_at / 1000, UTC),
        school=row.school_code,
        canonical=canonical,
    )


def _kept(
    connection: Connection, table: Table, mapping: str, limit: int, client: str | None
) -> list[tuple[_Place, Recorded]]:
    t, s = table.c, submissions.c
    query = (
        select(t.submission_id, t.position, t.school_year, t.card_id, t.original, s.received_at, clients.c.name)
        .join_from(table, submissions, s.id == t.submission_id)
        .join(clients, clients.c.id == t.client_id)
        .where(t.mapping == mapping)
        .order_by(t.submission_id.desc(), t.position)
        .limit(limit)
    )
    if client is not None:
        query = query.where(clients.c.name == client)
    return [
        (
            (row.submission_id, -row.position),
            Recorded(
                client=row.name,
                received_at=row.received_at,
                original=unpack(row.original),
                key=CardKey(SchoolYear(row.school_year), CardId(row.card_id)) if row.card_id else None,
            ),
        )
        for row in connection.execute(query)
    ]


def _counted(connection: Connection, table: Table, mapping: str, client: str | None) -> int:
    t = table.c
    query = select(func.count()).join_from(table, clients, clients.c.id == t.client_id).where(t.mapping == mapping)
    if client is not None:
        query = query.where(clients.c.name == client)
    return connection.execute(query).scalar_one()


def _rejected(connection: Connection, client: str | None, *only: ColumnElement[bool]) -> int:
    newest, r = _submissions(client, *only), records.c
    some = (
        select(r.position)
        .join_from(newest, records, r.submission_id == newest.c.id)
        .where(r.status.in_(["rejected"]))
        .limit(_MOST_COUNTED)
        .subquery()
    )
    return connection.execute(select(func.count()).select_from(some)).scalar_one()
