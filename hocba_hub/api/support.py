"""What operators may look up of anybody's submissions and cards, to help a school; never a card's content."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from hocba_hub.api.answers import problems
from hocba_hub.api.authentication import require_operator
from hocba_hub.api.context import Hub, hub_of
from hocba_hub.api.lookup import card_shape, open_page, submission_shape
from hocba_hub.api.pages import Cursor, Limit, place
from hocba_hub.api.parameters import CardInPath, SchoolQuery, SubmissionId, YearInPath, YearQuery
from hocba_hub.api.problems import ProblemError
from hocba_hub.api.shapes import Card, OpenCard, Page, Submission
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.store import search
from hocba_hub.store.access import Operator, Role

router = APIRouter(prefix="/v1/operations", tags=["operations"], responses=problems(401, 403, 422, 429, 500, 503))

Viewer = Annotated[Operator, Depends(require_operator(Role.VIEWER))]
TheHub = Annotated[Hub, Depends(hub_of)]


@router.get("/submissions/{submission_id}", response_model_exclude_none=True, responses=problems(404))
def submission(
    submission_id: SubmissionId, _: Viewer, hub: TheHub, after: Cursor = None, limit: Limit = 100
) -> Submission:
    """What became of anybody's submission. / Kết quả một lần gửi của bất kỳ phần mềm nào."""
    position = place(after, int)
    with hub.store.read() as connection:
        found = search.submission(connection, submission_id, after=position[0] if position else -1, limit=limit)
    if found is None:
        raise ProblemError("not-found")
    return submission_shape(found)


@router.get("/report-cards/{school_year}/{card_id}", response_model_exclude_none=True, responses=problems(404))
def report_card(school_year: YearInPath, card_id: CardInPath, _: Viewer, hub: TheHub) -> Card:
    """Where a report card stands at each destination. / Tình trạng chuyển một học bạ."""
    with hub.store.read() as connection:
        found = search.card(connection, CardKey(SchoolYear(school_year), CardId(card_id)))
    if found is None:
        raise ProblemError("not-found")
    return card_shape(found)


@router.get("/findings", response_model_exclude_none=True)
def findings(
    *,
    _: Viewer,
    hub: TheHub,
    school: SchoolQuery = None,
    school_year: YearQuery = None,
    after: Cursor = None,
    limit: Limit = 100,
) -> Page[OpenCard]:
    """The cards that are still to be corrected, of every school. / Học bạ còn phải sửa của mọi trường."""
    with hub.store.read() as connection:
        found = search.open_list(
            connection,
            schools=None if school is None else [school],
            school_year=school_year,
            after=place(after, str, str, str, int),
            limit=limit + 1,
        )
    return open_page(found, limit)
