"""Report cards by REST: one, a JSON array, NDJSON, or a vendor's own format; checked, recalled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from hocba_hub.api.context import Hub, hub_of, hub_of_app
from hocba_hub.api.http.authentication import require_client
from hocba_hub.api.http.body import Body, body_of
from hocba_hub.api.http.call import current_call
from hocba_hub.api.http.free_space import check_free_space
from hocba_hub.api.http.idempotency import with_idempotency_key
from hocba_hub.api.http.parameters import SubmissionOptions, options_of
from hocba_hub.api.openapi.description import RECALL, SUBMIT, VALIDATE
from hocba_hub.api.problems.problem import ProblemError, problem_of
from hocba_hub.api.receipt import receipt
from hocba_hub.intake.profiles import JSON_TYPE, Profile, body_type
from hocba_hub.intake.source import SentRecord
from hocba_hub.intake.split.splitter import split_stream
from hocba_hub.intake.submission import InterruptedSubmissionError, Submitted
from hocba_hub.mappings.document.document import ROWS, XML
from hocba_hub.model.clock import vietnam_day
from hocba_hub.model.finding_kinds import SCHOOL_NOT_PERMITTED
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.store.access import Client
from hocba_hub.store.decide import Submission
from hocba_hub.store.idempotency import Claim

router = APIRouter(tags=["report-cards"])


@router.post("/v1/report-cards", status_code=202, response_class=Response, openapi_extra=SUBMIT)
async def submit(request: Request) -> Response:
    """Submit report cards: one, a JSON array, or NDJSON. / Gửi học bạ: một bản ghi, mảng JSON hoặc NDJSON.

    Each record is accepted or rejected by itself, with all its findings.
    """
    # Called, not depended on: the framework's way to the same would cost a tenth of the whole call.
    hub, client, options = hub_of_app(request), await require_client(request), options_of(request)
    await check_free_space(hub.backpressure)
    source = await _source(request, hub, client, options)

    async def run(claim: Claim | None) -> Response:
        submission = _submission(hub, client, source, options, claim)
        try:
            return _answer(await hub.submissions.submit(submission, source))
        except InterruptedSubmissionError as interrupted:
            problem = problem_of(interrupted.cause)
            problem.members |= receipt(interrupted.submitted)
            raise problem from interrupted

    return await with_idempotency_key(hub, client.id, request, source.body, run)


@router.post("/v1/report-cards/validate", response_class=Response, openapi_extra=VALIDATE)
async def validate(
    request: Request,
    client: Annotated[Client, Depends(require_client)],
    hub: Annotated[Hub, Depends(hub_of)],
    options: Annotated[SubmissionOptions, Query()],
) -> Response:
    """Check report cards as if they were submitted; nothing is stored. / Kiểm tra thử, không lưu gì."""
    source = await _source(request, hub, client, options)
    return _json(await checked(hub, client, source, options), 200)


async def checked(hub: Hub, client: Client, source: BodySource, options: SubmissionOptions) -> dict[str, Any]:
    """The receipt of a submission as if it were made; nothing is stored."""
    found = await hub.submissions.validate(_submission(hub, client, source, options), source)
    hub.usage.note(client.id, records=len(found.results), size=found.size)
    answer = receipt(found)
    del answer["submission_id"]
    return answer


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
    await check_free_space(hub.backpressure)
    submission = hub.submissions.begin(client, JSON_TYPE, trace_parent=current_call().trace_parent)
    recalled = await hub.submissions.recall(submission, CardKey(SchoolYear(school_year), CardId(card_id)))
    if recalled is None:
        raise ProblemError("not-found")
    return _answer(recalled)


class BodySource:
    """The records of a request's body; see `Source`."""

    def __init__(self, body: Body, profile: Profile, media_type: str, syntax: str) -> None:
        self.body = body
        self.media_type = profile.stored_type(media_type)
        self._profile, self._sent_type, self._syntax = profile, media_type, syntax

    @property
    def size(self) -> int:
        """Bytes read so far."""
        return self.body.size

    @property
    def sha256(self) -> str:
        """Of these, hex."""
        return self.body.sha256

    async def records(self) -> AsyncIterator[SentRecord]:
        """The records as they arrive."""
        limits, profile = self.body.limits, self._profile
        splitter = profile.splitter(self._syntax)
        async for raw in split_stream(self.body.chunks(), splitter, limits.record_bytes, limits.records):
            yield profile.sent(raw, self._sent_type)


async def _source(request: Request, hub: Hub, client: Client, options: SubmissionOptions) -> BodySource:
    """The request's body, unread, and how its records are read; raises as `source_of`."""
    sent_as = request.headers.get("content-type", "")
    return await source_of(body_of(request, hub.settings), sent_as, hub, client, options)


async def source_of(body: Body, sent_as: str, hub: Hub, client: Client, options: SubmissionOptions) -> BodySource:
    """A body, unread, that was sent as a media type, and how its records are read.

    Raises:
        ProblemError, SubmissionError: the media type is none of ours, the profile is not there, or reads another one.
    """
    of = body_type(sent_as)
    if of.syntax is None:
        raise ProblemError("body.media-type")
    mappings, asked = await hub.intake.mappings.awaited(), options.profile or of.profile
    profile = hub.intake.profile(mappings, client, vietnam_day(hub.clock()), asked)
    is_xml = of.syntax == XML
    if profile.source is None:
        if is_xml:
            raise ProblemError("body.media-type")
    elif profile.source.format == ROWS or is_xml != (profile.source.format == XML):
        raise ProblemError("profile.format")
    return BodySource(body, profile, of.media_type, of.syntax)


def _submission(
    hub: Hub, client: Client, source: BodySource, options: SubmissionOptions, claim: Claim | None = None
) -> Submission:
    return hub.submissions.begin(
        client,
        source.media_type,
        atomic=options.atomic,
        reinstates=options.reinstate,
        tells_unchecked=options.not_checkable,
        trace_parent=current_call().trace_parent,
        claim=claim,
    )


def _answer(submitted: Submitted) -> Response:
    """202 with the receipt if anything was accepted; else a problem that holds the receipt."""
    answer = receipt(submitted)
    location = f"/v1/submissions/{submitted.submission.id}"
    if answer["accepted"]:
        return _json(answer, 202, location)
    only_scope = all(any(f.kind is SCHOOL_NOT_PERMITTED for f in result.findings) for result in submitted.results)
    problem = ProblemError("access.school-not-permitted" if only_scope else "records-rejected")
    problem.members |= answer
    problem.headers["Location"] = location
    return problem.response()


def _json(answer: dict[str, Any], status: int, location: str | None = None) -> Response:
    headers = {"Location": location} if location else {}
    return Response(orjson.dumps(answer), status, headers, "application/json")
