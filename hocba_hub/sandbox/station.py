"""What both simulators share: playing a fault around a call, and the pages by which tests look in and set faults."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import MappingProxyType
from typing import assert_never

import httpx
import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from hocba_hub.model.identity import IdentityResult
from hocba_hub.sandbox.code_lists import Published
from hocba_hub.sandbox.faults import (
    PRESETS,
    Fault,
    FaultName,
    FaultPlayer,
    FaultScriptError,
    Operation,
    read_script,
    share_of,
)
from hocba_hub.sandbox.ledger import Ledger, Row

_LONGEST_PAGE = 50_000
_PUSH_SECONDS = 30


class NoAnswer(Response):
    """Drops the connection instead of answering; `server.py` puts the means into the scope's state."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Drop it, and wait until the server has noticed."""
        scope["state"]["abort"]()
        while (await receive())["type"] != "http.disconnect":
            pass


class Station:
    """One simulator's ledger and faults."""

    def __init__(
        self, ledger: Ledger, faults: FaultPlayer, lists: Mapping[str, Published] = MappingProxyType({})
    ) -> None:
        self.ledger = ledger
        self.faults = faults
        self.lists = dict(lists)
        """What it publishes as code lists, by name."""

    def inventory(self, after: str, limit: int, record_ids: Sequence[str]) -> tuple[list[Row], str | None]:
        """A page of what is held, and where the next one begins; or of some records."""
        if record_ids:
            return self.ledger.inventory_of(record_ids), None
        rows = self.ledger.inventory(after, min(max(limit, 1), _LONGEST_PAGE))
        seen = [row for row in rows if not self.faults.record(FaultName.INVENTORY_CHANGES, row["record_id"])]
        return seen, rows[-1]["record_id"] if len(rows) == limit else None

    def identities(self, after: str, limit: int) -> tuple[list[tuple[int, str, int, str]], str | None]:
        """A page of the results of checks of personal numbers, and where to go on."""
        start = int(after) if after.isdecimal() else 0
        rows = self.ledger.identities(start, min(max(limit, 1), _LONGEST_PAGE))
        return rows, str(rows[-1][0]) if rows else None

    async def answer(  # noqa: PLR0911 - one for each kind of fault
        self,
        request: Request,
        operation: Operation,
        *,
        receive: Callable[[], None],
        commit: Callable[[], Response],
        refuse: Callable[[], Response],
        break_down: Callable[[], Response],
    ) -> Response:
        """Answer one call, with the fault that strikes it.

        `receive` notes what came without keeping it, `commit` keeps it and answers, `refuse` answers that the
        credentials are not taken, `break_down` that the server failed, both in the simulator's own form. The
        request's body must have been read.
        """
        fault = self.faults.call(operation)
        if fault is None:
            return commit()
        match fault.name:
            case FaultName.TIMEOUT_BEFORE_COMMIT | FaultName.DROPPED_BEFORE_COMMIT:
                receive()
                return await _no_answer(request, fault)
            case FaultName.TIMEOUT_AFTER_COMMIT | FaultName.DROPPED_AFTER_COMMIT:
                commit()
                return await _no_answer(request, fault)
            case FaultName.TOO_MANY_REQUESTS | FaultName.UNAVAILABLE | FaultName.SERVER_ERROR:
                receive()
                return _plain_trouble(fault)
            case FaultName.BAD_GATEWAY_AFTER_COMMIT:
                commit()
                return PlainTextResponse("bad gateway", 502)
            case FaultName.SOAP_FAULT:
                receive()
                return break_down()
            case FaultName.MALFORMED_AFTER_COMMIT:
                whole = commit()
                return Response(whole.body[: len(whole.body) // 2], whole.status_code, media_type=whole.media_type)
            case FaultName.SLOW_ANSWER:
                response = commit()
                await asyncio.sleep(fault.seconds)
                return response
            case FaultName.TOKEN_EXPIRED | FaultName.WRONG_CREDENTIALS:
                return refuse()
            case (
                FaultName.LATE_ACKNOWLEDGEMENT
                | FaultName.LOST_ACKNOWLEDGEMENT
                | FaultName.REPEATED_ACKNOWLEDGEMENT
                | FaultName.CONTRADICTORY_ACKNOWLEDGEMENT
                | FaultName.RECORD_REFUSED
                | FaultName.RECORD_NOT_IN_ANSWER
                | FaultName.OLDER_VERSION_SILENT
                | FaultName.INVENTORY_CHANGES
            ):
                return commit()
            case _:
                assert_never(fault.name)

    def control_routes(self) -> list[Route]:
        """`/ledger…` and `/faults`: for tests and the demo, not part of the contract."""
        return [
            Route("/ledger", self._summary),
            Route("/ledger/records", self._records),
            Route("/ledger/record/{record_id:path}", self._record),
            Route("/ledger/reset", self._reset, methods=["POST"]),
            Route("/ledger/lose", self._lose, methods=["POST"]),
            Route("/identity", self._check_identity, methods=["POST"]),
            Route("/push", self._push, methods=["POST"]),
            Route("/code-lists/{name}", self._set_list, methods=["POST"]),
            Route("/faults", self._faults),
            Route("/faults", self._set_faults, methods=["POST"]),
        ]

    async def _summary(self, _: Request) -> Response:
        return json_response({**self.ledger.summary(), "faults_played": dict(self.faults.played)})

    async def _records(self, request: Request) -> Response:
        try:
            after = int(request.query_params.get("after", 0))
            limit = min(_LONGEST_PAGE, max(1, int(request.query_params.get("limit", 1000))))
        except ValueError:
            return PlainTextResponse("after and limit are whole numbers", 400)
        lines = b"".join(orjson.dumps(row) + b"\n" for row in self.ledger.page(after, limit))
        return Response(lines, media_type="application/x-ndjson")

    async def _record(self, request: Request) -> Response:
        record_id = request.path_params["record_id"]
        versions = self.ledger.record(record_id)
        held = self.ledger.held(record_id)
        body = {"record_id": record_id, "held": held and held["version"], "versions": versions}
        return json_response(body, 200 if versions else 404)

    async def _reset(self, _: Request) -> Response:
        self.ledger.reset()
        return Response(status_code=204)

    async def _faults(self, _: Request) -> Response:
        return json_response(
            {**self.faults.script.model_dump(mode="json", exclude_defaults=True), "played": dict(self.faults.played)}
        )

    async def _lose(self, request: Request) -> Response:
        """Hold nothing any more of a share of the records, given as JSON: share, of 1, and seed; how many that were."""
        try:
            given = orjson.loads(await request.body())
            share, seed = float(given["share"]), int(given.get("seed", 0))
        except (ValueError, KeyError, TypeError):
            return PlainTextResponse("share, and seed", 400)
        lost, after = 0, ""
        while rows := self.ledger.inventory(after, _LONGEST_PAGE):
            after = rows[-1]["record_id"]
            for record_id in (row["record_id"] for row in rows):
                if share_of(f"{seed}|loss|{record_id}") < share:
                    self.ledger.lose(record_id)
                    lost += 1
        return json_response({"lost": lost})

    async def _check_identity(self, request: Request) -> Response:
        """Note results of checks of personal numbers, given as JSON: record id -> verified, mismatch or not-found."""
        try:
            asked = orjson.loads(await request.body())
            given = {str(record_id): IdentityResult(told) for record_id, told in asked.items()}
        except (ValueError, AttributeError):
            return PlainTextResponse(f"record ids, each with one of: {', '.join(IdentityResult)}", 400)
        checked = sum(self.ledger.check_identity(record_id, told) for record_id, told in given.items())
        return json_response({"checked": checked})

    async def _push(self, request: Request) -> Response:
        """Bring verdicts to a hub, given as JSON: address, key, and acknowledgements (record id -> code).

        They are about the newest versions that arrived. What the hub answers is the answer.
        """
        try:
            given = orjson.loads(await request.body())
            url, key = f"{given['address']}/v1/acknowledgements", str(given["key"])
            verdicts = [
                {"record_id": record_id, "version": self.ledger.record(record_id)[-1]["version"], "code": code}
                for record_id, code in given["acknowledgements"].items()
            ]
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            return PlainTextResponse("address, key, and acknowledgements of records that arrived here", 400)
        async with httpx.AsyncClient(timeout=_PUSH_SECONDS) as http:
            try:
                answer = await http.post(
                    url, json={"acknowledgements": verdicts}, headers={"Authorization": f"Bearer {key}"}
                )
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                return PlainTextResponse(f"the hub was not reached: {type(error).__name__}", 502)
        return Response(answer.content, answer.status_code, media_type="application/json")

    async def _set_list(self, request: Request) -> Response:
        """Publish another version of a code list, given as JSON: version, items (pairs of code and name)."""
        try:
            given = orjson.loads(await request.body())
            items = [(str(code), str(name)) for code, name in given["items"]]
            self.lists[request.path_params["name"]] = Published(str(given["version"]), items)
        except (ValueError, KeyError, TypeError):
            return PlainTextResponse("version, and items as pairs of code and name", 400)
        return Response(status_code=204)

    async def _set_faults(self, request: Request) -> Response:
        """Play another script, given as YAML or JSON, or a preset by `?preset=`."""
        preset = request.query_params.get("preset")
        try:
            script = PRESETS[preset] if preset else read_script(await request.body())
        except KeyError:
            return PlainTextResponse(f"presets are: {', '.join(PRESETS)}", 400)
        except FaultScriptError as error:
            return PlainTextResponse(str(error), 400)
        self.faults.load(script)
        return Response(status_code=204)


def json_response(body: object, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(body), status, media_type="application/json")


async def _no_answer(request: Request, fault: Fault) -> Response:
    if fault.name in {FaultName.TIMEOUT_BEFORE_COMMIT, FaultName.TIMEOUT_AFTER_COMMIT}:
        try:
            async with asyncio.timeout(fault.seconds):
                await request.receive()
        except TimeoutError:
            pass
    return NoAnswer()


def _plain_trouble(fault: Fault) -> Response:
    if fault.name is FaultName.SERVER_ERROR:
        return PlainTextResponse("internal error", 500)
    later = datetime.now(UTC) + timedelta(seconds=fault.retry_after)
    value = format_datetime(later, usegmt=True) if fault.retry_after_date else str(fault.retry_after)
    status = 429 if fault.name is FaultName.TOO_MANY_REQUESTS else 503
    return PlainTextResponse("later", status, {"Retry-After": value})
