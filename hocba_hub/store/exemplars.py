"""Exemplars: for each bucket of a histogram the trace of a call that fell into it lately.

Source: OpenMetrics 1.0, "Exemplars".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, select

from hocba_hub.store.bulk import upsert
from hocba_hub.store.tables import exemplars

Place = tuple[str, str]
"""Name of the histogram, and its label values with the bucket last, joined by spaces as in the counters."""


class Exemplar(NamedTuple):
    """One call."""

    value: float
    """What was measured of it."""
    trace_id: str
    """32 hex digits."""
    at: int
    """Milliseconds."""


def note(connection: Connection, found: Mapping[Place, Exemplar]) -> None:
    """Put these in the place of those before."""
    if not found:
        return
    rows = [{"name": name, "labels": labels, **one._asdict()} for (name, labels), one in sorted(found.items())]
    statement = upsert(connection, exemplars).values(rows)
    newer = {name: statement.excluded[name] for name in Exemplar._fields}
    connection.execute(statement.on_conflict_do_update(index_elements=["name", "labels"], set_=newer))


def newest(connection: Connection) -> dict[Place, Exemplar]:
    """All of them."""
    return {
        (row.name, row.labels): Exemplar(row.value, row.trace_id, row.at)
        for row in connection.execute(select(exemplars))
    }
