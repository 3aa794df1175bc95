"""The deadline board: how many cards are expected, there, acknowledged, refused, missing, and what comes in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from hocba_hub.adapters.workbook.written import MEDIA_TYPE
from hocba_hub.api.expected_shapes import AskedExpected, ExpectedReport
from hocba_hub.api.http.bounded import BoundedRoute
from hocba_hub.api.http.pages import Cursor, Limit, cursor, place
from hocba_hub.api.http.parameters import SchoolQuery, YearQuery
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.operator.callers import Acting, ScopedViewer, TheHub, Viewer, in_scope
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.shapes import Moment, SchoolYear, Shape
from hocba_hub.model.deadlines import ExpectedBy, Timing
from hocba_hub.model.windows import Level
from hocba_hub.monitoring.deadlines import Board, board, needs
from hocba_hub.monitoring.deadlines_workbook import workbook
from hocba_hub.store.board import figures
from hocba_hub.store.expected import say

router = APIRouter(
    prefix="/v1/operations/deadlines",
    tags=["operations"],
    route_class=BoundedRoute,
    responses=problems(400, 401, 403, 404, 422, 429, 500, 503),
)


DestinationQuery = Annotated[str | None, Query(pattern=r"^[a-z][a-z0-9-]{0,30}$", description="Its name. / Nơi nhận.")]
CommuneQuery = Annotated[str | None, Query(pattern=r"^[0-9A-Za-z._-]{1,20}$", description="Commune code. / Mã xã.")]
LevelQuery = Annotated[Level | None, Query(description="Level. / Cấp học.")]
ByQuery = Annotated[
    Literal["level", "commune", "school", "grade", "class"], Query(description="By what it counts. / Tính theo.")
]
Counts = Annotated[
    Mapping[str, int],
    Field(
        description="expected, accepted, acknowledged, refused, waiting, missing, recalled. / Các số đếm.",
        examples=[{
            "expected": 34, "accepted": 30, "acknowledged": 28, "refused": 1, "waiting": 1, "missing": 4, "recalled": 0,
        }],
    ),
]  # fmt: skip


class WindowEntry(Shape):
    """The window that counts now. / Đợt nhận đang tính."""

    timing: Timing
    opens_at: Moment | None = None
    closes_at: Moment | None = None


class LevelEntry(Shape):
    """A level at a destination. / Một cấp học ở một nơi nhận."""

    destination: str
    level: Level
    window: WindowEntry
    counts: Counts
    in_time: bool | None = Field(
        None, description="Whether what waits comes in time; absent if unknown. / Có kịp không."
    )


class ForecastEntry(Shape):
    """When the backlog of a destination is gone. / Khi nào hết tồn đọng."""

    destination: str
    backlog: int
    per_second: float | None = None
    clears_at: Moment | None = None


class PlaceEntry(Shape):
    """The counts of one place. / Số đếm của một nơi."""

    destination: str
    level: Level
    commune_code: str | None = None
    school_code: str | None = None
    grade: int | None = None
    class_code: str | None = Field(None, description="Empty: of the grade as a whole. / Rỗng: cả khối.")
    counts: Counts


class BoardReport(Shape):
    """The board as it was counted last. / Bảng theo lần đếm gần nhất."""

    school_year: SchoolYear
    as_of: Moment
    forecasts: Sequence[ForecastEntry]
    levels: Sequence[LevelEntry]
    places: Sequence[PlaceEntry]
    next: str | None = Field(None, description="Cursor of the next places. / Con trỏ trang sau.")


class NeedEntry(Shape):
    """A school that needs help, with a level. / Trường cần hỗ trợ, theo cấp."""

    school_code: str
    commune_code: str
    level: Level
    expected: int
    accepted: int
    acknowledged: int
    refused: int
    missing: int
    closes_at: Moment | None = None


class NeedList(Shape):
    """Who needs help first. / Ai cần hỗ trợ trước."""

    as_of: Moment
    schools: Sequence[NeedEntry]


def _found(found: Board | None) -> Board:
    """The board.

    Raises:
        ProblemError: `not-found`, none was counted yet.
    """
    if found is None:
        raise ProblemError("not-found")
    return found


@router.get("", response_model_exclude_none=True)
def deadline_board(
    *,
    operator: ScopedViewer,
    hub: TheHub,
    school_year: YearQuery = None,
    by: ByQuery = "level",
    destination: DestinationQuery = None,
    level: LevelQuery = None,
    commune: CommuneQuery = None,
    school: SchoolQuery = None,
    after: Cursor = None,
    limit: Limit = 100,
) -> BoardReport:
    """Windows, forecasts and counts, by level, commune, school, grade or class. / Bảng hạn nộp."""
    at = place(after, int, int)
    schools = in_scope(hub, operator)
    with hub.store.read() as connection:
        found = _found(board(connection, hub.destinations, hub.clock(), school_year, schools=schools))
        rows = figures(
            connection, found.snapshot, by=by, destination=destination, level=level, commune=commune, school=school,
            schools=schools,
        )  # fmt: skip
    # A snapshot never changes, so a place in it is a number; of a newer one it begins anew.
    start = at[1] if at is not None and at[0] == found.snapshot.id else 0
    page = rows[start : start + limit]
    return BoardReport(
        school_year=found.snapshot.school_year,
        as_of=found.snapshot.as_of,
        forecasts=[
            ForecastEntry(destination=name, backlog=one.backlog, per_second=one.per_second, clears_at=one.clears_at)
            for name, one in found.forecasts.items()
        ],
        levels=[LevelEntry.model_validate(one) for one in found.levels],
        places=[PlaceEntry.model_validate(one) for one in page],
        next=cursor((found.snapshot.id, start + limit)) if start + limit < len(rows) else None,
    )


@router.get("/schools", response_model_exclude_none=True)
def schools_in_need(
    operator: ScopedViewer, hub: TheHub, level: LevelQuery = None, commune: CommuneQuery = None, limit: Limit = 100
) -> NeedList:
    """Who needs help first: whose window closes first, then who has most missing or refused. / Trường cần hỗ trợ."""
    schools = in_scope(hub, operator)
    with hub.store.read() as connection:
        found = _found(board(connection, hub.destinations, hub.clock(), schools=schools))
        listed = needs(connection, hub.destinations, found, level=level, commune=commune, schools=schools)
    return NeedList(as_of=found.snapshot.as_of, schools=[NeedEntry.model_validate(one) for one in listed[:limit]])


@router.get("/report.xlsx", response_class=Response, responses={200: {"content": {MEDIA_TYPE: {}}}})
def deadline_workbook(_: Viewer, hub: TheHub) -> Response:
    """The board as a workbook. / Bảng hạn nộp dạng bảng tính."""
    with hub.store.read() as connection:
        found = _found(board(connection, hub.destinations, hub.clock()))
        made = workbook(connection, hub.destinations, found)
    return Response(made, media_type=MEDIA_TYPE)


@router.put("/rosters", responses=problems(413))
def put_rosters(asked: AskedExpected, operator: Acting, hub: TheHub) -> ExpectedReport:
    """Say how many cards are expected; it counts before anything else. / Nhập sĩ số theo sổ của Sở."""
    classes = [one.as_expected() for one in asked.classes]
    with hub.store.write() as connection:
        grades = say(connection, asked.school_year, ExpectedBy.ROSTER, classes, actor=operator.actor, now=hub.clock())
    return ExpectedReport(grades=grades)
