"""Where a destination brings its verdicts by itself, instead of being asked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from hocba_hub.api.acknowledging import Brought, take_verdicts
from hocba_hub.api.context import Hub, hub_of
from hocba_hub.api.http.authentication import require_client
from hocba_hub.api.http.bounded import BoundedRoute
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.verdict_shapes import AskedVerdicts, ReceptionList, reception_list
from hocba_hub.store.access import Client

router = APIRouter(
    tags=["acknowledgements"], route_class=BoundedRoute, responses=problems(400, 401, 403, 413, 422, 429, 500, 503)
)

Caller = Annotated[Client, Depends(require_client)]
TheHub = Annotated[Hub, Depends(hub_of)]


@router.post("/v1/acknowledgements", response_model_exclude_none=True)
def acknowledge(asked: AskedVerdicts, client: Caller, hub: TheHub) -> ReceptionList:
    """Bring verdicts, with the key of a destination; repeating a call changes nothing. / Nơi nhận báo kết quả."""
    brought = [Brought(one.record_id, one.version, one.code, one.school_year) for one in asked.acknowledgements]
    found = take_verdicts(hub, client, brought)
    return reception_list(brought, found)
