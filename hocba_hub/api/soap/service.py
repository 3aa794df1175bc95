"""`/soap/v1`: SOAP 1.1 and 1.2 at one address, its WSDL at `?wsdl`, the schemas at `?xsd=…`.

A request is read, its caller known, its body held against the XSD, and then answered; whatever ends it on the way is
a fault with the problem as detail.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from hocba_hub.api.context import Hub, hub_of_app
from hocba_hub.api.http.authentication import allow
from hocba_hub.api.http.body import Body, BodyLimits, body_of
from hocba_hub.api.http.call import current_call
from hocba_hub.api.http.idempotency import HEADER, with_idempotency_key
from hocba_hub.api.problems.problem import ProblemError, problem_of
from hocba_hub.api.soap import contract
from hocba_hub.api.soap.asked import Asked
from hocba_hub.api.soap.attachments import Attached, attached, first_part, media_type, read_parts
from hocba_hub.api.soap.envelope import Envelope, answer, envelope_of_head, head_of, read_envelope
from hocba_hub.api.soap.faults import MEDIA_TYPES, SOAP_11, SOAP_12, Fault, Kind, fault_response
from hocba_hub.api.soap.operations import KEYED, OPERATIONS
from hocba_hub.api.soap.security import caller_by_head, caller_by_token, nobody
from hocba_hub.intake.errors import SubmissionError
from hocba_hub.model.safe_xml import XmlLimits
from hocba_hub.store.access import Client
from hocba_hub.store.engine import StoreError
from hocba_hub.store.idempotency import Claim

log = logging.getLogger(__name__)

router = APIRouter(tags=["soap"], include_in_schema=False)

_PLAIN = {"text/xml": SOAP_11, "application/soap+xml": SOAP_12}
_MULTIPART = "multipart/related"
_UTF_8 = frozenset({"utf-8", "utf8", "us-ascii"})
_MOST_HEAD = 32_768
"""Bytes of a request within which its body begins, if a token in its header says who calls."""
_HEAD = XmlLimits(bytes=2 * _MOST_HEAD, marks=2_000, text=_MOST_HEAD, may_point_outside=False)
_LARGE_BYTES = 1_000_000
"""A document of this size may become a tree of thirty times as much."""
_BYTES_PER_MARK = 32
"""Of the most bytes of a request, for each tag and each quote: what libxml2 builds of it then stays within bounds."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A request as far as it is read before anybody asks what it says."""

    client: Client
    envelope: Envelope
    content: bytes
    attached: Attached
    media_type: str
    body: Body


@router.get("/soap/v1")
async def description(request: Request) -> Response:
    """The WSDL, or one of its schemas."""
    asked = {name.lower(): value for name, value in request.query_params.items()}
    found = None
    if "wsdl" in asked:
        found = contract.wsdl(hub_of_app(request).settings.public_address + request.url.path)
    elif "xsd" in asked:
        found = contract.schema(asked["xsd"])
    if found is None:
        raise ProblemError("not-found")
    return Response(found, media_type="text/xml; charset=utf-8")


@router.post("/soap/v1")
async def soap(request: Request) -> Response:
    """Answer one SOAP call."""
    kind, parameters = media_type(request.headers.get("content-type", ""))
    start = media_type(parameters.get("start-info", ""))[0] if kind == _MULTIPART else kind
    spoken = _PLAIN.get(start, SOAP_11)
    try:
        _check_media_type(kind, parameters)
        read = await _read(hub_of_app(request), request, kind, parameters)
        spoken = read.envelope.soap
        return await _answered(hub_of_app(request), request, read)
    except Fault as fault:
        return fault_response(fault, fault.soap or spoken)
    except (HTTPException, SubmissionError, ClientDisconnect, StoreError) as error:
        return fault_response(Fault(problem_of(error)), spoken)
    except Exception:
        log.exception("an unforeseen fault while answering a call", extra={"trace_id": current_call().trace_id})
        return fault_response(Fault(ProblemError("hub.fault")), spoken)


def _check_media_type(kind: str, parameters: Mapping[str, str]) -> None:
    is_xop = kind == _MULTIPART and parameters.get("type", "").lower() == "application/xop+xml"
    if (kind not in _PLAIN and not is_xop) or parameters.get("charset", "utf-8").lower() not in _UTF_8:
        raise Fault(ProblemError("soap.media-type"), Kind.SENDER)


async def _read(hub: Hub, request: Request, kind: str, parameters: Mapping[str, str]) -> _Read:
    """Read a request: first who calls, from as little of it as says so, and only then the rest."""
    settings = hub.settings
    body = body_of(request, settings)
    client = await caller_by_head(hub, request)
    chunks = body.chunks()
    begin, head = b"", b""
    if client is None:
        begin, head = await _begin(chunks, is_multipart=kind == _MULTIPART)
        client = await caller_by_token(hub, envelope_of_head(head, _HEAD))
        if client is None:
            raise nobody()
    allow(hub, client)
    content = b"".join([begin, *[chunk async for chunk in chunks]])
    current_call().is_large = len(content) > _LARGE_BYTES
    # A text holds one record at most, and that in Base64.
    xml = XmlLimits(
        bytes=settings.submission_bytes,
        marks=settings.submission_bytes // _BYTES_PER_MARK,
        text=settings.record_bytes * 3 // 2,
        may_point_outside=False,
    )

    def parsed() -> _Read:
        parts = read_parts(content, parameters, settings.submission_records + 1) if kind == _MULTIPART else None
        root = content if parts is None else parts.root
        envelope = read_envelope(root, xml)
        found = attached(envelope.body, parts.others if parts is not None else {})
        return _Read(client, envelope, root, found, kind, body)

    read = await run_in_threadpool(parsed)
    if head:
        if not read.content.startswith(head):  # the token stood in a part that is not the root
            raise nobody()
    elif (named := await caller_by_token(hub, read.envelope)) is not None:
        read = replace(read, client=named)
    return read


async def _begin(chunks: AsyncIterator[bytes], *, is_multipart: bool) -> tuple[bytes, bytes]:
    """The first bytes of a request, and of them the envelope up to its body.

    Raises:
        Fault: nobody says in them who calls.
    """
    begin = b""
    async for chunk in chunks:
        begin += chunk
        head = head_of((first_part(begin[:_MOST_HEAD]) if is_multipart else begin)[:_MOST_HEAD])
        if head is not None:
            return begin, head
        if len(begin) > _MOST_HEAD:
            break
    raise nobody()


async def _answered(hub: Hub, request: Request, read: _Read) -> Response:
    envelope, client = read.envelope, read.client
    run = OPERATIONS.get(envelope.operation)
    if run is None:
        raise ProblemError("soap.operation")
    errors = await run_in_threadpool(contract.request_errors, envelope.body)
    if errors:
        raise ProblemError("soap.invalid", errors=errors)
    asked = Asked(
        hub, client, envelope.body, read.content, read.attached, read.media_type, read.body.size, read.body.sha256
    )

    async def response(claim: Claim | None = None) -> Response:
        answered = await run(replace(asked, claim=claim))
        return Response(answer(envelope, answered), 200, media_type=MEDIA_TYPES[envelope.soap])

    if envelope.operation not in KEYED or (envelope.message_id is None and HEADER not in request.headers):
        return await response()
    return await _once(request, envelope, asked, response)


async def _once(
    request: Request, envelope: Envelope, asked: Asked, response: Callable[[Claim | None], Awaitable[Response]]
) -> Response:
    """The call run once for its message id, which stands for an `Idempotency-Key`, and wins over one.

    What is compared is the body's content: another attempt has another nonce, and other times, in its headers.
    """
    headers = list(request.scope["headers"])
    if envelope.message_id is not None:
        key = hashlib.sha256(envelope.message_id.encode()).hexdigest().encode()
        headers = [(name, value) for name, value in headers if name != HEADER.lower().encode()]
        headers.append((HEADER.lower().encode(), b"wsa:" + key))

    async def content() -> AsyncIterator[bytes]:
        yield await run_in_threadpool(asked.fingerprint) + envelope.soap.encode()

    compared = Body(content(), gzip=False, limits=BodyLimits(1_000, 1_000, 1, 2))

    async def run(claim: Claim | None) -> Response:
        async for _ in compared.chunks():
            pass
        return await response(claim)

    return await with_idempotency_key(
        asked.hub, asked.client.id, Request({**request.scope, "headers": headers}), compared, run
    )
