"""Leases: an attempt row that holds deliveries for one worker for a few seconds at a time.

A lease is one call. Whoever leases takes the destination's row first, so that the cap on calls under way, the rate,
the breaker and the pause hold over all workers and machines. A worker renews its leases while it works; an expired
lease is taken over by `expired` and settled like any other attempt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Connection, Row, exists, func, insert, select, update

from hocba_hub.model.delivery import UNSETTLED, DeliveryState, enter
from hocba_hub.model.keys import CardId, CardKey, DestinationName, Event, SchoolCode, SchoolYear, Version
from hocba_hub.model.making import Pin
from hocba_hub.store.bodies import unpack
from hocba_hub.store.bulk import upsert
from hocba_hub.store.counters import Counters
from hocba_hub.store.engine import few_values, in_states, one_of
from hocba_hub.store.tables import attempts, deliveries, delivery_attempts, destinations, report_cards, versions


class Kind(StrEnum):
    """What an attempt asks of the destination."""

    SEND = "send"
    LOOKUP = "lookup"
    POLL = "poll"


_STATE = {
    Kind.SEND: (DeliveryState.QUEUED, DeliveryState.HELD),
    Kind.LOOKUP: (DeliveryState.IN_DOUBT,),
    Kind.POLL: (DeliveryState.AWAITING_ACK,),
}


_ORDER = (Kind.POLL, Kind.LOOKUP, Kind.SEND)
_WAIT_FOR_OLDER_MS = 30_000
"""How long a version waits at most until it is looked at again, while an older one is unsettled."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much a destination bears, as its file says; the store adapts and remembers the rest."""

    destination: DestinationName
    concurrency: int
    records: int
    bytes: int
    records_per_second: float | None
    references: int = 1
    """Most references that one call may ask about."""


@dataclass(frozen=True, slots=True)
class LeasedDelivery:
    """A delivery that an attempt holds."""

    id: int
    key: CardKey
    version: Version
    event: Event
    state: DeliveryState
    """The state that the attempt's outcome is judged from: `leased`, `in_doubt` or `awaiting_ack`."""
    attempts: int
    asked: int
    accepted_at: int
    first_attempt_at: int | None
    reference: str | None
    taken: tuple[str, ...] = ()
    """Of a version that goes as several records: the ids of those that the destination has taken."""
    sent_at: int | None = None
    """When it was last sent; known to look-ups only."""
    awaiting_since: int | None = None
    """When the destination took it, if its verdict comes later."""
    pin: Pin | None = None
    """How it must be made, where not by the mapping in force."""


@dataclass(frozen=True, slots=True)
class Lease:
    """One attempt that is open."""

    id: int
    destination: DestinationName
    kind: Kind
    holder: str
    leased_at: int
    sent: bool
    deliveries: Sequence[LeasedDelivery]
    verdict_seconds: float | None = None
    """How long the destination's verdicts take that come later, as far as is known."""


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent of a version."""

    school: SchoolCode
    accepted_at: datetime
    canonical: bytes
    document: bytes
    document_type: str
    circular: str
    grade: int


def lease(
    connection: Connection, allowance: Allowance, kind: Kind, *, holder: str, now: int, until: int
) -> Lease | None:
    """Take what is due for one call, for `holder`, until `until` (milliseconds); None if nothing may be taken now.

    Nothing is taken while the destination is paused, its breaker is open, as many calls are under way as it bears,
    or its rate is used up. After the breaker's time one single record is the probe.
    """
    row = _destination(connection, allowance.destination)
    if row.paused_at is not None:
        return None
    limit = allowance.records
    under_way = connection.execute(
        select(func.count())
        .select_from(attempts)
        .where(attempts.c.destination == allowance.destination, attempts.c.ended_at.is_(None))
    ).scalar_one()
    if row.open_until is not None:
        if row.open_until > now or under_way:
            return None
        limit = 1
    if under_way >= min(row.cap or allowance.concurrency, allowance.concurrency):
        return None
    if kind is Kind.SEND and allowance.records_per_second:
        limit = min(limit, _refill(connection, row, allowance, now))
        if limit < 1:
            return None
    found = _due(connection, allowance, kind, limit, now)
    if not found:
        return None
    if kind is Kind.SEND and allowance.records_per_second:
        t = destinations.c
        spent = update(destinations).where(t.name == allowance.destination)
        connection.execute(spent.values(rate_allowance=t.rate_allowance - len(found)))
    held = _open(connection, allowance.destination, kind, found, holder=holder, now=now, until=until)
    return replace(held, verdict_seconds=row.verdict_seconds)


def due(connection: Connection, destination: DestinationName, now: int) -> list[Kind]:
    """What is due at a destination that may be called now; what asks comes before what sends."""
    t, d = destinations.c, deliveries.c
    row = connection.execute(select(t.paused_at, t.open_until).where(t.name == destination)).one_or_none()
    if row is not None and (row.paused_at is not None or (row.open_until or 0) > now):
        return []
    found = connection.execute(
        select(
            *(
                exists()
                .where(
                    d.destination == destination,
                    in_states(d.state, *_STATE[kind]),
                    d.lease_id.is_(None),
                    d.next_attempt_at <= now,
                )
                .label(kind)
                for kind in _ORDER
            )
        )
    ).one()
    return [kind for kind in _ORDER if getattr(found, kind)]


def _destination(connection: Connection, name: str) -> Row[Any]:
    query = select(destinations).where(destinations.c.name == name).with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None:
        connection.execute(upsert(connection, destinations).on_conflict_do_nothing(), {"name": name})
        row = connection.execute(query).one()
    return row


def _refill(connection: Connection, row: Row[Any], allowance: Allowance, now: int) -> int:
    """Records that may go out now: a bucket that fills by the rate and holds one second's worth, or one batch."""
    rate = allowance.records_per_second or 0.0
    most = max(rate, 1.0)
    passed = (now - row.rate_at) / 1000 if row.rate_at is not None else 1.0
    allowed = min(most, (row.rate_allowance if row.rate_allowance is not None else most) + max(passed, 0.0) * rate)
    connection.execute(
        update(destinations)
        .where(destinations.c.name == allowance.destination)
        .values(rate_allowance=allowed, rate_at=now)
    )
    return int(allowed)


def _due(connection: Connection, allowance: Allowance, kind: Kind, limit: int, now: int) -> list[Row[Any]]:
    d, older = deliveries.c, deliveries.alias("older").c
    due = (
        d.destination == allowance.destination,
        in_states(d.state, *_STATE[kind]),
        d.lease_id.is_(None),
        d.next_attempt_at <= now,
    )
    columns = (
        d.id,
        d.school_year,
        d.card_id,
        d.version,
        d.event,
        d.state,
        d.attempts,
        d.asked,
        d.accepted_at,
        d.first_attempt_at,
        d.reference,
        d.taken,
        d.awaiting_since,
        d.pin,
    )
    if kind is Kind.POLL:
        # A batch's deliveries are due at the same moment, one after the other.
        near = select(d.reference, d.next_attempt_at).where(*due, d.reference.is_not(None)).order_by(d.next_attempt_at)
        near = near.limit(1 if allowance.references == 1 else allowance.references * allowance.records)
        references = list(dict.fromkeys(row.reference for row in connection.execute(near)))[: allowance.references]
        if not references:
            return []
        query = select(*columns).where(
            d.destination == allowance.destination,
            in_states(d.state, DeliveryState.AWAITING_ACK),
            one_of(connection, d.reference, references),
            d.lease_id.is_(None),
        )
        return list(connection.execute(query.with_for_update(skip_locked=True)))
    if kind is Kind.LOOKUP:
        query = select(*columns).where(*due).order_by(d.next_attempt_at).limit(min(limit, 50))
        return list(connection.execute(query.with_for_update(skip_locked=True)))
    waits = exists().where(
        older.school_year == d.school_year,
        older.card_id == d.card_id,
        older.destination == d.destination,
        older.version < d.version,
        in_states(older.state, *sorted(UNSETTLED)),
    )
    v = versions.c
    size = (
        select(v.original_bytes)
        .where(v.school_year == d.school_year, v.card_id == d.card_id, v.version == d.version)
        .scalar_subquery()
    )
    query = (
        select(*columns, size.label("size"), waits.label("waits"))
        .where(*due)
        .order_by(d.next_attempt_at, d.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=deliveries)
    )
    ready: list[Any] = []
    waiting: list[int] = []
    total = 0
    for row in connection.execute(query):
        if row.waits:
            waiting.append(row.id)
            continue
        total += row.size
        if ready and total > allowance.bytes:
            break
        ready.append(row)
    if waiting:  # serial per card: settling the older version wakes them earlier than this
        connection.execute(
            update(deliveries).where(one_of(connection, d.id, waiting)).values(next_attempt_at=now + _WAIT_FOR_OLDER_MS)
        )
    return ready


def _open(
    connection: Connection, destination: DestinationName, kind: Kind, found: Sequence[Row[Any]], *, holder: str,
    now: int, until: int,
) -> Lease:  # fmt: skip
    attempt_id = connection.execute(
        insert(attempts)
        .values(destination=destination, kind=kind, holder=holder, leased_at=now, expires_at=until, records=len(found))
        .returning(attempts.c.id)
    ).scalar_one()
    ids = [row.id for row in found]
    taken = update(deliveries).where(one_of(connection, deliveries.c.id, ids))
    if kind is Kind.SEND:
        counters = Counters()
        for row in found:
            after = enter(DeliveryState(row.state), DeliveryState.LEASED)
            counters.move(destination, row.state, after)
        connection.execute(taken.values(lease_id=attempt_id, state=after))
        counters.write(connection)
    else:
        connection.execute(taken.values(lease_id=attempt_id))
    sent = _sent_at(connection, ids) if kind is Kind.LOOKUP else {}
    held = [
        _leased(row, DeliveryState.LEASED if kind is Kind.SEND else DeliveryState(row.state), sent.get(row.id))
        for row in found
    ]
    return Lease(attempt_id, destination, kind, holder, now, sent=False, deliveries=held)


def _sent_at(connection: Connection, ids: Sequence[int]) -> dict[int, int]:
    """When deliveries were last sent."""
    a, t = attempts.c, delivery_attempts.c
    tried = connection.execute(select(t.delivery_id, t.attempt_id).where(one_of(connection, t.delivery_id, ids))).all()
    calls = {attempt_id for _, attempt_id in tried}
    query = select(a.id, a.sent_at).where(
        one_of(connection, a.id, sorted(calls)), a.kind == Kind.SEND, a.sent_at.is_not(None)
    )
    sent_at: dict[int, int] = {row.id: row.sent_at for row in connection.execute(query)}
    found: dict[int, int] = {}
    for delivery_id, attempt_id in tried:
        if attempt_id in sent_at:
            found[delivery_id] = max(found.get(delivery_id, 0), sent_at[attempt_id])
    return found


def _leased(row: Row[Any], state: DeliveryState, sent_at: int | None = None) -> LeasedDelivery:
    return LeasedDelivery(
        id=row.id,
        key=CardKey(SchoolYear(row.school_year), CardId(row.card_id)),
        version=Version(row.version),
        event=Event(row.event),
        state=state,
        attempts=row.attempts,
        asked=row.asked,
        accepted_at=row.accepted_at,
        first_attempt_at=row.first_attempt_at,
        reference=row.reference,
        taken=tuple(orjson.loads(row.taken)) if row.taken else (),
        sent_at=sent_at,
        awaiting_since=row.awaiting_since,
        pin=Pin.of(row.pin) if row.pin else None,
    )


def bodies(connection: Connection, ids: Sequence[int]) -> dict[int, Body]:
    """The bodies of deliveries, by delivery id."""
    d, v, c = deliveries.c, versions.c, report_cards.c
    query = (
        select(d.id, v.school_code, v.accepted_at, v.canonical, v.original, v.original_type, c.circular, c.grade)
        .join_from(
            deliveries,
            versions,
            (v.school_year == d.school_year) & (v.card_id == d.card_id) & (v.version == d.version),
        )
        .join(report_cards, (c.school_year == d.school_year) & (c.card_id == d.card_id))
        .where(one_of(connection, d.id, ids))
    )
    found = {}
    for delivery_id, school, accepted_at, canonical, original, original_type, *of_card in connection.execute(query):
        plain = unpack(canonical)
        found[delivery_id] = Body(
            SchoolCode(school),
            datetime.fromtimestamp(accepted_at / 1000, UTC),
            plain,
            plain if original is None else unpack(original),
            original_type,
            *of_card,
        )
    return found


def of_other_years(connection: Connection, held: Lease) -> set[int]:
    """The leased deliveries of cards whose card id went to the destination for another school year before.

    For a destination whose record ids do not say the year: to it they would be one record.
    """
    years = few_values(connection, deliveries.c.school_year)
    if len(years) == 1:
        return set()
    d = deliveries.c
    query = (
        select(d.school_year, d.card_id, func.min(d.id).label("first"))
        .where(
            d.school_year.in_(years),
            one_of(connection, d.card_id, [delivery.key.card_id for delivery in held.deliveries]),
            d.destination == held.destination,
        )
        .group_by(d.school_year, d.card_id)
    )
    owner: dict[str, tuple[int, str]] = {}
    for school_year, card_id, first in connection.execute(query):
        owner[card_id] = min(owner.get(card_id, (first, school_year)), (first, school_year))
    return {one.id for one in held.deliveries if owner[one.key.card_id][1] != one.key.school_year}


def mark_sent(connection: Connection, lease_id: int, now: int) -> int | None:
    """Note, before the first byte goes out, that the records may be sent; when the lease ends, None if it is lost.

    Who reads the clock after the commit and finds the lease over must not send: whoever takes over asks the
    destination, and what arrived there only after that would come twice.
    """
    a = attempts.c
    marked = update(attempts).where(a.id == lease_id, a.ended_at.is_(None)).values(sent_at=now).returning(a.expires_at)
    return connection.execute(marked).scalar()


def renew(connection: Connection, holder: str, until: int) -> list[int]:
    """Put off the end of every lease of `holder` that nobody has taken over; which they are."""
    a = attempts.c
    mine = update(attempts).where(a.holder == holder, a.ended_at.is_(None))
    return list(connection.execute(mine.values(expires_at=until).returning(a.id)).scalars())


def expired(connection: Connection, now: int, *, limit: int = 20) -> list[Lease]:
    """Open leases whose time is over, locked for the caller, who settles them in the same transaction."""
    a, d = attempts.c, deliveries.c
    query = (
        select(a.id, a.destination, a.kind, a.holder, a.leased_at, a.sent_at)
        .where(a.ended_at.is_(None), a.expires_at < now)
        .order_by(a.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = []
    for row in connection.execute(query).all():
        held = connection.execute(select(deliveries).where(d.lease_id == row.id).order_by(d.id))
        found.append(
            Lease(
                row.id,
                DestinationName(row.destination),
                Kind(row.kind),
                row.holder,
                row.leased_at,
                sent=row.sent_at is not None,
                deliveries=[_leased(delivery, DeliveryState(delivery.state)) for delivery in held],
            )
        )
    return found
