"""What operators ask and do about mappings: look, store a draft, preview it, put it in force, take it back."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path as FilePath
from typing import Annotated, BinaryIO

import orjson
from fastapi import APIRouter, Header, Path, Query, Response

from hocba_hub.adapters.registry import new_misfits
from hocba_hub.adapters.workbook.review import read_review, write_review
from hocba_hub.adapters.workbook.written import MEDIA_TYPE
from hocba_hub.api.context import Hub
from hocba_hub.api.http.authentication import ANYONE
from hocba_hub.api.http.bounded import BoundedRoute
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.operator.callers import Administrator, TheHub, Viewer
from hocba_hub.api.operator.drafts import checked_draft, findings_shown
from hocba_hub.api.operator.mapping_shapes import (
    ActivationEntry,
    AskedActivation,
    AskedDeactivation,
    AskedDraft,
    AskedPreview,
    AskedTrial,
    Cards,
    DraftReport,
    FieldChange,
    MappingDetail,
    MappingEntry,
    MappingList,
    MappingVersion,
    PreviewReport,
    TrialReport,
    TriedRecord,
)
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.intake.preview import preview_draft
from hocba_hub.intake.trial import Trial
from hocba_hub.mappings.check.example_runs import example_values
from hocba_hub.mappings.document.document import JSON, ROWS, XML, Document, DocumentError
from hocba_hub.mappings.document.parse import read_document
from hocba_hub.mappings.document.tabular import TITLES_VI, TableFormError, as_table, from_table
from hocba_hub.mappings.library.library import MappingNotFoundError
from hocba_hub.mappings.library.mapping_set import MappingSet
from hocba_hub.mappings.records.rows import SourceError
from hocba_hub.mappings.schemas import REPORT_CARD
from hocba_hub.model.activation import ActivationScope
from hocba_hub.model.clock import vietnam_day
from hocba_hub.store import mappings as stored
from hocba_hub.store.access import Client, Operator

router = APIRouter(
    prefix="/v1/mappings",
    tags=["mappings"],
    route_class=BoundedRoute,
    responses=problems(400, 401, 403, 422, 429, 500, 503),
)

Caller = Annotated[Client | Operator, ANYONE[0]]
NameInPath = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,60}$", description="Its name. / Tên ánh xạ.")]
VersionInQuery = Annotated[
    str | None,
    Query(pattern=r"^(0|[1-9][0-9]{0,5})(\.(0|[1-9][0-9]{0,5})){2}$", description="Show its text. / Xem nội dung."),
]
IfMatch = Annotated[
    str | None, Header(description="ETag of the mapping as it was read. / ETag của ánh xạ đã đọc.", max_length=200)
]
_MOST_CARDS_SHOWN = 100
_MOST_TRIED = 50
_ENDINGS = {JSON: ".json", XML: ".xml", ROWS: ".csv"}


@router.get("", response_model_exclude_none=True, dependencies=[*ANYONE])
def mappings(caller: Caller, hub: TheHub) -> MappingList:
    """Every mapping and which version is in force. / Mọi ánh xạ và phiên bản đang có hiệu lực.

    To a client, the profiles that it may send by. / Với phần mềm: các định dạng được dùng.
    """
    mappings = hub.intake.mappings.current()
    if isinstance(caller, Client):
        return MappingList(mappings=list(_profiles_of(hub, mappings, caller)))
    with hub.store.read() as connection:
        drafted = {one.name for one in stored.stored_versions(connection)}
        in_force = [one.name for one in stored.activations(connection)]
    entries = (_entry(hub, mappings, name, in_force.count(name)) for name in sorted({*mappings.names(), *drafted}))
    return MappingList(mappings=[entry for entry in entries if entry is not None])


@router.get("/{name}", response_model_exclude_none=True, responses=problems(404))
def mapping(
    name: NameInPath, _: Viewer, hub: TheHub, response: Response, version: VersionInQuery = None
) -> MappingDetail:
    """A mapping's versions, and for whom they are in force. / Các phiên bản và phạm vi hiệu lực."""
    return _detail(hub, name, response, version)


@router.post("/{name}/drafts", status_code=201, responses=problems(404, 409, 413))
def draft(name: NameInPath, asked: AskedDraft, operator: Administrator, hub: TheHub) -> DraftReport:
    """Store a new version; it is in force for nobody. / Lưu bản nháp, chưa có hiệu lực."""
    document, warnings = checked_draft(asked.document, hub.intake.mappings.newest(), name)
    with hub.store.write() as connection:
        added = stored.add_version(
            connection,
            name,
            document.number,
            asked.document.encode(),
            actor=operator.actor,
            reason=asked.reason,
            now=hub.clock(),
        )
    return DraftReport(version=added.version, sha256=added.sha256, findings=findings_shown(warnings))


@router.post("/{name}/preview", responses=problems(404, 413))
def preview(name: NameInPath, asked: AskedPreview, _: Administrator, hub: TheHub) -> PreviewReport:
    """Run a draft on recorded submissions: which fields change, which cards start or stop passing. / Xem trước."""
    mappings = hub.intake.mappings.newest()
    text = asked.document if asked.document is not None else _text(hub, mappings, name, asked.version or "")
    document, _warnings = checked_draft(text, mappings, name)
    with hub.store.read() as connection:
        scope = ActivationScope(asked.client, asked.school_year)
        made = preview_draft(connection, mappings, hub.intake.checker, document, asked.records, scope)
    effect = made.effect
    return PreviewReport(
        records=effect.records,
        unreadable=made.unreadable,
        not_kept=made.not_kept,
        changed=effect.changed,
        fields=[
            FieldChange(field=field, change=change, places=places)
            for (field, change), places in effect.fields.most_common()
        ],
        start_failing=_cards(made.record_ids, effect.start_failing),
        start_passing=_cards(made.record_ids, effect.start_passing),
        findings_more=effect.findings_more,
        findings_fewer=effect.findings_fewer,
        unmapped=effect.unmapped,
    )


@router.post("/{name}/trial", response_model_exclude_none=True, responses=problems(404, 413))
def try_mapping(name: NameInPath, asked: AskedTrial, _: Viewer, hub: TheHub) -> TrialReport:
    """What would become of a sample if it were sent: nothing is stored. / Chạy thử trên một mẫu."""
    mappings = hub.intake.mappings.newest()
    text = asked.document if asked.document is not None else _text(hub, mappings, name, asked.version or "")
    document, _warnings = checked_draft(text, mappings, name)
    if document.target != REPORT_CARD:
        raise ProblemError("mapping.not-a-profile")
    drafted = mappings.with_draft(document)
    trial = Trial(drafted.filled(document), drafted, hub.intake.checker, hub.settings.record_bytes)
    with tempfile.TemporaryDirectory() as folder:
        sample = FilePath(folder) / f"sample{_ENDINGS[document.source.format]}"
        sample.write_text(asked.sample, encoding="utf-8", newline="")
        judged = list(islice(trial.of_file(sample), _MOST_TRIED))
    return TrialReport(
        records=[
            TriedRecord(
                position=one.position, accepted=one.accepted, findings=findings_shown(one.findings),
                card=orjson.loads(one.translated.canonical) if one.translated and one.translated.canonical else None,
            )
            for one in judged
        ]
    )  # fmt: skip


@router.get(
    "/{name}/rules.xlsx",
    response_class=Response,
    responses=problems(404) | {200: {"description": "A workbook. / Bảng tính.", "content": {MEDIA_TYPE: {}}}},
)
def rules_workbook(name: NameInPath, _: Viewer, hub: TheHub, version: VersionInQuery = None) -> Response:
    """A mapping's rules as a table for review. / Bảng quy tắc để rà soát."""
    document = document_of(hub, name, version)
    mappings, file = hub.intake.mappings.newest(), io.BytesIO()
    lines = as_table(document, example_values(mappings.filled(document), mappings.tables))
    write_review(file, "rules.xlsx", lines, TITLES_VI)
    headers = {"Content-Disposition": f'attachment; filename="{name}-{document.number}.xlsx"'}
    return Response(file.getvalue(), media_type=MEDIA_TYPE, headers=headers)


def reviewed_text(hub: Hub, name: str, version: str | None, table: BinaryIO, table_name: str) -> str:
    """The text of a mapping with the rules of a reviewed table (XLSX, CSV) in the place of its own; nothing is stored.

    Raises:
        ProblemError: `not-found`; `mapping.wrong`, with the cells that cannot be rules.
    """
    document = document_of(hub, name, version)
    try:
        return from_table(document, read_review(table, table_name))
    except DocumentError as error:
        raise ProblemError("mapping.wrong", findings=[one.as_json() for one in error.findings]) from error
    except SourceError as error:
        raise ProblemError("mapping.wrong", findings=[error.finding.as_json()]) from error
    except TableFormError as error:
        raise ProblemError("mapping.table-form") from error


def document_of(hub: Hub, name: str, version: str | None = None) -> Document:
    """A mapping in one version; by default the one that counts for everybody, else its last draft.

    Raises:
        ProblemError: `not-found`; `mapping.wrong`, the text of an old draft cannot be read any more.
    """
    mappings = hub.intake.mappings.newest()
    if version is not None:
        found = read_document(_text(hub, mappings, name, version))[0]
        if found is None:
            raise ProblemError("mapping.wrong", findings=[])
        return found
    found = _default(mappings, name) or _newest_text(hub, name)
    if found is None:
        raise ProblemError("not-found")
    return found


@router.post("/{name}/activation", response_model_exclude_none=True, responses=problems(404, 409, 412, 413, 428))
def activate(
    *,
    name: NameInPath,
    asked: AskedActivation,
    operator: Administrator,
    hub: TheHub,
    response: Response,
    if_match: IfMatch = None,
) -> MappingDetail:
    """Put a version in force everywhere within a second. / Kích hoạt một phiên bản."""
    mappings = hub.intake.mappings.newest()
    text = _text(hub, mappings, name, asked.version)
    document, _warnings = checked_draft(text, mappings, name)
    scope = ActivationScope(asked.client, asked.school_year, asked.valid_from, asked.valid_to)
    if wrong := new_misfits(hub.destinations.values(), os.environ, mappings, document, scope):
        raise ProblemError("activation.misfit", misfits=wrong)
    with hub.store.write() as connection:
        stored.activate(
            connection,
            name,
            asked.version,
            text.encode("utf-8", "surrogateescape"),
            scope,
            actor=operator.actor,
            reason=asked.reason,
            now=hub.clock(),
            expected=_expected(if_match),
        )
    return _detail(hub, name, response)


@router.post("/{name}/deactivation", response_model_exclude_none=True, responses=problems(404, 412, 413, 428))
def deactivate(
    *,
    name: NameInPath,
    asked: AskedDeactivation,
    operator: Administrator,
    hub: TheHub,
    response: Response,
    if_match: IfMatch = None,
) -> MappingDetail:
    """End an activation: what was in force before it is so again. / Quay lại phiên bản trước."""
    with hub.store.write() as connection:
        stored.deactivate(
            connection,
            name,
            asked.activation,
            actor=operator.actor,
            reason=asked.reason,
            now=hub.clock(),
            expected=_expected(if_match),
        )
    return _detail(hub, name, response)


def _expected(if_match: str | None) -> str | None:
    """The state that the caller has seen; None for `*`."""
    if if_match is None:
        raise ProblemError("precondition.required")
    sent = if_match.strip()
    return None if sent == "*" else sent.removeprefix("W/").strip('"')


def _text(hub: Hub, mappings: MappingSet, name: str, version: str) -> str:
    """The text of a stored version, or of one that comes with the hub."""
    with hub.store.read() as connection:
        known = stored.document_of(connection, name, version)
    if known is not None:
        return known.decode("utf-8", "surrogateescape")
    shipped = next((one for one in _shipped(mappings, name) if one.number == version), None)
    if shipped is None:
        raise ProblemError("not-found")
    return shipped.text


def _shipped(mappings: MappingSet, name: str) -> list[Document]:
    return [document for document in mappings.shipped.documents if document.name == name]


def _default(mappings: MappingSet, name: str) -> Document | None:
    try:
        return mappings.select(name)
    except MappingNotFoundError:
        return None


def _entry(hub: Hub, mappings: MappingSet, name: str, activations: int) -> MappingEntry | None:
    document, chosen = _default(mappings, name), None
    if document is not None:
        chosen = document.number
    else:
        document = _newest_text(hub, name)
    if document is None:
        return None
    return MappingEntry(
        name=name,
        title_vi=document.title.get("vi", name),
        title_en=document.title.get("en", name),
        source_format=document.source.format,
        target=document.target,
        default_version=chosen,
        activations=activations,
    )


def _profiles_of(hub: Hub, mappings: MappingSet, client: Client) -> Iterator[MappingEntry]:
    """The mappings that read report cards for this client today, each in its version; drafts are nobody's."""
    for name in mappings.names():
        try:
            document = mappings.select(name, client=client.name, on=vietnam_day(hub.clock()))
        except MappingNotFoundError:
            continue
        entry = _entry(hub, mappings, name, 0) if document.target == REPORT_CARD else None
        if entry is not None:
            yield entry.model_copy(update={"default_version": document.number})


def _newest_text(hub: Hub, name: str) -> Document | None:
    """The last draft of a mapping that is in force for nobody."""
    with hub.store.read() as connection:
        versions = stored.stored_versions(connection, name)
        text = stored.document_of(connection, name, versions[-1].version) if versions else None
    return None if text is None else read_document(text.decode("utf-8", "surrogateescape"))[0]


def _detail(hub: Hub, name: str, response: Response, version: str | None = None) -> MappingDetail:
    mappings = hub.intake.mappings.newest()
    with hub.store.read() as connection:
        versions = stored.stored_versions(connection, name)
        in_force = stored.activations(connection, name)
    entry = _entry(hub, mappings, name, len(in_force))
    if entry is None:
        raise ProblemError("not-found")
    response.headers["ETag"] = f'"{stored.state_of(versions, in_force)}"'
    return MappingDetail(
        **entry.model_dump(),
        versions=_versions(mappings, name, versions, {entry.default_version, *(one.version for one in in_force)}),
        in_force=[
            ActivationEntry(
                id=one.id,
                version=one.version,
                client=one.scope.client,
                school_year=one.scope.school_year,
                valid_from=one.scope.valid_from,
                valid_to=one.scope.valid_to,
                activated_at=one.activated_at,
                activated_by=one.activated_by,
            )
            for one in in_force
        ],
        document=None if version is None else _text(hub, mappings, name, version),
    )


def _versions(
    mappings: MappingSet, name: str, kept: Sequence[stored.StoredVersion], in_force: set[str | None]
) -> list[MappingVersion]:
    by_number = {one.version: one for one in kept}
    shipped = {one.number for one in _shipped(mappings, name)}
    found = []
    for number in sorted({*by_number, *shipped}, key=lambda text: tuple(map(int, text.split(".")))):
        one = by_number.get(number)
        found.append(
            MappingVersion(
                version=number,
                shipped=number in shipped,
                in_force=number in in_force,
                sha256=one and one.sha256,
                added_at=one and one.added_at,
                added_by=one and one.added_by,
            )
        )
    return found


def _cards(record_ids: Sequence[str], numbers: Sequence[int]) -> Cards:
    shown = [record_ids[number] for number in numbers if record_ids[number]]
    return Cards(count=len(numbers), record_ids=shown[:_MOST_CARDS_SHOWN])
