"""Accepting records: submission, records, card versions, deliveries, open findings and counters in one commit.

`decide` reads and says what becomes of each record; `accept` writes it. The natural key (school year, card id) is
unique for ever: the same content again is the same version; changed content is the next one, and supersedes what
was not yet sent of the older ones.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import orjson
from sqlalchemy import Connection, case, delete, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hocba_hub.model.acceptance import CARD_OF_ANOTHER_SCHOOL, NOT_ALONE, RECALLED, SCHOOL_NOT_PERMITTED
from hocba_hub.model.card import canonical_bytes, recalled
from hocba_hub.model.delivery import UNSENT, UNSETTLED, DeliveryState
from hocba_hub.model.findings import Finding, Severity
from hocba_hub.model.keys import CardKey, Event, SchoolCode
from hocba_hub.model.reading import read_card
from hocba_hub.store.bodies import pack, unpack
from hocba_hub.store.bulk import insert_rows
from hocba_hub.store.engine import StoreError, one_of_cards
from hocba_hub.store.tables import (
    deliveries,
    delivery_attempts,
    open_findings,
    records,
    report_cards,
    submissions,
    versions,
)
from hocba_hub.store.tally import Tally
from hocba_hub.store.worklist import Entry, Kept, UnmappedCode, note

FIRST_LOOK_MS = 1_000
"""When a version is first looked at whose older one is unsettled, unless that is settled before. Soon, since
PostgreSQL lets an older one be settled while the newer is still being accepted: neither then sees the other."""


@dataclass(frozen=True, slots=True)
class Content:
    """A right record's content, ready to be stored."""

    school: SchoolCode
    recalled: bool
    content_sha256: bytes
    """Of the canonical JSON."""
    canonical: bytes
    """Canonical JSON, packed."""
    original: bytes | None
    """The record's bytes as sent, packed; None where they equal the canonical JSON."""
    original_type: str
    original_bytes: int


@dataclass(slots=True)
class ReceivedRecord:
    """One record of a submission after the checks."""

    position: int
    sha256: bytes
    """Of the record's bytes as sent."""
    key: CardKey | None
    """The natural key, where it could be read."""
    school: str | None
    """The school code, where it could be read."""
    content: Content | None
    """None where a finding stands against accepting it."""
    findings: list[Finding] = field(default_factory=list)
    unmapped: Sequence[UnmappedCode] = ()
    kept: Kept | None = None
    """What no code table knew; and what is kept where nothing but that stands against the record."""
    recalls: bool = False
    """It recalls the card of this key: its content is that of the newest version, taken when the card is locked."""


@dataclass(frozen=True, slots=True)
class Portion:
    """Consecutive records of one submission that are accepted together."""

    submission_id: str
    client_id: int
    schools: Collection[str] | None
    """The schools that the client may speak for; None for all."""
    received_at: int
    media_type: str
    atomic: bool
    trace_parent: str | None
    records: Sequence[ReceivedRecord]
    first: bool
    """The submission is not in the store yet."""
    last: bool
    """Nothing follows; `size` and `sha256` are those of the whole body."""
    size: int = 0
    sha256: str = ""
    reinstates: bool = False
    """Cards that were recalled are put into force again; otherwise they are refused."""


class CardRaceError(StoreError):
    """Another transaction created one of the cards a moment ago; run the whole transaction again."""


@dataclass(frozen=True, slots=True)
class RecordResult:
    """What became of one record."""

    position: int
    status: str
    """`accepted` (a new version), `unchanged` (the newest version has this content) or `rejected`."""
    key: CardKey | None
    school: str | None
    version: int | None
    event: Event | None
    """What the new version is; None where there is none."""
    sha256: bytes
    findings: Sequence[Finding]
    size: int = 0
    """Bytes of the record, of one that was accepted."""


@dataclass(frozen=True, slots=True)
class Card:
    """The newest state of a report card, as far as accepting needs it."""

    school: str
    version: int
    content_sha256: bytes
    recalled: bool
    client_id: int


Cards = dict[CardKey, Card]


def cards_of(connection: Connection, keys: Sequence[CardKey], *, lock: bool = False) -> Cards:
    """The stored cards among `keys`; with `lock` nobody else changes them until the transaction ends."""
    if not keys:
        return {}
    c = report_cards.c
    query = (
        select(c.school_year, c.card_id, c.school_code, c.version, c.content_sha256, c.recalled, c.client_id)
        .where(one_of_cards(connection, c.school_year, c.card_id, keys))
        .order_by(c.school_year, c.card_id)  # locks are taken in one order everywhere
    )
    if lock:
        query = query.with_for_update()
    return {CardKey(year, card): Card(*rest) for year, card, *rest in connection.execute(query)}


def canonical_of(connection: Connection, key: CardKey, version: int) -> bytes:
    """The canonical JSON of a version that is in the store."""
    v = versions.c
    query = select(v.canonical).where(v.school_year == key.school_year, v.card_id == key.card_id, v.version == version)
    return unpack(connection.execute(query).scalar_one())


def decide(cards: Cards, portion: Portion) -> list[RecordResult]:
    """What becomes of each record of the portion, given the cards as they stand; moves `cards` on."""
    objections = [_objections(cards, portion, record) for record in portion.records]
    all_refused = portion.atomic and any(objections)
    results = []
    for record, against in zip(portion.records, objections, strict=True):
        refused = against or ([Finding(NOT_ALONE, "")] if all_refused else [])
        if refused or record.content is None or record.key is None:
            findings = [*record.findings, *(finding for finding in refused if finding not in record.findings)]
            results.append(_result(record, "rejected", None, None, findings))
            continue
        content, card = record.content, cards.get(record.key)
        if card is not None and card.content_sha256 == content.content_sha256:
            results.append(_result(record, "unchanged", card.version, None, record.findings))
            continue
        version = 1 if card is None else card.version + 1
        event = Event.CANCEL if content.recalled else Event.NEW if card is None else Event.UPDATE
        cards[record.key] = Card(content.school, version, content.content_sha256, content.recalled, portion.client_id)
        results.append(_result(record, "accepted", version, event, record.findings))
    return results


def _objections(cards: Cards, portion: Portion, record: ReceivedRecord) -> list[Finding]:
    against = [finding for finding in record.findings if finding.kind.severity is Severity.ERROR]
    card = cards.get(record.key) if record.key is not None else None
    if portion.schools is not None:
        if record.school is not None and record.school not in portion.schools:
            against.append(Finding(SCHOOL_NOT_PERMITTED, "/school/code", facts={"school": record.school}))
        elif card is not None and card.school not in portion.schools:
            against.append(Finding(CARD_OF_ANOTHER_SCHOOL, "/card_id"))
    is_back = card is not None and card.recalled and record.content is not None and not record.content.recalled
    if is_back and not portion.reinstates:
        against.append(Finding(RECALLED, "/card_id"))
    return against


def _result(
    record: ReceivedRecord, status: str, version: int | None, event: Event | None, findings: Sequence[Finding]
) -> RecordResult:
    size = record.content.original_bytes if record.content is not None else 0
    return RecordResult(
        record.position, status, record.key, record.school, version, event, record.sha256, findings, size
    )


def accept(
    connection: Connection, portions: Sequence[Portion], destinations: Sequence[str], now: int
) -> list[list[RecordResult]]:
    """Write the portions, in order, in the running transaction; one list of results for each.

    `destinations` are the names that every accepted version is delivered to. `now` is in milliseconds.

    Raises:
        CardRaceError: roll back and call again.
    """
    wanted = sorted(
        {r.key for p in portions for r in p.records if r.key is not None and (r.content is not None or r.recalls)}
    )
    before = cards_of(connection, wanted, lock=True)
    cards = dict(before)
    results: list[list[RecordResult]] = []
    accepted: dict[CardKey, bytes] = {}
    portions = list(portions)
    has_recalls = any(record.recalls for portion in portions for record in portion.records)
    for number, portion in enumerate(portions):
        if has_recalls:
            portions[number] = _with_recalls(connection, portion, cards, accepted)
        results.append(decide(cards, portions[number]))
        if has_recalls:
            accepted |= _contents(portions[number], results[-1])
    rows = [
        _version_row(record.key, record.content, portion, result, now)
        for portion, decided in zip(portions, results, strict=True)
        for record, result in zip(portion.records, decided, strict=True)
        if result.status == "accepted" and record.content is not None and record.key is not None
    ]
    tally = Tally()
    if rows:
        changed = {CardKey(row["school_year"], row["card_id"]) for row in rows}
        _write_cards(connection, before, {key: cards[key] for key in changed}, now)
        insert_rows(connection, versions, rows)
        _write_deliveries(connection, rows, sorted(changed & before.keys()), destinations, tally)
    _write_submissions(connection, portions, results)
    insert_rows(
        connection,
        records,
        [
            _record_row(portion, result)
            for portion, decided in zip(portions, results, strict=True)
            for result in decided
        ],
    )
    _write_open_findings(connection, portions, results, now)
    note(connection, _unmapped(portions, results), now)
    for status, count in Counter(result.status for result in chain.from_iterable(results)).items():
        tally.add("records", status, amount=count)
    for finding in chain.from_iterable(result.findings for result in chain.from_iterable(results)):
        tally.add("findings", finding.kind.family, finding.kind.severity.value)
    tally.write(connection)
    return results


def _with_recalls(connection: Connection, portion: Portion, cards: Cards, accepted: Mapping[CardKey, bytes]) -> Portion:
    """The portion with the content of its recalls: the newest version, which nobody else can change any more.

    `accepted` are the packed canonical forms of what portions before this one brought in the same transaction.
    """
    found = []
    for record in portion.records:
        card = cards.get(record.key) if record.key is not None else None
        if not record.recalls or record.key is None or card is None:
            found.append(record)
            continue
        packed = accepted.get(record.key)
        newest = unpack(packed) if packed is not None else canonical_of(connection, record.key, card.version)
        read = read_card(newest).card
        assert read is not None  # noqa: S101 - it was accepted
        raw = canonical_bytes(recalled(read))
        digest = hashlib.sha256(raw).digest()
        content = Content(
            SchoolCode(card.school), recalled=True, content_sha256=digest, canonical=pack(raw), original=None,
            original_type="application/json", original_bytes=len(raw),
        )  # fmt: skip
        found.append(replace(record, sha256=digest, school=card.school, content=content))
        portion = replace(portion, size=portion.size or len(raw), sha256=portion.sha256 or digest.hex())
    return replace(portion, records=found)


def _contents(portion: Portion, decided: Sequence[RecordResult]) -> dict[CardKey, bytes]:
    """The packed canonical forms of what was accepted."""
    return {
        record.key: record.content.canonical
        for record, result in zip(portion.records, decided, strict=True)
        if result.status == "accepted" and record.content is not None and record.key is not None
    }


def recall_of(key: CardKey) -> ReceivedRecord:
    """A record that recalls a card, for a portion of its own."""
    return ReceivedRecord(0, b"", key, None, None, recalls=True)


def _version_row(key: CardKey, content: Content, portion: Portion, result: RecordResult, now: int) -> dict[str, Any]:
    return {
        "school_year": key.school_year,
        "card_id": key.card_id,
        "version": result.version,
        "event": result.event,
        "accepted_at": now,
        "submission_id": portion.submission_id,
        "position": result.position,
        "school_code": content.school,
        "content_sha256": content.content_sha256,
        "original_sha256": result.sha256,
        "original_type": content.original_type,
        "original_bytes": content.original_bytes,
        "canonical": content.canonical,
        "original": content.original,
    }


def _write_cards(connection: Connection, before: Cards, changed: Cards, now: int) -> None:
    rows: list[dict[str, Any]] = [
        {
            "school_year": key.school_year,
            "card_id": key.card_id,
            "school_code": card.school,
            "client_id": card.client_id,
            "version": card.version,
            "content_sha256": card.content_sha256,
            "recalled": card.recalled,
            "changed_at": now,
        }
        for key, card in sorted(changed.items())
    ]
    new = [row for row in rows if (row["school_year"], row["card_id"]) not in before]
    known = [row for row in rows if (row["school_year"], row["card_id"]) in before]
    if new and insert_rows(connection, report_cards, new, unless_there=True) != len(new):
        raise CardRaceError("A card was created by another transaction at the same moment.")
    for row in known:
        connection.execute(
            update(report_cards)
            .where(report_cards.c.school_year == row["school_year"], report_cards.c.card_id == row["card_id"])
            .values(row)
        )


def _write_deliveries(
    connection: Connection,
    rows: Sequence[dict[str, Any]],
    known: Sequence[CardKey],
    destinations: Sequence[str],
    tally: Tally,
) -> None:
    """One delivery per new version and destination; of several versions of a card only the newest will be sent."""
    newest = {(row["school_year"], row["card_id"]): row["version"] for row in rows}
    reached: set[tuple[str, str, str]] = set()
    unsettled: set[tuple[str, str, str]] = set()
    if known:
        supersede(connection, known, tally)
        d = deliveries.c
        # Not `attempts`: a replay counts those from the start again, and what was sent once stays sent.
        tried = exists().where(delivery_attempts.c.delivery_id == d.id)
        query = select(d.school_year, d.card_id, d.destination, d.state, tried).where(
            one_of_cards(connection, d.school_year, d.card_id, known)
        )
        for year, card_id, destination, state, was_tried in connection.execute(query):
            if was_tried or state in UNSETTLED or state == DeliveryState.ACKNOWLEDGED:
                reached.add((year, card_id, destination))
            if state in UNSETTLED:
                unsettled.add((year, card_id, destination))
    new = []
    for row in rows:
        year, card_id = row["school_year"], row["card_id"]
        is_newest = newest[year, card_id] == row["version"]
        state = DeliveryState.QUEUED if is_newest else DeliveryState.SUPERSEDED
        for destination in destinations:
            here = (year, card_id, destination)
            first = row["event"] == Event.UPDATE and here not in reached
            new.append(
                {
                    "destination": destination,
                    "school_year": year,
                    "card_id": card_id,
                    "version": row["version"],
                    "event": Event.NEW if first else row["event"],
                    "state": state,
                    "accepted_at": row["accepted_at"],
                    "next_attempt_at": row["accepted_at"] + (FIRST_LOOK_MS if here in unsettled else 0),
                }
            )
            tally.move(destination, None, state)
    insert_rows(connection, deliveries, new)


def supersede(connection: Connection, cards: Sequence[CardKey], tally: Tally) -> None:
    """End every unsent delivery of these cards: the caller writes a newer version in the same transaction."""
    d = deliveries.c
    for state in sorted(UNSENT):
        ended = connection.execute(
            update(deliveries)
            .where(one_of_cards(connection, d.school_year, d.card_id, cards), d.state == state, d.lease_id.is_(None))
            .values(state=DeliveryState.SUPERSEDED)
            .returning(d.destination)
        )
        for (destination,) in ended:
            tally.move(destination, state, DeliveryState.SUPERSEDED)


def _write_submissions(
    connection: Connection, portions: Sequence[Portion], results: Sequence[Sequence[RecordResult]]
) -> None:
    new = []
    for portion, decided in zip(portions, results, strict=True):
        rejected = sum(result.status == "rejected" for result in decided)
        accepted = len(decided) - rejected
        if portion.first:
            new.append(
                {
                    "id": portion.submission_id,
                    "client_id": portion.client_id,
                    "received_at": portion.received_at,
                    "media_type": portion.media_type,
                    "state": submission_state(accepted, rejected) if portion.last else "receiving",
                    "bytes": portion.size,
                    "sha256": portion.sha256,
                    "accepted": accepted,
                    "rejected": rejected,
                    "atomic": portion.atomic,
                    "trace_parent": portion.trace_parent,
                }
            )
            continue
        s = submissions.c
        all_accepted, all_rejected = s.accepted + accepted, s.rejected + rejected
        values: dict[str, Any] = {"accepted": all_accepted, "rejected": all_rejected}
        if portion.last:
            state = case((all_rejected == 0, "accepted"), (all_accepted == 0, "rejected"), else_="partial")
            values |= {"bytes": portion.size, "sha256": portion.sha256, "state": state}
        connection.execute(update(submissions).where(s.id == portion.submission_id).values(values))
    insert_rows(connection, submissions, new)


def _unmapped(portions: Sequence[Portion], results: Sequence[Sequence[RecordResult]]) -> Iterator[Entry]:
    """What no code table knew; a record waits only if it is refused for nothing else."""
    for portion, decided in zip(portions, results, strict=True):
        for record, one in zip(portion.records, decided, strict=True):
            if record.unmapped:
                kept = record.kept if not portion.atomic and len(one.findings) == len(record.findings) else None
                here = (portion.client_id, one.school, portion.submission_id, one.position)
                yield Entry(record.unmapped, *here, one.key, kept)


def submission_state(accepted: int, rejected: int) -> str:
    """`accepted`, `partial` or `rejected`: the state of a submission whose records are all decided."""
    return "accepted" if not rejected else "partial" if accepted else "rejected"


def _record_row(portion: Portion, result: RecordResult) -> dict[str, Any]:
    return {
        "submission_id": portion.submission_id,
        "position": result.position,
        "status": result.status,
        "sha256": result.sha256,
        "school_year": result.key.school_year if result.key else None,
        "card_id": result.key.card_id if result.key else None,
        "school_code": result.school,
        "version": result.version,
        "findings": _pack_findings(result.findings) if result.findings else None,
    }


def _pack_findings(findings: Sequence[Finding]) -> bytes:
    return pack(orjson.dumps([finding.as_json() for finding in findings]))


def _write_open_findings(
    connection: Connection, portions: Sequence[Portion], results: Sequence[Sequence[RecordResult]], now: int
) -> None:
    """A school's open list: a rejected card stands on it until it is accepted."""
    f = open_findings.c
    cleared = sorted({r.key for r in chain.from_iterable(results) if r.key is not None and r.status != "rejected"})
    if cleared:
        connection.execute(delete(open_findings).where(one_of_cards(connection, f.school_year, f.card_id, cleared)))
    opened: dict[tuple[str, CardKey, int], dict[str, Any]] = {}
    for portion, decided in zip(portions, results, strict=True):
        for result in decided:
            permitted = portion.schools is None or result.school in portion.schools
            if result.status == "rejected" and result.key and result.school and permitted:
                opened[result.school, result.key, portion.client_id] = {
                    "school_code": result.school,
                    "school_year": result.key.school_year,
                    "card_id": result.key.card_id,
                    "client_id": portion.client_id,
                    "since": now,
                    "last_at": now,
                    "times": 1,
                    "submission_id": portion.submission_id,
                    "position": result.position,
                    "findings": _pack_findings(result.findings),
                }
    if opened:
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        statement = dialect.insert(open_findings)
        newer = {name: statement.excluded[name] for name in ("last_at", "submission_id", "position", "findings")}
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["school_code", "school_year", "card_id", "client_id"],
                set_={**newer, "times": f.times + 1},
            ),
            [opened[place] for place in sorted(opened)],
        )
