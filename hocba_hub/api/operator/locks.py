"""Locking data (chốt dữ liệu), unlocking them by two people, and the windows in which cards may go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from hocba_hub.api.http.bounded import BoundedRoute
from hocba_hub.api.http.pages import Cursor, Limit, cursor, place
from hocba_hub.api.http.parameters import SchoolQuery, YearQuery
from hocba_hub.api.openapi import examples
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.operator.callers import Acting, TheHub, Viewer
from hocba_hub.api.operator.delivery_shapes import AskedReason, Reason
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.shapes import AskedYear, Moment, Page, SchoolYear, Shape, shown_as
from hocba_hub.model.windows import Window
from hocba_hub.store import locks as stored
from hocba_hub.store.locks import LockError, Scope

router = APIRouter(
    prefix="/v1/operations",
    tags=["operations"],
    route_class=BoundedRoute,
    responses=problems(400, 401, 403, 422, 429, 500, 503),
)

LockId = Annotated[int, Path(ge=1, le=2**63 - 1, description="From the list. / Lấy từ danh sách.")]


class LockEntry(Shape):
    """A lock. / Một lần chốt dữ liệu."""

    model_config = shown_as(examples.LOCK)

    id: int
    school_code: str = Field(description="`*` for all. / `*` là mọi trường.")
    school_year: SchoolYear
    grade: int = Field(description="0 for all. / 0 là mọi khối.")
    locked_at: Moment
    locked_by: str
    reason: str
    unlock_asked_at: Moment | None = None
    unlock_asked_by: str | None = None
    unlock_reason: str | None = None
    unlocked_at: Moment | None = None
    unlocked_by: str | None = None


class AskedLock(BaseModel):
    """What is to be locked. / Chốt dữ liệu nào."""

    model_config = ConfigDict(extra="forbid")

    school: str = Field(
        pattern=r"^(\*|[0-9A-Za-z._-]{1,20})$", description="`*` for all. / `*` là mọi trường.", examples=["33-TH-0001"]
    )
    school_year: AskedYear
    grade: int = Field(0, strict=True, ge=0, le=12, description="0 for all. / 0 là mọi khối.")
    reason: Reason


class WindowEntry(Shape):
    """When cards may go. / Khi nào được gửi."""

    destination: str | None = Field(
        None, description="Absent: from schools to the hub. / Không có: trường gửi vào trục."
    )
    opens: str | None = None
    closes: str
    levels: Sequence[str] = Field(description="Empty: all. / Rỗng: mọi cấp học.")
    school_years: Sequence[str] = Field(description="Empty: all. / Rỗng: mọi năm học.")
    outside: Literal["accept", "refuse", "hold", "send"] = Field(
        description="What becomes of a card at another time. / Ngoài thời gian đó thì sao."
    )


class WindowList(Shape):
    """Every window. / Mọi thời hạn."""

    windows: Sequence[WindowEntry]


@router.get("/locks", response_model_exclude_none=True)
def locks(
    *,
    _: Viewer,
    hub: TheHub,
    school: SchoolQuery = None,
    school_year: YearQuery = None,
    ended: Annotated[bool, Query(description="Those that ended, too. / Cả những lần đã mở.")] = False,
    after: Cursor = None,
    limit: Limit = 100,
) -> Page[LockEntry]:
    """Locks in force, the newest first. / Dữ liệu đang chốt, mới nhất trước."""
    seen = place(after, int)
    with hub.store.read() as connection:
        found = stored.listed(
            connection, school=school, school_year=school_year, ended=ended, before=seen[0] if seen else None,
            limit=limit + 1,
        )  # fmt: skip
    return Page(
        items=[LockEntry.model_validate(one) for one in found[:limit]],
        next=cursor((found[limit - 1].id,)) if len(found) > limit else None,
    )


@router.post("/locks", status_code=201, response_model_exclude_none=True, responses=problems(409))
def lock_data(asked: AskedLock, operator: Acting, hub: TheHub) -> LockEntry:
    """Lock the data of a school, grade and year: nothing of them is changed any more. / Chốt dữ liệu."""
    scope = Scope(asked.school, asked.school_year, asked.grade)
    try:
        with hub.store.write() as connection:
            made = stored.lock(connection, scope, actor=operator.actor, reason=asked.reason, now=hub.clock())
    except LockError as error:
        raise ProblemError(error.code) from error
    return LockEntry.model_validate(made)


@router.post("/locks/{lock_id}/unlock", response_model_exclude_none=True, responses=problems(404, 409))
def unlock_data(lock_id: LockId, asked: AskedReason, operator: Acting, hub: TheHub) -> LockEntry:
    """Ask for a lock to end; another operator's call ends it. / Đề nghị mở chốt; cán bộ thứ hai gọi thì mở."""
    try:
        with hub.store.write() as connection:
            found = stored.unlock(connection, lock_id, actor=operator.actor, reason=asked.reason, now=hub.clock())
    except LockError as error:
        raise ProblemError(error.code) from error
    if found is None:
        raise ProblemError("not-found")
    return LockEntry.model_validate(found)


@router.get("/windows", response_model_exclude_none=True)
def windows(_: Viewer, hub: TheHub) -> WindowList:
    """When schools may send, and when each destination takes cards. / Thời hạn nhà trường gửi, và nơi nhận nhận."""
    of_intake = hub.windows
    found = [_entry(None, one, of_intake.late) for one in of_intake.windows]
    for name, destination in sorted(hub.destinations.items()):
        found += [_entry(name, one, destination.outside_windows) for one in destination.windows]
    return WindowList(windows=found)


def _entry(
    destination: str | None, window: Window, outside: Literal["accept", "refuse", "hold", "send"]
) -> WindowEntry:
    return WindowEntry(destination=destination, outside=outside, **window.model_dump(mode="json"))
