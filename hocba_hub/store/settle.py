"""Settling: the outcomes of one attempt, written in one commit.

The queue says which state follows (`model/delivery.py`); here it is written, fenced by the lease: a worker whose
lease was taken over writes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, exists, insert, select, update

from hocba_hub.model.delivery import FINAL, UNSENT, VERDICTS, DeliveryState, Meaning, enter, given_newer
from hocba_hub.model.failures import Cause, cause_of_attempt
from hocba_hub.model.keys import CardKey
from hocba_hub.model.making import Made
from hocba_hub.store.acknowledgements import AckKind, Heard, hear, note, wake_newer
from hocba_hub.store.bulk import insert_rows
from hocba_hub.store.counters import AGE_SECONDS, ATTEMPT_SECONDS, Counters
from hocba_hub.store.engine import one_of
from hocba_hub.store.failures import Failed, record, whose
from hocba_hub.store.lease import Kind, Lease, LeasedDelivery
from hocba_hub.store.tables import attempt_bodies, attempts, deliveries, delivery_attempts, destinations

_RIGHT = frozenset({DeliveryState.ACKNOWLEDGED, DeliveryState.AWAITING_ACK})
"""States in which nothing of a delivery stands in a failure group; from the others an earlier failure goes on."""


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
    awaiting_since: int | None = None
    """When the destination took it, if its verdict comes later."""
    sent_sha256: bytes | None = None
    """Of what was sent of it, as the destination keeps it."""
    is_late: bool = False
    """The verdict came after the destination's objective."""


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What is kept of the call itself."""

    outcome: str
    request_sha256: str = ""
    response_sha256: str = ""
    http_status: int | None = None
    made: Mapping[int, Made] = field(default_factory=dict)
    """Delivery → what its record was made by, and what came of it."""
    bodies: tuple[bytes, bytes] | None = None
    """Request and answer, packed; None where they are not kept."""


@dataclass(frozen=True, slots=True)
class BreakerState:
    """How a destination has behaved lately: the durable state of breaker and cap, and how long its verdicts take."""

    failures: int
    open_until: int | None
    cap: int | None
    good_calls: int
    verdict_seconds: float | None = None
    """A moving mean over verdicts that come later; None before the first."""


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
    failed = _record_failures(connection, lease, settlements, call, now)
    written = _write(connection, lease, settlements, failed, now)
    ends: Counter[_End] = Counter()
    ages = []
    for s in settlements:
        state = written.get(s.delivery.id, s.delivery.state)
        ends[_End(s.delivery.state, state, s.meaning, s.delivery.attempts > 0)] += 1
        if state is DeliveryState.ACKNOWLEDGED:
            ages.append((now - s.delivery.accepted_at) / 1000)
    _count(lease, ends, counters)
    counters.observe("acknowledgement_age_seconds", AGE_SECONDS, (lease.destination,), ages)
    _note_verdicts(connection, lease, settlements, counters, written=written, now=now)
    rows = [
        {
            "delivery_id": s.delivery.id,
            "attempt_id": lease.id,
            "meaning": s.meaning,
            "code": s.code,
            "detail": s.detail,
            "mapping": made.mapping or None if (made := call.made.get(s.delivery.id)) else None,
            "sent_sha256": s.sent_sha256,
            "made_sha256": made.sha256 if made else None,
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
    if call.bodies is not None:
        request, response = call.bodies
        kept = {"attempt_id": lease.id, "request": request, "response": response, "kept_at": now}
        connection.execute(insert(attempt_bodies).values(kept))
    counters.add("attempts", lease.destination, lease.kind, call.outcome)
    counters.observe(
        "attempt_seconds", ATTEMPT_SECONDS, (lease.destination, lease.kind), [(now - lease.leased_at) / 1000]
    )
    if taken_over:
        counters.add("lease_takeovers", lease.destination)
    counters.write(connection)
    return True


class _Row(NamedTuple):
    """What is written of a delivery beside its state."""

    code: str
    next_attempt_at: int
    attempts: int
    asked: int
    first_attempt_at: int | None
    reference: str | None
    taken: str | None
    awaiting_since: int | None


def _record_failures(
    connection: Connection, lease: Lease, settlements: Sequence[Settlement], call: CallFacts, now: int
) -> dict[int, int]:
    """Count what failed by its cause; the failure group of each delivery that did."""
    causes: dict[int, Cause] = {}
    for s in settlements:
        made = call.made.get(s.delivery.id)
        cause = cause_of_attempt(
            lease.destination, lease.kind, s.meaning, s.code, s.detail, made.mapping if made else None
        )
        if cause is not None:
            causes[s.delivery.id] = cause
    if not causes:
        return {}
    # The deliveries first, then the groups' rows: who hears an unasked verdict takes them in this order, too.
    mine = one_of(connection, deliveries.c.id, sorted(causes))
    connection.execute(select(deliveries.c.id).where(mine).order_by(deliveries.c.id).with_for_update())
    cards = {s.delivery.id: s.delivery.key for s in settlements if s.delivery.id in causes}
    homes = whose(connection, cards.values())
    groups = record(connection, [Failed(cause, *homes[cards[one]], now) for one, cause in causes.items()], now)
    return {one: groups[cause] for one, cause in causes.items()}


def _write(
    connection: Connection, lease: Lease, settlements: Sequence[Settlement], failed: Mapping[int, int], now: int
) -> dict[int, DeliveryState]:
    """Write what becomes of the deliveries, those alike in one statement; the new state of each that was written.

    A verdict that the destination brought by itself meanwhile has taken its delivery from the lease: it stays.
    """
    d = deliveries.c
    overtaken = _overtaken(connection, lease, settlements)
    groups: dict[tuple[DeliveryState, _Row, int | None], list[int]] = {}
    for s in settlements:
        state = enter(s.delivery.state, given_newer(s.state) if s.delivery.id in overtaken else s.state)
        row = _Row(
            s.code, s.next_attempt_at, s.attempts, s.asked, s.first_attempt_at, s.reference, _taken(s, state),
            s.awaiting_since,
        )  # fmt: skip
        groups.setdefault((state, row, failed.get(s.delivery.id)), []).append(s.delivery.id)
    written: dict[int, DeliveryState] = {}
    for (state, row, group), ids in groups.items():
        values = {"state": state, **row._asdict(), "lease_id": None, "settled_at": now}
        if group is not None or state in _RIGHT:
            values["failure_group_id"] = group
        changed = update(deliveries).where(one_of(connection, d.id, ids), d.lease_id == lease.id).values(values)
        written.update(dict.fromkeys(connection.execute(changed.returning(d.id)).scalars(), state))
    return written


def _note_verdicts(
    connection: Connection,
    lease: Lease,
    settlements: Sequence[Settlement],
    counters: Counters,
    *,
    written: Collection[int],
    now: int,
) -> None:
    """Count verdicts that came later by whether they came in time, and keep what is to be told of them."""
    lost = []
    for s in settlements:
        verdict = VERDICTS.get(s.meaning)
        if verdict is None:
            continue
        if s.delivery.id not in written:
            lost.append(Heard(s.delivery.key, s.delivery.version, s.code, s.meaning))
        elif s.delivery.awaiting_since is not None:
            counters.add("acknowledgements", lease.destination, "late" if s.is_late else "in_time")
            if s.is_late:
                note(
                    connection, s.delivery.id, lease.destination, source=lease.kind, kind=AckKind.LATE, code=s.code,
                    verdict=verdict, now=now,
                )  # fmt: skip
    if lost:
        hear(connection, lease.destination, lost, source=lease.kind, now=now)


def _taken(settlement: Settlement, state: DeliveryState) -> str | None:
    if not settlement.taken or state is DeliveryState.ACKNOWLEDGED:
        return None
    return orjson.dumps(settlement.taken).decode()


def _write_breaker(
    connection: Connection, destination: str, next_breaker: Callable[[BreakerState], BreakerState]
) -> None:
    t = destinations.c
    columns = (t.failures, t.open_until, t.cap, t.good_calls, t.verdict_seconds)
    before = BreakerState(*connection.execute(select(*columns).where(t.name == destination).with_for_update()).one())
    after = next_breaker(before)
    if after != before:
        connection.execute(update(destinations).where(t.name == destination).values(asdict(after)))


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
    if settled:
        wake_newer(connection, lease.destination, settled, now)


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
