"""Deciding which school may correct a card whose pupil has gone to another one."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from hocba_hub.api.http.bounded import BoundedRoute
from hocba_hub.api.http.pages import Cursor, Limit, cursor, place
from hocba_hub.api.http.parameters import SchoolQuery
from hocba_hub.api.openapi import examples
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.operator.callers import Acting, TheHub, Viewer
from hocba_hub.api.operator.delivery_shapes import Reason, SchoolCode
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.shapes import AskedYear, CardId, Moment, Page, SchoolYear, Shape, shown_as
from hocba_hub.model.keys import CardId as Card
from hocba_hub.model.keys import CardKey
from hocba_hub.model.keys import SchoolYear as Year
from hocba_hub.store import transfers as stored
from hocba_hub.store.transfers import TransferError

router = APIRouter(
    prefix="/v1/operations/transfers",
    tags=["operations"],
    route_class=BoundedRoute,
    responses=problems(400, 401, 403, 422, 429, 500, 503),
)


class AskedCard(BaseModel):
    """A card. / Một học bạ."""

    model_config = ConfigDict(extra="forbid")

    school_year: AskedYear
    card_id: str = Field(pattern=r"^[0-9A-Za-z._:-]{1,36}$", examples=["0100000001-1"])


class AskedTransfer(BaseModel):
    """Which school may correct which cards. / Trường nào được sửa học bạ nào."""

    model_config = ConfigDict(extra="forbid")

    cards: Sequence[AskedCard] = Field(min_length=1, max_length=500)
    to_school: SchoolCode
    all_of_pupil: StrictBool = Field(
        False,  # noqa: FBT003 - a field's default
        description="Every card of the same pupils. / Mọi học bạ của các học sinh đó.",
    )
    reason: Reason


class TransferEntry(Shape):
    """One decision. / Một quyết định."""

    model_config = shown_as(examples.TRANSFER)

    id: int
    school_year: SchoolYear
    card_id: CardId
    from_school: str
    to_school: str
    decided_at: Moment
    decided_by: str
    reason: str


class TransferList(Shape):
    """The cards that were moved. / Các học bạ đã chuyển quyền."""

    transfers: Sequence[TransferEntry]


@router.get("", response_model_exclude_none=True)
def transfers(
    _: Viewer, hub: TheHub, school: SchoolQuery = None, after: Cursor = None, limit: Limit = 100
) -> Page[TransferEntry]:
    """What was decided, the newest first. / Các quyết định, mới nhất trước."""
    seen = place(after, int)
    with hub.store.read() as connection:
        found = stored.listed(connection, school=school, before=seen[0] if seen else None, limit=limit + 1)
    return Page(
        items=[TransferEntry.model_validate(one) for one in found[:limit]],
        next=cursor((found[limit - 1].id,)) if len(found) > limit else None,
    )


@router.post("", status_code=201, response_model_exclude_none=True, responses=problems(404))
def transfer_cards(asked: AskedTransfer, operator: Acting, hub: TheHub) -> TransferList:
    """Give a school the right to correct cards, since their pupils have gone there. / Chuyển quyền sửa học bạ."""
    keys = [CardKey(Year(one.school_year), Card(one.card_id)) for one in asked.cards]
    try:
        with hub.store.write() as connection:
            made = stored.transfer(
                connection, keys, asked.to_school, all_of_pupil=asked.all_of_pupil,
                actor=operator.actor, reason=asked.reason, now=hub.clock(),
            )  # fmt: skip
    except TransferError as error:
        raise ProblemError("not-found") from error
    return TransferList(transfers=[TransferEntry.model_validate(one) for one in made])
