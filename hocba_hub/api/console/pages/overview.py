"""The home of the console: what fails and why, what comes in time, and how the destinations stand."""

from __future__ import annotations

from fastapi import Response

from hocba_hub.api.console.rendering import render
from hocba_hub.api.console.route import console_router
from hocba_hub.api.console.visit import ScopedViewing, found
from hocba_hub.api.operator import deadlines, deliveries, failure_groups, jobs, replays
from hocba_hub.model.failures import GroupState

router = console_router()

_GROUPS, _SCHOOLS = 8, 8


@router.get("/console")
def overview(visit: ScopedViewing) -> Response:
    """The home page."""
    hub, operator = visit.hub, visit.operator
    whole = visit.may("viewer")
    ended = jobs.jobs(operator, hub).jobs if whole else ()
    return render(
        visit.request, "overview.html", visit=visit,
        board=found(lambda: deadlines.deadline_board(operator=operator, hub=hub)),
        needs=found(lambda: deadlines.schools_in_need(operator, hub, limit=_SCHOOLS)),
        groups=failure_groups.failure_groups(
            _=operator, hub=hub, state=[GroupState.OPEN, GroupState.WATCHING], limit=_GROUPS
        ).items if whole else (),
        destinations=deliveries.destinations(operator, hub).destinations if whole else (),
        replays=replays.replays_listed(operator=operator, hub=hub, open=True, limit=5).items,
        failed_jobs=[one for one in ended if one.run is not None and one.run.state == "failed"],
    )  # fmt: skip
