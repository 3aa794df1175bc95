"""Kills and losses under load. The oracle is the simulators' ledgers: each accepted record there once, the newest."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self
from uuid import uuid4

import httpx
import pytest

from hocba_hub.sandbox.synthetic import generate, revise
from hocba_hub.sandbox.vendor import wait_until
from tests.rig import Rig
from tests.servers import PostgresServer

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900 if os.environ.get("HOCBA_CHAOS") == "long" else 240)]

LONG = os.environ.get("HOCBA_CHAOS") == "long"
KILLS = 120 if LONG else 10
"""For each engine; the long form makes more than 200 in all."""
CARDS = 6_000 if LONG else 600


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    if request.param == "sqlite":
        return None
    server: PostgresServer = request.getfixturevalue("durable_postgres")
    return server.create_database(f"chaos_{uuid4().hex}")


@pytest.fixture(scope="module")
def durable_postgres() -> Iterator[PostgresServer]:
    server = PostgresServer(fsync=True)
    server.start()
    yield server
    server.remove()


def cards(count: int, seed: int = 1) -> list[bytes]:
    return list(generate(count, seed, schools=12))


class Pushing:
    """Three vendors that push in the background: first all cards, then corrections of some of them."""

    def __init__(self, rig: Rig, count: int) -> None:
        self.stop = threading.Event()
        self.vendors = [rig.vendor(f"vendor-{n}", batch=25, stop=self.stop) for n in range(3)]
        whole = cards(count)
        self._threads = [
            threading.Thread(target=self._push, args=(vendor, whole[n::3])) for n, vendor in enumerate(self.vendors)
        ]

    def _push(self, vendor, part: list[bytes]) -> None:
        vendor.push(part)
        vendor.push([revise(card, 1) for card in part[::5]])

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        if failed is not None:
            self.stop.set()  # a test that fails shall not wait for what can no longer end
        for thread in self._threads:
            thread.join(600)
            assert not thread.is_alive()

    @property
    def resent(self) -> int:
        return sum(vendor.answers.resent for vendor in self.vendors)

    @property
    def accepted(self) -> dict[str, int]:
        return {key: version for vendor in self.vendors for key, version in vendor.answers.accepted.items()}


def test_random_kills_of_every_process_lose_and_double_nothing(tmp_path: Path, database_url: str | None):
    chance = random.Random(11)
    with Rig(tmp_path, database_url, faults="demo", apis=2) as rig:
        with Pushing(rig, CARDS) as pushing:
            while rig.kills < KILLS:
                time.sleep(chance.uniform(0.05, 0.5))
                rig.kill_one(chance)
        verdicts = rig.check(pushing.accepted, seconds=180)
        assert len(pushing.accepted) == CARDS
        assert verdicts["province"].held + verdicts["province"].refused == CARDS
        assert rig.kills >= KILLS


def test_redis_killed_and_started_empty(tmp_path: Path, database_url: str | None):
    with Rig(tmp_path, database_url) as rig:
        with Pushing(rig, CARDS) as pushing:
            for _ in range(3):
                time.sleep(0.7)
                rig.redis.kill()
                time.sleep(0.7)
                rig.redis.start()
        rig.check(pushing.accepted)


def test_without_redis_the_store_is_polled(tmp_path: Path):
    with Rig(tmp_path) as rig:
        rig.redis.kill()
        with Pushing(rig, 300) as pushing:
            pass
        rig.check(pushing.accepted, seconds=60)


def test_postgresql_restarted_and_its_backends_terminated(tmp_path: Path, durable_postgres: PostgresServer):
    import psycopg

    url = durable_postgres.create_database(f"chaos_{uuid4().hex}")
    with Rig(tmp_path, url) as rig:
        with Pushing(rig, CARDS) as pushing:
            for how in (signal.SIGINT, signal.SIGQUIT, None, None, None):
                time.sleep(0.8)
                if how is not None:
                    durable_postgres.restart(how)
                    continue
                with psycopg.connect(durable_postgres.url, autocommit=True) as admin:
                    admin.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                    )
        rig.check(pushing.accepted, seconds=120)


def test_answers_lost_after_the_commit_are_looked_up_not_sent_again(tmp_path: Path, database_url: str | None):
    script = {
        "seed": 3,
        "faults": [
            {"name": "timeout-after-commit", "rate": 0.2, "seconds": 3},
            {"name": "dropped-after-commit", "rate": 0.2},
            {"name": "bad-gateway-after-commit", "rate": 0.1},
            {"name": "malformed-after-commit", "rate": 0.1},
        ],
    }
    with Rig(tmp_path, database_url, destination={"batch": {"records": 25, "bytes": 8_000_000}}) as rig:
        rig.set_faults(script)
        with Pushing(rig, 600) as pushing:
            pass
        verdicts = rig.check(pushing.accepted, seconds=180)
        played = httpx.get(f"{rig.ledgers['province']}/ledger").json()["faults_played"]
        assert sum(played.values()) > 3, "the faults did not strike, so nothing is shown"
        assert verdicts["province"].held == len(pushing.accepted)


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


def full_disk(hub: Rig, fill: Callable[[Rig], None], free: Callable[[Rig], None], count: int = 600) -> None:
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
