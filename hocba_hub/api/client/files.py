"""The files entrance: a file is sent whole or in pieces, imported in the background, and answered record by record.

A file is known by its id, and to its sender also by the `Idempotency-Key` of its first call: sending with the same key
again goes on, or gives the same answer.
"""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from hocba_hub.api.client.uploading import ByteRange, byte_range_of, check_receiving, digest_of, receive
from hocba_hub.api.context import Hub, hub_of
from hocba_hub.api.file_results import WORKBOOK_RESPONSE, FileStatus, file_shape, marked_workbook, result_lines
from hocba_hub.api.http.authentication import require_client
from hocba_hub.api.http.call import current_call
from hocba_hub.api.http.free_space import check_free_space
from hocba_hub.api.http.parameters import NotCheckableQuery, ProfileQuery, ReinstateQuery
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.intake.files.archive import shown_name
from hocba_hub.intake.files.forms import MEDIA_TYPES, Form, form_of
from hocba_hub.mappings.document.document import JSON, XML
from hocba_hub.model.clock import vietnam_day
from hocba_hub.store import files
from hocba_hub.store.access import Client
from hocba_hub.store.files import File, FileState

router = APIRouter(prefix="/v1/files", tags=["files"], responses=problems(401, 403, 422, 429, 500, 503))

Caller = Annotated[Client, Depends(require_client)]
TheHub = Annotated[Hub, Depends(hub_of)]
FileId = Annotated[str, Path(pattern=r"^[0-9a-f-]{36}$", description="From the first answer. / Lấy từ trả lời đầu.")]
NameQuery = Annotated[
    str,
    Query(
        max_length=300, description="The file's name, for people. / Tên tệp, để người đọc.", examples=["Lop 3A.xlsx"]
    ),
]
KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", max_length=255, description="Sending again with it goes on. / Gửi lại để tiếp tục."
    ),
]
RangeHeader = Annotated[
    str | None,
    Header(
        alias="Content-Range",
        max_length=100,
        description="Which bytes the body is, as `bytes 0-99/1000`; `bytes */1000` only opens the upload.",
        examples=["bytes 0-99/1000"],
    ),
]
_BODY = {
    "requestBody": {
        "required": False,
        "description": "XLSX, CSV, XML, NDJSON or a ZIP of them, or a part of it. / Tệp, hoặc một phần của tệp.",
        "content": {
            name: {"schema": {"type": "string", "format": "binary"}}
            for name in (*MEDIA_TYPES, "application/octet-stream")
        },
    }
}
_TAKEN: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "It is whole, and waits for its import. / Đã nhận đủ, chờ nhập.",
        "headers": {"Location": {"schema": {"type": "string"}}, "Upload-Offset": {"schema": {"type": "integer"}}},
        "model": FileStatus,
    },
    201: {
        "description": "Bytes are still missing: go on with PUT. / Còn thiếu, gửi tiếp bằng PUT.",
        "headers": {"Location": {"schema": {"type": "string"}}, "Upload-Offset": {"schema": {"type": "integer"}}},
        "model": FileStatus,
    },
}


@router.post(
    "",
    status_code=202,
    response_class=Response,
    openapi_extra=_BODY,
    responses=_TAKEN | problems(400, 409, 413, 415),
)
async def send(  # noqa: PLR0917 - the framework's way of parameters
    request: Request,
    client: Caller,
    hub: TheHub,
    name: NameQuery = "",
    reinstate: ReinstateQuery = False,  # noqa: FBT002 - a query parameter
    not_checkable: NotCheckableQuery = False,  # noqa: FBT002
    profile: ProfileQuery = None,
    idempotency_key: KeyHeader = None,
    content_range: RangeHeader = None,  # noqa: ARG001 - read by `byte_range_of`; here for the document
) -> Response:
    """Send a file, whole or its first part. / Gửi một tệp, cả tệp hoặc phần đầu."""
    await check_free_space(hub.backpressure)
    byte_range = byte_range_of(request)
    file = None
    if idempotency_key is not None:
        if not idempotency_key.strip() or not idempotency_key.isprintable():
            raise ProblemError("idempotency.malformed-key")
        file = await run_in_threadpool(_by_key, hub, client, idempotency_key)
    if file is None:
        form = form_of(request.headers.get("content-type", ""), name)
        if form is None:
            raise ProblemError("file.form")
        chosen = await _profile(hub, client, profile, form)
        if await run_in_threadpool(hub.spool.free_bytes) < (byte_range.total or 0) + hub.settings.free_disk_bytes:
            raise ProblemError("hub.disk-full", retry_after=60)
        if await run_in_threadpool(_uploads, hub, client) >= hub.settings.open_uploads:
            raise ProblemError("file.too-many-uploads", retry_after=60)
        file = await hub.writing.run(
            _created, hub, client, name or f"file{form.ending}", form, chosen, idempotency_key,
            reinstates=reinstate, tells_unchecked=not_checkable,
        )  # fmt: skip
    elif file.state != FileState.RECEIVING:
        return await _again(hub, file, request)
    return await _received(hub, client, file, request, byte_range)


@router.put(
    "/{file_id}",
    status_code=202,
    response_class=Response,
    openapi_extra=_BODY,
    responses=_TAKEN | problems(404, 409, 413),
)
async def go_on(
    file_id: FileId,
    request: Request,
    client: Caller,
    hub: TheHub,
    content_range: RangeHeader = None,  # noqa: ARG001 - read by `byte_range_of`; here for the document
) -> Response:
    """Go on with a file behind what was received. / Gửi tiếp phần còn thiếu của tệp."""
    await check_free_space(hub.backpressure)
    file = await run_in_threadpool(_found, hub, client, file_id)
    check_receiving(file)
    return await _received(hub, client, file, request, byte_range_of(request))


@router.delete("/{file_id}", response_model_exclude_none=True, responses=problems(404, 409))
def cancel(file_id: FileId, client: Caller, hub: TheHub) -> FileStatus:
    """Want no more of a file; what was accepted of it stays. / Hủy một tệp; phần đã nhận giữ nguyên."""
    file = _found(hub, client, file_id)
    with hub.store.write() as connection:
        if not files.cancel(connection, file.id, now=hub.clock()):
            raise ProblemError("file.ended")
    hub.spool.remove(file.id)
    return file_shape(_found(hub, client, file_id), hub.spool)


@router.head("/{file_id}", response_class=Response, responses=problems(404))
def offset(file_id: FileId, client: Caller, hub: TheHub) -> Response:
    """Where to go on. / Cần gửi tiếp từ đâu."""
    return Response(None, 200, _headers(_found(hub, client, file_id)))


@router.get("/{file_id}", response_model_exclude_none=True, responses=problems(404))
def status(file_id: FileId, client: Caller, hub: TheHub) -> FileStatus:
    """How far a file is. / Tiến độ của một tệp."""
    return file_shape(_found(hub, client, file_id), hub.spool)


@router.get(
    "/{file_id}/result",
    response_class=Response,
    responses=problems(404)
    | {
        200: {
            "description": "NDJSON: a line of the file, then one for each record. / Một dòng về tệp, rồi từng bản ghi.",
            "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
        }
    },
)
def result(file_id: FileId, client: Caller, hub: TheHub) -> Response:
    """What became of each record of a file, as far as it is. / Kết quả từng bản ghi của tệp."""
    lines = result_lines(hub.store, _found(hub, client, file_id), hub.spool)
    return StreamingResponse(lines, media_type="application/x-ndjson", headers={"Cache-Control": "private, no-store"})


@router.get(
    "/{file_id}/workbook",
    response_class=Response,
    responses=problems(404, 409) | WORKBOOK_RESPONSE,
)
def workbook(file_id: FileId, client: Caller, hub: TheHub) -> Response:
    """The sender's own workbook, its faulty cells coloured, with comments. / Sổ tính đã đánh dấu lỗi."""
    return marked_workbook(hub.spool, _found(hub, client, file_id))


async def _profile(hub: Hub, client: Client, asked: str | None, form: Form) -> str:
    """The profile that will read the file.

    Raises:
        SubmissionError: it is not there.
        ProblemError: it reads files of another form.
    """
    profile = hub.intake.profile(await hub.intake.mappings.awaited(), client, vietnam_day(hub.clock()), asked)
    formats = {JSON, XML} if profile.source is None else {profile.source.format}
    if form.source_format not in {None, *formats}:
        raise ProblemError("file.profile")
    return profile.name


def _by_key(hub: Hub, client: Client, key: str) -> File | None:
    with hub.store.read() as connection:
        return files.find_by_key(connection, client.id, key)


def _uploads(hub: Hub, client: Client) -> int:
    with hub.store.read() as connection:
        return files.uploads(connection, client.id)


def _created(  # noqa: PLR0917 - what there is to know of a new file
    hub: Hub,
    client: Client,
    name: str,
    form: Form,
    profile: str,
    key: str | None,
    *,
    reinstates: bool,
    tells_unchecked: bool,
) -> File:
    with hub.store.write() as connection:
        file_id = files.create(
            connection, client.id, name=shown_name(name), form=form, profile=profile, now=hub.clock(), upload_key=key,
            trace_parent=current_call().trace_parent, reinstates=reinstates, tells_unchecked=tells_unchecked,
        )  # fmt: skip
        file = files.find(connection, file_id)
    assert file is not None  # noqa: S101 - created above
    return file


def _found(hub: Hub, client: Client, file_id: str) -> File:
    with hub.store.read() as connection:
        file = files.find(connection, file_id, client_id=client.id)
    if file is None:
        raise ProblemError("not-found")
    return file


async def _received(hub: Hub, client: Client, file: File, request: Request, byte_range: ByteRange) -> Response:
    await receive(hub, file, request, byte_range)
    return _taken(hub, await run_in_threadpool(_found, hub, client, file.id))


async def _again(hub: Hub, file: File, request: Request) -> Response:
    """The answer to a file that is whole already and was sent again under its key.

    Raises:
        ProblemError: it is another file.
    """
    if await digest_of(request) not in {file.sha256, None}:
        raise ProblemError("idempotency.other-payload")
    answer = _taken(hub, file)
    answer.headers["Idempotency-Replayed"] = "true"
    return answer


def _taken(hub: Hub, file: File) -> Response:
    is_whole = file.state != FileState.RECEIVING
    body = file_shape(file, hub.spool).model_dump(mode="json", exclude_none=True)
    headers = {**_headers(file), "Location": f"/v1/files/{file.id}"}
    return Response(orjson.dumps(body), 202 if is_whole else 201, headers, "application/json")


def _headers(file: File) -> dict[str, str]:
    """As draft-ietf-httpbis-resumable-upload names them."""
    is_whole = file.state != FileState.RECEIVING
    headers = {"Upload-Offset": str(file.received), "Upload-Complete": "?1" if is_whole else "?0"}
    if file.bytes is not None:
        headers["Upload-Length"] = str(file.bytes)
    return headers
