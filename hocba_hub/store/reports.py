"""Reports: what they tell, gathered in one view of the store and frozen; their documents are made of it at any time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, distinct, false, func, insert, select

from hocba_hub.model.clock import DAY_MS, VIETNAM_MS, vietnam_day_number
from hocba_hub.model.delivery import DeliveryState
from hocba_hub.model.keys import DestinationName
from hocba_hub.model.windows import Level, level_of
from hocba_hub.store.board import OF_NEWEST, count, totals_of
from hocba_hub.store.bodies import pack, unpack
from hocba_hub.store.jobs import RunState
from hocba_hub.store.tables import (
    deliveries,
    failure_counts,
    failure_groups,
    job_runs,
    open_findings,
    report_cards,
    reports,
)

EVERY_MINUTE = "audit-anchors"
"""A job that runs every minute: a minute in which it did counts as one in which the hub was there."""
_MINUTE_MS = 60_000
_MOST_INCIDENTS = 20
_p, _c, _d, _f, _g, _n, _r = (
    reports.c, report_cards.c, deliveries.c, open_findings.c, failure_groups.c, failure_counts.c, job_runs.c,
)  # fmt: skip

Closes = Mapping[tuple[DestinationName, Level], int]
"""Destination and level → when its last window closes, in milliseconds; nothing where there is no window."""


class ReportKind(StrEnum):
    """What a report is about."""

    WEEKLY = "weekly"
    """The progress of a week."""
    YEARLY = "yearly"
    """A school year, for the report to the province before 15 December."""


class Gathered(NamedTuple):
    """What a report will be; times in milliseconds."""

    kind: ReportKind
    school_year: str
    since: int
    until: int
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Report:
    """A report; times in milliseconds."""

    id: int
    kind: ReportKind
    school_year: str
    since: int
    until: int
    """When its facts were gathered."""
    made_by: str
    packed: bytes

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """What it tells; unpacked when it is asked for."""
        read: Mapping[str, Any] = orjson.loads(unpack(self.packed))
        return read


def gather(
    connection: Connection,
    kind: ReportKind,
    school_year: str,
    titles: Mapping[DestinationName, str],
    closes: Closes,
    *,
    since: int,
    until: int,
) -> dict[str, Any]:
    """The facts of a report: only numbers, codes and moments, nothing of a pupil. `titles` name the destinations."""
    cells = count(connection, school_year, sorted(titles))
    return {
        "destinations": {str(name): title for name, title in sorted(titles.items())},
        "institutions": _institutions(cells),
        "pupils": connection.execute(
            select(func.count(distinct(_c.pupil))).where(_c.school_year == school_year, _c.recalled == false())
        ).scalar_one(),
        "totals": totals_of(cells, sorted(titles)),
        "communes": _communes(cells, _problems(connection, school_year)),
        "on_time": _on_time(connection, school_year, titles, closes),
        "incidents": _incidents(connection, since, until),
        "availability": _availability(connection, kind, since, until),
        "progress": _progress(connection, school_year),
    }


def _institutions(cells: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """By level: schools of which cards are expected or there, and those that have sent some."""
    known: dict[str, set[str]] = {}
    sending: dict[str, set[str]] = {}
    for cell in cells:
        known.setdefault(cell["level"], set()).add(cell["school_code"])
        if cell["accepted"]:
            sending.setdefault(cell["level"], set()).add(cell["school_code"])
    return {
        str(level): {"known": len(schools), "sending": len(sending.get(level, ()))} for level, schools in known.items()
    }


def _problems(connection: Connection, school_year: str) -> Counter[str]:
    """Cards with something to mend, by school."""
    query = select(_f.school_code, func.count(distinct(_f.card_id)).label("cards")).where(_f.school_year == school_year)
    return Counter({row.school_code: row.cards for row in connection.execute(query.group_by(_f.school_code))})


def _communes(cells: Sequence[Mapping[str, Any]], problems: Mapping[str, int]) -> list[dict[str, Any]]:
    """The counts of each commune; of verdicts those of the destination that is furthest behind."""
    by_commune: dict[str, dict[str, Any]] = {}
    schools: dict[str, set[str]] = {}
    for cell in cells:
        one = by_commune.setdefault(cell["commune_code"], {"commune": cell["commune_code"], "destinations": {}})
        schools.setdefault(cell["commune_code"], set()).add(cell["school_code"])
        of_it = one["destinations"].setdefault(cell["destination"], Counter())
        for name in ("expected", "accepted", "acknowledged", "refused", "waiting", "missing"):
            of_it[name] += cell[name]
    for commune, one in by_commune.items():
        one["schools"] = len(schools[commune])
        one["problems"] = sum(problems.get(school, 0) for school in schools[commune])
    return [by_commune[commune] for commune in sorted(by_commune)]


def _on_time(
    connection: Connection, school_year: str, titles: Iterable[DestinationName], closes: Closes
) -> dict[str, dict[str, dict[str, int]]]:
    """Destination → level → acknowledged cards, and how many of them by the day on which the last window closed."""
    day = ((_d.settled_at + VIETNAM_MS) // DAY_MS).label("day")
    place = (_d.destination, _c.circular, _c.grade, day)
    query = (
        select(*place, func.count().label("cards"))
        .join_from(report_cards, deliveries, OF_NEWEST)
        .where(_c.school_year == school_year, _c.recalled == false(), _d.state == DeliveryState.ACKNOWLEDGED)
        .group_by(*place)
    )
    found: dict[str, dict[str, dict[str, int]]] = {str(name): {} for name in titles}
    for row in connection.execute(query):
        level = level_of(row.circular, row.grade)
        closed = closes.get((DestinationName(row.destination), level))
        if row.destination not in found or closed is None or row.day is None:
            continue
        of_level = found[row.destination].setdefault(level, {"acknowledged": 0, "in_time": 0})
        of_level["acknowledged"] += row.cards
        of_level["in_time"] += row.cards if row.day < vietnam_day_number(closed) else 0
    return found


def _incidents(connection: Connection, since: int, until: int) -> list[dict[str, Any]]:
    """The causes that failed most in a span of time."""
    times = func.sum(_n.times).label("times_then")
    query = (
        select(_g.id, _g.destination, _g.stage, _g.code, _g.state, _g.first_at, _g.last_at, times)
        .join_from(failure_counts, failure_groups, _g.id == _n.group_id)
        .where(_n.hour_at >= since, _n.hour_at < until)
        .group_by(_g.id)
        .order_by(times.desc(), _g.id)
        .limit(_MOST_INCIDENTS)
    )
    return [
        {
            "group": row.id, "destination": row.destination, "stage": row.stage, "code": row.code, "state": row.state,
            "first_at": row.first_at, "last_at": row.last_at, "times": int(row.times_then),
        }
        for row in connection.execute(query)
    ]  # fmt: skip


def _availability(connection: Connection, kind: ReportKind, since: int, until: int) -> dict[str, int]:
    """Minutes of the span, and those in which the hub did its minutely work; of a year, by its weekly reports."""
    if kind is ReportKind.YEARLY:
        of_weeks = [one.facts["availability"] for one in listed(connection, ReportKind.WEEKLY) if one.until > since]
        return {name: sum(one[name] for one in of_weeks) for name in ("minutes", "up")}
    minute = _r.started_at // _MINUTE_MS
    ran = select(func.count(distinct(minute)), func.min(_r.started_at)).where(
        _r.kind == EVERY_MINUTE, _r.state == RunState.DONE, _r.started_at >= since, _r.started_at < until
    )
    up, first = connection.execute(ran).one()
    began = since if first is None or first - since < DAY_MS else first  # a hub that was set up in this week
    minutes = max(0, until - began) // _MINUTE_MS
    return {"minutes": minutes, "up": min(int(up), minutes)}


def _progress(connection: Connection, school_year: str) -> list[dict[str, Any]]:
    """What the weekly reports of this school year told, the oldest first."""
    found: list[dict[str, Any]] = []
    for one in reversed(listed(connection, ReportKind.WEEKLY, limit=60)):
        if one.school_year == school_year:
            acknowledged = {
                name: sum(counts["acknowledged"] for counts in levels.values())
                for name, levels in one.facts["totals"].items()
            }
            found.append({"until": one.until, "acknowledged": acknowledged})
    return found


def keep(connection: Connection, gathered: Gathered, *, made_by: str) -> int:
    """Freeze the facts of a report; its id."""
    packed = pack(orjson.dumps(gathered.facts, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS))
    values = {**gathered._asdict(), "facts": packed, "made_by": made_by}
    made = insert(reports).values(values).returning(_p.id)
    return int(connection.execute(made).scalar_one())


def find(connection: Connection, report_id: int) -> Report | None:
    """A report; None if there is none of this id."""
    row = connection.execute(select(reports).where(_p.id == report_id)).one_or_none()
    return None if row is None else _report(row)


def listed(connection: Connection, kind: ReportKind | None = None, *, limit: int = 120) -> list[Report]:
    """The newest reports first."""
    query = select(reports).order_by(_p.id.desc()).limit(limit)
    if kind is not None:
        query = query.where(_p.kind == kind)
    return [_report(row) for row in connection.execute(query)]


def _report(row: Any) -> Report:  # noqa: ANN401 - a row of the table
    return Report(row.id, ReportKind(row.kind), row.school_year, row.since, row.until, row.made_by, row.facts)
