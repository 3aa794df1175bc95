"""Back to the school: cards that a destination does not take, with a note of what is to be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field, StrictBool

from hocba_hub.api.http.bounded import BoundedRoute
from hocba_hub.api.http.pages import Cursor, Limit, cursor, place
from hocba_hub.api.http.parameters import SchoolQuery
from hocba_hub.api.openapi import examples
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.operator.callers import ScopedActing, ScopedViewer, TheHub, in_scope
from hocba_hub.api.operator.delivery_shapes import AskedReason, AskedSelection
from hocba_hub.api.shapes import CardId, Moment, Page, SchoolYear, Shape, shown_as
from hocba_hub.store import returns as stored

router = APIRouter(
    prefix="/v1/operations/returns",
    tags=["operations"],
    route_class=BoundedRoute,
    responses=problems(400, 401, 403, 422, 429, 500, 503),
)


class AskedReturn(AskedReason):
    """Which cards go back to their schools, and what these are to do. / Trả học bạ nào, trường phải làm gì."""

    model_config = shown_as(examples.RETURN)

    selection: AskedSelection
    note: str = Field(
        min_length=10,
        max_length=stored.MOST_NOTE,
        pattern=r"^[^\x00-\x1f]+$",
        description="What the school is to do, in Vietnamese; no personal data. / Trường cần làm gì.",
    )
    dry_run: StrictBool = Field(False, description="Only count. / Chỉ đếm, không làm.")  # noqa: FBT003 - a field's default


class ReturnReport(Shape):
    """What was done, or would be, in exact counts. / Kết quả, đếm chính xác."""

    model_config = shown_as(examples.RETURN_REPORT)

    dry_run: bool
    cards: int
    schools: Mapping[str, int] = Field(description="Cards by school. / Số học bạ theo trường.")
    before: int = Field(description="Left alone: returned before. / Bỏ qua: đã trả trước đó.")
    superseded: int = Field(description="Left alone: it has moved on. / Bỏ qua: đã có phiên bản mới.")


class ReturnedEntry(Shape):
    """A card that was returned. / Học bạ đã trả lại trường."""

    model_config = shown_as(examples.RETURNED)

    id: int
    delivery_id: int
    destination: str
    school_year: SchoolYear
    card_id: CardId
    version: int
    school_code: str
    code: str
    note: str
    returned_at: Moment
    returned_by: str
    is_open: bool = Field(description="Not corrected yet. / Chưa được sửa.")


@router.post("", response_model_exclude_none=True)
def return_cards(asked: AskedReturn, operator: ScopedActing, hub: TheHub) -> ReturnReport:
    """Put cards on their schools' open lists, with a note. / Trả học bạ về trường, kèm ghi chú."""
    selection = replace(asked.selection.as_selection(), schools=in_scope(hub, operator))
    if asked.dry_run:
        with hub.store.read() as connection:
            done = stored.preview(connection, selection)
    else:
        done = stored.give_back(
            hub.store, selection, asked.note, actor=operator.actor, reason=asked.reason, now=hub.clock()
        )
    return ReturnReport(
        dry_run=asked.dry_run, cards=done.cards, schools=done.schools, before=done.before, superseded=done.superseded
    )


@router.get("", response_model_exclude_none=True)
def returned_cards(
    *,
    operator: ScopedViewer,
    hub: TheHub,
    school: SchoolQuery = None,
    open: Annotated[bool, Query(description="Only what is not corrected yet. / Chỉ học bạ chưa sửa.")] = False,  # noqa: A002
    after: Cursor = None,
    limit: Limit = 100,
) -> Page[ReturnedEntry]:
    """What was returned, the newest first. / Học bạ đã trả lại, mới nhất trước."""
    seen, mine = place(after, int), in_scope(hub, operator)
    with hub.store.read() as connection:
        found = stored.listed(
            connection, school=school, schools=mine, open_only=open, before=seen[0] if seen else None, limit=limit + 1
        )
    return Page(
        items=[ReturnedEntry.model_validate(one) for one in found[:limit]],
        next=cursor((found[limit - 1].id,)) if len(found) > limit else None,
    )
