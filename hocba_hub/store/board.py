"""The deadline board: counted in one view of the store, kept as a snapshot, and read from there.

A snapshot is a row for each class and destination; what is expected of a grade as a whole is a row without a class. So
every figure of the board is a sum of rows, in whatever way they are put together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Integer, cast, delete, false, func, insert, select, update

from hocba_hub.model.deadlines import ExpectedBy, Unit, expected_of, missing_of
from hocba_hub.model.delivery import FINAL, DeliveryState
from hocba_hub.model.keys import DestinationName
from hocba_hub.model.windows import Level, level_of, year_before
from hocba_hub.store.bulk import insert_rows
from hocba_hub.store.counters import sums
from hocba_hub.store.engine import Store, one_of
from hocba_hub.store.expected import said
from hocba_hub.store.tables import board_cells, board_snapshots, deliveries, report_cards

COUNTS = ("expected", "accepted", "acknowledged", "refused", "waiting", "missing", "recalled")
"""What is counted of a class; `waiting` are accepted cards whose delivery has not ended."""
PLACES: Mapping[str, tuple[str, ...]] = {
    "level": (),
    "commune": ("commune_code",),
    "school": ("commune_code", "school_code"),
    "grade": ("commune_code", "school_code", "grade"),
    "class": ("commune_code", "school_code", "grade", "class_code"),
}
"""By what the board counts, besides destination and level, and the columns of it."""
_ROWS_AT_ONCE = 5_000
_RATE_OVER_MS, _RATE_AT_LEAST_MS = 3_600_000, 60_000
_c, _d, _s, _b = report_cards.c, deliveries.c, board_snapshots.c, board_cells.c
OF_NEWEST = (_d.school_year == _c.school_year) & (_d.card_id == _c.card_id) & (_d.version == _c.version)
"""Joins cards with the deliveries of their newest versions."""
_VERDICT = (DeliveryState.ACKNOWLEDGED, DeliveryState.REFUSED)


class _Class(NamedTuple):
    unit: Unit
    class_code: str


@dataclass(slots=True)
class _Found:
    """What there is of a class."""

    commune_code: str = ""
    accepted: int = 0
    recalled: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The board at one moment."""

    id: int
    school_year: str
    as_of: int
    """Milliseconds."""
    totals: Mapping[str, Mapping[str, Mapping[str, int]]]
    """Destination → level → counts."""


class Figures(NamedTuple):
    """Counts of one place."""

    destination: str
    level: str
    commune_code: str | None
    school_code: str | None
    grade: int | None
    class_code: str | None
    counts: Mapping[str, int]


def take_snapshot(store: Store, school_year: str, destinations: Sequence[DestinationName], now: int) -> int:
    """Count a school year and keep it; the snapshot's id.

    It is read in one view, and shown once all of it is written. The one before stays until then; of older ones only
    what the rate of deliveries is measured by.
    """
    with store.read() as connection:
        counted = sums(connection).get("ended", {})
        cells = count(connection, school_year, destinations)
    ended = {name: sum(counted.get((name, state), 0) for state in _VERDICT) for name in destinations}
    values = {
        "school_year": school_year, "as_of": now, "is_whole": False, "has_cells": True, "ended": ended,
        "totals": totals_of(cells, destinations),
    }  # fmt: skip
    with store.write() as connection:
        made = connection.execute(insert(board_snapshots).values(values).returning(_s.id)).scalar_one()
    for start in range(0, len(cells), _ROWS_AT_ONCE):
        with store.write() as connection:
            rows = [{"snapshot_id": made, **cell} for cell in cells[start : start + _ROWS_AT_ONCE]]
            insert_rows(connection, board_cells, rows)
    with store.write() as connection:
        connection.execute(update(board_snapshots).where(_s.id == made).values(is_whole=True))
        old = select(_s.id).where(_s.school_year == school_year, _s.id < made, _s.has_cells)
        stale = list(connection.execute(old).scalars())
        for one in stale:
            connection.execute(delete(board_cells).where(_b.snapshot_id == one))
        connection.execute(update(board_snapshots).where(one_of(connection, _s.id, stale)).values(has_cells=False))
        connection.execute(delete(board_snapshots).where(_s.as_of < now - 24 * _RATE_OVER_MS, _s.has_cells == false()))
    return int(made)


def count(connection: Connection, school_year: str, destinations: Sequence[DestinationName]) -> list[dict[str, Any]]:
    """The cells of a school year: for each destination and class its place and `COUNTS`."""
    place = (_c.school_code, _c.circular, _c.grade, _c.class_code)
    found: dict[_Class, _Found] = {}
    cards = select(*place, func.max(_c.commune_code).label("commune"), _c.recalled, func.count().label("cards"))
    for row in connection.execute(cards.where(_c.school_year == school_year).group_by(*place, _c.recalled)):
        one = found.setdefault(_class_of(row), _Found())
        one.commune_code = one.commune_code or row.commune
        if row.recalled:
            one.recalled += row.cards
        else:
            one.accepted += row.cards
    states: dict[tuple[str, _Class], dict[str, int]] = {}
    moved = select(*place, _d.destination, _d.state, func.count().label("cards")).join_from(
        report_cards, deliveries, OF_NEWEST
    )
    moved = moved.where(_c.school_year == school_year, _c.recalled == false())
    for row in connection.execute(moved.group_by(*place, _d.destination, _d.state)):
        of_class = states.setdefault((row.destination, _class_of(row)), {})
        of_class[row.state] = of_class.get(row.state, 0) + row.cards
    expected = _expected(connection, school_year, found)
    communes = _communes(connection, found, expected)
    return [
        _cell(name, one, found.get(one, _Found()), states.get((name, one), {}), expected.get(one), communes)
        for name in destinations
        for one in sorted(found.keys() | expected.keys())
    ]


class _Expects(NamedTuple):
    pupils: int
    missing: int
    by: ExpectedBy


def _expected(connection: Connection, school_year: str, found: Mapping[_Class, _Found]) -> dict[_Class, _Expects]:
    """What is expected and missing, of classes and, under the empty class, of grades."""
    told = said(connection, school_year)
    rosters, statements = told[ExpectedBy.ROSTER], told[ExpectedBy.STATEMENT]
    last_year = _last_year(connection, school_year)
    accepted: dict[Unit, dict[str, int]] = {}
    for one, there in found.items():
        accepted.setdefault(one.unit, {})[one.class_code] = there.accepted
    made: dict[_Class, _Expects] = {}
    for unit in sorted(rosters.keys() | statements.keys() | last_year.keys()):
        expected = expected_of(rosters.get(unit), last_year.get(unit, 0), statements.get(unit))
        if expected is None:
            continue
        missing = missing_of(expected.classes, accepted.get(unit, {}))
        for class_code, pupils in expected.classes.items():
            made[_Class(unit, class_code)] = _Expects(pupils, missing[class_code], expected.by)
    return made


def _last_year(connection: Connection, school_year: str) -> dict[Unit, int]:
    """How many cards each grade had the year before."""
    place = (_c.school_code, _c.circular, _c.grade)
    query = select(*place, func.count().label("cards")).where(
        _c.school_year == year_before(school_year), _c.recalled == false()
    )
    found: dict[Unit, int] = {}
    for row in connection.execute(query.group_by(*place)):
        unit = Unit(row.school_code, level_of(row.circular, row.grade), row.grade)
        found[unit] = found.get(unit, 0) + row.cards
    return found


def _communes(connection: Connection, found: Mapping[_Class, _Found], expected: Iterable[_Class]) -> dict[str, str]:
    """The commune of each school: by its cards, or by those of last year where it has none yet."""
    known = {one.unit.school_code: there.commune_code for one, there in found.items() if there.commune_code}
    unknown = sorted({one.unit.school_code for one in expected} - known.keys())
    if unknown:
        query = select(_c.school_code, func.max(_c.commune_code).label("commune"))
        query = query.where(one_of(connection, _c.school_code, unknown)).group_by(_c.school_code)
        known |= {row.school_code: row.commune for row in connection.execute(query)}
    return known


def _cell(  # noqa: PLR0917 - what it is made of
    destination: str, one: _Class, there: _Found, states: Mapping[str, int], expects: _Expects | None,
    communes: Mapping[str, str],
) -> dict[str, Any]:  # fmt: skip
    ended = sum(states.get(state, 0) for state in FINAL)
    return {
        "destination": destination,
        "level": one.unit.level,
        "commune_code": communes.get(one.unit.school_code, ""),
        "school_code": one.unit.school_code,
        "grade": one.unit.grade,
        "class_code": one.class_code,
        "expected": expects.pupils if expects else 0,
        "expected_by": expects.by if expects else "",
        "accepted": there.accepted,
        "acknowledged": states.get(DeliveryState.ACKNOWLEDGED, 0),
        "refused": states.get(DeliveryState.REFUSED, 0),
        "waiting": sum(states.values()) - ended,
        "missing": expects.missing if expects else 0,
        "recalled": there.recalled,
    }


def _class_of(row: Any) -> _Class:  # noqa: ANN401 - a row of several columns
    return _Class(Unit(row.school_code, level_of(row.circular, row.grade), row.grade), row.class_code)


def totals_of(
    cells: Sequence[Mapping[str, Any]], destinations: Sequence[DestinationName]
) -> dict[str, dict[str, dict[str, int]]]:
    """The sums of cells: destination → level → counts."""
    totals = {name: {str(level): dict.fromkeys(COUNTS, 0) for level in Level} for name in destinations}
    for cell in cells:
        of_level = totals[cell["destination"]][cell["level"]]
        for count in COUNTS:
            of_level[count] += cell[count]
    return {str(name): of_name for name, of_name in totals.items()}


def newest_snapshot(connection: Connection, school_year: str | None = None) -> Snapshot | None:
    """The newest whole snapshot, of a school year if one is given; None if there is none."""
    query = select(board_snapshots).where(_s.is_whole, _s.has_cells)
    if school_year is not None:
        query = query.where(_s.school_year == school_year)
    row = connection.execute(query.order_by(_s.id.desc()).limit(1)).one_or_none()
    return None if row is None else Snapshot(row.id, row.school_year, row.as_of, row.totals)


def counted_years(connection: Connection) -> list[str]:
    """The school years of which there is a board, the newest first."""
    query = select(_s.school_year).where(_s.is_whole, _s.has_cells).distinct()
    return sorted(connection.execute(query).scalars(), reverse=True)


def figures(
    connection: Connection,
    snapshot: Snapshot,
    *,
    by: str,
    destination: str | None = None,
    level: Level | None = None,
    commune: str | None = None,
    school: str | None = None,
    schools: Iterable[str] | None = None,
) -> list[Figures]:
    """The counts of a snapshot by destination, level and a place of `PLACES`; only of what is given.

    `schools` are those that may be seen; None for all.
    """
    columns = (_b.destination, _b.level, *(_b[name] for name in PLACES[by]))
    query = select(*columns, *(cast(func.sum(_b[name]), Integer).label(name) for name in COUNTS))
    query = query.where(_b.snapshot_id == snapshot.id, *_given(destination, level, commune, school))
    if schools is not None:
        query = query.where(one_of(connection, _b.school_code, sorted(schools)))
    found = []
    for row in connection.execute(query.group_by(*columns).order_by(*columns)):
        place, counts = row[2 : -len(COUNTS)], row[-len(COUNTS) :]
        padded = (*place, *(None,) * (len(PLACES["class"]) - len(place)))
        found.append(Figures._make((row[0], row[1], *padded, dict(zip(COUNTS, counts, strict=True)))))
    return found


def _given(
    destination: str | None, level: Level | None, commune: str | None, school: str | None
) -> list[ColumnElement[bool]]:
    given = {_b.destination: destination, _b.level: level, _b.commune_code: commune, _b.school_code: school}
    return [column == value for column, value in given.items() if value is not None]


def measured_rates(connection: Connection, now: int) -> dict[str, float]:
    """Deliveries a second that got a verdict over the last hour, by destination; by the snapshots of that time.

    Nothing of a destination about which they do not say enough.
    """
    query = select(_s.as_of, _s.ended).where(_s.as_of >= now - _RATE_OVER_MS).order_by(_s.id).limit(1)
    first = connection.execute(query).one_or_none()
    if first is None or now - first.as_of < _RATE_AT_LEAST_MS:
        return {}
    counted = sums(connection).get("ended", {})
    seconds = (now - first.as_of) / 1000
    return {
        name: max(0.0, sum(counted.get((name, state), 0) for state in _VERDICT) - before) / seconds
        for name, before in first.ended.items()
    }
