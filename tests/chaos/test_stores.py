"""Stores that are restarted, or whose disks are full, under load."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select

from hocba_hub.sandbox.vendor import wait_until
from hocba_hub.store.tables import attempts, deliveries
from tests.support.long_form import LONG
from tests.support.pushing import CARDS, Pushing, cards
from tests.support.rig import Rig
from tests.support.servers import PostgresServer

QUICK_LEASES = {"HOCBA_LEASE_SECONDS": "1.5"}
FULL_DISK = (
    "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = '53100'; END $$"
)
"""PostgreSQL's own code for a full disk: its servers' disks are not ours to fill."""
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
    def run(rig: Rig, *statements: str) -> None:
        with rig.store() as store, store.write() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def fill(rig: Rig) -> None:
        run(
            rig,
            FULL_DISK,
            "CREATE TRIGGER full_disk BEFORE INSERT ON versions EXECUTE FUNCTION full_disk()",
        )

    url = durable_postgres.create_database(f"chaos_{uuid4().hex}")
    full_disk(Rig(tmp_path, url), fill, lambda rig: run(rig, "DROP TRIGGER full_disk ON versions"))


def test_a_disk_that_fills_while_deliveries_are_settled_under_sqlite(tmp_path: Path, small_disk: Path):
    ballast = small_disk / "ballast"
    hub = Rig(tmp_path / "hub", f"sqlite:///{small_disk / 'hub.db'}", environment=QUICK_LEASES)
    with hub as rig, rig.store() as store, store.read() as reader:

        def fill() -> None:
            # Whoever reads keeps what is written in the log from being used again, so that each commit takes room.
            reader.execute(select(attempts.c.id).limit(1)).all()
            with suppress(OSError), ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(512))

        def free() -> None:
            reader.rollback()
            ballast.unlink()

        full_while_settling(rig, fill, free)


def test_a_disk_that_fills_while_deliveries_are_settled_under_postgresql(
    tmp_path: Path, durable_postgres: PostgresServer
):
    url = durable_postgres.create_database(f"chaos_{uuid4().hex}")
    with Rig(tmp_path, url, environment=QUICK_LEASES) as rig, rig.store() as store:

        def run(*statements: str) -> None:
            with store.write() as connection:
                for statement in statements:
                    connection.exec_driver_sql(statement)

        def fill() -> None:
            run(
                FULL_DISK,
                "CREATE TRIGGER full_disk BEFORE UPDATE ON deliveries FOR EACH ROW "
                "WHEN (OLD.lease_id IS NOT NULL AND NEW.lease_id IS NULL) EXECUTE FUNCTION full_disk()",
            )

        full_while_settling(rig, fill, lambda: run("DROP TRIGGER full_disk ON deliveries"))


def full_while_settling(rig: Rig, fill: Callable[[], None], free: Callable[[], None]) -> None:
    """The destinations hold what the hub cannot write down, until long after its leases are over."""
    rig.set_faults({"seed": 1, "faults": [{"name": "slow-answer", "seconds": 1}]})
    vendor = rig.vendor()
    vendor.push(cards(300))

    def counts() -> tuple[int, int]:
        """Records that the province holds, and deliveries to it that are acknowledged."""
        with rig.store() as store, store.read() as connection:
            d = deliveries.c
            known = select(func.count()).where(d.destination == "province", d.state == "acknowledged")
            return (
                httpx.get(f"{rig.ledgers['province']}/ledger").json()["records_held"],
                connection.execute(known).scalar_one(),
            )

    assert wait_until(lambda: bool(rig.calls_under_way()), 30, every=0.02), "nothing is sent"
    fill()
    time.sleep(4 * float(QUICK_LEASES["HOCBA_LEASE_SECONDS"]))
    held, known = counts()
    assert held > known, "what was sent was settled all the same, so that nothing is shown"
    time.sleep(1)
    assert counts()[1] == known, "a full disk took a verdict"
    free()
    rig.check(vendor.answers.accepted, seconds=120)
    assert len(vendor.answers.accepted) == 300


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
