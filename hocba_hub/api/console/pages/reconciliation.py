"""What reconciliations found: by destination, by school, card by card; and its repair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import Query, Response

from hocba_hub.api.console.rendering import render
from hocba_hub.api.console.route import console_router
from hocba_hub.api.console.visit import Acting, Form, Viewing, asked, field, found
from hocba_hub.api.http.pages import Cursor
from hocba_hub.api.http.parameters import DestinationInPath, SchoolQuery
from hocba_hub.api.operator import jobs, reconciliation
from hocba_hub.api.operator.reconciliation import AskedRepair
from hocba_hub.model.clock import vietnam_time
from hocba_hub.model.reconciliation import REPORTED, Difference
from hocba_hub.store.repair import REPAIRABLE

router = console_router()

_PAGE, _RUNS = 50, 14


@router.get("/console/reconciliation")
def listed(visit: Viewing) -> Response:
    """The newest run with each destination."""
    hub, operator = visit.hub, visit.operator
    trends = {
        name: reconciliation.reconciliation_trend(name, operator, hub, 1).runs for name in sorted(hub.destinations)
    }
    listing = {one.key for one in jobs.jobs(operator, hub).jobs}
    return render(visit.request, "reconciliations.html", visit=visit, trends=trends, kinds=REPORTED, listing=listing)


@router.get("/console/reconciliation/{name}")
def one(
    *,
    visit: Viewing,
    name: DestinationInPath,
    by: Annotated[Literal["school", "grade", "class"], Query()] = "school",
    kind: Annotated[Difference | None, Query()] = None,
    school: SchoolQuery = None,
    after: Cursor = None,
) -> Response:
    """The newest run with one destination."""
    hub, operator = visit.hub, visit.operator
    runs = reconciliation.reconciliation_trend(name, operator, hub, _RUNS).runs
    report = found(lambda: reconciliation.reconciliation(name, operator, hub, by, school))
    differences = found(
        lambda: reconciliation.reconciliation_differences(
            name=name, _=operator, hub=hub, kind=kind, school=school, after=after, limit=_PAGE
        )
    )
    trend = [
        (
            vietnam_time(run.started_at),
            sum(run.result.get(each, 0) for each in REPORTED if each is not Difference.REFUSED),
        )
        for run in reversed(runs)
        if run.state == "done"
    ]
    return render(
        visit.request, "reconciliation.html", visit=visit, name=name, by=by, kind=kind, school=school, runs=runs,
        places=[] if report is None else [each for each in report.places if _differs(each.counts)][:500],
        page=differences,
        can_list=found(lambda: jobs.job(f"reconcile:{name}", operator, hub)) is not None,
        trend=trend, kinds=REPORTED, repairable=sorted(REPAIRABLE),
    )  # fmt: skip


def _differs(counts: Mapping[str, int]) -> bool:
    return any(counts.get(kind, 0) > 0 for kind in REPORTED)


@router.get("/console/reconciliation/{name}/report.xlsx")
def workbook(visit: Viewing, name: DestinationInPath) -> Response:
    """The newest run as a workbook."""
    return reconciliation.reconciliation_workbook(name, visit.operator, visit.hub)


@router.post("/console/reconciliation/{name}/repair")
def repair(visit: Acting, name: DestinationInPath, form: Form) -> Response:
    """Count first what would be repaired; then, from that page, do it."""
    facts = {
        "kinds": [str(one) for one in form.getlist("kinds")], "school": field(form, "school"),
        "reason": field(form, "reason"), "dry_run": not field(form, "sure"),
    }  # fmt: skip
    report = reconciliation.repair_differences(name, asked(AskedRepair, facts), visit.operator, visit.hub)
    return render(visit.request, "repaired.html", visit=visit, name=name, report=report, form=form)
