"""Where a destination brings its verdicts by itself, instead of being asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from hocba_hub.api.acknowledging import MOST, Brought, take_verdicts
from hocba_hub.api.context import Hub, hub_of
from hocba_hub.api.http.authentication import require_client
from hocba_hub.api.http.bounded import BoundedRoute
from hocba_hub.api.openapi import examples
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.shapes import Shape, shown_as
from hocba_hub.store.access import Client
from hocba_hub.store.acknowledgements import Reception

router = APIRouter(
    tags=["acknowledgements"], route_class=BoundedRoute, responses=problems(400, 401, 403, 413, 422, 429, 500, 503)
)

Caller = Annotated[Client, Depends(require_client)]
TheHub = Annotated[Hub, Depends(hub_of)]


class AskedVerdict(BaseModel):
    """The verdict on one version. / Kết quả của một phiên bản."""

    model_config = ConfigDict(extra="forbid")

    record_id: str = Field(
        min_length=1, max_length=150, pattern=r"^[0-9A-Za-z._:/-]+$", description="As it was sent. / Như đã gửi.",
        examples=["2025-2026/card-1"],
    )  # fmt: skip
    version: int = Field(strict=True, ge=1, le=2_147_483_647)
    code: str = Field(
        max_length=64,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$",
        description="The destination's own. / Mã của nơi nhận.",
        examples=["ACCEPTED"],
    )  # fmt: skip


class AskedVerdicts(BaseModel):
    """Verdicts that a destination brings. / Kết quả mà nơi nhận báo về."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.VERDICTS]})

    acknowledgements: Sequence[AskedVerdict] = Field(min_length=1, max_length=MOST)


class ReceptionEntry(Shape):
    """What became of one verdict. / Kết quả xử lý một bản báo."""

    record_id: str
    version: int
    reception: Reception = Field(
        description="`settled`: the first, it counts; `repeated`: known; `contradictory`: against the first, kept for "
        "a person; `not-a-verdict`: the code means none; `unknown`: this version was never sent there. / Xử lý thế nào."
    )


class ReceptionList(Shape):
    """What became of each, in their order. / Xử lý từng bản báo, theo thứ tự."""

    model_config = shown_as(examples.RECEPTIONS)

    results: Sequence[ReceptionEntry]


@router.post("/v1/acknowledgements", response_model_exclude_none=True)
def acknowledge(asked: AskedVerdicts, client: Caller, hub: TheHub) -> ReceptionList:
    """Bring verdicts, with the key of a destination; repeating a call changes nothing. / Nơi nhận báo kết quả."""
    brought = [Brought(one.record_id, one.version, one.code) for one in asked.acknowledgements]
    found = take_verdicts(hub, client, brought)
    return ReceptionList(
        results=[
            ReceptionEntry(record_id=one.record_id, version=one.version, reception=reception)
            for one, reception in zip(brought, found, strict=True)
        ]
    )
