"""One card's whole story: everything that happened to it, from vendor to destinations, on one time line."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, and_, false, literal_column, or_, select

from hocba_hub.model.compared_card import personal_number_digest, pupil_code_digest
from hocba_hub.model.keys import CardId, CardKey, SchoolYear, card_key
from hocba_hub.store import audit, returns
from hocba_hub.store.bodies import unpack
from hocba_hub.store.engine import few_values, in_states, one_of, one_of_cards
from hocba_hub.store.tables import (
    acknowledgements,
    attempt_bodies,
    attempts,
    clients,
    deliveries,
    delivery_attempts,
    edits,
    identity_results,
    job_runs,
    reconcile_differences,
    records,
    replay_items,
    replays,
    report_cards,
    submissions,
    transfers,
    versions,
)

MOST_CARDS = 100
"""That one key may stand for; a school has more."""
MOST_EVENTS = 2_000
"""Of one kind that are told, the newest."""
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TRACE = re.compile(r"(?:00-)?([0-9a-f]{32})(?:-[0-9a-f]{16}-[0-9a-f]{2})?")
_c, _v, _s, _r = report_cards.c, versions.c, submissions.c, records.c
_d, _a, _t, _k = deliveries.c, attempts.c, delivery_attempts.c, acknowledgements.c
_i, _p, _x, _e = replay_items.c, replays.c, reconcile_differences.c, edits.c


class CallBodies(NamedTuple):
    """Request and answer of a call that was about a card, and what is needed to show the card's part of them."""

    destination: str
    request: bytes
    response: bytes
    versions: Sequence[int]
    """Of the card, that the call was about."""
    canonical: bytes
    """The card as its newest version stands."""


class StoryKind(StrEnum):
    """What happened."""

    RECEIVED = "received"
    """A submission held it, and it was accepted as a version."""
    REJECTED = "rejected"
    """A submission held it, and something stood against it."""
    CALLED = "called"
    """A destination was sent it, or asked about it."""
    VERDICT = "verdict"
    """A verdict came that was not waited for: unasked, late, again, or against another."""
    RECONCILED = "reconciled"
    """A reconciliation found that a destination holds it otherwise."""
    FROZEN = "frozen"
    """It was chosen for a replay."""
    SENT_AGAIN = "sent-again"
    """A replay queued it again."""
    REPLAYED = "replayed"
    """It had its outcome in a replay."""
    RETURNED = "returned"
    """It went back to its school."""
    EDIT = "edit"
    """Somebody proposed to change it."""
    DECIDED = "edit-decided"
    TRANSFERRED = "transferred"
    """Another school may correct it from now on."""
    IDENTITY = "identity"
    """The personal number of its pupil was checked."""
    ACT = "act"
    """Somebody did something to it that is none of the above, or looked at what a call held of it."""


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """Something that happened to a card, without anything of its content."""

    at: int
    """Milliseconds."""
    kind: StoryKind
    place: str
    """`vendor`, `hub`, or a destination."""
    version: int | None = None
    actor: str = ""
    """Who did it, where a person or a client did."""
    code: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """More of it, as JSON: ids, digests, mapping, reason."""


@dataclass(frozen=True, slots=True)
class Story:
    """A card and everything that happened to it, the oldest first."""

    key: CardKey
    school_code: str
    version: int
    recalled: bool
    standing: Mapping[str, str]
    """Destination -> the state of the newest version there."""
    events: Sequence[StoryEvent]


def find(connection: Connection, given: str) -> list[CardKey]:
    """The cards that a key stands for, at most `MOST_CARDS`; empty if there is none.

    A key is a record id (`2025-2026/ID`), a message id (with `/VERSION` behind), a card id, a pupil's code or personal
    number, a school, a submission, a destination's reference, or a trace id.
    """
    text = given.strip()
    whole = _record(text)
    if whole is not None:
        return _known(connection, [whole])
    for cards in (_by_card_id, _by_submission, _by_trace, _by_pupil, _by_reference, _by_school):
        found = cards(connection, text)
        if found:
            return found
    return []


def keys_of(connection: Connection, keys: Sequence[CardKey], schools: Collection[str]) -> list[CardKey]:
    """Those of some cards that are of these schools, or that these may correct."""
    mine = or_(one_of(connection, _c.school_code, sorted(schools)), one_of(connection, _c.managed_by, sorted(schools)))
    these = one_of_cards(connection, _c.school_year, _c.card_id, keys) if keys else false()
    rows = connection.execute(select(_c.school_year, _c.card_id).where(these, mine))
    found = {_key(*row) for row in rows}
    return [key for key in keys if key in found]


def _record(text: str) -> CardKey | None:
    record, _, version = text.rpartition("/")
    if version.isdecimal() and record.count("/") == 1:
        return card_key(record)
    return card_key(text)


def _known(connection: Connection, keys: Sequence[CardKey]) -> list[CardKey]:
    if not keys:
        return []
    query = select(_c.school_year, _c.card_id).where(one_of_cards(connection, _c.school_year, _c.card_id, keys))
    return [_key(*row) for row in connection.execute(query.order_by(_c.school_year, _c.card_id).limit(MOST_CARDS))]


def _by_card_id(connection: Connection, text: str) -> list[CardKey]:
    return _known(connection, [_key(year, text) for year in few_values(connection, _c.school_year)])


def _by_submission(connection: Connection, text: str) -> list[CardKey]:
    if not _UUID.fullmatch(text):
        return []
    query = select(_r.school_year, _r.card_id).where(_r.submission_id == text, _r.card_id.is_not(None))
    rows = connection.execute(query.order_by(_r.position).limit(MOST_CARDS)).all()
    return list(dict.fromkeys(_key(*row) for row in rows))


def _by_trace(connection: Connection, text: str) -> list[CardKey]:
    match = _TRACE.fullmatch(text)
    if match is None:
        return []
    first = f"00-{match[1]}-"
    query = select(_s.id).where(_s.trace_parent >= first, _s.trace_parent < f"{first}~").order_by(_s.trace_parent)
    found: list[CardKey] = []
    for submission in connection.execute(query.limit(MOST_CARDS)).scalars():
        found += _by_submission(connection, submission)
    return list(dict.fromkeys(found))[:MOST_CARDS]


def _by_pupil(connection: Connection, text: str) -> list[CardKey]:
    number, code = personal_number_digest(text), pupil_code_digest(text)
    found: set[CardKey] = set()
    has_code = _c.pupil_code != literal_column("0")  # word by word as the index has it
    for these in (_c.pupil == number, _c.pupil == code, and_(_c.pupil_code == code, has_code)):
        rows = connection.execute(select(_c.school_year, _c.card_id).where(these).limit(MOST_CARDS))
        found.update(_key(*row) for row in rows)
    return sorted(found)[:MOST_CARDS]


def _by_reference(connection: Connection, text: str) -> list[CardKey]:
    query = select(_d.school_year, _d.card_id).where(_d.reference == text).distinct().limit(MOST_CARDS)
    return sorted(_key(*row) for row in connection.execute(query))


def _by_school(connection: Connection, text: str) -> list[CardKey]:
    query = select(_c.school_year, _c.card_id).where(_c.school_code == text)
    return [_key(*row) for row in connection.execute(query.limit(MOST_CARDS))]


def _key(year: str, card_id: str) -> CardKey:
    return CardKey(SchoolYear(year), CardId(card_id))


def story(connection: Connection, key: CardKey) -> Story | None:
    """Everything that happened to a card; None if there is none."""
    card = connection.execute(
        select(_c.school_code, _c.version, _c.recalled).where(
            _c.school_year == key.school_year, _c.card_id == key.card_id
        )
    ).one_or_none()
    if card is None:
        return None
    mine = select(_d.id, _d.destination, _d.version, _d.state).where(
        _d.school_year == key.school_year, _d.card_id == key.card_id
    )
    rows = {row.id: row for row in connection.execute(mine.order_by(_d.version, _d.destination))}
    told = (_received, _rejected, _returned, _edits, _transferred, _identity, _reconciled, _acts)
    events = [event for tell in told for event in tell(connection, key)]
    events += [event for tell in (_called, _verdicts, _replayed) for event in tell(connection, rows)]
    return Story(
        key, card.school_code, card.version, card.recalled,
        {row.destination: row.state for row in rows.values()},  # of several versions the newest
        sorted(events, key=lambda one: (one.at, one.version or 0)),
    )  # fmt: skip


def _received(connection: Connection, key: CardKey) -> Iterator[StoryEvent]:
    query = (
        select(
            _v.version, _v.event, _v.accepted_at, _v.submission_id, _v.position, _v.original_sha256, _v.original_type,
            _v.original_bytes, _s.received_at, _s.trace_parent, clients.c.name,
        )
        .join_from(versions, submissions, _s.id == _v.submission_id, isouter=True)
        .join(clients, clients.c.id == _s.client_id, isouter=True)
        .where(_v.school_year == key.school_year, _v.card_id == key.card_id)
        .order_by(_v.version.desc())
        .limit(MOST_EVENTS)
    )  # fmt: skip
    for row in connection.execute(query):
        facts = {
            "event": row.event, "submission": row.submission_id, "position": row.position,
            "received_at": row.received_at, "sha256": row.original_sha256.hex(), "media_type": row.original_type,
            "bytes": row.original_bytes, "trace_parent": row.trace_parent,
        }  # fmt: skip
        actor = f"client:{row.name}" if row.name else ""
        yield StoryEvent(row.accepted_at, StoryKind.RECEIVED, "vendor", row.version, actor, row.event, _told(facts))


def _rejected(connection: Connection, key: CardKey) -> Iterator[StoryEvent]:
    query = (
        select(_r.submission_id, _r.position, _r.findings, _r.sha256, _s.received_at, _s.trace_parent, clients.c.name)
        .join_from(records, submissions, _s.id == _r.submission_id)
        .join(clients, clients.c.id == _s.client_id, isouter=True)
        .where(in_states(_r.status, "rejected"), _r.school_year == key.school_year, _r.card_id == key.card_id)
        .order_by(_r.submission_id.desc())
        .limit(MOST_EVENTS)
    )
    for row in connection.execute(query):
        findings = [] if row.findings is None else orjson.loads(unpack(row.findings))
        codes = list(dict.fromkeys(one["code"] for one in findings))
        facts = {
            "submission": row.submission_id, "position": row.position, "sha256": row.sha256.hex(), "findings": codes,
            "trace_parent": row.trace_parent,
        }  # fmt: skip
        actor = f"client:{row.name}" if row.name else ""
        code = codes[0] if codes else ""
        yield StoryEvent(row.received_at, StoryKind.REJECTED, "vendor", None, actor, code, _told(facts))


def _called(connection: Connection, rows: Mapping[int, Any]) -> Iterator[StoryEvent]:
    query = (
        select(
            _t.delivery_id, _t.meaning, _t.code, _t.detail, _t.mapping, _t.made_sha256, _a.id, _a.kind, _a.leased_at,
            _a.sent_at, _a.ended_at, _a.http_status, _a.request_sha256, _a.response_sha256,
        )
        .join_from(delivery_attempts, attempts, _a.id == _t.attempt_id)
        .where(one_of(connection, _t.delivery_id, sorted(rows)))
        .order_by(_t.attempt_id.desc())
        .limit(MOST_EVENTS)
    )  # fmt: skip
    for row in connection.execute(query):
        delivery = rows[row.delivery_id]
        facts = {
            "delivery": row.delivery_id, "attempt": row.id, "call": row.kind, "meaning": row.meaning,
            "detail": row.detail, "mapping": row.mapping, "sent_at": row.sent_at, "ended_at": row.ended_at,
            "http_status": row.http_status, "request_sha256": row.request_sha256,
            "response_sha256": row.response_sha256, "made_sha256": row.made_sha256 and row.made_sha256.hex(),
        }  # fmt: skip
        at = row.sent_at or row.leased_at
        yield StoryEvent(at, StoryKind.CALLED, delivery.destination, delivery.version, "", row.code, _told(facts))


def _verdicts(connection: Connection, rows: Mapping[int, Any]) -> Iterator[StoryEvent]:
    query = select(acknowledgements).where(one_of(connection, _k.delivery_id, sorted(rows))).limit(MOST_EVENTS)
    for row in connection.execute(query):
        facts = {
            "delivery": row.delivery_id, "acknowledgement": row.id, "what": row.kind, "verdict": row.verdict,
            "source": row.source, "times": row.times, "last_at": row.last_at, "decision": row.decision,
            "decided_by": row.decided_by, "decided_at": row.decided_at,
        }  # fmt: skip
        version = rows[row.delivery_id].version
        yield StoryEvent(row.first_at, StoryKind.VERDICT, row.destination, version, "", row.code, _told(facts))


def _replayed(connection: Connection, rows: Mapping[int, Any]) -> Iterator[StoryEvent]:
    query = (
        select(
            _i.delivery_id, _i.replay_id, _i.state, _i.released_at, _i.outcome, _i.code, _i.ended_at, _p.created_at,
            _p.created_by, _p.reason, _p.meaning,
        )
        .join_from(replay_items, replays, _p.id == _i.replay_id)
        .where(one_of(connection, _i.delivery_id, sorted(rows)))
        .limit(MOST_EVENTS)
    )  # fmt: skip
    for row in connection.execute(query):
        delivery = rows[row.delivery_id]
        place, version = delivery.destination, delivery.version
        facts = {"replay": row.replay_id, "delivery": row.delivery_id}
        chosen = {**facts, "state": row.state, "meaning": row.meaning, "reason": row.reason}
        yield StoryEvent(row.created_at, StoryKind.FROZEN, "hub", version, row.created_by, "", chosen)
        if row.released_at is not None:
            yield StoryEvent(row.released_at, StoryKind.SENT_AGAIN, place, version, "", "", facts)
        if row.ended_at is not None:
            ended = {**facts, "outcome": row.outcome}
            yield StoryEvent(row.ended_at, StoryKind.REPLAYED, place, version, "", row.code or "", ended)


def _returned(connection: Connection, key: CardKey) -> Iterator[StoryEvent]:
    for one in returns.of_card(connection, key):
        facts = {"delivery": one.delivery_id, "destination": one.destination, "note": one.note, "is_open": one.is_open}
        yield StoryEvent(
            one.returned_at, StoryKind.RETURNED, "vendor", one.version, one.returned_by, one.code, facts
        )  # fmt: skip


def _edits(connection: Connection, key: CardKey) -> Iterator[StoryEvent]:
    query = select(edits).where(_e.school_year == key.school_year, _e.card_id == key.card_id).limit(MOST_EVENTS)
    for row in connection.execute(query):
        places = [one[0] for one in orjson.loads(unpack(row.changes))]
        facts = {"edit": row.id, "places": places, "reason": row.reason}
        yield StoryEvent(row.asked_at, StoryKind.EDIT, "hub", row.base_version, row.asked_by, "", facts)
        if row.decided_at is not None:
            yield StoryEvent(
                row.decided_at, StoryKind.DECIDED, "hub", row.made_version, row.decided_by, row.state, {"edit": row.id}
            )


def _transferred(connection: Connection, key: CardKey) -> Iterator[StoryEvent]:
    m = transfers.c
    query = select(transfers).where(m.school_year == key.school_year, m.card_id == key.card_id).limit(MOST_EVENTS)
    for row in connection.execute(query):
        facts = {"from": row.from_school, "to": row.to_school, "reason": row.reason}
        yield StoryEvent(row.decided_at, StoryKind.TRANSFERRED, "hub", None, row.decided_by, "", facts)


def _identity(connection: Connection, key: CardKey) -> Iterator[StoryEvent]:
    m = identity_results.c
    for row in connection.execute(
        select(identity_results).where(m.school_year == key.school_year, m.card_id == key.card_id)
    ):
        yield StoryEvent(row.told_at, StoryKind.IDENTITY, row.destination, row.version, "", row.result)


def _reconciled(connection: Connection, key: CardKey) -> Iterator[StoryEvent]:
    query = (
        select(reconcile_differences, job_runs.c.started_at)
        .join_from(reconcile_differences, job_runs, job_runs.c.id == _x.run_id, isouter=True)
        .where(and_(_x.school_year == key.school_year, _x.card_id == key.card_id))
        .order_by(_x.id.desc())
        .limit(MOST_EVENTS)
    )
    for row in connection.execute(query):
        facts = {
            "run": row.run_id, "their_version": row.their_version, "their_state": row.their_state,
            "our_state": row.our_state, "repaired_at": row.repaired_at, "repaired_by": row.repaired_by,
        }  # fmt: skip
        at = row.started_at or row.repaired_at or 0
        yield StoryEvent(at, StoryKind.RECONCILED, row.destination, row.our_version, "", row.kind, _told(facts))


def _acts(connection: Connection, key: CardKey) -> Iterator[StoryEvent]:
    for one in reversed(audit.about(connection, key, MOST_EVENTS)):
        facts = {"audit": one.id, "reason": one.reason, "attempt": one.detail.get("attempt")}
        yield StoryEvent(one.at, StoryKind.ACT, "hub", None, one.actor, one.action, _told(facts))


def bodies_of(connection: Connection, key: CardKey, attempt_id: int) -> CallBodies | None:
    """What was sent and came back in a call that was about a card; None if it was not, or is not kept any more."""
    b = attempt_bodies.c
    mine = (
        select(_d.version)
        .join_from(delivery_attempts, deliveries, _d.id == _t.delivery_id)
        .where(_d.school_year == key.school_year, _d.card_id == key.card_id, _t.attempt_id == attempt_id)
    )
    about = list(connection.execute(mine).scalars())
    row = connection.execute(
        select(b.request, b.response, _a.destination)
        .join_from(attempt_bodies, attempts, _a.id == b.attempt_id)
        .where(b.attempt_id == attempt_id)
    ).one_or_none()
    if not about or row is None:
        return None
    newest = select(_v.canonical).where(_v.school_year == key.school_year, _v.card_id == key.card_id)
    canonical = connection.execute(newest.order_by(_v.version.desc()).limit(1)).scalar_one()
    return CallBodies(row.destination, unpack(row.request), unpack(row.response), about, unpack(canonical))


def _told(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is empty."""
    return {name: value for name, value in facts.items() if value is not None and value != ""}
