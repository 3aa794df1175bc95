"""What a reconciliation found, by school, grade and class, and its repair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StrictBool
from sqlalchemy import Connection

from hocba_hub.adapters.workbook.written import MEDIA_TYPE
from hocba_hub.api.context import Hub
from hocba_hub.api.http.bounded import BoundedRoute
from hocba_hub.api.http.pages import Cursor, Limit, cursor, place
from hocba_hub.api.http.parameters import DestinationInPath, SchoolQuery
from hocba_hub.api.openapi import examples
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.operator.callers import Acting, TheHub, Viewer, known_destination
from hocba_hub.api.operator.delivery_shapes import Reason, SchoolCode
from hocba_hub.api.operator.job_shapes import RunEntry, run_entry
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.reconciliation import LEVELS, figures, told_to_schools, workbook
from hocba_hub.api.shapes import CardId, Moment, Page, SchoolYear, Shape, shown_as
from hocba_hub.model.keys import DestinationName as Name
from hocba_hub.model.reconciliation import Difference
from hocba_hub.store import jobs
from hocba_hub.store import reconciliation as stored
from hocba_hub.store.repair import REPAIRABLE, Chosen, RepairResult, plan, repair

router = APIRouter(
    prefix="/v1/operations/reconciliation/{name}",
    tags=["operations"],
    route_class=BoundedRoute,
    responses=problems(400, 401, 403, 404, 422, 429, 500, 503),
)


class PlaceFigures(Shape):
    """The figures of one place. / Số liệu của một nơi."""

    school_code: str | None = None
    grade: int | None = None
    class_code: str | None = None
    counts: Mapping[str, int] = Field(description="Cards by kind; `all` and `equal` besides. / Số học bạ theo loại.")


class ReconciliationReport(Shape):
    """What the newest run found. / Kết quả lần đối soát gần nhất."""

    model_config = shown_as(examples.RECONCILIATION)

    run_id: int
    places: Sequence[PlaceFigures]


class DifferenceEntry(Shape):
    """What differs of a card. / Một học bạ khác biệt."""

    model_config = shown_as(examples.DIFFERENCE)

    id: int
    kind: Difference
    school_year: SchoolYear
    card_id: CardId
    school_code: str = Field(description="Empty of a card that is unknown to us. / Rỗng nếu ta không biết.")
    grade: int
    class_code: str
    our_version: int | None = None
    our_state: str | None = None
    delivery_id: int | None = None
    their_version: int | None = None
    their_state: str | None = None
    repaired_at: Moment | None = None
    repaired_by: str | None = None


class Trend(Shape):
    """The runs, the newest first: their figures over all. / Các lần đối soát, mới nhất trước."""

    runs: Sequence[RunEntry]


class AskedRepair(BaseModel):
    """What is to be repaired of the newest run. / Sửa những gì của lần gần nhất."""

    model_config = ConfigDict(extra="forbid")

    kinds: Sequence[Difference] = Field(min_length=1, max_length=9, examples=[["missing", "older"]])
    school: SchoolCode | None = None
    dry_run: StrictBool = Field(False, description="Only count. / Chỉ đếm, không làm.")  # noqa: FBT003 - a field's default
    reason: Reason


class RepairReport(Shape):
    """What was done, or would be; the sum is what was selected. / Kết quả, đếm chính xác."""

    dry_run: bool
    sent: Mapping[str, int] = Field(description="Sent again, by kind. / Gửi lại, theo loại.")
    raised: Mapping[str, int] = Field(description="On the school's open list. / Đưa vào việc phải sửa của trường.")
    changed: int = Field(description="Left alone: moved on since. / Bỏ qua: đã thay đổi.")
    repaired_before: int
    audit_id: int | None = None


@router.get("", response_model_exclude_none=True)
def reconciliation(
    name: DestinationInPath,
    _: Viewer,
    hub: TheHub,
    by: Annotated[Literal["all", "school", "grade", "class"], Query(description="Counted by. / Đếm theo.")] = "all",
    school: SchoolQuery = None,
) -> ReconciliationReport:
    """What the newest run found, by school, grade or class. / Kết quả đối soát theo trường, khối, lớp."""
    with hub.store.read() as connection:
        run_id = _newest(hub, connection, name)
        found = figures(stored.counts(connection, run_id, by=LEVELS[by], school=school))
    names = LEVELS[by]
    return ReconciliationReport(
        run_id=run_id,
        places=[
            PlaceFigures(
                school_code=code if "school_code" in names else None,
                grade=grade if "grade" in names else None,
                class_code=class_ if "class_code" in names else None,
                counts=counted,
            )
            for (code, _year, grade, class_), counted in found.items()
        ],
    )


@router.get("/differences", response_model_exclude_none=True)
def reconciliation_differences(
    *,
    name: DestinationInPath,
    _: Viewer,
    hub: TheHub,
    kind: Annotated[Difference | None, Query()] = None,
    school: SchoolQuery = None,
    after: Cursor = None,
    limit: Limit = 100,
) -> Page[DifferenceEntry]:
    """What differs, card by card. / Khác biệt, từng học bạ."""
    seen = place(after, int)
    with hub.store.read() as connection:
        run_id = _newest(hub, connection, name)
        found = stored.differences(
            connection, run_id, kind=kind, school=school, after=seen[0] if seen else 0, limit=limit + 1
        )
    return Page(
        items=[DifferenceEntry.model_validate(one) for one in found[:limit]],
        next=cursor((found[limit - 1].id,)) if len(found) > limit else None,
    )


@router.get("/trend", response_model_exclude_none=True)
def reconciliation_trend(name: DestinationInPath, _: Viewer, hub: TheHub, limit: Limit = 30) -> Trend:
    """The figures of the runs, the newest first. / Số liệu các lần đối soát."""
    known_destination(hub, name)
    with hub.store.read() as connection:
        runs = jobs.history(connection, f"reconcile:{name}", limit=limit)
    return Trend(runs=[run_entry(run) for run in runs])


@router.get(
    "/report.xlsx",
    response_class=Response,
    responses={200: {"description": "A workbook. / Bảng tính.", "content": {MEDIA_TYPE: {}}}},
)
def reconciliation_workbook(name: DestinationInPath, _: Viewer, hub: TheHub) -> Response:
    """The newest run as a workbook: by school, by class, card by card. / Bảng tính kết quả đối soát."""
    with hub.store.read() as connection:
        made = workbook(connection, _newest(hub, connection, name))
    headers = {"Content-Disposition": f'attachment; filename="reconciliation-{name}.xlsx"'}
    return Response(made, media_type=MEDIA_TYPE, headers=headers)


@router.post("/repair", response_model_exclude_none=True)
def repair_differences(name: DestinationInPath, asked: AskedRepair, operator: Acting, hub: TheHub) -> RepairReport:
    """Send again what is missing, older or alive there; put the rest on the schools' open lists. / Sửa khác biệt."""
    with hub.store.read() as connection:
        chosen = Chosen(_newest(hub, connection, name), set(asked.kinds) & REPAIRABLE, asked.school)
        if asked.dry_run:
            return _report(plan(connection, chosen), dry_run=True)
    done = repair(
        hub.store, chosen, told_to_schools(Name(name)), actor=operator.actor, reason=asked.reason,
        now=hub.clock(),
    )  # fmt: skip
    hub.ring(Name(name))
    return _report(done, dry_run=False)


def _report(result: RepairResult, *, dry_run: bool) -> RepairReport:
    return RepairReport(
        dry_run=dry_run, sent=result.sent, raised=result.raised, changed=result.changed,
        repaired_before=result.repaired_before, audit_id=result.audit_id,
    )  # fmt: skip


def _newest(hub: Hub, connection: Connection, name: str) -> int:
    """The newest run of a destination.

    Raises:
        ProblemError: `not-found`, there is no such destination, or no run was done yet.
    """
    known_destination(hub, name)
    run_id = stored.newest_run(connection, name)
    if run_id is None:
        raise ProblemError("not-found")
    return run_id
