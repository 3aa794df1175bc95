"""Deliveries that failed or wait, by cause and one by one, and what is done to many of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Path, Query, Response

from hocba_hub.api.console.pages.replays import selection_of
from hocba_hub.api.console.rendering import render
from hocba_hub.api.console.route import console_router
from hocba_hub.api.console.visit import Acting, Form, ScopedActing, ScopedViewing, Visit, asked, field
from hocba_hub.api.http.pages import Cursor
from hocba_hub.api.operator import deliveries, returns
from hocba_hub.api.operator.delivery_shapes import AskedAct, Code, DestinationName, SchoolCode
from hocba_hub.api.operator.returns import AskedReturn
from hocba_hub.model.delivery import DeliveryState
from hocba_hub.store.delivery_acts import Act
from hocba_hub.store.delivery_lists import are_at_most
from hocba_hub.store.selection import FAILED, PENDING, Selection

router = console_router()

_PAGE = 100
_MOST_COUNTED = 20_000
_STATES = ("refused", "parked", "held", "cancelled", "queued", "in_doubt", "awaiting_ack")
_WAITING = frozenset({"queued", "in_doubt", "awaiting_ack"})


@router.get("/console/deliveries")
def listed(
    *,
    visit: ScopedViewing,
    destination: Annotated[DestinationName | None, Query()] = None,
    code: Annotated[Code | None, Query()] = None,
    school: Annotated[SchoolCode | None, Query()] = None,
    state: Annotated[str | None, Query(pattern=f"^({'|'.join(_STATES)}|waiting)$")] = None,
    newest: bool = False,
    after: Cursor = None,
) -> Response:
    """Failed ones, or waiting ones: how many for which cause, and a page of them."""
    hub, operator = visit.hub, visit.operator
    states = frozenset({DeliveryState(state)}) if state in _STATES else frozenset()
    chosen = Selection(destination=destination, code=code, school=school, states=states)
    is_waiting = state == "waiting" or state in _WAITING
    summary = None
    if after is None and _is_counted(visit, chosen, is_waiting=is_waiting):
        summary = (deliveries.pending if is_waiting else deliveries.failures)(operator, hub, chosen)
    listing = deliveries.pending_listed if is_waiting else deliveries.failures_listed
    return render(
        visit.request, "deliveries.html", visit=visit, summary=summary, states=_STATES, state=state, code=code,
        page=listing(operator=operator, hub=hub, selection=chosen, newest=newest, after=after, limit=_PAGE),
        school=school, destination=destination, is_waiting=is_waiting, newest=newest,
        destinations=sorted(hub.destinations),
        chosen_states=sorted(states or (PENDING if is_waiting else FAILED)),
    )  # fmt: skip


def _is_counted(visit: Visit, chosen: Selection, *, is_waiting: bool) -> bool:
    """Whether the first page counts by cause: where the list is narrowed, or short enough for it."""
    if chosen.destination or chosen.code or chosen.school:
        return True
    with visit.hub.store.read() as connection:
        return are_at_most(connection, chosen, _MOST_COUNTED, PENDING if is_waiting else FAILED)


_ACTS: dict[str, Callable[..., Any]] = {"hurry": deliveries.hurry, "cancel": deliveries.cancel}


@router.post("/console/deliveries/return")
def return_cards(visit: ScopedActing, form: Form) -> Response:
    """Count first what would go back to the schools; then, from that page, do it."""
    facts = {
        "selection": selection_of(form) or {}, "note": field(form, "note"), "reason": field(form, "reason"),
        "dry_run": not field(form, "sure"),
    }  # fmt: skip
    wanted = asked(AskedReturn, facts)
    report = returns.return_cards(wanted, visit.operator, visit.hub)
    return render(visit.request, "returned.html", visit=visit, report=report, form=form)


@router.post("/console/deliveries/{act}")
def act(visit: Acting, act: Annotated[str, Path(pattern="^(hurry|cancel)$")], form: Form) -> Response:
    """Count first what it would be done to; then, from that page, do it."""
    facts = {
        "selection": selection_of(form) or {}, "reason": field(form, "reason"), "dry_run": not field(form, "sure")
    }  # fmt: skip
    report = _ACTS[act](asked(AskedAct, facts), visit.operator, visit.hub)
    return render(visit.request, "acted.html", visit=visit, report=report, form=form, act=Act(act))
