"""Transactions that stand still on PostgreSQL: nobody waits for them longer than the store allows."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, insert, select

from hocba_hub.store.bulk import upsert
from hocba_hub.store.counters import Counters, sums
from hocba_hub.store.engine import Store, StoreAwayError
from hocba_hub.store.schema import upgrade
from hocba_hub.store.tables import destinations, tallies
from tests.support.databases import Databases


def test_a_transaction_that_stands_still_gives_its_locks_to_others_and_writes_nothing(databases: Databases):
    with databases.lent() as url:
        first, second = Store(url, idle_seconds=0.3), Store(url)
        upgrade(second)
        with second.write() as connection:
            connection.execute(insert(destinations).values(name="province"))

        def stand_still() -> None:
            wanted = select(destinations.c.name).with_for_update()
            with first.write() as slow:
                slow.execute(insert(destinations).values(name="ministry"))
                slow.execute(wanted)
                with second.write() as connection:
                    connection.execute(wanted)
                time.sleep(0.1)

        with pytest.raises(StoreAwayError):
            stand_still()
        with first.read() as connection:
            assert connection.execute(select(destinations.c.name)).scalars().all() == ["province"]
        first.close()
        second.close()


def _count(connection: Connection) -> None:
    """What is done last before a commit, and so where a suspended process most likely stands."""
    counters = Counters()
    for state in ("queued", "leased"):
        counters.add("depth", "ministry", state)
    counters.write(connection)


def _write_rows(connection: Connection) -> None:
    """Several rows of one statement, which psycopg sends in its pipeline."""
    rows = [{"name": name, "labels": "", "shard": 0, "value": 1.0} for name in ("one", "two")]
    connection.execute(upsert(connection, tallies).on_conflict_do_nothing(), rows)


@pytest.mark.parametrize("last", [_count, _write_rows])
def test_also_one_that_stands_still_behind_several_rows(databases: Databases, last: Callable[[Connection], None]):
    with databases.lent() as url:
        first, second = Store(url, idle_seconds=0.3), Store(url)
        upgrade(second)

        def stand_still() -> None:
            with first.write() as slow:
                slow.execute(insert(destinations).values(name="ministry"))
                last(slow)
                with second.write() as connection:  # waits for the same key
                    connection.execute(insert(destinations).values(name="ministry"))
                time.sleep(0.1)

        with pytest.raises(StoreAwayError):
            stand_still()
        with first.read() as connection:
            assert connection.execute(select(destinations.c.name)).scalars().all() == ["ministry"]
            assert sums(connection) == {}
        first.close()
        second.close()
