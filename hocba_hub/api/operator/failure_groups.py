"""Failures by cause: what is behind them, whom they affect, and how the people who mend them stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

from fastapi import APIRouter, Path, Query
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from hocba_hub.api.http.bounded import BoundedRoute
from hocba_hub.api.http.pages import Cursor, Limit, cursor, place
from hocba_hub.api.openapi import examples
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.operator.callers import Acting, TheHub, Viewer
from hocba_hub.api.operator.delivery_shapes import AskedReason, DestinationName, Time, milliseconds
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.shapes import CardId, Moment, Page, SchoolYear, Shape, shown_as
from hocba_hub.model.clock import DAY_MS
from hocba_hub.model.failures import GroupState
from hocba_hub.store import failures as stored
from hocba_hub.store.failures import FailureGroup, GroupChangedError

router = APIRouter(
    prefix="/v1/operations/failure-groups",
    tags=["operations"],
    route_class=BoundedRoute,
    responses=problems(400, 401, 403, 422, 429, 500, 503),
)

GroupInPath = Annotated[int, Path(ge=1, le=2**63 - 1, description="Its id. / Số của nhóm lỗi.")]
_MOST_SOURCES = 1_000


class FailureGroupEntry(Shape):
    """Failures of one cause. / Các lỗi cùng một nguyên nhân."""

    model_config = shown_as(examples.FAILURE_GROUP)

    id: int
    root_id: int | None = Field(None, description="The group that it folds under. / Nhóm gốc của nó.")
    destination: str = Field(description="Empty of rejected records. / Rỗng nếu là bản ghi bị từ chối khi nhận.")
    stage: str = Field(description="intake, send, lookup, poll, push or person. / Lỗi ở bước nào.")
    error_class: str
    code: str
    detail: str = Field(description="Without ids, numbers, names. / Đã bỏ mã, số và tên riêng.")
    mapping: str = Field(description="In its version. / Ánh xạ, có phiên bản.")
    standing: int = Field(description="In it now. / Số bản ghi đang mắc.")
    times: int = Field(description="How often it happened. / Số lần đã xảy ra.")
    first_at: Moment
    last_at: Moment
    schools: int
    clients: int
    state: GroupState
    muted_until: Moment | None = None
    reopened_at: Moment | None = Field(None, description="When it came back. / Khi nào tái diễn.")
    owner: str | None = None
    note: str | None = None
    revision: int


class HourEntry(Shape):
    """How often it happened in one hour. / Số lần trong một giờ."""

    hour_at: Moment
    times: int


class SourceEntry(Shape):
    """Where failures came from. / Lỗi đến từ đâu."""

    school_code: str = Field(description="Empty where it could not be read. / Rỗng nếu không đọc được.")
    client_id: int
    times: int
    last_at: Moment


class MemberEntry(Shape):
    """What stands in a group. / Bản ghi đang mắc lỗi này."""

    delivery_id: int | None = Field(None, description="None of a rejected record. / Không có nếu bị từ chối khi nhận.")
    destination: str
    school_code: str
    school_year: SchoolYear
    card_id: CardId
    version: int | None = None
    state: str


class FailureGroupDetail(Shape):
    """A group whole. / Toàn bộ một nhóm lỗi."""

    model_config = shown_as(examples.FAILURE_GROUP_DETAIL)

    group: FailureGroupEntry
    under: Sequence[FailureGroupEntry] = Field(description="That fold under it. / Các nhóm con.")
    trend: Sequence[HourEntry]
    sources: Sequence[SourceEntry]
    members: Sequence[MemberEntry] = Field(description="Some. / Một số.")


class AskedGroupChange(AskedReason):
    """How the group stands from now on; what is not given stays. / Thay đổi; phần không nêu giữ nguyên."""

    model_config = shown_as(examples.FAILURE_GROUP_CHANGE)

    state: GroupState | None = None
    muted_until: Time | None = None
    owner: str | None = Field(
        None, max_length=100, pattern=r"^[^\x00-\x1f]*$", description="Empty: nobody. / Rỗng: bỏ."
    )
    note: str | None = Field(None, max_length=2000, pattern=r"^[^\x00-\x08\x0b-\x1f]*$")
    revision: int | None = Field(
        None, ge=1, le=2**31 - 1, description="As you saw it: refused if it is another. / Từ chối nếu đã khác."
    )

    @model_validator(mode="after")
    def _muted_until_when(self) -> Self:
        if (self.state is GroupState.MUTED) != (self.muted_until is not None):
            raise PydanticCustomError("muted-until", "`muted_until` goes with the state `muted`, and only with it")
        return self


@router.get("", response_model_exclude_none=True)
def failure_groups(
    *,
    _: Viewer,
    hub: TheHub,
    destination: Annotated[DestinationName | None, Query()] = None,
    state: Annotated[
        Sequence[GroupState], Query(description="Any of these; by default all. / Mặc định mọi trạng thái.")
    ] = (),
    after: Cursor = None,
    limit: Limit = 100,
) -> Page[FailureGroupEntry]:
    """Failures by cause, those that happened last first. / Lỗi theo nguyên nhân, mới xảy ra trước."""
    seen = place(after, int, int)
    with hub.store.read() as connection:
        found = stored.listed(
            connection, hub.clock(), destination=destination, states=state, after=seen, limit=limit + 1
        )
    return Page(
        items=[FailureGroupEntry.model_validate(one) for one in found[:limit]],
        next=cursor((found[limit - 1].last_at, found[limit - 1].id)) if len(found) > limit else None,
    )


@router.get("/{group_id}", response_model_exclude_none=True, responses=problems(404))
def failure_group(
    group_id: GroupInPath,
    _: Viewer,
    hub: TheHub,
    days: Annotated[int, Query(ge=1, le=400, description="Of the trend. / Số ngày xem diễn biến.")] = 7,
    limit: Limit = 100,
) -> FailureGroupDetail:
    """One cause: its trend by the hour, schools and clients, some of what stands in it. / Một nhóm lỗi."""
    now = hub.clock()
    with hub.store.read() as connection:
        found = _known(stored.find(connection, group_id, now))
        return FailureGroupDetail(
            group=FailureGroupEntry.model_validate(found),
            under=[
                FailureGroupEntry.model_validate(one)
                for one in stored.listed(connection, now, root_id=group_id, limit=1000)
            ],
            trend=[
                HourEntry.model_validate({"hour_at": hour, "times": times})
                for hour, times in stored.trend(connection, group_id, since=now - days * DAY_MS)
            ],
            sources=[
                SourceEntry.model_validate(one)
                for one in stored.sources(connection, group_id, limit=_MOST_SOURCES)
            ],
            members=[
                MemberEntry.model_validate(one) for one in stored.members(connection, group_id, limit=limit)
            ],
        )  # fmt: skip


@router.post("/{group_id}", response_model_exclude_none=True, responses=problems(404, 409))
def change_failure_group(
    group_id: GroupInPath, asked: AskedGroupChange, operator: Acting, hub: TheHub
) -> FailureGroupEntry:
    """Say who mends it, what is known of it, and how it stands. / Ghi người xử lý, ghi chú, trạng thái."""
    try:
        with hub.store.write() as connection:
            changed = stored.change(
                connection, group_id, state=asked.state, muted_until=milliseconds(asked.muted_until),
                owner=asked.owner, note=asked.note, revision=asked.revision, actor=operator.actor,
                reason=asked.reason, now=hub.clock(),
            )  # fmt: skip
    except GroupChangedError as error:
        raise ProblemError(error.code) from error
    return FailureGroupEntry.model_validate(_known(changed))


def _known(found: FailureGroup | None) -> FailureGroup:
    if found is None:
        raise ProblemError("not-found")
    return found
