"""Results of the check of pupils' personal numbers, by commune and school, and the cards behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from hocba_hub.api.http.bounded import BoundedRoute
from hocba_hub.api.http.pages import Cursor, Limit, cursor, place
from hocba_hub.api.http.parameters import DestinationInPath, SchoolQuery, YearQuery
from hocba_hub.api.openapi import examples
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.operator.callers import TheHub, Viewer, known_destination
from hocba_hub.api.shapes import CardId, Moment, Page, SchoolYear, Shape, shown_as
from hocba_hub.model.identity import IdentityResult
from hocba_hub.store import identity as stored

router = APIRouter(
    prefix="/v1/operations/identity/{name}",
    tags=["operations"],
    route_class=BoundedRoute,
    responses=problems(400, 401, 403, 404, 422, 429, 500, 503),
)

CommuneQuery = Annotated[
    str | None, Query(pattern=r"^[0-9]{5}$", description="Commune of the school. / Mã xã, phường của trường.")
]


class IdentityFigures(Shape):
    """How many cards of one place have which result. / Số học bạ theo kết quả xác thực."""

    commune_code: str | None = Field(None, description="Empty: the cards do not say. / Rỗng: học bạ không ghi.")
    school_code: str | None = None
    counts: Mapping[IdentityResult, int]


class IdentityReport(Shape):
    """The newest result of each card that was checked, counted. / Đếm kết quả mới nhất của từng học bạ."""

    model_config = shown_as(examples.IDENTITY)

    places: Sequence[IdentityFigures]


class CheckedCard(Shape):
    """The result of one card. / Kết quả của một học bạ."""

    model_config = shown_as(examples.CHECKED_CARD)

    school_year: SchoolYear
    card_id: CardId
    version: int = Field(description="That was checked. / Phiên bản đã xác thực.")
    result: IdentityResult
    told_at: Moment
    school_code: str
    commune_code: str


@router.get("", response_model_exclude_none=True)
def identity_results(
    *,
    name: DestinationInPath,
    _: Viewer,
    hub: TheHub,
    by: Annotated[Literal["all", "commune", "school"], Query(description="Counted by. / Đếm theo.")] = "all",
    school_year: YearQuery = None,
    commune: CommuneQuery = None,
    school: SchoolQuery = None,
) -> IdentityReport:
    """How many personal numbers are verified, of somebody else, or unknown. / Kết quả xác thực định danh."""
    known_destination(hub, name)
    with hub.store.read() as connection:
        found = stored.counts(connection, name, by=by, school_year=school_year, commune=commune, school=school)
    return IdentityReport(
        places=[
            IdentityFigures(
                commune_code=None if by == "all" else of.commune_code,
                school_code=of.school_code if by == "school" else None,
                counts=counted,
            )
            for of, counted in found.items()
        ]
    )


@router.get("/cards", response_model_exclude_none=True)
def identity_cards(
    *,
    name: DestinationInPath,
    _: Viewer,
    hub: TheHub,
    result: Annotated[IdentityResult, Query()] = IdentityResult.MISMATCH,
    commune: CommuneQuery = None,
    school: SchoolQuery = None,
    after: Cursor = None,
    limit: Limit = 100,
) -> Page[CheckedCard]:
    """The cards with one result, by school. / Các học bạ có một kết quả, theo trường."""
    known_destination(hub, name)
    with hub.store.read() as connection:
        found = stored.cards_with(
            connection, name, result, commune=commune, school=school, after=place(after, str, str, str),
            limit=limit + 1,
        )  # fmt: skip
    last = found[limit - 1] if len(found) > limit else None
    return Page(
        items=[CheckedCard.model_validate(one) for one in found[:limit]],
        next=None if last is None else cursor((last.school_code, last.school_year, last.card_id)),
    )
