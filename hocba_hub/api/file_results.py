"""What is shown of a file: how far it is, and what became of each record."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import orjson
from fastapi.responses import FileResponse
from pydantic import Field

from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.problems.problem_kinds import KINDS
from hocba_hub.api.shapes import Finding, Moment, Shape, shown_as
from hocba_hub.intake.files.forms import MEDIA_TYPES, Form
from hocba_hub.intake.files.spool import Spool
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.store import files
from hocba_hub.store.engine import Store
from hocba_hub.store.files import File, FileResult, FileState

UNDER_WAY = frozenset({"receiving", "waiting", "importing"})
"""States of a file, as it is shown, that it does not stay in."""
FILE_EXAMPLE = {
    "file_id": "0197b0c4-5d7e-7cc3-98c4-dc0c0c07398f",
    "name": "Lop 3A.xlsx",
    "form": "xlsx",
    "profile": "workbook-primary",
    "state": "importing",
    "created_at": "2026-05-31T09:30:00.000Z",
    "changed_at": "2026-05-31T09:30:04.000Z",
    "bytes": 48213,
    "received": 48213,
    "sha256": "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
    "records": 35,
    "imported": 20,
    "accepted": 19,
    "rejected": 1,
    "findings": [],
    "workbook": False,
}


class FileFinding(Finding):
    """What was found of a file itself. / Phát hiện về chính tệp."""

    part: str | None = Field(None, description="Name of the ZIP's entry. / Tên mục trong ZIP.")


class FileProblem(Shape):
    """Why a file could not be read. / Vì sao không đọc được tệp."""

    code: Annotated[str, Field(examples=["file.no-records"])]
    title_vi: str
    title_en: str
    detail_vi: str
    detail_en: str


class FileStatus(Shape):
    """A file and how far it is. / Một tệp và tiến độ của nó."""

    model_config = shown_as(FILE_EXAMPLE)

    file_id: str = Field(description="Also that of its submission. / Cũng là mã lần gửi.")
    name: str
    form: str
    profile: str
    state: Annotated[
        str, Field(description="receiving, waiting, importing, done, failed, cancelled.", examples=["done"])
    ]
    created_at: Moment
    changed_at: Moment
    bytes: int | None = None
    received: int = Field(description="Bytes that are kept for certain. / Số byte đã nhận chắc chắn.")
    sha256: str | None = None
    records: int | None = Field(None, description="Known once the file was read. / Có sau khi đọc tệp.")
    imported: int = Field(description="Records that have a result. / Số bản ghi đã có kết quả.")
    accepted: int
    rejected: int
    findings: Sequence[FileFinding] = Field(description="Of the file itself. / Về chính tệp.")
    problem: FileProblem | None = None
    workbook: bool = Field(description="There is a workbook of findings. / Có sổ tính đánh dấu lỗi.")


def file_shape(file: File, spool: Spool) -> FileStatus:
    """A file as it is shown."""
    is_begun = file.state == FileState.WAITING and (file.lease_id is not None or file.position > 0)
    return FileStatus(
        file_id=file.id,
        name=file.name,
        form=file.form,
        profile=file.profile,
        state="importing" if is_begun else file.state,
        created_at=file.created_at,
        changed_at=file.changed_at,
        bytes=file.bytes,
        received=file.received,
        sha256=file.sha256,
        records=file.total,
        imported=file.position,
        accepted=file.accepted,
        rejected=file.rejected,
        findings=[FileFinding.model_validate(one) for one in file.findings],
        problem=FileProblem.model_validate(KINDS[file.code]) if file.code else None,
        workbook=file.state == FileState.DONE and spool.workbook(file.id).exists(),
    )


def result_lines(store: Store, file: File, spool: Spool) -> Iterator[bytes]:
    """NDJSON: a line of the file, then a line for each record that has a result."""
    yield orjson.dumps(file_shape(file, spool).model_dump(mode="json", exclude_none=True)) + b"\n"
    after = -1
    while True:
        with store.read() as connection:
            page = files.results(connection, file.id, after=after)
        if not page:
            return
        yield b"".join(orjson.dumps(_line(result)) + b"\n" for result in page)
        after = page[-1].position


def _line(result: FileResult) -> dict[str, Any]:
    line: dict[str, Any] = {"position": result.position, "status": result.status, "sha256": result.sha256.hex()}
    if result.part is not None:
        line["part"] = result.part
    if result.school_year and result.card_id:
        line["record_id"] = CardKey(SchoolYear(result.school_year), CardId(result.card_id)).record_id()
        line["school_year"], line["card_id"] = result.school_year, result.card_id
    if result.version is not None:
        line["version"] = result.version
    if result.findings:
        line["findings"] = result.findings
    return line


WORKBOOK_RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The workbook; of a ZIP a ZIP of workbooks. / Sổ tính; với ZIP là ZIP các sổ tính.",
        "content": {
            media_type: {"schema": {"type": "string", "format": "binary"}}
            for media_type, form in MEDIA_TYPES.items()
            if form in {Form.XLSX, Form.ZIP} and "x-" not in media_type
        },
    }
}
"""What `marked_workbook` answers, for the OpenAPI document."""


def marked_workbook(spool: Spool, file: File) -> FileResponse:
    """The sender's own workbook, its faulty cells coloured, with comments.

    Raises:
        ProblemError: `file.not-ready`, it is not imported yet; `file.no-workbook`, nothing stands against it.
    """
    if file.state in {FileState.RECEIVING, FileState.WAITING}:
        raise ProblemError("file.not-ready", retry_after=5)
    path = spool.workbook(file.id)
    if not path.exists():
        raise ProblemError("file.no-workbook")
    form = Form.ZIP if file.form == Form.ZIP else Form.XLSX
    media_type = next(name for name, known in MEDIA_TYPES.items() if known is form)
    headers = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
    return FileResponse(path, headers=headers, media_type=media_type, filename=findings_name(file.name, form))


def findings_name(name: str, form: Form) -> str:
    """What the workbook of a file's findings is called: the sender's own name, without any folder."""
    stem = re.split(r"[/\\]", name)[-1].rpartition(".")[0] or "file"
    return f"{stem}.findings{form.ending}"
