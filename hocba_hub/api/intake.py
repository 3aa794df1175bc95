"""Intake: where a card's way begins. Reads and authenticates, checks every record, accepts, answers with a receipt.

A record is accepted or rejected by itself, with all its findings; nothing is answered before it is committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from hocba_hub.api.authentication import require_client
from hocba_hub.api.backpressure import check_room
from hocba_hub.api.body import Body, BodyLimits
from hocba_hub.api.call import current_call
from hocba_hub.api.context import Hub, hub_of, hub_of_app
from hocba_hub.api.description import RECALL, SUBMIT, VALIDATE
from hocba_hub.api.json_cutter import BodyError
from hocba_hub.api.judge import Judge
from hocba_hub.api.keyed import keyed
from hocba_hub.api.parameters import NO_OPTIONS, SubmissionOptions, options_of
from hocba_hub.api.problems import ProblemError
from hocba_hub.api.profiles import Reader, reader_of
from hocba_hub.api.receipt import receipt
from hocba_hub.model.acceptance import SCHOOL_NOT_PERMITTED
from hocba_hub.model.ids import uuid7
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.store.accept import Portion, ReceivedRecord, RecordResult, cards_of, decide, recall_of
from hocba_hub.store.access import Client

router = APIRouter(tags=["report-cards"])

_PORTION_RECORDS = 500
"""Records of a long submission that are accepted in one commit."""
_BREATH_RECORDS = 20
"""Records that are checked in a row before other requests get their turn."""


@router.post("/v1/report-cards", status_code=202, response_class=Response, openapi_extra=SUBMIT)
async def submit(request: Request) -> Response:
    """Submit report cards: one, a JSON array, or NDJSON. / Gửi học bạ: một bản ghi, mảng JSON hoặc NDJSON.

    Each record is accepted or rejected by itself, with all its findings.
    """
    # Called, not depended on: the framework's way to the same would cost a tenth of the whole call.
    hub, client, options = hub_of_app(request), await require_client(request), options_of(request)
    await check_room(hub.room)
    body, reader = await _opened(request, hub, client, options)

    async def run() -> Response:
        return await _submission(hub, client, body, reader, options)

    return await keyed(hub, client.id, request, body, run)


@router.post("/v1/report-cards/validate", response_class=Response, openapi_extra=VALIDATE)
async def validate(
    request: Request,
    client: Annotated[Client, Depends(require_client)],
    hub: Annotated[Hub, Depends(hub_of)],
    options: Annotated[SubmissionOptions, Query()],
) -> Response:
    """Check report cards as if they were submitted; nothing is stored. / Kiểm tra thử, không lưu gì."""
    body, reader = await _opened(request, hub, client, options)
    found = [record async for record in _checked(hub.judge, body, reader)]
    hub.usage.note(client.id, records=len(found), size=body.size)
    portion = _portion(hub, client, found, options, media_type=reader.stored_type)
    results = await run_in_threadpool(_decided, hub, portion)
    answer = receipt(portion.submission_id, portion.received_at, results, size=body.size, sha256=body.sha256)
    del answer["submission_id"]
    return _json(answer, 200)


@router.post(
    "/v1/report-cards/{school_year}/{card_id}/recall", status_code=202, response_class=Response, openapi_extra=RECALL
)
async def recall(
    school_year: Annotated[str, Path(pattern=r"^[0-9]{4}-[0-9]{4}$")],
    card_id: Annotated[str, Path(min_length=1, max_length=36)],
    client: Annotated[Client, Depends(require_client)],
    hub: Annotated[Hub, Depends(hub_of)],
) -> Response:
    """Recall a report card: its next version is CANCEL at every destination. / Thu hồi học bạ."""
    await check_room(hub.room)
    key = CardKey(SchoolYear(school_year), CardId(card_id))
    if not await run_in_threadpool(may_recall, hub, client, key):
        raise ProblemError("not-found")
    portion = _portion(hub, client, [recall_of(key)], NO_OPTIONS, media_type="application/json")
    results = await hub.writer.write(portion)
    return _answer(portion, results, results[0].size, results[0].sha256.hex())


async def _opened(request: Request, hub: Hub, client: Client, options: SubmissionOptions) -> tuple[Body, Reader]:
    """The request's body, unread, and what reads its records."""
    reader = await reader_of(hub, client, request.headers.get("content-type", ""), options.profile)
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in {"identity", "gzip"}:
        raise ProblemError("body.content-coding")
    settings = hub.settings
    limits = BodyLimits(
        settings.submission_bytes, settings.record_bytes, settings.submission_records, settings.gzip_ratio
    )
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limits.bytes:
        raise ProblemError("body.too-large")  # before a byte of it is read
    return Body(request.stream(), gzip=coding == "gzip", limits=limits), reader


async def _checked(judge: Judge, body: Body, reader: Reader) -> AsyncIterator[ReceivedRecord]:
    position = 0
    async for raw in reader.records(body):
        yield judge.record(position, raw, reader.stored_type, reader.translated(raw))
        position += 1
        if position % _BREATH_RECORDS == 0:
            await asyncio.sleep(0)
    if not position:
        raise ProblemError("body.empty")


async def _submission(hub: Hub, client: Client, body: Body, reader: Reader, options: SubmissionOptions) -> Response:
    """Accept the body's records, portion by portion, and answer with the receipt."""
    submission = _portion(hub, client, [], options, media_type=reader.stored_type, last=False)
    results: list[RecordResult] = []
    pending: list[ReceivedRecord] = []
    try:
        async for record in _checked(hub.judge, body, reader):
            if len(pending) == _PORTION_RECORDS and not options.atomic:
                results += await hub.writer.write(replace(submission, records=pending, first=not results))
                pending = []
            pending.append(record)
    except (ProblemError, BodyError, ClientDisconnect) as error:
        if not results:
            raise
        # What was accepted stays accepted: the submission is closed, and the answer says what became of it.
        await hub.writer.write(
            replace(submission, records=[], first=False, last=True, size=body.size, sha256=body.sha256)
        )
        problem = ProblemError(error.code) if isinstance(error, BodyError) else error
        if isinstance(problem, ProblemError):
            problem.members |= receipt(
                submission.submission_id, submission.received_at, results, size=body.size, sha256=body.sha256
            )
        raise problem from error
    last = replace(submission, records=pending, first=not results, last=True, size=body.size, sha256=body.sha256)
    results += await hub.writer.write(last)
    return _answer(submission, results, body.size, body.sha256)


def _portion(
    hub: Hub,
    client: Client,
    records: Sequence[ReceivedRecord],
    options: SubmissionOptions,
    *,
    media_type: str,
    last: bool = True,
) -> Portion:
    return Portion(
        submission_id=uuid7(),
        client_id=client.id,
        schools=client.schools,
        received_at=hub.clock(),
        media_type=media_type,
        atomic=options.atomic,
        trace_parent=current_call().trace_parent,
        records=records,
        first=True,
        last=last,
        reinstates=options.reinstate,
    )


def _answer(portion: Portion, results: Sequence[RecordResult], size: int, sha256: str) -> Response:
    """202 with the receipt if anything was accepted; else a problem that holds the receipt."""
    answer = receipt(portion.submission_id, portion.received_at, results, size=size, sha256=sha256)
    location = f"/v1/submissions/{portion.submission_id}"
    if answer["accepted"]:
        return _json(answer, 202, location)
    only_scope = all(any(f.kind is SCHOOL_NOT_PERMITTED for f in result.findings) for result in results)
    problem = ProblemError("access.school-not-permitted" if only_scope else "records-rejected")
    problem.members |= answer
    problem.headers["Location"] = location
    return problem.response()


def _json(answer: dict[str, Any], status: int, location: str | None = None) -> Response:
    headers = {"Location": location} if location else {}
    return Response(orjson.dumps(answer), status, headers, "application/json")


def _decided(hub: Hub, portion: Portion) -> list[RecordResult]:
    keys = sorted({record.key for record in portion.records if record.key is not None})
    with hub.store.read() as connection:
        return decide(cards_of(connection, keys), portion)


def may_recall(hub: Hub, client: Client, key: CardKey) -> bool:
    """Whether the card is there, and the client may speak for its school."""
    with hub.store.read() as connection:
        card = cards_of(connection, [key]).get(key)
    return card is not None and client.may_speak_for(card.school)
