"""Edits of unsigned cards: proposed by one operator, approved by another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from hocba_hub.api.context import Hub
from hocba_hub.api.http.bounded import BoundedRoute
from hocba_hub.api.http.pages import Cursor, Limit, cursor, place
from hocba_hub.api.openapi import examples
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.operator.callers import ScopedActing, ScopedApproving, TheHub, Viewer, require_card
from hocba_hub.api.operator.delivery_shapes import AskedReason
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.shapes import AskedYear, CardId, Moment, Page, SchoolYear, Shape, shown_as
from hocba_hub.intake.editing import Editing, NotAcceptableError
from hocba_hub.model import keys
from hocba_hub.model.editing import MOST_CHANGES, Asked, EditError, EditState
from hocba_hub.model.keys import CardKey, DestinationName
from hocba_hub.model.shown_bodies import MASK
from hocba_hub.store import edits as stored
from hocba_hub.store.access import Operator
from hocba_hub.store.edits import Edit

router = APIRouter(
    prefix="/v1/operations/edits",
    tags=["operations"],
    route_class=BoundedRoute,
    responses=problems(400, 401, 403, 422, 429, 500, 503),
)

EditInPath = Annotated[int, Path(ge=1, le=2**63 - 1, description="Its id. / Số của lần sửa.")]
_Scalar = str | int | float | bool | None


class AskedChange(BaseModel):
    """What is to stand at one place. / Giá trị mới ở một chỗ."""

    model_config = ConfigDict(extra="forbid")

    place: str = Field(
        pattern=r"^[a-z_]+(/([a-z_]+|[0-9]{1,3}))*$", max_length=200, examples=["year/subjects/3/comment"]
    )
    value: _Scalar = Field(description="null takes the field away. / null: bỏ trường này.")


class AskedEdit(AskedReason):
    """Changes of a card as one of its versions stands. / Sửa một phiên bản học bạ."""

    model_config = shown_as(examples.EDIT_ASKED)

    school_year: AskedYear
    card_id: str = Field(pattern=r"^[0-9A-Za-z._:-]{1,36}$")
    version: int = Field(ge=1, le=2**31 - 1, description="As you saw it. / Phiên bản bạn đã xem.")
    changes: Sequence[AskedChange] = Field(min_length=1, max_length=MOST_CHANGES)


class ChangeEntry(Shape):
    """What an edit does at one place. / Thay đổi ở một chỗ."""

    place: str
    before: Any = None
    after: Any = None


class EditEntry(Shape):
    """An edit, without what stood and stands there. / Một lần sửa, không nêu giá trị."""

    model_config = shown_as(examples.EDIT)

    id: int
    school_year: SchoolYear
    card_id: CardId
    base_version: int = Field(description="That is changed. / Phiên bản được sửa.")
    made_version: int | None = Field(None, description="That came of it. / Phiên bản tạo ra.")
    places: Sequence[str]
    state: EditState
    asked_at: Moment
    asked_by: str
    reason: str
    decided_at: Moment | None = None
    decided_by: str | None = None


class EditDetail(EditEntry):
    """An edit whole. / Toàn bộ một lần sửa."""

    model_config = shown_as(examples.EDIT_DETAIL)

    changes: Sequence[ChangeEntry]


@router.post("", status_code=201, response_model_exclude_none=True, responses=problems(404, 409))
def propose_edit(asked: AskedEdit, operator: ScopedActing, hub: TheHub) -> EditDetail:
    """Propose changes of an unsigned card; a second operator makes a new version of them. / Đề nghị sửa."""
    key = CardKey(keys.SchoolYear(asked.school_year), keys.CardId(asked.card_id))
    changes = [Asked(one.place, one.value) for one in asked.changes]
    with hub.store.read() as connection:
        require_card(connection, operator, key)
    found = _do(lambda: _editing(hub).propose(key, asked.version, changes, operator.actor, asked.reason, hub.clock()))
    return _detail(found, operator)


@router.get("", response_model_exclude_none=True)
def edits(
    *,
    _: Viewer,
    hub: TheHub,
    open: Annotated[bool, Query(description="Only what waits to be decided. / Chỉ lần chờ duyệt.")] = False,  # noqa: A002
    after: Cursor = None,
    limit: Limit = 100,
) -> Page[EditEntry]:
    """The edits, the newest first. / Các lần sửa, mới nhất trước."""
    seen = place(after, int)
    with hub.store.read() as connection:
        found = stored.listed(connection, open_only=open, before=seen[0] if seen else None, limit=limit + 1)
    return Page(
        items=[EditEntry(**_facts(one)) for one in found[:limit]],
        next=cursor((found[limit - 1].id,)) if len(found) > limit else None,
    )


@router.get("/{edit_id}", response_model_exclude_none=True, responses=problems(404))
def edit(edit_id: EditInPath, operator: ScopedActing, hub: TheHub) -> EditDetail:
    """One edit with what stood and is to stand at each place. / Một lần sửa, có giá trị cũ và mới."""
    with hub.store.read() as connection:
        return _detail(_known(connection, operator, edit_id), operator)


@router.post("/{edit_id}/approve", response_model_exclude_none=True, responses=problems(404, 409))
def approve_edit(edit_id: EditInPath, asked: AskedReason, operator: ScopedApproving, hub: TheHub) -> EditDetail:
    """Make a new version of it, which goes to every destination. / Duyệt: tạo phiên bản mới và gửi đi."""
    with hub.store.read() as connection:
        _known(connection, operator, edit_id)
    found = _do(lambda: _editing(hub).approve(edit_id, operator.actor, asked.reason, hub.clock()))
    if found.state is EditState.MADE:
        for name in hub.destinations:
            hub.ring(DestinationName(name))
    return _detail(found, operator)


@router.post("/{edit_id}/reject", response_model_exclude_none=True, responses=problems(404, 409))
def reject_edit(edit_id: EditInPath, asked: AskedReason, operator: ScopedActing, hub: TheHub) -> EditDetail:
    """Make nothing of it. / Từ chối."""
    with hub.store.read() as connection:
        _known(connection, operator, edit_id)
    found = _do(lambda: _editing(hub).reject(edit_id, operator.actor, asked.reason, hub.clock()))
    return _detail(found, operator)


def _known(connection: Connection, operator: Operator, edit_id: int) -> Edit:
    found = stored.find(connection, edit_id)
    if found is None:
        raise ProblemError("not-found")
    require_card(connection, operator, found.key)
    return found


def _editing(hub: Hub) -> Editing:
    return Editing(hub.intake, hub.settings.edits_need_second)


def _do(act: Callable[[], Edit | None]) -> Edit:
    try:
        found = act()
    except NotAcceptableError as error:
        findings = [one.as_json() for one in error.findings]
        raise ProblemError(error.code, retry_after=None, findings=findings) from error
    except EditError as error:
        raise ProblemError(error.code, retry_after=None, **error.facts) from error
    if found is None:
        raise ProblemError("not-found")
    return found


def _facts(found: Edit) -> dict[str, Any]:
    facts = {name: getattr(found, name) for name in EditEntry.model_fields if hasattr(found, name)}
    return facts | {**found.key._asdict(), "places": [one.place for one in found.changes]}


def _detail(found: Edit, operator: Operator) -> EditDetail:
    """The edit; what stood and stands is masked for who may not see what cards hold of people."""
    changes = [
        ChangeEntry(place=place, before=_seen(before, operator), after=_seen(after, operator))
        for place, before, after in found.changes
    ]
    return EditDetail(**_facts(found), changes=changes)


def _seen(value: Any, operator: Operator) -> Any:  # noqa: ANN401 - JSON
    return value if value is None or operator.sees_bodies else MASK
