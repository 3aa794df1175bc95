"""From what the store finds to what the API shows: the same for clients and operators."""

from __future__ import annotations

from collections.abc import Sequence

from hocba_hub.api.pages import cursor
from hocba_hub.api.shapes import Attempt, Card, Delivery, OpenCard, Page, Submission, SubmittedRecord, Version
from hocba_hub.model.delivery import TIMED, DeliveryState
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.store.search import CardView, OpenFindings, SubmissionView


def submission_shape(found: SubmissionView) -> Submission:
    """A submission and one page of its records."""
    s = found.submission
    records = [
        SubmittedRecord(
            position=row.position,
            status=row.status,
            sha256=row.sha256,
            record_id=CardKey(SchoolYear(row.school_year), CardId(row.card_id)).record_id() if row.card_id else None,
            school_year=row.school_year,
            card_id=row.card_id,
            version=row.version,
            event=row.event,
            findings=findings or None,
        )
        for row, findings in found.records
    ]
    return Submission(
        submission_id=s.id,
        state=s.state,
        received_at=s.received_at,
        media_type=s.media_type,
        atomic=s.atomic,
        bytes=s.bytes,
        sha256=s.sha256 or None,
        accepted=s.accepted,
        rejected=s.rejected,
        records=records,
        next=cursor((records[-1].position,)) if found.more else None,
    )


def card_shape(found: CardView) -> Card:
    """A report card with its versions, deliveries and attempts."""
    attempts: dict[int, list[Attempt]] = {}
    for row in found.attempts:
        attempts.setdefault(row.delivery_id, []).append(Attempt.model_validate(row))
    card = found.card
    return Card(
        record_id=CardKey(card.school_year, card.card_id).record_id(),
        school_year=card.school_year,
        card_id=card.card_id,
        school_code=card.school_code,
        version=card.version,
        recalled=card.recalled,
        changed_at=card.changed_at,
        versions=[
            Version(
                version=row.version,
                event=row.event,
                accepted_at=row.accepted_at,
                school_code=row.school_code,
                sha256=row.original_sha256,
                media_type=row.original_type,
                bytes=row.original_bytes,
            )
            for row in found.versions
        ],
        deliveries=[
            Delivery(
                id=row.id,
                destination=row.destination,
                version=row.version,
                event=row.event,
                state=row.state,
                code=row.code,
                accepted_at=row.accepted_at,
                settled_at=row.settled_at,
                next_attempt_at=row.next_attempt_at if DeliveryState(row.state) in TIMED else None,
                attempts=attempts.get(row.id, []),
            )
            for row in found.deliveries
        ],
    )


def open_page(found: Sequence[OpenFindings], limit: int, *, client_id: int | None = None) -> Page[OpenCard]:
    """One page of the open list, of `limit` at most; submissions of clients other than `client_id` are not named."""
    items = []
    for entry in found[:limit]:
        is_own = client_id is None or entry.client_id == client_id
        items.append(
            OpenCard(
                school_code=entry.school_code,
                school_year=entry.school_year,
                card_id=entry.card_id,
                since=entry.since,
                last_at=entry.last_at,
                times=entry.times,
                submission_id=entry.submission_id if is_own else None,
                position=entry.position if is_own else None,
                findings=entry.findings,
            )
        )
    return Page(items=items, next=cursor(found[limit - 1].place) if len(found) > limit else None)
