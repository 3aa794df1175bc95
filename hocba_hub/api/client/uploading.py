"""Taking in the bytes of a file: streamed to the spool, synced before they are owned up to, resumable at any byte."""

from __future__ import annotations

import errno
import hashlib
import re
from typing import NamedTuple

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from hocba_hub.api.context import Hub
from hocba_hub.api.http.free_space import RETRY_AFTER_SECONDS, check_free_space
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.intake.files.spool import Upload, UploadBusyError
from hocba_hub.store import files
from hocba_hub.store.files import File, FileState

_RANGE = re.compile(r"bytes (?:([0-9]{1,18})-([0-9]{1,18})|\*)/([0-9]{1,18}|\*)")
_WRITE_BYTES = 1 << 20
_SYNC_BYTES = 64 << 20
"""What a killed process may cost a sender at most."""


class ByteRange(NamedTuple):
    """Which bytes of a file a call brings."""

    start: int = 0
    length: int | None = None
    """None where the call does not say."""
    total: int | None = None
    """Size of the whole file; None where the call does not say."""
    is_whole: bool = True
    """The file ends with this call's body, if nothing says otherwise."""


def byte_range_of(request: Request) -> ByteRange:
    """What a call brings, by `Content-Range` (RFC 9110 section 14.4) and `Content-Length`.

    `bytes */1000` brings nothing: it opens an upload of so many bytes.

    Raises:
        ProblemError: the header is not understood.
    """
    announced = request.headers.get("content-length", "")
    length = int(announced) if announced.isdecimal() and len(announced) < 19 else None  # noqa: PLR2004 - as in _RANGE
    given = request.headers.get("content-range")
    if given is None:
        return ByteRange(0, length, length)
    match = _RANGE.fullmatch(given.strip())
    if match is None:
        raise ProblemError("file.range")
    total = None if match[3] == "*" else int(match[3])
    if match[1] is None:
        return ByteRange(0, 0, total, is_whole=False)
    start, last = int(match[1]), int(match[2])
    byte_range = ByteRange(start, last - start + 1, total, is_whole=False)
    if last < start or (total is not None and last >= total) or (length is not None and length != byte_range.length):
        raise ProblemError("file.range")
    return byte_range


async def receive(hub: Hub, file: File, request: Request, byte_range: ByteRange) -> None:
    """Write a call's bytes behind those that are there, and close the file if it is whole now.

    What came before the line broke is kept: the sender goes on behind it.

    Raises:
        ProblemError: `file.range`, they do not follow; `file.busy`; `file.ended`, it was cancelled meanwhile;
            `body.too-large`.
    """
    total = byte_range.total if byte_range.total is not None else file.bytes
    limit = hub.settings.file_bytes
    if total is not None and total > limit:
        raise ProblemError("body.too-large", limit_bytes=limit)
    if byte_range.start > file.received or (total is not None and file.bytes not in (None, total)):
        raise ProblemError("file.range", received=file.received)
    end = limit if byte_range.length is None else byte_range.start + byte_range.length
    try:
        upload = await run_in_threadpool(hub.spool.upload, file.id, byte_range.start)
    except UploadBusyError as error:
        raise ProblemError("file.busy", retry_after=5) from error
    except FileNotFoundError as error:
        raise ProblemError("file.range", received=0) from error
    except OSError as error:
        raise _problem_of(error) from error
    with upload:
        await run_in_threadpool(_check_open, hub, file)
        try:
            await _write(hub, file, request, upload, end, total)
        except (ClientDisconnect, ProblemError):
            await hub.writing.run(_note, hub, file, upload, total)
            raise
        finally:
            hub.usage.note(file.client_id, size=max(0, upload.size - byte_range.start))
        await hub.writing.run(_note, hub, file, upload, total)
        if upload.size == total or (total is None and byte_range.is_whole):
            await hub.writing.run(_complete, hub, file, upload.size)


async def _write(  # noqa: PLR0917 - a stream, and where it goes
    hub: Hub, file: File, request: Request, upload: Upload, end: int, total: int | None
) -> None:
    pending = bytearray()
    synced = upload.size
    async for chunk in request.stream():
        if upload.size + len(pending) + len(chunk) > end:
            too_large = end == hub.settings.file_bytes
            raise ProblemError("body.too-large") if too_large else ProblemError("file.range", received=upload.size)
        pending += chunk
        if len(pending) >= _WRITE_BYTES:
            await check_free_space(hub.backpressure)  # many uploads may run at once, and one may not say how long it is
            await run_in_threadpool(_append, upload, bytes(pending))
            pending.clear()
            if upload.size - synced >= _SYNC_BYTES:
                synced = upload.size
                await hub.writing.run(_note, hub, file, upload, total)
    if pending:
        await run_in_threadpool(_append, upload, bytes(pending))


def _append(upload: Upload, chunk: bytes) -> None:
    try:
        upload.write(chunk)
    except OSError as error:
        raise _problem_of(error) from error


def _problem_of(error: OSError) -> Exception:
    """503 for a full disk: what came is kept, and the sender goes on behind it; 409 for a file that was cancelled."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return ProblemError("hub.disk-full", retry_after=RETRY_AFTER_SECONDS)
        case errno.ENOENT:  # somebody cancelled it meanwhile
            return ProblemError("file.ended")
        case _:
            return error


def _note(hub: Hub, file: File, upload: Upload, total: int | None) -> None:
    try:
        upload.sync()
    except OSError as error:
        raise _problem_of(error) from error
    with hub.store.write() as connection:
        is_wanted = files.note_received(connection, file.id, upload.size, size=total, now=hub.clock())
    if not is_wanted:  # somebody cancelled it meanwhile
        raise ProblemError("file.ended")


def _complete(hub: Hub, file: File, size: int) -> None:
    sha256 = hub.spool.sha256(file.id)
    with hub.store.write() as connection:
        is_wanted = files.complete(connection, file.id, size=size, sha256=sha256, now=hub.clock())
    if not is_wanted:  # somebody cancelled it meanwhile
        raise ProblemError("file.ended")
    hub.ring_file(file.id)


def check_receiving(file: File) -> None:
    """Do nothing if more of the file may come.

    Raises:
        ProblemError: `file.ended`, it was cancelled; `file.complete`, it is whole.
    """
    if file.state != FileState.RECEIVING:
        raise ProblemError("file.ended" if file.state == FileState.CANCELLED else "file.complete")


def _check_open(hub: Hub, file: File) -> None:
    """Look once more, now that nobody else sends it: it may have become whole or been cancelled since."""
    with hub.store.read() as connection:
        found = files.find(connection, file.id)
    if found is None or found.state == FileState.CANCELLED:
        hub.spool.remove(file.id)
        raise ProblemError("file.ended")
    check_receiving(found)


async def digest_of(request: Request) -> str | None:
    """Hex SHA-256 of a call's body; None of an empty one."""
    digest, size = hashlib.sha256(), 0
    async for chunk in request.stream():
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest() if size else None
