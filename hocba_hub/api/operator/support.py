"""What operators may look up of anybody's submissions and cards, to help a school; never a card's content."""

from __future__ import annotations

from fastapi import APIRouter

from hocba_hub.api.http.pages import Cursor, Limit
from hocba_hub.api.http.parameters import CardInPath, SchoolQuery, SubmissionId, YearInPath, YearQuery
from hocba_hub.api.lookup import look_up_card, look_up_open_list, look_up_submission
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.operator.callers import ScopedViewer, TheHub, Viewer, in_scope, require_card
from hocba_hub.api.shapes import Card, OpenCard, Page, Submission
from hocba_hub.model.keys import CardId, CardKey, SchoolYear

router = APIRouter(prefix="/v1/operations", tags=["operations"], responses=problems(401, 403, 422, 429, 500, 503))


@router.get("/submissions/{submission_id}", response_model_exclude_none=True, responses=problems(404))
def submission(
    submission_id: SubmissionId, _: Viewer, hub: TheHub, after: Cursor = None, limit: Limit = 100
) -> Submission:
    """What became of anybody's submission. / Kết quả một lần gửi của bất kỳ phần mềm nào."""
    return look_up_submission(hub, submission_id, None, after=after, limit=limit)


@router.get("/report-cards/{school_year}/{card_id}", response_model_exclude_none=True, responses=problems(404))
def report_card(school_year: YearInPath, card_id: CardInPath, operator: ScopedViewer, hub: TheHub) -> Card:
    """Where a report card stands at each destination. / Tình trạng chuyển một học bạ."""
    key = CardKey(SchoolYear(school_year), CardId(card_id))
    with hub.store.read() as connection:
        require_card(connection, operator, key)
    return look_up_card(hub, key, None)


@router.get("/findings", response_model_exclude_none=True, responses=problems(404))
def findings(
    *,
    operator: ScopedViewer,
    hub: TheHub,
    school: SchoolQuery = None,
    school_year: YearQuery = None,
    after: Cursor = None,
    limit: Limit = 100,
) -> Page[OpenCard]:
    """The cards that are still to be corrected, of every school. / Học bạ còn phải sửa của mọi trường."""
    return look_up_open_list(
        hub, None, school=school, school_year=school_year, after=after, limit=limit, schools=in_scope(hub, operator)
    )
