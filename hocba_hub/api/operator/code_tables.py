"""What operators ask and do about code tables: look, and say what the values mean that no table knows."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from hocba_hub.api.context import Hub
from hocba_hub.api.http.authentication import ANYONE
from hocba_hub.api.http.bounded import BoundedRoute
from hocba_hub.api.http.pages import Cursor, Limit, cursor, place
from hocba_hub.api.lookup import findings_shown
from hocba_hub.api.openapi.answers import problems
from hocba_hub.api.operator.callers import Acting, Administrator, TheHub
from hocba_hub.api.operator.mapping_shapes import (
    AskedFill,
    AskedTakeBack,
    CodeSource,
    FillEntry,
    FillReport,
    StillRejectedCard,
    TableDetail,
    TableEntry,
    TableList,
    TableRow,
    UnmappedCodeEntry,
)
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.shapes import Finding, Page
from hocba_hub.intake.fill_code import fill_code, plan_fill
from hocba_hub.mappings.tables.code_table import Table
from hocba_hub.model.masking import shown_value
from hocba_hub.store import code_fills
from hocba_hub.store import unmapped_codes as stored_codes
from hocba_hub.store.access import Client, Operator
from hocba_hub.store.code_fills import StoredFill
from hocba_hub.store.unmapped_codes import ListedCode

router = APIRouter(
    prefix="/v1",
    tags=["code-tables"],
    route_class=BoundedRoute,
    responses=problems(400, 401, 403, 422, 429, 500, 503),
)

Caller = Annotated[Client | Operator, ANYONE[0]]
TableInPath = Annotated[
    str, Path(pattern=r"^[^\x00-\x1f/]{1,60}$", description="Its name; a mapping's own table may have any. / Tên bảng.")
]
OwnerQuery = Annotated[
    str | None,
    Query(
        pattern=r"^[a-z][a-z0-9-]{0,60}$", description="The mapping whose own table it is. / Ánh xạ có bảng riêng này."
    ),
]
IdInPath = Annotated[int, Path(ge=1, le=2**63 - 1, description="Number. / Số.")]


@router.get("/code-tables", response_model_exclude_none=True, dependencies=[*ANYONE])
def code_tables(hub: TheHub) -> TableList:
    """Every code table, and the mappings' own. / Mọi bảng mã, kể cả bảng riêng của ánh xạ."""
    mappings = hub.intake.mappings.current()
    with hub.store.read() as connection:
        filled = [one.fill.table for one in code_fills.fills(connection)]
    everything = {**mappings.tables, **mappings.own_tables()}
    return TableList(tables=[_entry(name, table, filled.count(name)) for name, table in sorted(everything.items())])


@router.get("/code-tables/{name}", response_model_exclude_none=True, responses=problems(404), dependencies=[*ANYONE])
def code_table(
    *,
    name: TableInPath,
    caller: Caller,
    hub: TheHub,
    mapping: OwnerQuery = None,
    search: Annotated[
        str | None,
        Query(min_length=1, max_length=100, description="Rows that hold this, accents aside. / Dòng có văn bản này."),
    ] = None,
    after: Cursor = None,
    limit: Limit = 100,
) -> TableDetail:
    """A code table, page by page; for operators with what people filled. / Một bảng mã, từng trang, và mã đã điền.

    Filled codes count in the rows for everybody. / Mã đã điền có hiệu lực trong bảng với mọi người.
    """
    mappings = hub.intake.mappings.current()
    full = f"{mapping}/{name}" if mapping else name
    table = (mappings.own_tables() if mapping else mappings.tables).get(full)
    if table is None:
        raise ProblemError("not-found")
    with hub.store.read() as connection:
        filled = code_fills.fills(connection, full)
    seen = place(after, int)
    rows = table.rows if search is None else table.found(search)
    begin = min(max(seen[0], 0), len(rows)) if seen else 0
    end = begin + limit
    return TableDetail(
        **_entry(full, table, len(filled)).model_dump(),
        source=table.source,
        page=[TableRow(values=row.values, valid_from=row.valid_from, valid_to=row.valid_to) for row in rows[begin:end]],
        fills=[fill_entry(one) for one in filled] if isinstance(caller, Operator) else [],
        next=cursor((end,)) if end < len(rows) else None,
    )


@router.get("/unmapped-codes", response_model_exclude_none=True)
def unmapped_codes(
    *,
    _: Acting,
    hub: TheHub,
    filled: Annotated[bool, Query(description="Those that were filled. / Các mã đã điền.")] = False,
    after: Cursor = None,
    limit: Limit = 100,
) -> Page[UnmappedCodeEntry]:
    """Values that no code table knows, the most frequent first. / Mã chưa ánh xạ, nhiều nhất trước."""
    seen = place(after, int, int)
    with hub.store.read() as connection:
        found = stored_codes.listed(
            connection, after=(seen[0], seen[1]) if seen else None, limit=limit + 1, filled=filled
        )
    return Page(
        items=[_code(one) for one in found[:limit]],
        next=cursor(found[limit - 1].place) if len(found) > limit else None,
    )


@router.get("/unmapped-codes/{code_id}", response_model_exclude_none=True, responses=problems(404))
def unmapped_code(code_id: IdInPath, _: Acting, hub: TheHub) -> UnmappedCodeEntry:
    """One value with who sent it: clients and schools. / Một mã và nơi đã gửi."""
    return _code(_known(hub, code_id), sources=True)


@router.post("/unmapped-codes/{code_id}/fill", response_model_exclude_none=True, responses=problems(404, 409, 413))
def fill(code_id: IdInPath, asked: AskedFill, operator: Administrator, hub: TheHub) -> FillReport:
    """Say what a value means; the cards that waited for it are read again. / Điền mã và đọc lại học bạ đang chờ."""
    code = _known(hub, code_id)
    planned = plan_fill(
        hub.intake, code, asked.result, is_new=asked.new, valid_from=asked.valid_from, valid_to=asked.valid_to
    )
    told = FillReport(
        dry_run=asked.dry_run, meaning=planned.meaning, cards=[key.record_id() for key in planned.cards],
        accepted=0, rejected=0, waiting=code.waiting,
    )  # fmt: skip
    if asked.dry_run:
        return told
    made, done = fill_code(hub.recheck, planned, source=asked.source, actor=operator.actor, now=hub.clock())
    for name in sorted(hub.destinations) if done.accepted else ():
        hub.ring(name)
    still = [
        StillRejectedCard(record_id=key.record_id(), findings=[Finding(**one) for one in shown or ()])
        for key, findings in done.still
        for shown in [findings_shown([one.as_json() for one in findings], shows_card=False)]
    ]
    became = {"fill_id": made.id, "accepted": done.accepted, "rejected": done.rejected, "waiting": done.left}
    return told.model_copy(update=became | {"still": still or None})


@router.post("/code-fills/{fill_id}/take-back", response_model_exclude_none=True, responses=problems(404, 413))
def take_back(fill_id: IdInPath, asked: AskedTakeBack, operator: Administrator, hub: TheHub) -> FillEntry:
    """End a fill: the value is unknown again; cards stay as they are. / Rút lại một lần điền."""
    actor = operator.actor
    with hub.store.write() as connection:
        return fill_entry(code_fills.take_back(connection, fill_id, actor=actor, reason=asked.reason, now=hub.clock()))


def fill_entry(one: StoredFill) -> FillEntry:
    """A fill as an answer has it."""
    of = one.fill
    return FillEntry(
        id=one.id,
        system=of.system,
        value=of.value,
        result_system=of.result_system,
        result=of.result,
        where=of.where,
        source=one.source,
        filled_at=one.filled_at,
        filled_by=one.filled_by,
    )


def _known(hub: Hub, code_id: int) -> ListedCode:
    with hub.store.read() as connection:
        code = stored_codes.one(connection, code_id)
    if code is None:
        raise ProblemError("not-found")
    return code


def _code(one: ListedCode, *, sources: bool = False) -> UnmappedCodeEntry:
    entry = UnmappedCodeEntry.model_validate(one)
    entry.value = shown_value(one.value)
    entry.sources = [CodeSource.model_validate(source) for source in one.sources] if sources else None
    return entry


def _entry(name: str, table: Table, filled: int) -> TableEntry:
    owner, _, bare = name.rpartition("/")
    return TableEntry(
        name=bare,
        mapping=owner or None,
        version=table.version,
        title_vi=table.title.get("vi", bare),
        title_en=table.title.get("en", bare),
        systems=list(table.columns),
        rows=len(table.rows),
        filled=filled,
    )
