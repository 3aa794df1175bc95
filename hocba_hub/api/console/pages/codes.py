"""Code tables, and the values that none of them knows: who sent them, who waits, and what they mean."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from hocba_hub.api.console.rendering import render
from hocba_hub.api.console.route import console_router, go_to
from hocba_hub.api.console.visit import Acting, Administering, Form, Viewing, Visit, asked, field
from hocba_hub.api.http.pages import Cursor
from hocba_hub.api.operator import code_tables
from hocba_hub.api.operator.code_tables import IdInPath, OwnerQuery, TableInPath
from hocba_hub.api.operator.mapping_shapes import AskedFill, AskedTakeBack, FillReport

router = console_router()

_PAGE = 100


@router.get("/console/code-tables")
def tables(visit: Viewing) -> Response:
    """Every code table."""
    return render(visit.request, "code_tables.html", visit=visit, tables=code_tables.code_tables(visit.hub).tables)


@router.get("/console/code-tables/{name}")
def table(
    visit: Viewing,
    name: TableInPath,
    mapping: OwnerQuery = None,
    search: Annotated[str | None, Query(max_length=100)] = None,
    after: Cursor = None,
) -> Response:
    """One of them, page by page."""
    found = code_tables.code_table(
        name=name, caller=visit.operator, hub=visit.hub, mapping=mapping, search=search, after=after, limit=_PAGE
    )
    return render(visit.request, "code_table.html", visit=visit, table=found, search=search, mapping=mapping)


@router.post("/console/code-fills/{fill_id}/take-back")
def take_back(visit: Administering, fill_id: IdInPath, form: Form) -> Response:
    """End a fill."""
    wanted = asked(AskedTakeBack, {"reason": field(form, "reason")})
    code_tables.take_back(fill_id, wanted, visit.operator, visit.hub)
    return go_to("/console/unmapped-codes?filled=true")


@router.get("/console/unmapped-codes")
def unmapped(visit: Acting, *, filled: bool = False, after: Cursor = None) -> Response:
    """The values that no table knows, the most frequent first."""
    page = code_tables.unmapped_codes(_=visit.operator, hub=visit.hub, filled=filled, after=after, limit=_PAGE)
    return render(visit.request, "unmapped_codes.html", visit=visit, page=page, filled=filled)


@router.get("/console/unmapped-codes/{code_id}")
def code(visit: Acting, code_id: IdInPath) -> Response:
    """One of them."""
    return _code(visit, code_id, None)


def _code(visit: Visit, code_id: int, report: FillReport | None, wanted: AskedFill | None = None) -> Response:
    found = code_tables.unmapped_code(code_id, visit.operator, visit.hub)
    owner, _, bare = found.table.rpartition("/")
    rows = code_tables.code_table(
        name=bare, caller=visit.operator, hub=visit.hub, mapping=owner or None, limit=1000
    ).page
    results = [
        (row.values[found.result_system][0], " · ".join(value[0] for value in row.values.values() if value))
        for row in rows
        if row.values.get(found.result_system)
    ]
    return render(
        visit.request, "unmapped_code.html", visit=visit, one=found, report=report, wanted=wanted,
        results=results, owner=owner, bare=bare,
    )  # fmt: skip


@router.post("/console/unmapped-codes/{code_id}")
def fill(visit: Administering, code_id: IdInPath, form: Form) -> Response:
    """Show first what a fill would do; then, from that page, do it."""
    facts = {
        "result": field(form, "result"), "source": field(form, "source"), "new": bool(field(form, "new")),
        "dry_run": not field(form, "sure"),
    }  # fmt: skip
    wanted = asked(AskedFill, facts)
    report = code_tables.fill(code_id, wanted, visit.operator, visit.hub)
    return _code(visit, code_id, report, wanted)
