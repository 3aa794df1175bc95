"""What operators may look up of anybody's submissions and cards, to help a school; never a card's content."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import orjson
from fastapi import APIRouter, Query
from pydantic import Field

from hocba_hub.api.http.pages import Cursor, Limit, cursor, place
from hocba_hub.api.http.parameters import CardInPath, SchoolQuery, SubmissionId, YearInPath, YearQuery
from hocba_hub.api.lookup import look_up_card, look_up_open_list, look_up_submission
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.operator.callers import ScopedViewer, TheHub, Viewer, in_scope, require_card
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.shapes import Card, Moment, OpenCard, Page, Shape, Submission
from hocba_hub.model.differing import differing_places
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.store import schools, search
from hocba_hub.store.access import find_client

router = APIRouter(prefix="/v1/operations", tags=["operations"], responses=problems(401, 403, 422, 429, 500, 503))

_MOST_PLACES = 200
CommuneQuery = Annotated[str | None, Query(pattern=r"^[0-9A-Za-z._-]{1,20}$", description="Commune code. / Mã xã.")]
VersionQuery = Annotated[int, Query(ge=1, le=2_147_483_647)]


class SubmissionEntry(Shape):
    """A submission in the list. / Một lần gửi."""

    id: str
    client: str
    received_at: Moment
    state: str
    media_type: str
    bytes: int
    accepted: int
    rejected: int


class SchoolEntry(Shape):
    """What a school is called. / Tên một trường."""

    school_code: str
    name: str = Field(description="Empty before a card of it was accepted. / Rỗng nếu chưa nhận học bạ nào.")
    commune_code: str
    commune_name: str


class SchoolsFound(Shape):
    """Schools by code. / Các trường theo mã."""

    schools: Sequence[SchoolEntry]


class OpenCountEntry(Shape):
    """How many cards a school has still to mend. / Số học bạ trường còn phải sửa."""

    school: SchoolEntry
    cards: int


class OpenCounts(Shape):
    """By school, the most first. / Theo trường, nhiều nhất trước."""

    schools: Sequence[OpenCountEntry]


class VersionDifferences(Shape):
    """Where two versions of a card differ, never what stands there. / Chỗ khác, không nêu giá trị."""

    places: Sequence[str] = Field(examples=[["year/subjects/3/mark"]])
    more: int = Field(description="Beyond those named. / Số chỗ khác không nêu.")


@router.get("/submissions", response_model_exclude_none=True, responses=problems(404))
def submissions(
    *,
    _: Viewer,
    hub: TheHub,
    client: Annotated[str | None, Query(min_length=1, max_length=200, description="Its name. / Tên phần mềm.")] = None,
    after: Cursor = None,
    limit: Limit = 100,
) -> Page[SubmissionEntry]:
    """Submissions of everybody or of one client, the newest first. / Các lần gửi, mới nhất trước."""
    seen = place(after, str)
    with hub.store.read() as connection:
        known = None if client is None else find_client(connection, client)
        if client is not None and known is None:
            raise ProblemError("not-found")
        found = search.submissions_listed(
            connection, client_id=None if known is None else known.id, before=seen[0] if seen else None,
            limit=limit + 1,
        )  # fmt: skip
    return Page(
        items=[SubmissionEntry.model_validate(one) for one in found[:limit]],
        next=cursor((found[limit - 1].id,)) if len(found) > limit else None,
    )


@router.get("/schools", response_model_exclude_none=True)
def schools_found(
    operator: ScopedViewer,
    hub: TheHub,
    search: Annotated[
        str,
        Query(
            max_length=100, description="Words of code, name or commune, accents aside. / Từ cần tìm, không cần dấu."
        ),
    ] = "",
    commune: CommuneQuery = None,
    limit: Limit = 100,
) -> SchoolsFound:
    """Schools by code, name or commune. / Tìm trường theo mã, tên, xã."""
    seen = in_scope(hub, operator)
    with hub.store.read() as connection:
        found = schools.found_schools(connection, search, commune=commune, schools_seen=seen, limit=limit)
    return SchoolsFound(schools=[SchoolEntry.model_validate(one) for one in found])


@router.get("/findings/schools", response_model_exclude_none=True)
def open_counts(operator: ScopedViewer, hub: TheHub) -> OpenCounts:
    """How many cards each school has still to mend. / Số học bạ mỗi trường còn phải sửa."""
    seen = in_scope(hub, operator)
    with hub.store.read() as connection:
        found = schools.open_counts(connection, seen)
    return OpenCounts(schools=[OpenCountEntry.model_validate(one) for one in found])


@router.get("/report-cards/{school_year}/{card_id}/differences", responses=problems(404))
def differences(
    *,
    school_year: YearInPath,
    card_id: CardInPath,
    operator: ScopedViewer,
    hub: TheHub,
    before: VersionQuery,
    after: VersionQuery,
) -> VersionDifferences:
    """Where two versions of a card differ. / Hai phiên bản khác nhau ở đâu."""
    key = CardKey(SchoolYear(school_year), CardId(card_id))
    with hub.store.read() as connection:
        require_card(connection, operator, key)
        bodies = search.canonical_bodies(connection, key, (before, after))
    if len(bodies) != len({before, after}):
        raise ProblemError("not-found")
    places = sorted(differing_places(orjson.loads(bodies[before]), orjson.loads(bodies[after])))
    return VersionDifferences(places=places[:_MOST_PLACES], more=max(0, len(places) - _MOST_PLACES))


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
