"""Records that were read again after they had been rejected, each joined to what became of it the last time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, and_, or_, select, update

from hocba_hub.store.bodies import unpack
from hocba_hub.store.tables import records

_r = records.c


class Place(NamedTuple):
    """A record's place: its submission, and its position there."""

    submission_id: str
    position: int


class ReadAgain(NamedTuple):
    """What became of a record when it was last read again."""

    submission_id: str
    position: int
    status: str
    version: int | None
    findings: Sequence[Mapping[str, Any]]


def note(connection: Connection, again: Mapping[Place, Place]) -> None:
    """Say where each record was read again; one that had been read again before is shown as the newest says."""
    for before, after in again.items():
        is_it = and_(_r.submission_id == before.submission_id, _r.position == before.position)
        led_there = and_(_r.again_id == before.submission_id, _r.again_position == before.position)
        newest = {"again_id": after.submission_id, "again_position": after.position}
        connection.execute(update(records).where(or_(is_it, led_there)).values(newest))


def newest(connection: Connection, submission_id: str, first: int, last: int) -> dict[int, ReadAgain]:
    """What became of the records of a submission, from one position to another, that were read again; by position."""
    after = records.alias()
    a = after.c
    found = connection.execute(
        select(_r.position, a.submission_id, a.position, a.status, a.version, a.findings)
        .join_from(records, after, and_(a.submission_id == _r.again_id, a.position == _r.again_position))
        .where(_r.submission_id == submission_id, _r.position.between(first, last), _r.again_id.is_not(None))
    )
    return {
        row[0]: ReadAgain(row[1], row[2], row[3], row[4], orjson.loads(unpack(row[5])) if row[5] is not None else ())
        for row in found
    }
