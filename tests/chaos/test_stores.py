"""Stores that are restarted, or whose disks are full, under load."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from hocba_hub.sandbox.vendor import wait_until
from tests.support.pushing import CARDS, LONG, Pushing
from tests.support.rig import Rig
from tests.support.servers import PostgresServer

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900 if LONG else 240)]


def test_postgresql_restarted_and_its_backends_terminated(tmp_path: Path, durable_postgres: PostgresServer):
    import psycopg

    url = durable_postgres.create_database(f"chaos_{uuid4().hex}")
    with Rig(tmp_path, url) as rig:
        with Pushing(rig, CARDS) as pushing:
            for how in (signal.SIGINT, signal.SIGQUIT, None, None, None) if LONG else (signal.SIGQUIT, None):
                time.sleep(0.8)
                if how is not None:
                    durable_postgres.restart(how)
                    continue
                with psycopg.connect(durable_postgres.url, autocommit=True) as admin:
                    admin.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                    )
        rig.check(pushing.accepted, seconds=120)


def test_a_full_disk_under_sqlite_stops_accepting_and_loses_nothing(tmp_path: Path, small_disk: Path):
    ballast = small_disk / "ballast"

    def fill(rig: Rig) -> None:
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    full_disk(Rig(tmp_path / "hub", f"sqlite:///{small_disk / 'hub.db'}"), fill, lambda _: ballast.unlink())


def test_a_full_disk_under_postgresql_stops_accepting_and_loses_nothing(
    tmp_path: Path, durable_postgres: PostgresServer
):
    """PostgreSQL's own code for a full disk, raised by a trigger: its servers' disks are not ours to fill."""

    def run(rig: Rig, *statements: str) -> None:
        with rig.store() as store, store.write() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def fill(rig: Rig) -> None:
        run(
            rig,
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = '53100'; END $$",
            "CREATE TRIGGER full_disk BEFORE INSERT ON versions EXECUTE FUNCTION full_disk()",
        )

    url = durable_postgres.create_database(f"chaos_{uuid4().hex}")
    full_disk(Rig(tmp_path, url), fill, lambda rig: run(rig, "DROP TRIGGER full_disk ON versions"))


def full_disk(
    hub: Rig, fill: Callable[[Rig], None], free: Callable[[Rig], None], count: int = 1_500 if LONG else 400
) -> None:
    """`count` cards fit on the small disk."""
    with hub as rig:
        with Pushing(rig, count) as pushing:
            assert wait_until(lambda: bool(pushing.accepted), 30)
            fill(rig)
            assert wait_until(lambda: pushing.resent > 2, 30), "nobody was asked to wait"
            answered = len(pushing.accepted)
            time.sleep(1)
            assert len(pushing.accepted) == answered, "cards were accepted on a full disk"
            free(rig)
        assert len(pushing.accepted) == count
        rig.check(pushing.accepted)
