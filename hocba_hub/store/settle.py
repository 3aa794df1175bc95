"""Settling: the outcomes of one attempt, written in one commit.

The queue says which state follows (`model/delivery.py`); here it is written, fenced by the lease: a worker whose
lease was taken over writes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, exists, select, update

from hocba_hub.model.delivery import FINAL, UNSENT, DeliveryState, Meaning, enter, given_newer
from hocba_hub.model.keys import CardKey
from hocba_hub.store.bulk import insert_rows
from hocba_hub.store.counters import AGE_SECONDS, ATTEMPT_SECONDS, Counters
from hocba_hub.store.engine import in_states, one_of, one_of_cards
from hocba_hub.store.lease import Kind, Lease, LeasedDelivery
from hocba_hub.store.tables import attempts, deliveries, delivery_attempts, destinations


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of one delivery after an attempt."""

    delivery: LeasedDelivery
    state: DeliveryState
    meaning: Meaning
    code: str
    detail: str
    next_attempt_at: int
    """Milliseconds; the timer of the new state."""
    attempts: int
    asked: int
    first_attempt_at: int | None
    reference: str | None
    taken: tuple[str, ...] = ()
    """Ids of the records that the destination has taken, where not the whole version is acknowledged."""


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What is kept of the call itself."""

    outcome: str
    request_sha256: str = ""
    response_sha256: str = ""
    http_status: int | None = None
    mappings: Mapping[int, str] = field(default_factory=dict)
    """Delivery → the mapping that its record was made by."""


@dataclass(frozen=True, slots=True)
class BreakerState:
    """How a destination has behaved lately: the durable state of breaker and cap."""

    failures: int
    open_until: int | None
    cap: int | None
    good_calls: int


def settle(
    connection: Connection,
    lease: Lease,
    settlements: Sequence[Settlement],
    call: CallFacts,
    *,
    now: int,
    next_breaker: Callable[[BreakerState], BreakerState] | None = None,
    taken_over: bool = False,
) -> bool:
    """Write the outcomes and end the lease; False if the lease was lost, and then nothing is written.

    `next_breaker` says what the destination's breaker and cap become after this call. `taken_over` counts the lease as
    expired.
    """
    a = attempts.c
    open_still = connection.execute(
        select(a.id).where(a.id == lease.id, a.ended_at.is_(None)).with_for_update()
    ).scalar()
    if open_still is None:
        return False
    if next_breaker is not None:
        _write_breaker(connection, lease.destination, next_breaker)
    counters = Counters()
    overtaken = _overtaken(connection, lease, settlements)
    groups: dict[tuple[DeliveryState, str, int, int, int, int | None, str | None, str | None], list[int]] = {}
    ends: Counter[_End] = Counter()
    ages = []
    for s in settlements:
        state = enter(s.delivery.state, given_newer(s.state) if s.delivery.id in overtaken else s.state)
        fields = (
            state,
            s.code,
            s.next_attempt_at,
            s.attempts,
            s.asked,
            s.first_attempt_at,
            s.reference,
            _taken(s, state),
        )
        groups.setdefault(fields, []).append(s.delivery.id)
        ends[_End(s.delivery.state, state, s.meaning, s.delivery.attempts > 0)] += 1
        if state is DeliveryState.ACKNOWLEDGED:
            ages.append((now - s.delivery.accepted_at) / 1000)
    _count(lease, ends, counters)
    counters.observe("acknowledgement_age_seconds", AGE_SECONDS, (lease.destination,), ages)
    d = deliveries.c
    for (state, code, next_attempt_at, tried, asked, first_attempt_at, reference, taken), ids in groups.items():
        connection.execute(
            update(deliveries)
            .where(one_of(connection, d.id, ids), d.lease_id == lease.id)
            .values(
                state=state,
                code=code,
                next_attempt_at=next_attempt_at,
                attempts=tried,
                asked=asked,
                first_attempt_at=first_attempt_at,
                reference=reference,
                taken=taken,
                lease_id=None,
                settled_at=now,
            )
        )
    rows = [
        {
            "delivery_id": s.delivery.id,
            "attempt_id": lease.id,
            "meaning": s.meaning,
            "code": s.code,
            "detail": s.detail,
            "mapping": call.mappings.get(s.delivery.id) or None,
        }
        for s in settlements
        if s.meaning is not Meaning.RELEASED and not (lease.kind is Kind.POLL and s.meaning is Meaning.AWAITING_ACK)
    ]
    insert_rows(connection, delivery_attempts, rows)
    _wake_newer(connection, lease, settlements, now)
    connection.execute(
        update(attempts)
        .where(a.id == lease.id)
        .values(
            ended_at=now,
            outcome=call.outcome,
            http_status=call.http_status,
            request_sha256=call.request_sha256,
            response_sha256=call.response_sha256,
        )
    )
    counters.add("attempts", lease.destination, lease.kind, call.outcome)
    counters.observe(
        "attempt_seconds", ATTEMPT_SECONDS, (lease.destination, lease.kind), [(now - lease.leased_at) / 1000]
    )
    if taken_over:
        counters.add("lease_takeovers", lease.destination)
    counters.write(connection)
    return True


def _taken(settlement: Settlement, state: DeliveryState) -> str | None:
    if not settlement.taken or state is DeliveryState.ACKNOWLEDGED:
        return None
    return orjson.dumps(settlement.taken).decode()


def _write_breaker(
    connection: Connection, destination: str, next_breaker: Callable[[BreakerState], BreakerState]
) -> None:
    t = destinations.c
    row = connection.execute(
        select(t.failures, t.open_until, t.cap, t.good_calls).where(t.name == destination).with_for_update()
    ).one()
    before = BreakerState(*row)
    after = next_breaker(before)
    if after != before:
        connection.execute(
            update(destinations)
            .where(t.name == destination)
            .values(failures=after.failures, open_until=after.open_until, cap=after.cap, good_calls=after.good_calls)
        )


def _overtaken(connection: Connection, lease: Lease, settlements: Sequence[Settlement]) -> set[int]:
    """Deliveries that would wait unsent although a newer version of their card waits for the same destination."""
    unsent = [s.delivery.id for s in settlements if s.state in UNSENT]
    if not unsent:
        return set()
    d, newer = deliveries.c, deliveries.alias("newer").c
    query = select(d.id).where(
        one_of(connection, d.id, unsent),
        exists().where(
            newer.school_year == d.school_year,
            newer.card_id == d.card_id,
            newer.destination == lease.destination,
            newer.version > d.version,
        ),
    )
    return set(connection.execute(query).scalars())


def _wake_newer(connection: Connection, lease: Lease, settlements: Sequence[Settlement], now: int) -> None:
    """Newer versions that waited for these deliveries may go now."""
    settled: list[CardKey] = [s.delivery.key for s in settlements if s.state in FINAL | UNSENT]
    if not settled:
        return
    d = deliveries.c
    connection.execute(
        update(deliveries)
        .where(
            one_of_cards(connection, d.school_year, d.card_id, settled),
            d.destination == lease.destination,
            in_states(d.state, DeliveryState.QUEUED),
            d.attempts == 0,
            d.lease_id.is_(None),
            d.next_attempt_at > now,
        )
        .values(next_attempt_at=now)
    )


class _End(NamedTuple):
    """How an attempt ended for a delivery, as far as the counters care."""

    before: DeliveryState
    after: DeliveryState
    meaning: Meaning
    tried_before: bool


def _count(lease: Lease, ends: Mapping[_End, int], counters: Counters) -> None:
    destination = lease.destination
    for end, records in ends.items():
        if end.after is not end.before:
            counters.move(destination, end.before, end.after, records)
        counters.add("outcomes", destination, lease.kind, end.meaning, amount=records)
        if end.after is DeliveryState.QUEUED and end.meaning is Meaning.TRANSIENT:
            counters.add("retries_scheduled", destination, amount=records)
        if lease.kind is Kind.SEND and end.tried_before and end.meaning is not Meaning.RELEASED:
            counters.add("retries_executed", destination, amount=records)


def gravest(meanings: Sequence[Meaning]) -> Meaning:
    """The meaning that an attempt is filed under: the one that most needs a person's eye."""
    order = (
        Meaning.ACKNOWLEDGED,
        Meaning.AWAITING_ACK,
        Meaning.ABSENT,
        Meaning.RELEASED,
        Meaning.REFUSED,
        Meaning.TRANSIENT,
        Meaning.PRECONDITION,
        Meaning.UNKNOWN_OUTCOME,
    )
    return max(chain(meanings, (Meaning.ACKNOWLEDGED,)), key=order.index)
