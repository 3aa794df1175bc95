"""The destinations' own code lists: what was fetched, what it changes, and letting it count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from hocba_hub.api.http.bounded import BoundedRoute
from hocba_hub.api.http.pages import Cursor, Limit, cursor, place
from hocba_hub.api.openapi import examples
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.operator.callers import Administrator, TheHub, Viewer
from hocba_hub.api.operator.delivery_shapes import AskedReason
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.shapes import Moment, Page, Shape, shown_as
from hocba_hub.intake.code_lists import effect
from hocba_hub.store import code_lists as stored
from hocba_hub.store.code_lists import CodeListError, ListState, StoredList

router = APIRouter(
    prefix="/v1/operations/code-lists",
    tags=["code-tables"],
    route_class=BoundedRoute,
    responses=problems(400, 401, 403, 422, 429, 500, 503),
)

ListId = Annotated[int, Path(ge=1, le=2**63 - 1, description="From the list. / Lấy từ danh sách.")]


class CodeListEntry(Shape):
    """One version of a destination's code list. / Một phiên bản danh mục của nơi nhận."""

    model_config = shown_as(examples.CODE_LIST)

    id: int
    destination: str
    name: str = Field(description="As the destination calls it. / Tên ở nơi nhận.")
    version: str
    state: ListState
    code_table: str
    code_system: str
    name_system: str
    counts: Mapping[str, int] = Field(description="What it changed when it came. / Thay đổi khi lấy về.")
    fetched_at: Moment
    decided_at: Moment | None = None
    decided_by: str | None = None


class CodeListItem(Shape):
    """One code. / Một mã."""

    code: str
    name: str


class CodeListDetail(CodeListEntry):
    """A version, and what letting it count would do now. / Một phiên bản, và tác động nếu có hiệu lực."""

    model_config = shown_as(examples.CODE_LIST_DETAIL)

    added: Sequence[CodeListItem]
    renamed: Sequence[CodeListItem]
    ended: Sequence[CodeListItem] = Field(description="Codes that it has no more. / Mã không còn trong danh mục.")
    codes_solved: int = Field(description="Unmapped codes that would be known. / Mã chưa ánh xạ sẽ có nghĩa.")
    cards_waiting: int = Field(description="Cards that wait for them. / Học bạ đang chờ các mã đó.")
    deliveries_held: int = Field(
        description="Held there for a value that could not be written. / Bản ghi bị giữ vì giá trị chưa ghi được."
    )


@router.get("", response_model_exclude_none=True)
def code_lists(_: Viewer, hub: TheHub, after: Cursor = None, limit: Limit = 100) -> Page[CodeListEntry]:
    """The versions that were fetched, the newest first. / Các phiên bản đã lấy về, mới nhất trước."""
    seen = place(after, int)
    with hub.store.read() as connection:
        found = stored.listed(connection, before=seen[0] if seen else None, limit=limit + 1)
    return Page(
        items=[CodeListEntry.model_validate(one) for one in found[:limit]],
        next=cursor((found[limit - 1].id,)) if len(found) > limit else None,
    )


@router.get("/{list_id}", response_model_exclude_none=True, responses=problems(404))
def code_list(list_id: ListId, _: Viewer, hub: TheHub) -> CodeListDetail:
    """One version: what it changes, and whom it helps. / Một phiên bản: thay đổi gì, giúp học bạ nào."""
    mappings = hub.intake.mappings.newest()
    with hub.store.read() as connection:
        found = stored.find(connection, list_id)
        if found is None:
            raise ProblemError("not-found")
        does = effect(connection, mappings, found, hub.clock())
    return CodeListDetail(
        **{name: getattr(found, name) for name in CodeListEntry.model_fields},
        added=[CodeListItem.model_validate(one) for one in does.diff.added],
        renamed=[CodeListItem.model_validate(one) for one in does.diff.renamed],
        ended=[CodeListItem.model_validate(one) for one in does.diff.ended],
        codes_solved=len(does.solved),
        cards_waiting=does.waiting,
        deliveries_held=does.held,
    )


@router.post("/{list_id}/activate", response_model_exclude_none=True, responses=problems(404, 409))
def activate_code_list(list_id: ListId, asked: AskedReason, operator: Administrator, hub: TheHub) -> CodeListEntry:
    """Let a draft count; the cards that waited are read again. / Cho bản nháp có hiệu lực; đọc lại học bạ đang chờ."""
    mappings = hub.intake.mappings.newest()
    actor = operator.actor
    try:
        with hub.store.write() as connection:
            found = stored.find(connection, list_id)
            if found is not None:
                does = effect(connection, mappings, found, hub.clock())
                found = stored.activate(
                    connection, list_id, does.solved, actor=actor, reason=asked.reason, now=hub.clock()
                )
    except CodeListError as error:
        raise ProblemError(error.code) from error
    return _entry(found)


@router.post("/{list_id}/discard", response_model_exclude_none=True, responses=problems(404, 409))
def discard_code_list(list_id: ListId, asked: AskedReason, operator: Administrator, hub: TheHub) -> CodeListEntry:
    """Put a draft aside. / Bỏ bản nháp."""
    actor = operator.actor
    try:
        with hub.store.write() as connection:
            found = stored.discard(connection, list_id, actor=actor, reason=asked.reason, now=hub.clock())
    except CodeListError as error:
        raise ProblemError(error.code) from error
    return _entry(found)


def _entry(found: StoredList | None) -> CodeListEntry:
    if found is None:
        raise ProblemError("not-found")
    return CodeListEntry.model_validate(found)
