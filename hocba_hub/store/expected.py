"""How many cards are expected: rosters of the department, and what schools state themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, and_, delete, or_, select

from hocba_hub.model.deadlines import Classes, ExpectedBy, ExpectedClass, Unit
from hocba_hub.model.windows import Level
from hocba_hub.store import audit
from hocba_hub.store.bulk import insert_rows
from hocba_hub.store.tables import expected_cards

_e = expected_cards.c
_GRADES_AT_ONCE = 200
_MOST_TOLD = 100


def say(
    connection: Connection, school_year: str, said_by: ExpectedBy, classes: Sequence[ExpectedClass], *, actor: str,
    now: int,
) -> int:  # fmt: skip
    """Replace what this source says of each grade that is named, with all its classes; how many grades there are.

    Who says it is in the audit trail.
    """
    units = sorted({Unit(one.school_code, one.level, one.grade) for one in classes})
    for start in range(0, len(units), _GRADES_AT_ONCE):
        of_units = or_(
            *(
                and_(_e.school_code == unit.school_code, _e.level == unit.level, _e.grade == unit.grade)
                for unit in units[start : start + _GRADES_AT_ONCE]
            )
        )
        connection.execute(delete(expected_cards).where(_e.school_year == school_year, _e.said_by == said_by, of_units))
    latest = {(one.school_code, one.level, one.grade, one.class_code): one for one in classes}
    insert_rows(
        connection,
        expected_cards,
        [
            {
                "school_year": school_year, **one._asdict(), "said_by": said_by, "said_at": now, "actor": actor,
            }
            for one in latest.values()
        ],
    )  # fmt: skip
    schools = sorted({unit.school_code for unit in units})
    detail = {
        "school_year": school_year, "schools": schools[:_MOST_TOLD], "more_schools": max(0, len(schools) - _MOST_TOLD),
        "grades": len(units), "classes": len(latest), "pupils": sum(one.pupils for one in latest.values()),
    }  # fmt: skip
    audit.write(connection, at=now, actor=actor, action="expect-cards", reason=said_by, detail=detail)
    return len(units)


def said(connection: Connection, school_year: str) -> dict[ExpectedBy, Mapping[Unit, Classes]]:
    """What is said of a school year, by source."""
    found: dict[ExpectedBy, dict[Unit, dict[str, int]]] = {ExpectedBy.ROSTER: {}, ExpectedBy.STATEMENT: {}}
    for row in connection.execute(select(expected_cards).where(_e.school_year == school_year)):
        unit = Unit(row.school_code, Level(row.level), row.grade)
        found[ExpectedBy(row.said_by)].setdefault(unit, {})[row.class_code] = row.pupils
    return dict(found)
