"""Counters that are written in the same transaction as what they count, so that they are exact across processes.

One table of sums holds them all. Each thread writes to a shard of its own, so that writers do not wait for each other;
a reader adds the shards up. Depth by state is kept the same way: minus one where a delivery leaves, plus one where
it arrives.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, func, select

from hocba_hub.model.delivery import FINAL
from hocba_hub.store.bulk import insert_rows
from hocba_hub.store.tables import tallies

_SHARDS = 32

ATTEMPT_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Upper bounds of the attempt duration histogram, seconds."""

AGE_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 21600, 86400, 259200)
"""Upper bounds of the accepted → acknowledged age histogram, seconds."""

CALL_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Upper bounds of the histogram of the API's answers, seconds."""

COMMIT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
"""Upper bounds of the histogram of commits, seconds."""


class Counters:
    """What one transaction adds to the counters."""

    def __init__(self) -> None:
        self._sums: Counter[tuple[str, str]] = Counter()

    def add(self, name: str, *labels: str, amount: float = 1) -> None:
        """Add to the counter `name` with these label values; values hold no space."""
        self._sums[name, " ".join(labels)] += amount  # type: ignore[assignment]

    def move(self, destination: str, before: str | None, after: str, amount: int = 1) -> None:
        """Deliveries left the state `before` (None: they are new) for `after`; those that ended are counted as such."""
        if before is not None:
            self.add("depth", destination, before, amount=-amount)
        self.add("depth", destination, after, amount=amount)
        if after in FINAL and after != before:
            self.add("ended", destination, after, amount=amount)

    def observe(self, name: str, buckets: Sequence[float], labels: Sequence[str], values: Iterable[float]) -> None:
        """Add values to a histogram: its buckets (not cumulative), count and sum."""
        values = list(values)
        if not values:
            return
        for bucket, number in Counter(bucket_of(buckets, value) for value in values).items():
            self.add(f"{name}_bucket", *labels, bucket, amount=number)
        self.add(f"{name}_sum", *labels, amount=sum(values))

    def merge(self, other: Counters) -> None:
        """Add what another transaction was to add."""
        self._sums.update(other._sums)

    def write(self, connection: Connection) -> None:
        """Write the sums; rows are taken in one order, so that transactions cannot lock each other out."""
        shard = threading.get_native_id() % _SHARDS
        rows = [
            {"name": name, "labels": labels, "shard": shard, "value": float(value)}
            for (name, labels), value in sorted(self._sums.items())
            if value
        ]
        insert_rows(connection, tallies, rows, adding="value")


def bucket_of(buckets: Sequence[float], value: float) -> str:
    """The bucket that a value falls into, by its upper bound as Prometheus writes it."""
    place = bisect_left(buckets, value)
    return format(buckets[place], "g") if place < len(buckets) else "+Inf"


def sums(connection: Connection) -> dict[str, dict[tuple[str, ...], float]]:
    """Every counter: name → label values → sum over the shards."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for name, labels, value in connection.execute(
        select(tallies.c.name, tallies.c.labels, func.sum(tallies.c.value)).group_by(tallies.c.name, tallies.c.labels)
    ):
        found.setdefault(name, {})[tuple(labels.split(" ")) if labels else ()] = value
    return found


def backlogs(connection: Connection) -> dict[str, int]:
    """Deliveries that are not in a final state, by destination."""
    found: dict[str, int] = {}
    for (destination, state), number in sums(connection).get("depth", {}).items():
        if state not in FINAL:
            found[destination] = found.get(destination, 0) + int(number)
    return found


def backlog(connection: Connection) -> int:
    """The same, over all destinations."""
    return sum(backlogs(connection).values())
