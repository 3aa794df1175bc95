"""Mappings: their rules as a table, a sample tried, a draft previewed on what was sent, put in force, taken back."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response
from starlette.datastructures import UploadFile

from hocba_hub.api.console.rendering import render
from hocba_hub.api.console.route import console_router, go_to
from hocba_hub.api.console.visit import Administering, FileForm, Form, Viewing, Visit, asked, field
from hocba_hub.api.operator import mappings
from hocba_hub.api.operator.mapping_shapes import (
    AskedActivation,
    AskedDeactivation,
    AskedDraft,
    AskedPreview,
    AskedTrial,
    MappingDetail,
)
from hocba_hub.api.operator.mappings import NameInPath, VersionInQuery
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.mappings.document.tabular import CELLS, as_table
from hocba_hub.mappings.schemas import REPORT_CARD

router = console_router()


@router.get("/console/mappings")
def listed(visit: Viewing) -> Response:
    """All of them."""
    found = mappings.mappings(visit.operator, visit.hub).mappings
    return render(visit.request, "mappings.html", visit=visit, mappings=found)


@router.get("/console/mappings/{name}")
def one(
    visit: Viewing, name: NameInPath, version: VersionInQuery = None,
    done: Annotated[str, Query(pattern="^[a-z]{0,20}$")] = "",
) -> Response:  # fmt: skip
    """A mapping, in one version: its rules, and for whom which version is in force."""
    shown = mappings.document_of(visit.hub, name, version)
    detail, state = _detail(visit, name, shown.number)
    rules = as_table(shown)[1:]
    used = [(number, cell) for number, cell in enumerate(CELLS, 2) if any(rule[number] for rule in rules)]
    return render(
        visit.request, "mapping.html", visit=visit, one=detail, version=shown.number, rules=rules,
        cells=used, state=state, done=done, is_profile=shown.target == REPORT_CARD,
        tables=sorted(shown.tables),
    )  # fmt: skip


def _detail(visit: Visit, name: str, version: str) -> tuple[MappingDetail, str]:
    """The mapping, and the state that a change of it must find."""
    answer = Response()
    detail = mappings.mapping(name, visit.operator, visit.hub, answer, version)
    return detail, answer.headers["ETag"]


@router.get("/console/mappings/{name}/rules.xlsx")
def workbook(visit: Viewing, name: NameInPath, version: VersionInQuery = None) -> Response:
    """The rules as a workbook, for review."""
    return mappings.rules_workbook(name, visit.operator, visit.hub, version)


@router.post("/console/mappings/{name}/trial")
def try_sample(visit: Viewing, name: NameInPath, form: Form) -> Response:
    """What would become of a pasted sample."""
    sample = str(form.get("sample", ""))
    wanted = asked(AskedTrial, {"version": field(form, "version"), "sample": sample})
    tried = mappings.try_mapping(name, wanted, visit.operator, visit.hub)
    return render(visit.request, "mapping_tried.html", visit=visit, name=name, tried=tried, version=wanted.version)


@router.post("/console/mappings/{name}/preview")
def preview(visit: Administering, name: NameInPath, form: Form) -> Response:
    """What a version would change of recorded traffic."""
    facts = {
        "version": field(form, "version"),
        "client": field(form, "client"),
        "school_year": field(form, "school_year"),
    }
    wanted = asked(AskedPreview, facts)
    found = mappings.preview(name, wanted, visit.operator, visit.hub)
    return render(visit.request, "mapping_previewed.html", visit=visit, name=name, found=found, version=wanted.version)


@router.post("/console/mappings/{name}/drafts")
def draft(visit: Administering, name: NameInPath, form: Form) -> Response:
    """Store a new version; it is in force for nobody."""
    facts = {"document": str(form.get("document", "")).replace("\r\n", "\n"), "reason": field(form, "reason")}
    stored = mappings.draft(name, asked(AskedDraft, facts), visit.operator, visit.hub)
    return go_to(f"/console/mappings/{name}?version={stored.version}&done=draft")


@router.post("/console/mappings/{name}/reviewed")
def reviewed(visit: Administering, name: NameInPath, form: FileForm) -> Response:
    """The mapping with the rules of a reviewed table, to be looked at and stored as a draft."""
    table, version = form.get("table"), field(form, "version")
    if not isinstance(table, UploadFile):
        raise ProblemError("mapping.table-form")
    text = mappings.reviewed_text(visit.hub, name, version or None, table.file, table.filename or "")
    return render(visit.request, "mapping_reviewed.html", visit=visit, name=name, version=version, text=text)


@router.post("/console/mappings/{name}/activation")
def activate(visit: Administering, name: NameInPath, form: Form) -> Response:
    """Put a version in force, if nobody else has changed what is since the page was shown."""
    fields = ("version", "client", "school_year", "valid_from", "valid_to", "reason")
    wanted = asked(AskedActivation, {each: field(form, each) for each in fields})
    mappings.activate(
        name=name, asked=wanted, operator=visit.operator, hub=visit.hub, response=Response(),
        if_match=field(form, "state"),
    )  # fmt: skip
    return go_to(f"/console/mappings/{name}?version={wanted.version}&done=activated")


@router.post("/console/mappings/{name}/deactivation")
def deactivate(visit: Administering, name: NameInPath, form: Form) -> Response:
    """End an activation: what was in force before it is so again."""
    number = field(form, "activation")
    facts = {"activation": int(number) if number.isdecimal() else None, "reason": field(form, "reason")}
    mappings.deactivate(
        name=name, asked=asked(AskedDeactivation, facts), operator=visit.operator, hub=visit.hub, response=Response(),
        if_match=field(form, "state"),
    )  # fmt: skip
    return go_to(f"/console/mappings/{name}?done=deactivated")
