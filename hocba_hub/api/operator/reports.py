"""Weekly and yearly reports: made of frozen facts, as Word document and workbook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from hocba_hub.api.http.bounded import BoundedRoute
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.operator.callers import Acting, TheHub, Viewer
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.shapes import AskedYear, Moment, SchoolYear, Shape
from hocba_hub.monitoring.reports.making import MEDIA_TYPES, document, make_report
from hocba_hub.store import reports as stored
from hocba_hub.store.reports import ReportKind

router = APIRouter(
    prefix="/v1/operations/reports",
    tags=["operations"],
    route_class=BoundedRoute,
    responses=problems(400, 401, 403, 404, 422, 429, 500, 503),
)

ReportId = Annotated[int, Path(ge=1, le=2**63 - 1, description="From the list. / Lấy từ danh sách.")]
Form = Literal["docx", "xlsx"]


class ReportEntry(Shape):
    """A report. / Một báo cáo."""

    id: int
    kind: ReportKind
    school_year: SchoolYear
    since: Moment
    until: Moment = Field(description="When its figures were taken. / Lúc chốt số liệu.")
    made_by: str


class ReportList(Shape):
    """The reports, the newest first. / Các báo cáo, mới nhất trước."""

    reports: Sequence[ReportEntry]


class AskedReport(BaseModel):
    """Which report is to be made. / Lập báo cáo nào."""

    model_config = ConfigDict(extra="forbid")

    kind: ReportKind
    school_year: AskedYear | None = None


@router.get("")
def report_list(_: Viewer, hub: TheHub) -> ReportList:
    """The newest reports. / Các báo cáo gần đây."""
    with hub.store.read() as connection:
        return ReportList(reports=[ReportEntry.model_validate(one) for one in stored.listed(connection)])


@router.post("", status_code=201)
def make(asked: AskedReport, operator: Acting, hub: TheHub) -> ReportEntry:
    """Take the figures now and make a report of them. / Chốt số liệu và lập báo cáo."""
    made = make_report(
        hub.store, hub.destinations, asked.kind, hub.clock(), made_by=operator.actor, school_year=asked.school_year
    )
    with hub.store.read() as connection:
        return ReportEntry.model_validate(stored.find(connection, made))


@router.get(
    "/{report_id}.{form}",
    response_class=Response,
    responses={200: {"content": {media_type: {} for media_type in MEDIA_TYPES.values()}}},
)
def report_document(report_id: ReportId, form: Form, _: Viewer, hub: TheHub) -> Response:
    """A report as Word document or workbook. / Báo cáo dạng văn bản hoặc bảng tính."""
    with hub.store.read() as connection:
        found = stored.find(connection, report_id)
    if found is None:
        raise ProblemError("not-found")
    name = f"{found.kind}-{found.school_year}-{found.id}.{form}"
    return Response(
        document(found, form), media_type=MEDIA_TYPES[form],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )  # fmt: skip
