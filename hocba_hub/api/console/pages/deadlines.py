"""The deadline board: communes as a heat table, then schools, grades and classes, forecasts, and the workbook."""

from __future__ import annotations

from fastapi import Response

from hocba_hub.api.console.rendering import render
from hocba_hub.api.console.route import console_router
from hocba_hub.api.console.visit import ScopedViewing, Viewing, found
from hocba_hub.api.http.pages import Cursor
from hocba_hub.api.http.parameters import SchoolQuery, YearQuery
from hocba_hub.api.operator import deadlines
from hocba_hub.api.operator.deadlines import ByQuery, CommuneQuery, DestinationQuery, LevelQuery, PlaceEntry
from hocba_hub.store.board import counted_years
from hocba_hub.store.schools import commune_names

router = console_router()

_PAGE = 200
_ALL_COMMUNES = 1_000


@router.get("/console/deadlines")
def board(
    *,
    visit: ScopedViewing,
    school_year: YearQuery = None,
    by: ByQuery = "commune",
    destination: DestinationQuery = None,
    level: LevelQuery = None,
    commune: CommuneQuery = None,
    school: SchoolQuery = None,
    after: Cursor = None,
) -> Response:
    """The board by one kind of place."""
    limit = _ALL_COMMUNES if by == "commune" else _PAGE
    shown = found(
        lambda: deadlines.deadline_board(
            operator=visit.operator, hub=visit.hub, school_year=school_year, by=by, destination=destination,
            level=level, commune=commune, school=school, after=after, limit=limit,
        )
    )  # fmt: skip
    places = () if shown is None else shown.places
    with visit.hub.store.read() as connection:
        communes, years = commune_names(connection), counted_years(connection)
    heat: dict[str, dict[tuple[str, str], PlaceEntry]] = {}
    if by == "commune":
        for one in places:
            heat.setdefault(one.commune_code or "", {})[one.destination, str(one.level)] = one
    columns = sorted({column for row in heat.values() for column in row})
    return render(
        visit.request, "deadlines.html", visit=visit, board=shown, by=by, destination=destination, level=level,
        commune=commune, school=school, school_year=school_year, heat=sorted(heat.items()), columns=columns,
        communes=communes, years=years, destinations=sorted(visit.hub.destinations),
    )  # fmt: skip


@router.get("/console/deadlines/report.xlsx")
def workbook(visit: Viewing) -> Response:
    """The board as a workbook."""
    answer = deadlines.deadline_workbook(visit.operator, visit.hub)
    answer.headers["Content-Disposition"] = 'attachment; filename="deadlines.xlsx"'
    return answer
