"""`/livez`, `/readyz` and `/metrics`: for orchestrators and Prometheus; they hold nothing that needs a key."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from hocba_hub.api.context import Hub, hub_of
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.monitoring.health import readiness

router = APIRouter(tags=["health"])

_RETRY_SECONDS = 5

TheHub = Annotated[Hub, Depends(hub_of)]


@router.get("/livez")
@router.get("/healthz", include_in_schema=False)
async def livez() -> dict[str, str]:
    """Whether this process answers at all. / Tiến trình còn sống."""
    return {"status": "ok"}


@router.get("/readyz", responses=problems(503))
def readyz(hub: TheHub) -> Response:
    """Whether cards can be taken: the store can be written and its schema is right. / Sẵn sàng nhận học bạ.

    `degraded` with `misfits` where a destination cannot be called as it is described: cards for it are kept. /
    `degraded` kèm `misfits` khi một nơi nhận chưa gửi được như đã mô tả: học bạ được giữ lại.
    """
    checks = readiness(hub.store)
    ready = all(checks.values())
    status = "not ready" if not ready else "degraded" if hub.misfits else "ok"
    said: dict[str, object] = {"status": status, "checks": dict(checks)}
    if hub.misfits:
        said["misfits"] = dict(hub.misfits)
    if not ready:
        problem = ProblemError("hub.not-ready", retry_after=_RETRY_SECONDS)
        problem.members |= said
        return problem.response()
    return JSONResponse(said)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}, "application/openmetrics-text": {}}}},
)
def metrics(hub: TheHub, request: Request) -> Response:
    """The Prometheus metrics of the whole hub, whichever process is asked. / Số đo cho Prometheus."""
    body, media_type = hub.metrics.answer(request.headers.get("accept", ""))
    return Response(body, media_type=media_type)
