"""Transactions that stand still on PostgreSQL: nobody waits for them longer than the store allows."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import insert, select

from hocba_hub.store.counters import Counters, sums
from hocba_hub.store.engine import Store, StoreAwayError
from hocba_hub.store.schema import upgrade
from hocba_hub.store.tables import destinations
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


def test_also_one_that_stands_still_when_it_has_counted(databases: Databases):
    """What it does last before its commit, and so where a suspended process most likely stands."""
    with databases.lent() as url:
        first, second = Store(url, idle_seconds=0.3), Store(url)
        upgrade(second)

        def stand_still() -> None:
            with first.write() as slow:
                slow.execute(insert(destinations).values(name="ministry"))
                counters = Counters()
                for state in ("queued", "leased"):
                    counters.add("depth", "ministry", state)
                counters.write(slow)
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
