"""Accepting records: submission, records, card versions, deliveries, open findings and counters in one commit.

`store/decide.py` says what becomes of each record; what is accepted supersedes what was not yet sent of older versions.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from sqlalchemy import Connection, case, exists, select, update

from hocba_hub.model.card import canonical_bytes, recalled
from hocba_hub.model.compared_card import compared_card
from hocba_hub.model.delivery import UNSENT, UNSETTLED, DeliveryState, enter, first_state
from hocba_hub.model.failures import cause_of_rejection
from hocba_hub.model.ids import moment_of
from hocba_hub.model.keys import CardKey, Event
from hocba_hub.model.reading import read_card
from hocba_hub.rules.comparing import CardComparison
from hocba_hub.store.bodies import pack, unpack
from hocba_hub.store.bulk import insert_rows
from hocba_hub.store.counters import Counters
from hocba_hub.store.decide import Card, Cards, Content, Portion, RecordResult, decide, find_cards, submission_state
from hocba_hub.store.engine import StoreError, one_of_cards
from hocba_hub.store.failures import Failed
from hocba_hub.store.failures import record as record_failures
from hocba_hub.store.idempotency import require
from hocba_hub.store.open_findings import pack_findings, write_open_findings
from hocba_hub.store.rejected_records import keep
from hocba_hub.store.senders import note as note_senders
from hocba_hub.store.tables import (
    deliveries,
    delivery_attempts,
    records,
    report_cards,
    submissions,
    versions,
)
from hocba_hub.store.unmapped_codes import Entry, note

FIRST_LOOK_MS = 1_000
"""When a version is first looked at whose older one is unsettled, unless that is settled before. Soon, since
PostgreSQL lets an older one be settled while the newer is still being accepted: neither then sees the other."""


class CardRaceError(StoreError):
    """Another transaction created one of the cards a moment ago; run the whole transaction again."""


def canonical_of(connection: Connection, key: CardKey, version: int) -> bytes:
    """The canonical JSON of a version that is in the store."""
    v = versions.c
    query = select(v.canonical).where(v.school_year == key.school_year, v.card_id == key.card_id, v.version == version)
    return unpack(connection.execute(query).scalar_one())


def accept(
    connection: Connection,
    portions: Sequence[Portion],
    destinations: Sequence[str],
    comparison: CardComparison,
    now: int,
) -> list[list[RecordResult]]:
    """Write the portions, in order, in the running transaction; one list of results for each.

    `destinations` are the names that every accepted version is delivered to; `comparison` are the rules that hold a
    card against others. `now` is in milliseconds.

    Raises:
        CardRaceError: roll back and call again.
        ClaimLostError: roll back; the idempotency key of one of the submissions belongs to another call by now.
    """
    cards = find_cards(connection, portions, lock=True)
    require(connection, [claim for portion in portions if (claim := portion.submission.claim) is not None])
    before = cards.copy()
    results: list[list[RecordResult]] = []
    accepted: dict[CardKey, bytes] = {}
    portions = list(portions)
    has_recalls = any(record.recalls for portion in portions for record in portion.records)
    for number, portion in enumerate(portions):
        if has_recalls:
            portions[number] = _with_recalls(connection, portion, cards, accepted)
        results.append(decide(cards, portions[number], comparison))
        if has_recalls:
            accepted |= _contents(portions[number], results[-1])
    rows = [
        _version_row(record.key, record.content, portion, result, now)
        for portion, decided in zip(portions, results, strict=True)
        for record, result in zip(portion.records, decided, strict=True)
        if result.status == "accepted" and record.content is not None and record.key is not None
    ]
    counters = Counters()
    if rows:
        changed = sorted({CardKey(row["school_year"], row["card_id"]) for row in rows})
        _write_cards(connection, before, [card for key in changed if (card := cards.get(key)) is not None], now)
        insert_rows(connection, versions, rows)
        known = [key for key in changed if before.get(key) is not None]
        _write_deliveries(connection, rows, known, destinations, counters)
    _write_submissions(connection, portions, results)
    failed = _record_failures(connection, portions, results, now)
    insert_rows(
        connection,
        records,
        [
            _record_row(portion, result, failed)
            for portion, decided in zip(portions, results, strict=True)
            for result in decided
        ],
    )
    write_open_findings(connection, portions, results, before, cards, comparison, failed, now)
    note(connection, _unmapped(portions, results), now)
    keep(connection, portions, results)
    note_senders(connection, _senders(portions, results), now)
    for status, count in Counter(result.status for result in chain.from_iterable(results)).items():
        counters.add("records", status, amount=count)
    for finding in chain.from_iterable(result.findings for result in chain.from_iterable(results)):
        counters.add("findings", finding.kind.family, finding.kind.severity.value)
    counters.write(connection)
    return results


def _senders(portions: Sequence[Portion], results: Sequence[Sequence[RecordResult]]) -> Iterator[tuple[str, int]]:
    """The schools that records are of, each with the client that sent it."""
    for portion, decided in zip(portions, results, strict=True):
        for one in decided:
            if one.school:
                yield one.school, portion.submission.client.id


def _with_recalls(connection: Connection, portion: Portion, cards: Cards, accepted: Mapping[CardKey, bytes]) -> Portion:
    """The portion with the content of its recalls: the newest version, which nobody else can change any more.

    `accepted` are the packed canonical forms of what portions before this one brought in the same transaction.
    """
    found = []
    for record in portion.records:
        card = cards.get(record.key)
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
            content_sha256=digest, canonical=pack(raw), original=None, original_type="application/json",
            original_bytes=len(raw), compared=compared_card(recalled(read)),
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


def _version_row(key: CardKey, content: Content, portion: Portion, result: RecordResult, now: int) -> dict[str, Any]:
    return {
        "school_year": key.school_year,
        "card_id": key.card_id,
        "version": result.version,
        "event": result.event,
        "accepted_at": now,
        "submission_id": portion.submission.id,
        "position": result.position,
        "school_code": content.compared.school,
        "content_sha256": content.content_sha256,
        "original_sha256": result.sha256,
        "original_type": content.original_type,
        "original_bytes": content.original_bytes,
        "canonical": content.canonical,
        "original": content.original,
    }


def _write_cards(connection: Connection, before: Cards, changed: Sequence[Card], now: int) -> None:
    rows = [_card_row(card, now) for card in changed]
    new = [row for row, card in zip(rows, changed, strict=True) if before.get(card.key) is None]
    if new and insert_rows(connection, report_cards, new, unless_there=True) != len(new):
        raise CardRaceError("A card was created by another transaction at the same moment.")
    for row, card in zip(rows, changed, strict=True):
        if before.get(card.key) is not None:
            connection.execute(
                update(report_cards)
                .where(report_cards.c.school_year == row["school_year"], report_cards.c.card_id == row["card_id"])
                .values(row)
            )


def _card_row(card: Card, now: int) -> dict[str, Any]:
    compared = card.compared
    return {
        "school_year": compared.key.school_year,
        "card_id": compared.key.card_id,
        "school_code": compared.school,
        "client_id": card.client_id,
        "version": card.version,
        "content_sha256": card.content_sha256,
        "recalled": compared.recalled,
        "changed_at": now,
        "pupil": compared.pupil,
        "circular": compared.circular,
        "grade": compared.grade,
        "class_code": compared.class_,
        "promoted": compared.promoted,
        "birth": compared.birth,
        "gender": compared.gender,
        "results": compared.results,
        "teacher": compared.teacher,
        "pupil_code": compared.pupil_code,
        "commune_code": compared.commune,
    }


def _write_deliveries(
    connection: Connection,
    rows: Sequence[dict[str, Any]],
    known: Sequence[CardKey],
    destinations: Sequence[str],
    counters: Counters,
) -> None:
    """One delivery per new version and destination; of several versions of a card only the newest will be sent."""
    newest = {(row["school_year"], row["card_id"]): row["version"] for row in rows}
    reached: set[tuple[str, str, str]] = set()
    unsettled: set[tuple[str, str, str]] = set()
    if known:
        supersede(connection, known, counters)
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
        state = first_state(is_newest=is_newest)
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
            counters.move(destination, None, state)
    insert_rows(connection, deliveries, new)


def supersede(connection: Connection, cards: Sequence[CardKey], counters: Counters) -> None:
    """End every unsent delivery of these cards, and take what was refused from its failure group.

    The caller writes a newer version in the same transaction.
    """
    d = deliveries.c
    for state in sorted(UNSENT):
        after = enter(state, DeliveryState.SUPERSEDED)
        ended = connection.execute(
            update(deliveries)
            .where(one_of_cards(connection, d.school_year, d.card_id, cards), d.state == state, d.lease_id.is_(None))
            .values(state=after)
            .returning(d.destination)
        )
        for (destination,) in ended:
            counters.move(destination, state, after)
    # What was refused stays so, but nobody has to mend it any more.
    refused = (d.state == DeliveryState.REFUSED, d.failure_group_id.is_not(None))
    left = update(deliveries).where(one_of_cards(connection, d.school_year, d.card_id, cards), *refused)
    connection.execute(left.values(failure_group_id=None))


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
                    "id": portion.submission.id,
                    "client_id": portion.submission.client.id,
                    "received_at": portion.submission.received_at,
                    "media_type": portion.submission.media_type,
                    "state": submission_state(accepted, rejected) if portion.last else "receiving",
                    "bytes": portion.size,
                    "sha256": portion.sha256,
                    "accepted": accepted,
                    "rejected": rejected,
                    "atomic": portion.submission.atomic,
                    "trace_parent": portion.submission.trace_parent,
                }
            )
            continue
        s = submissions.c
        all_accepted, all_rejected = s.accepted + accepted, s.rejected + rejected
        values: dict[str, Any] = {"accepted": all_accepted, "rejected": all_rejected}
        if portion.last:
            state = case((all_rejected == 0, "accepted"), (all_accepted == 0, "rejected"), else_="partial")
            values |= {"bytes": portion.size, "sha256": portion.sha256, "state": state}
        connection.execute(update(submissions).where(s.id == portion.submission.id).values(values))
    insert_rows(connection, submissions, new)


def _unmapped(portions: Sequence[Portion], results: Sequence[Sequence[RecordResult]]) -> Iterator[Entry]:
    """What no code table knew; a record waits only if it is refused for nothing else."""
    for portion, decided in zip(portions, results, strict=True):
        for record, one in zip(portion.records, decided, strict=True):
            if record.unmapped:
                is_alone = not portion.submission.atomic and len(one.findings) == len(record.findings)
                kept = record.sent if record.sent is not None and record.sent.waits and is_alone else None
                here = (portion.submission.client.id, one.school, portion.submission.id, one.position)
                yield Entry(record.unmapped, *here, one.key, kept)


def _record_failures(
    connection: Connection, portions: Sequence[Portion], results: Sequence[Sequence[RecordResult]], now: int
) -> dict[tuple[str, int], int]:
    """Count what was rejected by its cause; the failure group of each, by submission and position."""
    failures: dict[tuple[str, int], Failed] = {}
    for portion, decided in zip(portions, results, strict=True):
        for record, one in zip(portion.records, decided, strict=True):
            if one.status == "rejected":
                cause = cause_of_rejection(one.findings, record.unmapped, record.mapping)
                if cause is not None:
                    of = portion.submission
                    failures[of.id, one.position] = Failed(cause, one.school or "", of.client.id, moment_of(of.id))
    groups = record_failures(connection, failures.values(), now)
    return {place: groups[one.cause] for place, one in failures.items()}


def _record_row(portion: Portion, result: RecordResult, failed: Mapping[tuple[str, int], int]) -> dict[str, Any]:
    return {
        "submission_id": portion.submission.id,
        "position": result.position,
        "status": result.status,
        "sha256": result.sha256,
        "school_year": result.key.school_year if result.key else None,
        "card_id": result.key.card_id if result.key else None,
        "school_code": result.school,
        "version": result.version,
        "findings": pack_findings(result.findings) if result.findings else None,
        "failure_group_id": failed.get((portion.submission.id, result.position)),
    }
