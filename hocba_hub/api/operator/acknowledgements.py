"""Verdicts that came late, again, unasked or against another: what operators see of them, and decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from hocba_hub.api.acknowledging import MOST, Brought, enter_verdicts
from hocba_hub.api.http.bounded import BoundedRoute
from hocba_hub.api.http.pages import Cursor, Limit, cursor, place
from hocba_hub.api.openapi import examples
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.operator.callers import Acting, TheHub, Viewer, known_destination
from hocba_hub.api.operator.deliveries import act
from hocba_hub.api.operator.delivery_shapes import ActReport, AskedAct, DestinationName, Reason
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.shapes import CardId, Moment, Page, SchoolYear, Shape, shown_as
from hocba_hub.api.verdict_shapes import AskedVerdict, ReceptionList, reception_list
from hocba_hub.model.delivery import DeliveryState
from hocba_hub.model.keys import DestinationName as Name
from hocba_hub.queue.doubt import check_absence
from hocba_hub.store import acknowledgements as stored
from hocba_hub.store.acknowledgements import AckKind, Decision, DecisionError
from hocba_hub.store.delivery_acts import Act
from hocba_hub.store.verdict_times import timeliness

router = APIRouter(
    prefix="/v1/operations/acknowledgements",
    tags=["operations"],
    route_class=BoundedRoute,
    responses=problems(400, 401, 403, 422, 429, 500, 503),
)

AckId = Annotated[int, Path(ge=1, le=2**63 - 1, description="From the list. / Lấy từ danh sách.")]


class AcknowledgementEntry(Shape):
    """A verdict that was kept. / Một kết quả được lưu."""

    model_config = shown_as(examples.ACKNOWLEDGEMENT)

    id: int
    delivery_id: int
    destination: str
    school_year: SchoolYear
    card_id: CardId
    version: int
    state: DeliveryState = Field(description="Of the delivery now. / Trạng thái hiện nay.")
    source: str = Field(description="`poll`, `lookup`, `send` or `push`. / Đến bằng cách nào.")
    kind: AckKind
    code: str
    verdict: DeliveryState
    first_at: Moment
    last_at: Moment
    times: int
    decided_at: Moment | None = None
    decided_by: str | None = None
    decision: Decision | None = None


class TimelinessEntry(Shape):
    """How a destination's verdicts come. / Kết quả của một nơi nhận đến ra sao."""

    destination: str
    awaited: int = Field(description="Counted now. / Đang chờ.")
    overdue: int = Field(description="Of them, past the objective; up to 10,000. / Đã quá hạn, đếm đến 10.000.")
    in_time: int = Field(description="Since the beginning. / Đúng hạn, từ đầu.")
    late: int
    share: float | None = Field(None, description="In time, of all that were due. / Tỉ lệ đúng hạn.")
    objective: float
    objective_seconds: float
    usual_seconds: float | None = Field(None, description="That a verdict takes. / Thời gian thường có kết quả.")
    undecided: int = Field(description="Contradictory ones that wait for a person. / Mâu thuẫn, chờ người quyết định.")


class TimelinessList(Shape):
    """Every destination. / Mọi nơi nhận."""

    destinations: Sequence[TimelinessEntry]


class AskedDecision(BaseModel):
    """Which of two verdicts counts. / Kết quả nào có hiệu lực."""

    model_config = ConfigDict(extra="forbid")

    decision: Decision = Field(description="`keep` what stands, or `take` this one. / Giữ, hoặc lấy kết quả này.")
    reason: Reason


class AskedEntry(BaseModel):
    """Verdicts that a person has from a destination. / Kết quả nơi nhận báo bằng cách khác."""

    model_config = ConfigDict(extra="forbid")

    destination: DestinationName
    acknowledgements: Sequence[AskedVerdict] = Field(min_length=1, max_length=MOST)
    reason: Reason


@router.get("", response_model_exclude_none=True)
def acknowledgements(
    *,
    _: Viewer,
    hub: TheHub,
    destination: Annotated[DestinationName | None, Query()] = None,
    kind: Annotated[AckKind | None, Query()] = None,
    undecided: Annotated[
        bool, Query(description="Only what a person has to decide. / Chỉ phần chờ quyết định.")
    ] = False,
    after: Cursor = None,
    limit: Limit = 100,
) -> Page[AcknowledgementEntry]:
    """Verdicts that came late, again, unasked or against another, the newest first. / Kết quả bất thường."""
    seen = place(after, int)
    with hub.store.read() as connection:
        found = stored.listed(
            connection, destination=destination, kind=kind, undecided=undecided, before=seen[0] if seen else None,
            limit=limit + 1,
        )  # fmt: skip
    return Page(
        items=[AcknowledgementEntry.model_validate(one) for one in found[:limit]],
        next=cursor((found[limit - 1].id,)) if len(found) > limit else None,
    )


@router.get("/timeliness", response_model_exclude_none=True)
def acknowledgements_timeliness(_: Viewer, hub: TheHub) -> TimelinessList:
    """How the verdicts of each destination come, against its objective. / Kết quả đến đúng hạn ra sao."""
    with hub.store.read() as connection:
        found = [
            timeliness(
                connection,
                Name(name),
                overdue_seconds=one.acknowledgement.overdue_seconds,
                objective=one.acknowledgement.objective,
                now=hub.clock(),
            )
            for name, one in sorted(hub.destinations.items())
        ]
    return TimelinessList(destinations=[TimelinessEntry.model_validate(one) for one in found])


@router.post("/{ack_id}/decide", response_model_exclude_none=True, responses=problems(404, 409))
def decide_acknowledgement(ack_id: AckId, asked: AskedDecision, operator: Acting, hub: TheHub) -> AcknowledgementEntry:
    """Say which of two contradictory verdicts counts. / Quyết định kết quả nào có hiệu lực."""
    try:
        with hub.store.write() as connection:
            found = stored.decide(
                connection, ack_id, asked.decision, actor=operator.actor, reason=asked.reason,
                now=hub.clock(),
            )  # fmt: skip
    except DecisionError as error:
        raise ProblemError(error.code) from error
    if found is None:
        raise ProblemError("not-found")
    return AcknowledgementEntry.model_validate(found)


@router.post("/enter", response_model_exclude_none=True, responses=problems(404))
def enter_acknowledgements(asked: AskedEntry, operator: Acting, hub: TheHub) -> ReceptionList:
    """Enter verdicts that a person has from the destination. / Nhập kết quả do nơi nhận báo cho cán bộ."""
    destination = hub.destinations[known_destination(hub, asked.destination)]
    brought = [Brought(one.record_id, one.version, one.code) for one in asked.acknowledgements]
    found = enter_verdicts(hub, destination, brought, actor=operator.actor, reason=asked.reason)
    return reception_list(brought, found)


@router.post("/absent", response_model_exclude_none=True)
def enter_absence(asked: AskedAct, operator: Acting, hub: TheHub) -> ActReport:
    """Say that a destination which cannot be asked does not hold them: sent again. / Nơi nhận báo không có: gửi lại."""
    check_absence(hub.destinations, asked.selection.as_selection())
    return act(Act.ABSENT, asked, operator, hub)
