"""Where deliveries come from: the trace of the call that brought the version, and the replay that sends it again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from hocba_hub.model.keys import CardKey, DestinationName
from hocba_hub.store.engine import one_of, one_of_cards
from hocba_hub.store.tables import deliveries, replay_items, submissions, versions

_d, _v, _s, _i = deliveries.c, versions.c, submissions.c, replay_items.c


class Origin(NamedTuple):
    """Of one delivery."""

    trace_parent: str | None
    """W3C Trace Context of the call that brought the version; None where nobody kept one."""
    replay_id: int | None
    """The replay that sends it again now."""


def origins(connection: Connection, ids: Sequence[int]) -> dict[int, Origin]:
    """The origins of deliveries, by id."""
    query = (
        select(_d.id, _s.trace_parent, _i.replay_id)
        .join_from(
            deliveries,
            versions,
            (_v.school_year == _d.school_year) & (_v.card_id == _d.card_id) & (_v.version == _d.version),
        )
        .join(submissions, _s.id == _v.submission_id, isouter=True)
        .join(
            replay_items,
            (_i.delivery_id == _d.id) & _i.outcome.is_(None) & _i.released_at.is_not(None),
            isouter=True,
        )
        .where(one_of(connection, _d.id, ids))
    )
    return {row.id: Origin(row.trace_parent, row.replay_id) for row in connection.execute(query)}


def ids_of(
    connection: Connection, destination: DestinationName, versions_of: Sequence[tuple[CardKey, int]]
) -> dict[tuple[CardKey, int], int]:
    """The deliveries of some versions to a destination, by id."""
    cards = sorted({key for key, _ in versions_of})
    query = select(_d.id, _d.school_year, _d.card_id, _d.version).where(
        one_of_cards(connection, _d.school_year, _d.card_id, cards), _d.destination == destination
    )
    asked = set(versions_of)
    found = {}
    for row in connection.execute(query):
        place = (CardKey(row.school_year, row.card_id), row.version)
        if place in asked:
            found[place] = row.id
    return found
