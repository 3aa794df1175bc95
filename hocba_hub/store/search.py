"""What a client, or an operator, may look up: submissions, report cards with their fate, a school's open list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Row, and_, literal, select, tuple_

from hocba_hub.model.keys import CardKey
from hocba_hub.store import identity, returns
from hocba_hub.store.bodies import unpack
from hocba_hub.store.engine import one_of
from hocba_hub.store.identity import Checked
from hocba_hub.store.read_again import ReadAgain, newest
from hocba_hub.store.returns import Returned
from hocba_hub.store.tables import (
    attempts,
    clients,
    deliveries,
    delivery_attempts,
    open_findings,
    records,
    report_cards,
    submissions,
    versions,
)

MOST_VERSIONS = 50
"""Versions of a card that are shown at once, the newest first."""
MOST_ATTEMPTS = 500
"""Attempts of a card that are shown at once, the newest first."""

_Row = Row[*tuple[Any, ...]]
Findings = Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class SubmissionView:
    """A submission and one page of its records."""

    submission: _Row
    records: Sequence[tuple[_Row, Findings]]
    """In the order of the body; each with the event of its new version, if there is one."""
    more: bool
    read_again: Mapping[int, ReadAgain]
    """Of records that were read again: by position, what became of them the last time."""


@dataclass(frozen=True, slots=True)
class CardView:
    """A report card and what became of its versions, the newest first."""

    card: _Row
    versions: Sequence[_Row]
    deliveries: Sequence[_Row]
    attempts: Sequence[_Row]
    identity: Sequence[Checked]
    returned: Sequence[Returned]


@dataclass(frozen=True, slots=True)
class Document:
    """The very bytes that a client sent as one version of a card."""

    school_code: str
    managed_by: str | None
    """The school that may correct the card, where it is not the one that issued it."""
    body: bytes
    sha256: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class OpenFindings:
    """A card that its school still has to mend."""

    school_code: str
    school_year: str
    card_id: str
    client_id: int
    since: int
    last_at: int
    times: int
    submission_id: str
    position: int
    findings: Findings
    matter: str
    """What they are about: see `store/open_findings.py`."""

    @property
    def place(self) -> tuple[str, str, str, int, str]:
        """Where a listing goes on after this one."""
        return self.school_code, self.school_year, self.card_id, self.client_id, self.matter


def submission(
    connection: Connection, submission_id: str, *, client_id: int | None = None, after: int = -1, limit: int = 100
) -> SubmissionView | None:
    """A submission with at most `limit` records behind position `after`; None if there is none of that client.

    Without `client_id` it may be anybody's.
    """
    query = select(submissions).where(submissions.c.id == submission_id)
    if client_id is not None:
        query = query.where(submissions.c.client_id == client_id)
    found = connection.execute(query).one_or_none()
    if found is None:
        return None
    r, v = records.c, versions.c
    accepted = and_(
        r.status == "accepted", v.school_year == r.school_year, v.card_id == r.card_id, v.version == r.version
    )
    page = connection.execute(
        select(records, v.event)
        .join_from(records, versions, accepted, isouter=True)
        .where(r.submission_id == submission_id, r.position > after)
        .order_by(r.position)
        .limit(limit + 1)
    ).all()
    shown = [(row, _unpacked(row.findings) if row.findings is not None else ()) for row in page[:limit]]
    again = newest(connection, submission_id, shown[0][0].position, shown[-1][0].position) if shown else {}
    return SubmissionView(found, shown, len(page) > limit, again)


def submissions_listed(
    connection: Connection, *, client_id: int | None = None, before: str | None = None, limit: int = 100
) -> list[_Row]:
    """Submissions with their client's name, the newest first; `before` is the id of the last one seen."""
    s = submissions.c
    query = select(submissions, clients.c.name.label("client")).join_from(
        submissions, clients, clients.c.id == s.client_id
    )
    if client_id is not None:
        query = query.where(s.client_id == client_id)
    if before is not None:
        query = query.where(s.id < before)
    return list(connection.execute(query.order_by(s.id.desc()).limit(limit)))


def canonical_bodies(connection: Connection, key: CardKey, wanted: Sequence[int]) -> dict[int, bytes]:
    """The canonical JSON of some versions of a card, of those that there are."""
    v = versions.c
    query = select(v.version, v.canonical).where(
        v.school_year == key.school_year, v.card_id == key.card_id, one_of(connection, v.version, list(wanted))
    )
    return {version: unpack(body) for version, body in connection.execute(query)}


def card(connection: Connection, key: CardKey) -> CardView | None:
    """A report card with its newest versions, their deliveries and the newest attempts; None if there is none."""
    c, v, d = report_cards.c, versions.c, deliveries.c
    found = connection.execute(
        select(report_cards).where(c.school_year == key.school_year, c.card_id == key.card_id)
    ).one_or_none()
    if found is None:
        return None
    shown = connection.execute(
        select(
            v.version, v.event, v.accepted_at, v.submission_id, v.position, v.school_code, v.original_sha256,
            v.original_type, v.original_bytes,
        )
        .where(v.school_year == key.school_year, v.card_id == key.card_id)
        .order_by(v.version.desc())
        .limit(MOST_VERSIONS)
    ).all()  # fmt: skip
    sent = connection.execute(
        select(deliveries)
        .where(d.school_year == key.school_year, d.card_id == key.card_id, d.version >= shown[-1].version)
        .order_by(d.version.desc(), d.destination)
    ).all()
    a, o = attempts.c, delivery_attempts.c
    tried = connection.execute(
        select(
            o.delivery_id,
            a.id,
            a.kind,
            a.leased_at,
            a.sent_at,
            a.ended_at,
            a.http_status,
            o.meaning,
            o.code,
            o.detail,
            o.mapping,
        )
        .join_from(delivery_attempts, attempts, a.id == o.attempt_id)
        .where(one_of(connection, o.delivery_id, [row.id for row in sent]))
        .order_by(o.attempt_id.desc(), o.delivery_id)
        .limit(MOST_ATTEMPTS)
    ).all()
    return CardView(found, shown, sent, tried, identity.of_card(connection, key), returns.of_card(connection, key))


def document(connection: Connection, key: CardKey, version: int) -> Document | None:
    """What was sent as a version; None if there is no such version."""
    v, c = versions.c, report_cards.c
    row = connection.execute(
        select(v.school_code, c.managed_by, v.canonical, v.original, v.original_sha256, v.original_type)
        .join_from(versions, report_cards, (c.school_year == v.school_year) & (c.card_id == v.card_id))
        .where(v.school_year == key.school_year, v.card_id == key.card_id, v.version == version)
    ).one_or_none()
    if row is None:
        return None
    body = unpack(row.canonical if row.original is None else row.original)
    return Document(row.school_code, row.managed_by, body, row.original_sha256, row.original_type)


def open_list(
    connection: Connection,
    *,
    schools: Sequence[str] | None = None,
    school_year: str | None = None,
    after: tuple[str, str, str, int, str] | None = None,
    limit: int = 100,
) -> list[OpenFindings]:
    """The cards that are still to be mended, by school, year and card; at most `limit` behind `after`.

    Without `schools` those of every school.
    """
    f = open_findings.c
    order = (f.school_code, f.school_year, f.card_id, f.client_id, f.matter)
    query = select(open_findings).order_by(*order).limit(limit)
    if schools is not None:
        query = query.where(
            f.school_code == schools[0] if len(schools) == 1 else one_of(connection, f.school_code, schools)
        )
    if school_year is not None:
        query = query.where(f.school_year == school_year)
    if after is not None:
        query = query.where(
            tuple_(*order) > tuple_(*(literal(value, column.type) for value, column in zip(after, order, strict=True)))
        )
    return [
        OpenFindings(
            school_code=row.school_code,
            school_year=row.school_year,
            card_id=row.card_id,
            client_id=row.client_id,
            since=row.since,
            last_at=row.last_at,
            times=row.times,
            submission_id=row.submission_id,
            position=row.position,
            findings=_unpacked(row.findings),
            matter=row.matter,
        )
        for row in connection.execute(query)
    ]


def _unpacked(stored: bytes) -> Findings:
    found: Findings = orjson.loads(unpack(stored))
    return found
