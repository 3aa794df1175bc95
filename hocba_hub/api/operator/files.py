"""Files that clients sent, as operators see them: how far each is, what was found, cancelling and trying again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import Field
from sqlalchemy import Connection

from hocba_hub.api.context import Hub
from hocba_hub.api.file_results import FILE_EXAMPLE, WORKBOOK_RESPONSE, FileStatus, file_shape, marked_workbook
from hocba_hub.api.http.bounded import BoundedRoute
from hocba_hub.api.http.pages import Cursor, Limit, cursor, place
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.operator.callers import Acting, TheHub, Viewer
from hocba_hub.api.operator.delivery_shapes import AskedReason
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.shapes import Page, shown_as
from hocba_hub.store import audit
from hocba_hub.store import files as stored
from hocba_hub.store.access import Operator, client_names
from hocba_hub.store.files import File

router = APIRouter(
    prefix="/v1/operations/files",
    tags=["operations"],
    route_class=BoundedRoute,
    responses=problems(400, 401, 403, 422, 429, 500, 503),
)

FileInPath = Annotated[str, Path(pattern=r"^[0-9a-f-]{36}$", description="Its id. / Mã tệp.")]


class SentFile(FileStatus):
    """A file with who sent it. / Một tệp và phần mềm đã gửi."""

    model_config = shown_as({**FILE_EXAMPLE, "client": "north-vendor"})

    client: str = Field(description="Its name. / Tên phần mềm.")


@router.get("", response_model_exclude_none=True)
def files_listed(_: Viewer, hub: TheHub, after: Cursor = None, limit: Limit = 50) -> Page[SentFile]:
    """The files of all clients, the newest first. / Tệp của mọi phần mềm, mới nhất trước."""
    seen = place(after, str)
    with hub.store.read() as connection:
        found = stored.newest(connection, limit=limit + 1, before=seen[0] if seen else None)
        names = client_names(connection)
    return Page(
        items=[_shown(hub, one, names) for one in found[:limit]],
        next=cursor((found[limit - 1].id,)) if len(found) > limit else None,
    )


@router.get("/{file_id}", response_model_exclude_none=True, responses=problems(404))
def file(file_id: FileInPath, _: Viewer, hub: TheHub) -> SentFile:
    """One file. / Một tệp."""
    with hub.store.read() as connection:
        return _shown(hub, _found(connection, file_id), client_names(connection))


@router.get("/{file_id}/workbook", response_class=Response, responses=problems(404, 409) | WORKBOOK_RESPONSE)
def file_workbook(file_id: FileInPath, _: Viewer, hub: TheHub) -> Response:
    """The sender's own workbook, its faulty cells coloured, with comments. / Sổ tính đã đánh dấu lỗi."""
    with hub.store.read() as connection:
        found = _found(connection, file_id)
    return marked_workbook(hub.spool, found)


@router.post("/{file_id}/cancel", response_model_exclude_none=True, responses=problems(404, 409))
def cancel_file(file_id: FileInPath, asked: AskedReason, operator: Acting, hub: TheHub) -> SentFile:
    """Want no more of a file; what was accepted of it stays. / Hủy một tệp; phần đã nhận giữ nguyên."""
    _act(stored.cancel, file_id, asked, operator, hub, ("cancel-file", "file.ended"))
    hub.spool.remove(file_id)
    return file(file_id, operator, hub)


@router.post("/{file_id}/retry", response_model_exclude_none=True, responses=problems(404, 409))
def retry_file(file_id: FileInPath, asked: AskedReason, operator: Acting, hub: TheHub) -> SentFile:
    """Try the import of a failed file again. / Nhập lại tệp đã hỏng."""
    _act(stored.try_again, file_id, asked, operator, hub, ("retry-file", "file.not-failed"))
    hub.ring_file(file_id)
    return file(file_id, operator, hub)


def _act(  # noqa: PLR0917 - what is done, and what is said of it
    act: Callable[..., bool], file_id: str, asked: AskedReason, operator: Operator, hub: Hub, named: tuple[str, str]
) -> None:
    """Do something to a file; `named` is what it is called in the audit trail, and the problem where it cannot be.

    Raises:
        ProblemError: `not-found`, or that problem.
    """
    now, (action, problem) = hub.clock(), named
    with hub.store.write() as connection:
        _found(connection, file_id)
        if not act(connection, file_id, now=now):
            raise ProblemError(problem)
        detail = {"file": file_id}
        audit.write(connection, at=now, actor=operator.actor, action=action, reason=asked.reason, detail=detail)


def _found(connection: Connection, file_id: str) -> File:
    found = stored.find(connection, file_id)
    if found is None:
        raise ProblemError("not-found")
    return found


def _shown(hub: Hub, found: File, names: Mapping[int, str]) -> SentFile:
    return SentFile(**dict(file_shape(found, hub.spool)), client=names.get(found.client_id, ""))
