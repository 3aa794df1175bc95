"""What becomes of each record of a submission, given the cards as they stand: read and decided, nothing written.

The natural key (school year, card id) is unique for ever: the same content again is the same version, changed content
is the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from hocba_hub.model.codes import UnmappedCode
from hocba_hub.model.finding_kinds import CARD_OF_ANOTHER_SCHOOL, NOT_ALONE, RECALLED, SCHOOL_NOT_PERMITTED
from hocba_hub.model.findings import Finding, Severity
from hocba_hub.model.keys import CardKey, Event, SchoolCode
from hocba_hub.store.access import Client
from hocba_hub.store.engine import one_of_cards
from hocba_hub.store.tables import report_cards
from hocba_hub.store.unmapped_codes import Kept


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
class Submission:
    """What a client sends in one call or file, as far as all its records have it in common."""

    id: str
    client: Client
    received_at: int
    """Milliseconds."""
    media_type: str
    atomic: bool = False
    """All records are accepted, or none."""
    reinstates: bool = False
    """Cards that were recalled are put into force again; otherwise they are refused."""
    trace_parent: str | None = None


@dataclass(frozen=True, slots=True)
class Portion:
    """Consecutive records of one submission that are accepted together; by itself the whole submission."""

    submission: Submission
    records: Sequence[ReceivedRecord]
    first: bool = True
    """The submission is not in the store yet."""
    last: bool = True
    """Nothing follows; `size` and `sha256` are those of the whole body."""
    size: int = 0
    sha256: str = ""


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


def decide(cards: Cards, portion: Portion) -> list[RecordResult]:
    """What becomes of each record of the portion, given the cards as they stand; moves `cards` on."""
    objections = [_objections(cards, portion, record) for record in portion.records]
    all_refused = portion.submission.atomic and any(objections)
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
        client_id = portion.submission.client.id
        cards[record.key] = Card(content.school, version, content.content_sha256, content.recalled, client_id)
        results.append(_result(record, "accepted", version, event, record.findings))
    return results


def _objections(cards: Cards, portion: Portion, record: ReceivedRecord) -> list[Finding]:
    against = [finding for finding in record.findings if finding.kind.severity is Severity.ERROR]
    card = cards.get(record.key) if record.key is not None else None
    client = portion.submission.client
    if record.school is not None and not client.may_speak_for(record.school):
        against.append(Finding(SCHOOL_NOT_PERMITTED, "/school/code", facts={"school": record.school}))
    elif card is not None and not client.may_speak_for(card.school):
        against.append(Finding(CARD_OF_ANOTHER_SCHOOL, "/card_id"))
    is_back = card is not None and card.recalled and record.content is not None and not record.content.recalled
    if is_back and not portion.submission.reinstates:
        against.append(Finding(RECALLED, "/card_id"))
    return against


def _result(
    record: ReceivedRecord, status: str, version: int | None, event: Event | None, findings: Sequence[Finding]
) -> RecordResult:
    size = record.content.original_bytes if record.content is not None else 0
    return RecordResult(
        record.position, status, record.key, record.school, version, event, record.sha256, findings, size
    )


def recall_of(key: CardKey) -> ReceivedRecord:
    """A record that recalls a card, for a portion of its own."""
    return ReceivedRecord(0, b"", key, None, None, recalls=True)


def submission_state(accepted: int, rejected: int) -> str:
    """`accepted`, `partial` or `rejected`: the state of a submission whose records are all decided."""
    return "accepted" if not rejected else "partial" if accepted else "rejected"
