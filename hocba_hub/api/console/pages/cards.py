"""One card's story, its versions and calls; and the search that finds it by whatever somebody has of it."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import Query, Response

from hocba_hub.api.console.rendering import render
from hocba_hub.api.console.route import console_router, go_to
from hocba_hub.api.console.visit import Form, ScopedActing, ScopedViewing, Visit, asked, field, found
from hocba_hub.api.http.parameters import CardInPath, YearInPath
from hocba_hub.api.operator import story, support
from hocba_hub.api.operator.delivery_shapes import AskedReason
from hocba_hub.api.operator.story import AttemptInPath, BodiesEntry

router = console_router()


@router.get("/console/find")
def find(visit: ScopedViewing, q: Annotated[str, Query(max_length=200, pattern=r"^[^\x00-\x1f]+$")] = "") -> Response:
    """A card, a school, a submission or a reference: the page of it, or what was found."""
    wanted = q.strip()
    traced = found(lambda: story.trace(visit.operator, visit.hub, wanted)) if wanted else None
    if traced is not None and len(traced.cards) == 1:
        card = traced.cards[0]
        return go_to(f"/console/cards/{card.school_year}/{quote(card.card_id)}")
    places = support.schools_found(visit.operator, visit.hub, search=wanted, limit=20) if wanted else None
    submission = None
    if wanted and visit.may("viewer"):
        submission = found(lambda: support.submission(wanted, visit.operator, visit.hub, limit=1))
    return render(
        visit.request, "found.html", visit=visit, q=wanted, cards=() if traced is None else traced.cards,
        places=() if places is None else places.schools, submission=submission,
    )  # fmt: skip


@router.get("/console/cards/{school_year}/{card_id}")
def card(visit: ScopedViewing, school_year: YearInPath, card_id: CardInPath, done: str = "") -> Response:
    """The whole story of a card, the newest first."""
    hub, operator = visit.hub, visit.operator
    traced = story.trace(operator, hub, f"{school_year}/{card_id}")
    known = support.report_card(school_year, card_id, operator, hub)
    changes = {
        one.version: support.differences(
            school_year=school_year, card_id=card_id, operator=operator, hub=hub, before=one.version - 1,
            after=one.version,
        ).places
        for one in known.versions[:10]
        if any(other.version == one.version - 1 for other in known.versions)
    }  # fmt: skip
    return render(
        visit.request, "card.html", visit=visit, story=traced.story, card=known, changes=changes, done=done,
        school_year=school_year, card_id=card_id,
    )  # fmt: skip


@router.get("/console/cards/{school_year}/{card_id}/attempts/{attempt_id}")
def call(visit: ScopedActing, school_year: YearInPath, card_id: CardInPath, attempt_id: AttemptInPath) -> Response:
    """What was sent of a card in one call and came back, masked; the look is in the audit trail."""
    shown = story.call_bodies(school_year, card_id, attempt_id, visit.operator, visit.hub)
    return _call(visit, (school_year, card_id, attempt_id), shown, is_masked=True)


@router.post("/console/cards/{school_year}/{card_id}/attempts/{attempt_id}")
def reveal(
    visit: ScopedActing, school_year: YearInPath, card_id: CardInPath, attempt_id: AttemptInPath, form: Form
) -> Response:
    """The same with what it holds of people, for a reason."""
    wanted = asked(AskedReason, {"reason": field(form, "reason")})
    shown = story.reveal_bodies(
        school_year=school_year, card_id=card_id, attempt_id=attempt_id, asked=wanted, operator=visit.operator,
        hub=visit.hub,
    )  # fmt: skip
    return _call(visit, (school_year, card_id, attempt_id), shown, is_masked=False)


def _call(visit: Visit, place: tuple[str, str, int], shown: BodiesEntry, *, is_masked: bool) -> Response:
    year, card_id, attempt_id = place
    return render(
        visit.request, "call.html", visit=visit, shown=shown, is_masked=is_masked, school_year=year, card_id=card_id,
        attempt_id=attempt_id,
    )  # fmt: skip
