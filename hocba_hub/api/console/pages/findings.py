"""What schools have to mend: by commune and school, then class by class, with the text that the school needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple

from fastapi import Query, Response

from hocba_hub.api.console.rendering import render
from hocba_hub.api.console.route import console_router
from hocba_hub.api.console.visit import ScopedViewing, Visit, found
from hocba_hub.api.http.pages import Cursor
from hocba_hub.api.http.parameters import SchoolQuery, YearQuery
from hocba_hub.api.operator import support
from hocba_hub.api.operator.support import OpenCountEntry
from hocba_hub.api.shapes import OpenCard
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.store import schools

router = console_router()

_PAGE = 100


class _Commune(NamedTuple):
    code: str
    name: str
    schools: Sequence[OpenCountEntry]

    @property
    def cards(self) -> int:
        return sum(one.cards for one in self.schools)


@router.get("/console/findings")
def findings(
    visit: ScopedViewing,
    school: SchoolQuery = None,
    commune: Annotated[str | None, Query(pattern=r"^[0-9A-Za-z._-]{1,20}$|^-$")] = None,
    school_year: YearQuery = None,
    after: Cursor = None,
) -> Response:
    """Communes; of one its schools; of one school its cards."""
    if school is not None:
        return _school(visit, school, school_year, after)
    counted = support.open_counts(visit.operator, visit.hub).schools
    by_commune: dict[str, list[OpenCountEntry]] = {}
    for one in counted:
        by_commune.setdefault(one.school.commune_code, []).append(one)
    communes = [_Commune(code, of[0].school.commune_name, of) for code, of in by_commune.items()]
    communes.sort(key=lambda one: (-one.cards, one.code))
    if commune is not None:
        wanted = "" if commune == "-" else commune
        communes = [one for one in communes if one.code == wanted]
    return render(visit.request, "findings.html", visit=visit, communes=communes, commune=commune)


def _school(visit: Visit, school: str, school_year: str | None, after: str | None) -> Response:
    hub, operator = visit.hub, visit.operator
    page = found(
        lambda: support.findings(
            operator=operator, hub=hub, school=school, school_year=school_year, after=after, limit=_PAGE
        )
    )
    items: Sequence[OpenCard] = page.items if page is not None else ()
    with hub.store.read() as connection:
        named = schools.school_names(connection, [school]).get(school)
        keys = [CardKey(SchoolYear(one.school_year), CardId(one.card_id)) for one in items]
        classes = schools.classes_of(connection, keys)
    by_class: dict[str, list[OpenCard]] = {}
    for one, key in zip(items, keys, strict=True):
        by_class.setdefault(classes.get(key, ""), []).append(one)
    return render(
        visit.request, "findings_school.html", visit=visit, school_code=school, school=named,
        classes=sorted(by_class.items()), next=None if page is None else page.next,
    )  # fmt: skip
