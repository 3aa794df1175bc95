"""What a client may look up: its own submissions, and the cards and open lists of its schools."""

from __future__ import annotations

import base64
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from hocba_hub.api.context import Hub, hub_of
from hocba_hub.api.http.authentication import require_client
from hocba_hub.api.http.pages import Cursor, Limit
from hocba_hub.api.http.parameters import CardInPath, SchoolQuery, SubmissionId, VersionInPath, YearInPath, YearQuery
from hocba_hub.api.lookup import look_up_card, look_up_open_list, look_up_submission, may_see
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.shapes import Card, OpenCard, Page, Submission
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.store import search
from hocba_hub.store.access import Client

router = APIRouter(tags=["status"], responses=problems(401, 403, 422, 429, 500, 503))

Caller = Annotated[Client, Depends(require_client)]
TheHub = Annotated[Hub, Depends(hub_of)]


@router.get("/v1/submissions/{submission_id}", response_model_exclude_none=True, responses=problems(404))
def submission(
    submission_id: SubmissionId, client: Caller, hub: TheHub, after: Cursor = None, limit: Limit = 100
) -> Submission:
    """What became of a submission, record by record. / Kết quả của một lần gửi, theo từng bản ghi."""
    return look_up_submission(hub, submission_id, client, after=after, limit=limit)


@router.get("/v1/report-cards/{school_year}/{card_id}", response_model_exclude_none=True, responses=problems(404))
def report_card(school_year: YearInPath, card_id: CardInPath, client: Caller, hub: TheHub) -> Card:
    """A report card's versions, and where each stands at each destination. / Các phiên bản và tình trạng chuyển."""
    return look_up_card(hub, CardKey(SchoolYear(school_year), CardId(card_id)), client)


@router.get(
    "/v1/report-cards/{school_year}/{card_id}/versions/{version}/document",
    response_class=Response,
    responses=problems(404)
    | {
        200: {
            "description": "The very bytes that were sent. / Đúng nội dung đã gửi.",
            "content": {"application/json": {"schema": {}}, "application/x-ndjson": {"schema": {}}},
            "headers": {
                "Repr-Digest": {
                    "description": "SHA-256 of the bytes (RFC 9530).",
                    "schema": {"type": "string", "pattern": "^sha-256=:[A-Za-z0-9+/]{43}=:$"},
                }
            },
        }
    },
)
def document(
    school_year: YearInPath, card_id: CardInPath, version: VersionInPath, client: Caller, hub: TheHub
) -> Response:
    """The document of one version, byte for byte as it was sent. / Nội dung một phiên bản, đúng từng byte đã gửi."""
    with hub.store.read() as connection:
        found = search.document(connection, CardKey(SchoolYear(school_year), CardId(card_id)), version)
    if found is None or not may_see(client, found.school_code, found.managed_by):
        raise ProblemError("not-found")
    headers = {
        "Repr-Digest": f"sha-256=:{base64.b64encode(found.sha256).decode('ascii')}:",
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(found.body, headers=headers, media_type=found.media_type)


@router.get("/v1/findings", response_model_exclude_none=True)
def findings(
    *,
    client: Caller,
    hub: TheHub,
    school: SchoolQuery = None,
    school_year: YearQuery = None,
    after: Cursor = None,
    limit: Limit = 100,
) -> Page[OpenCard]:
    """The cards of the client's schools that are still to be corrected. / Học bạ còn phải sửa của các trường.

    A card leaves the list when it is accepted. / Học bạ ra khỏi danh sách khi được nhận.
    """
    return look_up_open_list(hub, client, school=school, school_year=school_year, after=after, limit=limit)
