"""How many cards a school says that it will send: the last word where nobody else says it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from hocba_hub.api.context import Hub, hub_of
from hocba_hub.api.expected_shapes import AskedExpected, ExpectedReport
from hocba_hub.api.http.authentication import require_client
from hocba_hub.api.http.bounded import BoundedRoute
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.model.deadlines import ExpectedBy
from hocba_hub.store.access import Client
from hocba_hub.store.expected import say

router = APIRouter(
    prefix="/v1/expected-cards",
    tags=["intake"],
    route_class=BoundedRoute,
    responses=problems(400, 401, 403, 422, 429, 500, 503),
)


@router.put("", responses=problems(413))
def put_expected_cards(
    asked: AskedExpected, client: Annotated[Client, Depends(require_client)], hub: Annotated[Hub, Depends(hub_of)]
) -> ExpectedReport:
    """State how many cards there will be, by grade or class. / Báo số học bạ sẽ có, theo khối hoặc lớp."""
    classes = [one.as_expected() for one in asked.classes]
    if not all(client.may_speak_for(one.school_code) for one in classes):
        raise ProblemError("access.school-not-permitted")
    with hub.store.write() as connection:
        grades = say(
            connection, asked.school_year, ExpectedBy.STATEMENT, classes, actor=f"client:{client.id}", now=hub.clock()
        )
    return ExpectedReport(grades=grades)
