"""Failures by cause: the list, and one cause with its trend, schools, sample and note, from where it is replayed."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from hocba_hub.api.console.rendering import render
from hocba_hub.api.console.route import console_router, go_to
from hocba_hub.api.console.visit import Acting, Form, Viewing, asked, field
from hocba_hub.api.http.pages import Cursor
from hocba_hub.api.operator import deliveries, failure_groups
from hocba_hub.api.operator.delivery_shapes import DestinationName
from hocba_hub.api.operator.failure_groups import AskedGroupChange, GroupInPath
from hocba_hub.model.clock import DAY_MS, VIETNAM_MS, vietnam_time
from hocba_hub.model.failures import GroupState
from hocba_hub.store.failures import HOUR_MS

router = console_router()

_PAGE = 50
_DAYS = 7
_SAMPLE = 20


@router.get("/console/failure-groups")
def listed(
    visit: Viewing,
    destination: Annotated[DestinationName | None, Query()] = None,
    state: Annotated[str, Query(pattern="^(open|watching|resolved|muted|any)?$")] = "",
    after: Cursor = None,
) -> Response:
    """All of them; by default those that are open or looked after."""
    chosen = (
        [GroupState(state)] if state not in {"", "any"} else [] if state else [GroupState.OPEN, GroupState.WATCHING]
    )
    hub, operator = visit.hub, visit.operator
    page = failure_groups.failure_groups(
        _=operator, hub=hub, destination=destination, state=chosen, after=after, limit=_PAGE
    )
    return render(
        visit.request, "failure_groups.html", visit=visit, page=page, destination=destination, state=state,
        destinations=deliveries.destinations(operator, hub).destinations,
    )  # fmt: skip


@router.get("/console/failure-groups/{group_id}")
def one(visit: Viewing, group_id: GroupInPath, done: str = "") -> Response:
    """One cause."""
    found = failure_groups.failure_group(group_id, visit.operator, visit.hub, days=_DAYS, limit=_SAMPLE)
    times = {entry.hour_at: entry.times for entry in found.trend}
    last = visit.hub.clock() // HOUR_MS * HOUR_MS
    hours = range(last - _DAYS * DAY_MS + HOUR_MS, last + 1, HOUR_MS)
    by_quarter: dict[int, int] = {}
    for hour in hours:  # six hours a bar, from midnight in Vietnam
        start = (hour + VIETNAM_MS) // (6 * HOUR_MS) * 6 * HOUR_MS - VIETNAM_MS
        by_quarter[start] = by_quarter.get(start, 0) + times.get(hour, 0)
    return render(
        visit.request, "failure_group.html", visit=visit, found=found, group=found.group, done=done,
        trend=[(vietnam_time(at), number) for at, number in by_quarter.items()],
    )  # fmt: skip


@router.post("/console/failure-groups/{group_id}")
def change(visit: Acting, group_id: GroupInPath, form: Form) -> Response:
    """Say who mends it, what is known of it, and how it stands."""
    until = field(form, "muted_until")
    revision = field(form, "revision")
    facts = {
        "state": field(form, "state"), "reason": field(form, "reason"), "owner": None, "note": None,
        "muted_until": f"{until}:00+07:00" if until and field(form, "state") == "muted" else None,
        "revision": int(revision) if revision.isdecimal() else None,
    }  # fmt: skip
    wanted = asked(AskedGroupChange, facts)
    wanted.owner, wanted.note = (
        field(form, "owner")[:100],
        field(form, "note")[:2000],
    )  # empty takes away what was there
    failure_groups.change_failure_group(group_id, wanted, visit.operator, visit.hub)
    return go_to(f"/console/failure-groups/{group_id}?done=changed")
