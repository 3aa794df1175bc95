"""The destinations: how each stands, what protects it, and pausing, resuming and trying it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Path, Response

from hocba_hub.api.console.rendering import render
from hocba_hub.api.console.route import console_router, go_to
from hocba_hub.api.console.visit import Acting, Form, Viewing, asked, field
from hocba_hub.api.http.parameters import DestinationInPath
from hocba_hub.api.operator import deliveries, locks
from hocba_hub.api.operator.callers import known_destination
from hocba_hub.api.operator.delivery_shapes import AskedReason

router = console_router()

_ACTS: dict[str, Callable[..., Any]] = {"pause": deliveries.pause, "resume": deliveries.resume}


@router.get("/console/destinations")
def listed(visit: Viewing) -> Response:
    """All of them."""
    found = deliveries.destinations(visit.operator, visit.hub).destinations
    return render(visit.request, "destinations.html", visit=visit, destinations=found)


@router.get("/console/destinations/{name}")
def one(visit: Viewing, name: DestinationInPath, done: str = "") -> Response:
    """One of them."""
    hub, operator = visit.hub, visit.operator
    known = known_destination(hub, name)
    [entry] = [each for each in deliveries.destinations(operator, hub).destinations if each.name == known]
    windows = [each for each in locks.windows(operator, hub).windows if each.destination == known]
    return render(
        visit.request, "destination.html", visit=visit, one=entry, configured=hub.destinations[known], windows=windows,
        done=done,
    )  # fmt: skip


@router.post("/console/destinations/{name}/test")
def test(visit: Acting, name: DestinationInPath, _: Form) -> Response:
    """Ask it for a card that there is not: whether it answers, and knows us."""
    found = deliveries.try_destination_call(name, visit.operator, visit.hub)
    return render(visit.request, "destination_tested.html", visit=visit, found=found, name=name)


@router.post("/console/destinations/{name}/{act}")
def act(
    visit: Acting, name: DestinationInPath, act: Annotated[str, Path(pattern="^(pause|resume)$")], form: Form
) -> Response:
    """Send nothing there, or send again."""
    _ACTS[act](name, asked(AskedReason, {"reason": field(form, "reason")}), visit.operator, visit.hub)
    return go_to(f"/console/destinations/{name}?done={act}")
