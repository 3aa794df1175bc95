"""The application: routers, problems, and the OpenAPI document."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.concurrency import run_in_threadpool

from hocba_hub import __version__
from hocba_hub.api.client import acknowledgements as pushed
from hocba_hub.api.client import card, expected, files, rules, status
from hocba_hub.api.client import report_cards as intake
from hocba_hub.api.console import pages
from hocba_hub.api.context import Hub
from hocba_hub.api.http import front_page, health, runbooks
from hocba_hub.api.http.fault_middleware import FaultMiddleware
from hocba_hub.api.openapi.answers import PROBLEM_RESPONSE, PROBLEM_SCHEMA
from hocba_hub.api.openapi.description import SCHEMAS
from hocba_hub.api.operator import (
    acknowledgements,
    code_lists,
    code_tables,
    credentials,
    deadlines,
    edits,
    failure_groups,
    identity,
    jobs,
    locks,
    mappings,
    reconciliation,
    replays,
    reports,
    returns,
    story,
    support,
    transfers,
)
from hocba_hub.api.operator import deliveries as operations
from hocba_hub.api.operator import files as sent_files
from hocba_hub.api.problems import problem_pages
from hocba_hub.api.problems.problem import add_problems
from hocba_hub.api.soap import service as soap

ROUTERS: Sequence[APIRouter] = (
    intake.router,
    files.router,
    status.router,
    card.router,
    rules.router,
    pushed.router,
    expected.router,
    soap.router,
    mappings.router,
    code_tables.router,
    code_lists.router,
    operations.router,
    jobs.router,
    acknowledgements.router,
    locks.router,
    deadlines.router,
    reports.router,
    transfers.router,
    edits.router,
    sent_files.router,
    failure_groups.router,
    identity.router,
    reconciliation.router,
    replays.router,
    returns.router,
    story.router,
    credentials.router,
    support.router,
    problem_pages.router,
    runbooks.router,
    health.router,
    front_page.router,
    *pages.ROUTERS,
)

_ABOUT = """Integration hub for report cards (học bạ số): what a school's system sends is checked, stored, and delivered
to the province and the Ministry, with proof.

Trục tích hợp học bạ số: kiểm tra, lưu và chuyển học bạ của nhà trường đến Sở và Bộ, có bằng chứng.

Every error is a problem document (RFC 9457); its code is explained at `/problems/<code>`."""


def create_app(hub: Hub, *, routers: Sequence[APIRouter] = ROUTERS) -> FastAPI:
    """The HTTP API on a hub, which it closes when it ends."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(hub.close)

    app = _application(routers, lifespan)
    app.state.hub = hub
    return app


def openapi_document(routers: Sequence[APIRouter] = ROUTERS) -> dict[str, Any]:
    """The OpenAPI 3.1 document; needs no hub."""
    return _application(routers).openapi()


def openapi_page() -> bytes:
    """docs/openapi.json."""
    return orjson.dumps(openapi_document(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _application(routers: Sequence[APIRouter], lifespan: Any = None) -> FastAPI:  # noqa: ANN401 - as FastAPI types it
    app = _Application(
        title="hocba-hub",
        version=__version__,
        description=_ABOUT,
        docs_url=None,  # its page would load scripts from a foreign server
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: f"{str(route.tags[0]).replace('-', '_')}_{route.name}",
        lifespan=lifespan,
        telemetry=TelemetryConfig(tracing=False, metrics=False, logs=False),
    )
    for router in routers:
        app.include_router(router)
    add_problems(app)
    app.add_middleware(FaultMiddleware)
    return app


class _Application(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """As FastAPI makes it, with the parts that handlers of streams and problems refer to."""
        if not self.openapi_schema:
            document = super().openapi()
            parts = document.setdefault("components", {})
            made = parts.get("schemas", {})
            parts["schemas"] = dict(sorted((SCHEMAS | made | {"Problem": PROBLEM_SCHEMA}).items()))
            parts["responses"] = {"Problem": PROBLEM_RESPONSE}
            for name in ("HTTPValidationError", "ValidationError"):  # the framework's own, which nothing answers with
                parts["schemas"].pop(name, None)
            for path in document["paths"].values():
                for operation in path.values():
                    operation["responses"] = {
                        status: {"$ref": answer["$ref"]} if "$ref" in answer else answer
                        for status, answer in operation["responses"].items()
                    }
        return self.openapi_schema or {}
