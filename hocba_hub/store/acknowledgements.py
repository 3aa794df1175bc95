"""Verdicts that come otherwise than as the one answer that was waited for: pushed, late, again, or against another.

The first final verdict stands. What comes after it is kept and told; where it says the contrary, a person decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, and_, func, or_, select, update

from hocba_hub.model.delivery import FINAL, UNSENT, VERDICTS, DeliveryState, Meaning, decided, enter
from hocba_hub.model.errors import HubError
from hocba_hub.model.failures import cause_of_attempt
from hocba_hub.model.keys import CardId, CardKey, DestinationName, SchoolYear, Version
from hocba_hub.store import audit
from hocba_hub.store.bulk import upsert
from hocba_hub.store.counters import AGE_SECONDS, Counters
from hocba_hub.store.engine import in_states, one_of, one_of_cards
from hocba_hub.store.failures import Failed, record, whose
from hocba_hub.store.tables import acknowledgements, deliveries

PUSH = "push"
"""Source of a verdict that the destination brought by itself."""
PERSON = "person"
"""Source of a verdict that a person entered, who has it from the destination."""
_a, _d = acknowledgements.c, deliveries.c


class AckKind(StrEnum):
    """What a verdict was when it came."""

    SETTLED = "settled"
    """Unasked, and the first: the delivery ended by it."""
    LATE = "late"
    """The first, and after the destination's objective."""
    REPEATED = "repeated"
    """The same as the one that stands."""
    CONTRADICTORY = "contradictory"
    """Another one than what stands; a person decides."""


class Reception(StrEnum):
    """What became of a verdict that somebody brought."""

    SETTLED = "settled"
    REPEATED = "repeated"
    CONTRADICTORY = "contradictory"
    NOT_A_VERDICT = "not-a-verdict"
    """Its code means no verdict here: nothing was done."""
    UNKNOWN = "unknown"
    """This version was never sent there: nothing was done."""


class Heard(NamedTuple):
    """One verdict: of which version, its code, and what the destination's code table says that it means."""

    key: CardKey
    version: Version
    code: str
    meaning: Meaning


class Decision(StrEnum):
    """What a person decides of a contradictory verdict."""

    KEEP = "keep"
    """What stands goes on to stand."""
    TAKE = "take"
    """The other verdict counts."""


class DecisionError(HubError):
    """There is nothing to decide; `code` is a problem's: `acknowledgement.decided`."""

    def __init__(self) -> None:
        super().__init__("It is no contradictory verdict, or was decided.")
        self.code = "acknowledgement.decided"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A verdict that was kept, with the delivery that it is about; times in milliseconds."""

    id: int
    delivery_id: int
    destination: str
    school_year: str
    card_id: str
    version: int
    state: DeliveryState
    """Of the delivery now."""
    source: str
    kind: AckKind
    code: str
    verdict: DeliveryState
    first_at: int
    last_at: int
    times: int
    decided_at: int | None
    decided_by: str | None
    decision: Decision | None


def hear(
    connection: Connection, destination: DestinationName, verdicts: Sequence[Heard], *, source: str, now: int
) -> list[Reception]:
    """Take verdicts that nobody waited for in this transaction; what became of each, in their order.

    A delivery that has none yet ends by it, whoever holds it: who does finds its lease gone. Hearing the same again
    changes nothing but how often it was heard.
    """
    rows = _sent(connection, destination, verdicts)
    counters, found = Counters(), []
    for heard in verdicts:
        row = rows.get((heard.key.school_year, heard.key.card_id, heard.version))
        state = VERDICTS.get(heard.meaning)
        if state is None:
            reception = Reception.NOT_A_VERDICT
        elif row is None:
            reception = Reception.UNKNOWN
        else:
            reception = _taken(connection, row, heard.code, state, source, now, counters)
            if reception is Reception.SETTLED:
                rows[row.school_year, row.card_id, row.version] = _At(row, state)
        counters.add("acknowledgements_heard", destination, source, reception)
        found.append(reception)
    counters.write(connection)
    return found


def enter_by_hand(
    connection: Connection,
    destination: DestinationName,
    verdicts: Sequence[Heard],
    *,
    actor: str,
    reason: str,
    now: int,
) -> list[Reception]:
    """Take verdicts that a person has from a destination, with the audit trail; what became of each."""
    found = hear(connection, destination, verdicts, source=PERSON, now=now)
    entered = [
        {"card": one.key.record_id(), "version": one.version, "code": one.code, "reception": reception}
        for one, reception in zip(verdicts, found, strict=True)
    ]
    detail = {"destination": destination, "verdicts": entered}
    audit.write(connection, at=now, actor=actor, action="enter-acknowledgements", reason=reason, detail=detail)
    return found


class _At:
    """A delivery's row as this transaction has left it."""

    def __init__(self, row: Any, state: DeliveryState) -> None:  # noqa: ANN401 - a row of several columns
        self.id, self.destination, self.accepted_at = row.id, row.destination, row.accepted_at
        self.school_year, self.card_id, self.version, self.state = row.school_year, row.card_id, row.version, state


def _sent(
    connection: Connection, destination: DestinationName, verdicts: Sequence[Heard]
) -> dict[tuple[str, str, int], Any]:
    """The deliveries that verdicts are about, locked in one order; those that were never sent are left out."""
    cards = sorted({one.key for one in verdicts})
    if not cards:
        return {}
    was_sent = or_(_d.first_attempt_at.is_not(None), _d.state.not_in(sorted(UNSENT)))
    query = (
        select(_d.id, _d.destination, _d.school_year, _d.card_id, _d.version, _d.state, _d.accepted_at)
        .where(one_of_cards(connection, _d.school_year, _d.card_id, cards), _d.destination == destination, was_sent)
        .order_by(_d.id)
        .with_for_update()
    )
    return {(row.school_year, row.card_id, row.version): row for row in connection.execute(query)}


def _taken(  # noqa: PLR0917 - one row and what came of it
    connection: Connection,
    row: Row[Any] | _At,
    code: str,
    verdict: DeliveryState,
    source: str,
    now: int,
    counters: Counters,
) -> Reception:
    before = DeliveryState(row.state)
    if before in FINAL:
        kind = AckKind.REPEATED if before is verdict else AckKind.CONTRADICTORY
        note(connection, row.id, row.destination, source=source, kind=kind, code=code, verdict=verdict, now=now)
        return Reception(kind)
    after = enter(before, verdict)
    counters.move(row.destination, before, after)
    if after is DeliveryState.ACKNOWLEDGED:
        counters.observe(
            "acknowledgement_age_seconds", AGE_SECONDS, (row.destination,), [(now - row.accepted_at) / 1000]
        )
    values = {"state": after, "code": code, "lease_id": None, "settled_at": now, "next_attempt_at": now}
    values["failure_group_id"] = _failure_group(connection, row, code, verdict, source, now)
    if after is DeliveryState.ACKNOWLEDGED:
        values["taken"] = None
    connection.execute(update(deliveries).where(_d.id == row.id).values(values))
    note(connection, row.id, row.destination, source=source, kind=AckKind.SETTLED, code=code, verdict=verdict, now=now)
    wake_newer(connection, row.destination, [CardKey(row.school_year, row.card_id)], now)
    return Reception.SETTLED


def _failure_group(  # noqa: PLR0917 - one row and what came of it
    connection: Connection, row: Row[Any] | _At, code: str, verdict: DeliveryState, source: str, now: int
) -> int | None:
    """Count a refusal by its cause; its failure group, None of another verdict."""
    cause = cause_of_attempt(row.destination, source, verdict, code, "", None)
    if cause is None:
        return None
    key = CardKey(row.school_year, row.card_id)
    return record(connection, [Failed(cause, *whose(connection, [key])[key], now)], now)[cause]


def note(
    connection: Connection,
    delivery_id: int,
    destination: str,
    *,
    source: str,
    kind: AckKind,
    code: str,
    verdict: DeliveryState,
    now: int,
) -> None:
    """Keep a verdict; the same one again is counted in its row."""
    statement = upsert(connection, acknowledgements).values(
        delivery_id=delivery_id, destination=destination, source=source, kind=kind, code=code, verdict=verdict,
        first_at=now, last_at=now, times=1,
    )  # fmt: skip
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["delivery_id", "source", "kind", "code"], set_={"last_at": now, "times": _a.times + 1}
        )
    )


def wake_newer(connection: Connection, destination: str, cards: Sequence[CardKey], now: int) -> None:
    """Newer versions of cards that waited for an older one at a destination may go now."""
    connection.execute(
        update(deliveries)
        .where(
            one_of_cards(connection, _d.school_year, _d.card_id, cards),
            _d.destination == destination,
            in_states(_d.state, DeliveryState.QUEUED),
            _d.attempts == 0,
            _d.lease_id.is_(None),
            _d.next_attempt_at > now,
        )
        .values(next_attempt_at=now)
    )


def decide(
    connection: Connection, ack_id: int, decision: Decision, *, actor: str, reason: str, now: int
) -> Acknowledgement | None:
    """Say which of two contradictory verdicts counts, with the audit trail; None if there is none of this id.

    Raises:
        DecisionError: it contradicts nothing, or it was decided before.
    """
    found = find(connection, ack_id)
    if found is None:
        return None
    mine = and_(_a.id == ack_id, _a.kind == AckKind.CONTRADICTORY, _a.decided_at.is_(None))
    values = {"decided_at": now, "decided_by": actor, "decision": decision}
    if not connection.execute(update(acknowledgements).where(mine).values(values)).rowcount:
        raise DecisionError
    query = select(_d.state).where(_d.id == found.delivery_id).with_for_update()
    before = DeliveryState(connection.execute(query).scalar_one())
    if decision is Decision.TAKE and before is not found.verdict:
        after = decided(before, found.verdict)
        changed = {"state": after, "code": found.code, "settled_at": now}
        connection.execute(update(deliveries).where(_d.id == found.delivery_id).values(changed))
        counters = Counters()
        counters.move(found.destination, before, after)
        counters.write(connection)
    detail = {"acknowledgement": ack_id, "delivery": found.delivery_id, "decision": decision, "verdict": found.verdict}
    card = CardKey(SchoolYear(found.school_year), CardId(found.card_id))
    audit.write(
        connection, at=now, actor=actor, action="decide-acknowledgement", reason=reason, detail=detail, cards=[card]
    )
    return find(connection, ack_id)


def find(connection: Connection, ack_id: int) -> Acknowledgement | None:
    """A kept verdict; None if there is none of this id."""
    row = connection.execute(_select().where(_a.id == ack_id)).one_or_none()
    return None if row is None else _acknowledgement(row)


def listed(
    connection: Connection,
    *,
    destination: str | None = None,
    kind: AckKind | None = None,
    undecided: bool = False,
    before: int | None = None,
    limit: int = 100,
) -> list[Acknowledgement]:
    """The newest first, at most `limit`; `before` is the id of the last one seen."""
    query = _select().order_by(_a.id.desc()).limit(limit)
    if undecided:
        query = query.where(in_states(_a.kind, AckKind.CONTRADICTORY), _a.decided_at.is_(None))
    if destination is not None:
        query = query.where(_a.destination == destination)
    if kind is not None:
        query = query.where(_a.kind == kind)
    if before is not None:
        query = query.where(_a.id < before)
    return [_acknowledgement(row) for row in connection.execute(query)]


def undecided(connection: Connection, destination: str) -> int:
    """How many contradictory verdicts of a destination wait for a person."""
    open_ = (_a.destination == destination, in_states(_a.kind, AckKind.CONTRADICTORY), _a.decided_at.is_(None))
    return int(connection.execute(select(func.count()).select_from(acknowledgements).where(*open_)).scalar_one())


def overdue_ids(connection: Connection, destination: str, *, since: int, before: int, limit: int) -> list[int]:
    """Deliveries whose verdict has been awaited since a moment of this span and that nobody asks about now."""
    query = select(_d.id).where(
        _d.destination == destination,
        in_states(_d.state, DeliveryState.AWAITING_ACK),
        _d.awaiting_since >= since,
        _d.awaiting_since < before,
        _d.lease_id.is_(None),
    )
    return list(connection.execute(query.order_by(_d.awaiting_since, _d.id).limit(limit)).scalars())


def doubt(connection: Connection, destination: str, ids: Sequence[int], *, code: str, now: int) -> int:
    """Have deliveries looked up whose verdict is awaited; how many still were."""
    after = enter(DeliveryState.AWAITING_ACK, DeliveryState.IN_DOUBT)
    moved = connection.execute(
        update(deliveries)
        .where(one_of(connection, _d.id, ids), in_states(_d.state, DeliveryState.AWAITING_ACK), _d.lease_id.is_(None))
        .values(state=after, code=code, asked=0, next_attempt_at=now)
    ).rowcount
    counters = Counters()
    counters.move(destination, DeliveryState.AWAITING_ACK, after, moved)
    counters.write(connection)
    return moved


def poll_now(connection: Connection, destination: str, now: int, *, limit: int) -> int:
    """Have some of the verdicts that are awaited asked for at once; how many did not have to be before."""
    waiting = select(_d.id).where(
        _d.destination == destination,
        in_states(_d.state, DeliveryState.AWAITING_ACK),
        _d.lease_id.is_(None),
        _d.next_attempt_at > now,
    )
    ids = list(connection.execute(waiting.limit(limit)).scalars())
    connection.execute(update(deliveries).where(one_of(connection, _d.id, ids)).values(next_attempt_at=now))
    return len(ids)


def _select() -> Any:  # noqa: ANN401 - SQLAlchemy's type of it has a line for every column
    return select(acknowledgements, _d.school_year, _d.card_id, _d.version, _d.state).join_from(
        acknowledgements, deliveries, _d.id == _a.delivery_id
    )


def _acknowledgement(row: Row[Any]) -> Acknowledgement:
    found = {name: getattr(row, name) for name in Acknowledgement.__slots__}
    for name, kind in (("state", DeliveryState), ("kind", AckKind), ("verdict", DeliveryState)):
        found[name] = kind(found[name])
    found["decision"] = Decision(row.decision) if row.decision else None
    return Acknowledgement(**found)
