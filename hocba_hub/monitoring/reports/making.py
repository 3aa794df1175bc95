"""Making a report: gather the facts, freeze them; and a document of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hocba_hub.adapters.destination import Destination
from hocba_hub.adapters.workbook.written import MEDIA_TYPE
from hocba_hub.model.clock import DAY_MS, vietnam_day_start
from hocba_hub.model.deadlines import window_state
from hocba_hub.model.keys import DestinationName
from hocba_hub.model.windows import NEVER, Level, school_year_at, year_before, year_span
from hocba_hub.store import reports
from hocba_hub.store.engine import Store
from hocba_hub.store.reports import Gathered, Report, ReportKind

_WEEK_MS = 7 * DAY_MS
MEDIA_TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": MEDIA_TYPE,
}


def gather_report(
    store: Store,
    known: Mapping[DestinationName, Destination],
    kind: ReportKind,
    now: int,
    school_year: str | None = None,
) -> Gathered:
    """Gather the facts of a report, which `keep` freezes.

    The week is that of the last seven whole days. A yearly report is about the school year before, unless another is
    named: before 15 December the new one has no cards.
    """
    year = school_year or (school_year_at(now) if kind is ReportKind.WEEKLY else year_before(school_year_at(now)))
    since = vietnam_day_start(now) - _WEEK_MS if kind is ReportKind.WEEKLY else year_span(year)[0]
    closes = {}
    for name, one in known.items():
        for level in Level:
            # How it stands when all is over: the last window of the year.
            closed = window_state(one.windows, level, year, NEVER).closes_at
            if closed is not None:
                closes[name, level] = closed
    with store.read() as connection:
        facts = reports.gather(
            connection, kind, year, {name: one.title.vi for name, one in known.items()}, closes, since=since, until=now
        )
    return Gathered(kind, year, since, now, facts)


def make_report(
    store: Store,
    known: Mapping[DestinationName, Destination],
    kind: ReportKind,
    now: int,
    *,
    made_by: str,
    school_year: str | None = None,
) -> int:
    """Gather and freeze a report; its id."""
    gathered = gather_report(store, known, kind, now, school_year)
    with store.write() as connection:
        return reports.keep(connection, gathered, made_by=made_by)


def document(report: Report, form: str) -> bytes:
    """A report as `docx` or `xlsx`: the same bytes whenever it is made by the same version of the hub."""
    from hocba_hub.monitoring.reports.docx import as_docx  # noqa: PLC0415 - loading what draws takes a second
    from hocba_hub.monitoring.reports.xlsx import as_xlsx  # noqa: PLC0415

    make: Mapping[str, Callable[[Report], bytes]] = {"docx": as_docx, "xlsx": as_xlsx}
    return make[form](report)
