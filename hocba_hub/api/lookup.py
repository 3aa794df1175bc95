"""What a caller may look up: submissions, report cards with their fate, open lists; one way for all who ask.

Without a client the caller is an operator, who sees anybody's. What a caller may not see is not there for him.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hocba_hub.api.context import Hub
from hocba_hub.api.http.pages import cursor, place
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.shapes import (
    Attempt,
    Card,
    Delivery,
    Identity,
    OpenCard,
    Page,
    RecordReadAgain,
    ReturnedNote,
    Submission,
    SubmittedRecord,
    Version,
)
from hocba_hub.model.delivery import TIMED, DeliveryState
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.store import search
from hocba_hub.store.access import Client
from hocba_hub.store.read_again import ReadAgain
from hocba_hub.store.search import CardView, OpenFindings, SubmissionView


def look_up_submission(
    hub: Hub, submission_id: str, client: Client | None, *, after: str | None = None, limit: int = 100
) -> Submission:
    """What became of a submission, one page of its records.

    Raises:
        ProblemError: `not-found`, there is none of this client; the cursor is not one of ours.
    """
    position = place(after, int)
    with hub.store.read() as connection:
        found = search.submission(
            connection,
            submission_id,
            client_id=None if client is None else client.id,
            after=position[0] if position else -1,
            limit=limit,
        )
    if found is None:
        raise ProblemError("not-found")
    return _submission_shape(found, shows_card=client is not None)


def look_up_card(hub: Hub, key: CardKey, client: Client | None) -> Card:
    """A report card's versions, and where each stands at each destination.

    Raises:
        ProblemError: `not-found`, there is none of a school that this client may speak for.
    """
    with hub.store.read() as connection:
        found = search.card(connection, key)
    if found is None or not (client is None or may_see(client, found.card.school_code, found.card.managed_by)):
        raise ProblemError("not-found")
    return _card_shape(found)


def may_see(client: Client, school: str, managed_by: str | None) -> bool:
    """Whether a client may see a card: of a school that it speaks for, or that such a school may correct."""
    return client.may_speak_for(school) or (managed_by is not None and client.may_speak_for(managed_by))


def look_up_open_list(
    hub: Hub,
    client: Client | None,
    *,
    school: str | None = None,
    school_year: str | None = None,
    after: str | None = None,
    limit: int = 100,
    schools: frozenset[str] | None = None,
) -> Page[OpenCard]:
    """One page of the cards that are still to be corrected, of the caller's schools or of one of them.

    `schools` are those of an operator who is for a part of the province.

    Raises:
        ProblemError: `not-found`, the caller is not for the school; the cursor is not one of ours.
    """
    mine = schools if client is None else client.schools
    if school is not None and mine is not None and school not in mine:
        raise ProblemError("not-found")
    permitted = None if mine is None else sorted(mine)
    with hub.store.read() as connection:
        found = search.open_list(
            connection,
            schools=permitted if school is None else [school],
            school_year=school_year,
            after=place(after, str, str, str, int, str),
            limit=limit + 1,
        )
    return _open_page(found, limit, client_id=None if client is None else client.id)


def _read_again(again: ReadAgain | None, *, shows_card: bool) -> RecordReadAgain | None:
    if again is None:
        return None
    return RecordReadAgain(**{**again._asdict(), "findings": findings_shown(again.findings, shows_card=shows_card)})


def findings_shown(findings: Sequence[Mapping[str, Any]], *, shows_card: bool) -> list[dict[str, Any]] | None:
    """The findings as JSON, None if there are none; what a card says is not for those who may not see cards."""
    shown = []
    for one in findings:
        kept = {key: value for key, value in one.items() if shows_card or key != "sent"}
        if "folded" in kept:
            kept["folded"] = findings_shown(kept["folded"], shows_card=shows_card)
        shown.append(kept)
    return shown or None


def _submission_shape(found: SubmissionView, *, shows_card: bool) -> Submission:
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
            findings=findings_shown(findings, shows_card=shows_card),
            read_again=_read_again(found.read_again.get(row.position), shows_card=shows_card),
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


def _card_shape(found: CardView) -> Card:
    attempts: dict[int, list[Attempt]] = {}
    for row in found.attempts:
        attempts.setdefault(row.delivery_id, []).append(Attempt.model_validate(row))
    card = found.card
    return Card(
        record_id=CardKey(card.school_year, card.card_id).record_id(),
        school_year=card.school_year,
        card_id=card.card_id,
        school_code=card.school_code,
        managed_by=card.managed_by,
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
        identity=[Identity.model_validate(one) for one in found.identity],
        returned=[ReturnedNote.model_validate(one) for one in found.returned],
    )


def _open_page(found: Sequence[OpenFindings], limit: int, *, client_id: int | None) -> Page[OpenCard]:
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
                submission_id=entry.submission_id or None if is_own else None,
                position=entry.position if is_own and entry.submission_id else None,
                findings=findings_shown(entry.findings, shows_card=client_id is not None) or [],
                matter=entry.matter,
            )
        )
    return Page(items=items, next=cursor(found[limit - 1].place) if len(found) > limit else None)
