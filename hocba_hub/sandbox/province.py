"""The province's platform, simulated: takes NDC records over REST by the stand-in contract, and answers at once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from hocba_hub.adapters.contracts import PROVINCE_OPENAPI
from hocba_hub.sandbox.contract import Problem, record_check
from hocba_hub.sandbox.faults import FaultName, Operation
from hocba_hub.sandbox.ledger import OK, OLDER_VERSION, Arrival
from hocba_hub.sandbox.station import Station, json_response

_HIGHEST_VERSION = 2**31 - 1
_IDENTITY = {"verified": "1", "mismatch": "2", "not-found": "3"}
_TEXTS = {
    "OK": "đã tiếp nhận",
    "ALREADY_HELD": "phiên bản này đã có",
    "OLDER_VERSION": "đã có phiên bản cao hơn; bỏ qua",
    "RECORD_INVALID": "bản ghi không đúng cấu trúc",
    "FIELD_MISSING": "thiếu trường bắt buộc",
    "FIELD_INVALID": "giá trị của trường không hợp lệ",
    "SCHOOL_UNKNOWN": "mã trường chưa được khai báo",
    "CARD_LOCKED": "học bạ đã chốt",
    "BATCH_INVALID": "gói tin không đúng cấu trúc",
    "CLIENT_UNKNOWN": "sai thông tin kết nối",
    "TOKEN_INVALID": "token không hợp lệ hoặc đã hết hạn",
    "NOT_HELD": "không có bản ghi",
}


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """The OAuth2 client that the simulator knows."""

    client_id: str
    secret: str


class _Tokens:
    """Tokens that were given out and still hold."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends: dict[str, float] = {}

    def issue(self) -> dict[str, object]:
        now = time.monotonic()
        self._ends = {token: ends for token, ends in self._ends.items() if ends > now}
        token = secrets.token_urlsafe(24)
        self._ends[token] = now + self._seconds
        return {"access_token": token, "token_type": "Bearer", "expires_in": max(1, round(self._seconds))}

    def holds(self, request: Request) -> bool:
        return self._ends.get(_bearer(request), 0.0) > time.monotonic()

    def revoke(self, request: Request) -> None:
        self._ends.pop(_bearer(request), None)


class _Incoming(NamedTuple):
    """One record of a call: how the ledger knows it, and what is wrong with it."""

    arrival: Arrival
    problem: Problem | None
    school: str


class _Province:
    def __init__(self, station: Station, client: ClientSecret, token_seconds: float) -> None:
        self._station = station
        self._client = client
        self._tokens = _Tokens(token_seconds)
        self._check = record_check()

    async def token(self, request: Request) -> Response:
        form = await request.body()

        def issue() -> Response:
            if not self._is_client(request):
                return _problem("CLIENT_UNKNOWN", 401)
            if b"grant_type=client_credentials" not in form.split(b"&"):
                return _problem("BATCH_INVALID", 400)
            return json_response(self._tokens.issue())

        return await self._station.answer(
            request, "token", receive=_nothing, commit=issue, refuse=_unknown_client, break_down=_broken
        )

    async def records(self, request: Request) -> Response:
        return await self._take(request, single=False)

    async def record(self, request: Request) -> Response:
        return await self._take(request, single=True)

    async def _take(self, request: Request, *, single: bool) -> Response:
        body = await request.body()
        if not self._tokens.holds(request):
            return _problem("TOKEN_INVALID", 401)
        incoming = self._read(body, single=single)
        if incoming is None:
            return _problem("BATCH_INVALID", 400)
        arrivals = [known.arrival for known in incoming]
        return await self._station.answer(
            request,
            "submit",
            receive=lambda: self._station.ledger.receive(arrivals),
            commit=lambda: self._commit(incoming, single=single),
            refuse=lambda: self._refuse_token(request),
            break_down=_broken,
        )

    async def held(self, request: Request) -> Response:
        def answer() -> Response:
            record_id = request.path_params["record_id"]
            held = self._station.ledger.held(record_id)
            if held is None:
                return _problem("NOT_HELD", 404)
            standing = "2" if held["event"] == "CANCEL" else "1"
            return json_response({"idbanghi": record_id, "phienban": held["version"], "trangthai": standing, "ma": OK})

        return await self._asked(request, "lookup", answer)

    async def inventory(self, request: Request) -> Response:
        asked = request.query_params

        def answer() -> Response:
            rows, following = self._station.inventory(
                asked.get("after", ""), int(asked.get("limit", "1000")), asked.getlist("id")
            )
            lines = [
                {
                    "idbanghi": row["record_id"],
                    "phienban": row["version"],
                    "trangthai": "2" if row["event"] == "CANCEL" else "1",
                    "sha256": row["sha256"],
                }
                for row in rows
            ]
            return json_response({"banghi": lines} | ({"tiep": following} if following else {}))

        return await self._asked(request, "list", answer)

    async def identities(self, request: Request) -> Response:
        asked = request.query_params

        def answer() -> Response:
            rows, following = self._station.identities(asked.get("after", ""), int(asked.get("limit", "1000")))
            lines = [
                {"idbanghi": record_id, "phienban": version, "xacthuc": _IDENTITY[result]}
                for _, record_id, version, result in rows
            ]
            return json_response({"ketqua": lines} | ({"tiep": following} if following else {}))

        return await self._asked(request, "list", answer)

    async def code_list(self, request: Request) -> Response:
        found = self._station.lists.get(request.path_params["name"])

        def answer() -> Response:
            if found is None:
                return _problem("NOT_HELD", 404)
            items = [{"ma": code, "ten": name} for code, name in found.items]
            return json_response({"phienban": found.version, "muc": items})

        return await self._asked(request, "list", answer)

    async def _asked(self, request: Request, operation: Operation, answer: Callable[[], Response]) -> Response:
        """Answer a question, which brings no records, to whoever holds a token."""
        if not self._tokens.holds(request):
            return _problem("TOKEN_INVALID", 401)
        return await self._station.answer(
            request,
            operation,
            receive=_nothing,
            commit=answer,
            refuse=lambda: self._refuse_token(request),
            break_down=_broken,
        )

    def _read(self, body: bytes, *, single: bool) -> list[_Incoming] | None:
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            return None
        records = [document] if single else document.get("records") if isinstance(document, dict) else None
        if not isinstance(records, list) or not records:
            return None
        incoming = []
        for record in records:
            if not isinstance(record, dict) or not isinstance(record.get("idbanghi"), str):
                return None
            version, event = record.get("phienban"), record.get("sukien")
            if type(version) is not int or not 0 < version <= _HIGHEST_VERSION or not isinstance(event, str):
                return None
            digest = hashlib.sha256(orjson.dumps(record)).hexdigest()
            arrival = Arrival(record["idbanghi"], version, event, digest)
            incoming.append(_Incoming(arrival, self._check(record), str(record.get("matruong", ""))))
        return incoming

    def _commit(self, incoming: Sequence[_Incoming], *, single: bool) -> Response:
        faults = self._station.faults
        by_arrival = {known.arrival: known for known in incoming}

        def refusal(arrival: Arrival) -> str | None:
            known = by_arrival[arrival]
            if known.problem:
                return known.problem[0]
            fault = faults.record(FaultName.RECORD_REFUSED, arrival.record_id, known.school)
            return fault.code if fault else None

        verdicts = self._station.ledger.commit([known.arrival for known in incoming], refusal)
        results = []
        for (arrival, problem, _), verdict in zip(incoming, verdicts, strict=True):
            if faults.record(FaultName.RECORD_NOT_IN_ANSWER, arrival.record_id):
                continue
            silent = verdict == OLDER_VERSION and faults.record(FaultName.OLDER_VERSION_SILENT, arrival.record_id)
            results.append(_result(arrival, OK if silent else verdict, problem))
        if single:
            return json_response(results[0] if results else {})
        return json_response({"results": results})

    def _is_client(self, request: Request) -> bool:
        scheme, _, pair = request.headers.get("authorization", "").partition(" ")
        known = base64.b64encode(f"{self._client.client_id}:{self._client.secret}".encode())
        return scheme.lower() == "basic" and hmac.compare_digest(pair.encode(), known)

    def _refuse_token(self, request: Request) -> Response:
        self._tokens.revoke(request)
        return _problem("TOKEN_INVALID", 401)


def province_app(station: Station, client: ClientSecret, token_seconds: float) -> Starlette:
    """The simulator as an ASGI application; it takes tokens that it gave to `client` for `token_seconds`."""
    province = _Province(station, client, token_seconds)
    return Starlette(
        routes=[
            Route("/token", province.token, methods=["POST"]),
            Route("/v1/records", province.records, methods=["POST"]),
            Route("/v1/record", province.record, methods=["POST"]),
            Route("/v1/records/{record_id:path}", province.held),
            Route("/v1/inventory", province.inventory),
            Route("/v1/identity-results", province.identities),
            Route("/v1/code-lists/{name}", province.code_list),
            Route("/openapi.yaml", lambda _: FileResponse(PROVINCE_OPENAPI, media_type="application/yaml")),
            *station.control_routes(),
        ]
    )


def _result(arrival: Arrival, code: str, problem: Problem | None) -> dict[str, Any]:
    result: dict[str, Any] = {
        "idbanghi": arrival.record_id,
        "phienban": arrival.version,
        "ma": code,
        "mota": _TEXTS.get(code, "từ chối"),
    }
    if problem and problem[0] == code and problem[1]:
        result["truong"] = problem[1]
    return result


def _problem(code: str, status: int) -> Response:
    return json_response({"ma": code, "mota": _TEXTS[code]}, status)


def _nothing() -> None:
    """A call that brings no records leaves nothing in the ledger."""


def _unknown_client() -> Response:
    return _problem("CLIENT_UNKNOWN", 401)


def _broken() -> Response:
    return Response("internal error", 500, media_type="text/plain")


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""
