"""The Ministry's report-card database, simulated: takes batches over SOAP, and gives its verdicts when asked later."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import uuid4

from lxml import etree
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from hocba_hub.adapters.contracts import MINISTRY_WSDL, MINISTRY_XSD
from hocba_hub.sandbox.envelopes import (
    M,
    SoapError,
    SoapRequest,
    UsernameTokens,
    elements,
    fault,
    read_request,
    refused_token,
    reply,
)
from hocba_hub.sandbox.faults import Fault, FaultName, Operation
from hocba_hub.sandbox.ledger import ALREADY_HELD, OK, OLDER_VERSION, Arrival, Row
from hocba_hub.sandbox.station import Station

_Verdict = dict[str, str | int | None]


@dataclass(frozen=True, slots=True)
class UsernamePassword:
    """The account that the simulator knows."""

    username: str
    password: str


@dataclass(slots=True)
class _Pending:
    """A submission whose verdicts are held back."""

    until: float
    polls: int


@dataclass(frozen=True, slots=True)
class _Submission:
    """The records of one request: how the ledger knows them, and which are refused for their content."""

    arrivals: list[Arrival]
    refused: dict[Arrival, str]
    schools: dict[Arrival, str]


class _Ministry:
    def __init__(self, station: Station, account: UsernamePassword) -> None:
        self._station = station
        self._tokens = UsernameTokens(account.username, account.password)
        self._pending: dict[str, _Pending] = {}
        self._lost: set[str] = set()
        """References of which no poll ever learns the verdicts."""
        self._accepted_once: set[tuple[str, str]] = set()

    async def soap(self, request: Request) -> Response:
        try:
            asked = read_request(await request.body())
            self._tokens.check(asked)
            operation, receive, commit = self._prepare(asked)
        except SoapError as problem:
            return fault(problem)

        def committed() -> Response:
            try:
                return commit()
            except SoapError as problem:
                return fault(problem)

        return await self._station.answer(
            request,
            operation,
            receive=receive,
            commit=committed,
            refuse=lambda: fault(refused_token(asked.soap)),
            break_down=lambda: fault(SoapError(asked.soap, "Server", "internal error")),
        )

    def _prepare(self, asked: SoapRequest) -> tuple[Operation, Callable[[], None], Callable[[], Response]]:
        match asked.operation:
            case "SubmitReportCards":
                came = _read_submission(asked)
                return (
                    "submit",
                    lambda: self._station.ledger.receive(came.arrivals),
                    lambda: self._submit(asked, came),
                )
            case "GetSubmissionResult":
                return "poll", _nothing, lambda: self._result(asked)
            case "GetReportCard":
                return "lookup", _nothing, lambda: self._card(asked)
            case "ListReportCards":
                return "list", _nothing, lambda: self._inventory(asked)
            case "ListIdentityResults":
                return "list", _nothing, lambda: self._identities(asked)
            case "GetCodeList":
                return "list", _nothing, lambda: self._list(asked)
            case other:
                raise SoapError(asked.soap, "Client", f"no operation {other}", code="SCHEMA_INVALID")

    def _submit(self, asked: SoapRequest, came: _Submission) -> Response:
        faults = self._station.faults
        reference = str(uuid4())

        def refusal(arrival: Arrival) -> str | None:
            struck = faults.record(FaultName.RECORD_REFUSED, arrival.record_id, came.schools[arrival])
            return came.refused.get(arrival) or (struck.code if struck else None)

        self._station.ledger.commit(came.arrivals, refusal, reference)
        late: Fault | None = faults.submission()
        if late and late.name is FaultName.LOST_ACKNOWLEDGEMENT:
            self._lost.add(reference)
        elif late:
            self._pending[reference] = _Pending(time.monotonic() + late.seconds, late.polls)
        return reply(asked.soap, asked.operation, elements({"Reference": reference}))

    def _result(self, asked: SoapRequest) -> Response:
        references = [element.text or "" for element in asked.body.findall(f"{M}Reference")]
        results: list[str] = []
        unknown: list[str] = []
        for reference in references:
            rows = self._station.ledger.submission(reference)
            if not rows:
                unknown.append(elements({"UnknownReference": reference}))
            results += self._results(reference, rows, names_it=len(references) > 1)
        if unknown and len(references) == 1:
            raise SoapError(asked.soap, "Client", "unknown reference", code="REFERENCE_UNKNOWN")
        return reply(asked.soap, asked.operation, "".join([*results, *unknown]))

    def _results(self, reference: str, rows: list[Row], *, names_it: bool) -> Iterator[str]:
        pending = self._is_pending(reference, polled=True)
        for row in rows:
            if self._station.faults.record(FaultName.RECORD_NOT_IN_ANSWER, row["record_id"]):
                continue
            verdict = {"Verdict": "PENDING"} if pending else self._verdict(row, reference)
            fields = {"RecordId": row["record_id"], "Version": row["version"], **verdict}
            if names_it:
                fields["Reference"] = reference
            result = f"<m:Result>{elements(fields)}</m:Result>"
            yield result
            if self._station.faults.record(FaultName.REPEATED_ACKNOWLEDGEMENT, row["record_id"]):
                yield result

    def _card(self, asked: SoapRequest) -> Response:
        row = self._station.ledger.taken(asked.body.findtext(f"{M}RecordId") or "")
        if row is None:
            return reply(asked.soap, asked.operation, "")
        pending = self._is_pending(row["reference"], polled=False)
        verdict: _Verdict = {"Verdict": "PENDING"} if pending else _plain_verdict(row["verdict"])
        standing = {"Version": row["version"], **verdict, "Reference": row["reference"]}
        return reply(asked.soap, asked.operation, f"<m:Standing>{elements(standing)}</m:Standing>")

    def _inventory(self, asked: SoapRequest) -> Response:
        ids = [element.text or "" for element in asked.body.findall(f"{M}RecordId")]
        limit = int(asked.body.findtext(f"{M}Limit") or 1_000)
        rows, following = self._station.inventory(asked.body.findtext(f"{M}After") or "", limit, ids)
        entries = [
            elements({"RecordId": row["record_id"], "Version": row["version"], "State": _standing(row)})
            + (elements({"Sha256": row["sha256"]}) if row["sha256"] else "")
            for row in rows
        ]
        body = "".join(f"<m:Entry>{entry}</m:Entry>" for entry in entries)
        return reply(asked.soap, asked.operation, body + (elements({"Next": following}) if following else ""))

    def _identities(self, asked: SoapRequest) -> Response:
        limit = int(asked.body.findtext(f"{M}Limit") or 1_000)
        rows, following = self._station.identities(asked.body.findtext(f"{M}After") or "", limit)
        results = []
        for _, record_id, version, result in rows:
            outcome: dict[str, str | int | None] = {"RecordId": record_id, "Version": version}
            results.append(elements(outcome | {"Outcome": result.upper().replace("-", "_")}))
        body = "".join(f"<m:IdentityResult>{result}</m:IdentityResult>" for result in results)
        return reply(asked.soap, asked.operation, body + (elements({"Next": following}) if following else ""))

    def _list(self, asked: SoapRequest) -> Response:
        found = self._station.lists.get(asked.body.findtext(f"{M}Name") or "")
        if found is None:
            raise SoapError(asked.soap, "Client", "unknown list", code="LIST_UNKNOWN")
        items = "".join(f"<m:Item>{elements({'Code': code, 'Label': name})}</m:Item>" for code, name in found.items)
        return reply(asked.soap, asked.operation, elements({"ListVersion": found.version}) + items)

    def _is_pending(self, reference: str, *, polled: bool) -> bool:
        if polled and reference in self._lost:
            return True
        pending = self._pending.get(reference)
        if pending is None:
            return False
        if time.monotonic() < pending.until or pending.polls > 0:
            pending.polls -= polled and pending.polls > 0
            return True
        del self._pending[reference]
        return False

    def _verdict(self, row: Row, reference: str) -> _Verdict:
        faults, record_id = self._station.faults, row["record_id"]
        if row["verdict"] == OLDER_VERSION and faults.record(FaultName.OLDER_VERSION_SILENT, record_id):
            return {"Verdict": "ACCEPTED"}
        if (reference, record_id) in self._accepted_once:
            return {"Verdict": "REFUSED", "Code": "CONTRADICTED"}
        if row["verdict"] == OK and faults.record(FaultName.CONTRADICTORY_ACKNOWLEDGEMENT, record_id):
            self._accepted_once.add((reference, record_id))
        return _plain_verdict(row["verdict"])


def ministry_app(station: Station, account: UsernamePassword) -> Starlette:
    """The simulator as an ASGI application that takes the UsernameTokens of `account`."""
    ministry = _Ministry(station, account)
    return Starlette(
        routes=[
            Route("/soap", ministry.soap, methods=["POST"]),
            Route("/soap", lambda _: FileResponse(MINISTRY_WSDL, media_type="text/xml")),
            Route("/ministry.xsd", lambda _: FileResponse(MINISTRY_XSD, media_type="text/xml")),
            *station.control_routes(),
        ]
    )


def _read_submission(asked: SoapRequest) -> _Submission:
    arrivals: list[Arrival] = []
    refused: dict[Arrival, str] = {}
    schools: dict[Arrival, str] = {}
    for record in asked.body:
        arrival, problem = _read_record(record)
        arrivals.append(arrival)
        if problem:
            refused[arrival] = problem
        schools[arrival] = record.findtext(f"{M}SchoolCode") or ""
    return _Submission(arrivals, refused, schools)


def _read_record(record: etree._Element) -> tuple[Arrival, str | None]:
    fields = {child.tag: child.text or "" for child in record}
    record_id, version = fields[f"{M}RecordId"], int(fields[f"{M}Version"])
    event, encoded = fields[f"{M}Event"], fields.get(f"{M}Document")
    digest = hashlib.sha256(base64.b64decode(encoded)).hexdigest() if encoded else ""
    problem: str | None = None
    if not record_id.startswith(fields[f"{M}SchoolYear"] + "/"):
        problem = "RECORD_INVALID"
    elif not encoded and event != "CANCEL":
        problem = "DOCUMENT_MISSING"
    elif digest != fields.get(f"{M}Sha256", ""):
        problem = "DIGEST_MISMATCH"
    return Arrival(record_id, version, event, digest), problem


def _standing(row: Row) -> str:
    return "RECALLED" if row["event"] == "CANCEL" else "HELD"


def _plain_verdict(code: str) -> _Verdict:
    if code == OK:
        return {"Verdict": "ACCEPTED"}
    if code == ALREADY_HELD:
        return {"Verdict": "ACCEPTED", "Code": code}
    return {"Verdict": "REFUSED", "Code": code}


def _nothing() -> None:
    """A call that brings no records leaves nothing in the ledger."""
