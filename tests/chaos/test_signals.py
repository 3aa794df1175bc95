"""Processes that are asked to end, and processes that stand still until their leases are over and then go on."""

from __future__ import annotations

import random
import signal
import time
from itertools import count
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from hocba_hub.cli.killing import is_open, lease_of
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.sandbox.vendor import wait_until
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import attempts, delivery_attempts, idempotency_keys, records, versions
from tests.support.imports import imported_once, in_four
from tests.support.long_form import LONG
from tests.support.pushing import CARDS, ENGINES, Pushing, cards
from tests.support.rig import Rig

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900 if LONG else 240)]
FREEZES = 20 if LONG else 2
LEASE_SECONDS = 1.5
HOLD_SECONDS = 15


@pytest.mark.parametrize("database_url", ENGINES if LONG else ENGINES[:1], indirect=True)
@pytest.mark.parametrize("with_redis", [True, False], ids=["jobs", "polling"])
def test_a_worker_that_is_asked_to_end_finishes_what_is_under_way(
    tmp_path: Path, database_url: str | None, *, with_redis: bool
):
    with Rig(tmp_path, database_url, workers=1) as rig:
        rig.set_faults({"seed": 1, "faults": [{"name": "slow-answer", "seconds": 1}]})
        if not with_redis:
            rig.redis.kill()
        vendor = rig.vendor()
        vendor.push(cards(CARDS))
        worker = rig.child("worker-0").process
        assert worker is not None
        with rig.store() as store:
            assert wait_until(lambda: bool(rig.calls_under_way(worker.pid)), 30, every=0.02), "the worker got nothing"
            asked = time.monotonic()
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(15) == 0
            assert time.monotonic() - asked < 10, "it did more than finish its calls"
            with store.read() as connection:
                a = attempts.c
                mine = a.holder.contains(f":{worker.pid}:")
                assert not connection.execute(select(a.id).where(mine, a.ended_at.is_(None))).first()
                calls = select(a.id).where(mine, a.kind == "send", a.sent_at.is_not(None))
                unknown = select(delivery_attempts).where(
                    delivery_attempts.c.attempt_id.in_(calls), delivery_attempts.c.meaning == "unknown_outcome"
                )
                assert not connection.execute(unknown).first()
        verdicts = rig.check(vendor.answers.accepted)
        assert {verdict.arrivals - verdict.ledger_versions for verdict in verdicts.values()} == {0}, "sent again"


@pytest.mark.parametrize("database_url", ENGINES if LONG else ENGINES[1:], indirect=True)
def test_workers_that_stand_still_beyond_their_leases_and_go_on_double_nothing(
    tmp_path: Path, database_url: str | None
):
    chance = random.Random(21)
    with Rig(tmp_path, database_url, faults="demo", environment={"HOCBA_LEASE_SECONDS": str(LEASE_SECONDS)}) as rig:
        taken_over = 0
        with Pushing(rig, CARDS) as pushing, rig.store() as store:
            while taken_over < FREEZES:
                time.sleep(chance.uniform(0.05, 0.3))
                child = chance.choice([child for child in rig.children if child.name.startswith("worker")])
                if lease_of(child, store) is None:
                    continue
                with rig.frozen(child.name):
                    # Frozen with SQLite's write lock in its hand, it keeps all others out, too: nobody can take over.
                    taken_over += _is_taken_over(lease_of(child, store), store)
        rig.check(pushing.accepted, seconds=180)
        assert len(pushing.accepted) == CARDS


def _is_taken_over(lease: int | None, store: Store) -> bool:
    return lease is not None and wait_until(lambda: not is_open(lease, store), 5 * LEASE_SECONDS)


@pytest.mark.skipif(not LONG, reason="the long form; killed importers are in every one")
@pytest.mark.parametrize("database_url", ENGINES if LONG else ENGINES[:1], indirect=True)
def test_an_importer_that_stands_still_and_goes_on_doubles_nothing(tmp_path: Path, database_url: str | None):
    raws = list(generate(4_000 if LONG else 3_000, 9, schools=12))
    environment = {"HOCBA_LEASE_SECONDS": str(LEASE_SECONDS)}
    with (
        Rig(tmp_path, database_url, importers=2, environment=environment) as rig,
        httpx.Client(base_url=rig.url, headers={"Authorization": f"Bearer {rig.client_key()}"}, timeout=30) as http,
    ):
        answer = http.post("/v1/files", content=in_four(raws), headers={"Content-Type": "application/zip"})
        where = answer.headers["location"]

        def imported() -> int:
            return http.get(where).json()["imported"]

        assert wait_until(lambda: imported() > 0, 30, every=0.02)
        taken_over = 0
        for name in ("importer-0", "importer-1"):
            with rig.frozen(name):
                before = imported()
                still = not wait_until(lambda before=before: imported() > before, LEASE_SECONDS / 3, every=0.02)
                if still and before < len(raws):  # it was the one at work
                    taken_over += wait_until(lambda before=before: imported() > before, 30)
        assert taken_over, "nobody stood still during an import, so that nothing is shown"
        assert wait_until(lambda: http.get(where).json()["state"] == "done", 120)
        accepted = imported_once(http, where, raws)
        with rig.store() as store, store.read() as connection:
            for table in (records, versions):
                assert connection.execute(select(func.count()).select_from(table)).scalar_one() == len(raws)
        rig.check(accepted, seconds=120)


@pytest.mark.skipif(not LONG, reason="the long form's; tests/contract/api/test_taken_over.py shows it without a freeze")
def test_an_api_process_that_stands_still_and_goes_on_brings_no_older_content_back(
    tmp_path: Path, database_url: str | None
):
    """Vendors give up soon, send again under the same key to the other process, and then their next correction."""
    with Rig(tmp_path, database_url, apis=2) as rig:
        taken_over = 0
        with Pushing(rig, 300, answer_seconds=1) as pushing, rig.store() as store:
            assert wait_until(lambda: len(pushing.accepted) == 300, 60)
            end = time.monotonic() + 500
            for n in count():
                assert time.monotonic() < end, "the process that stood still had no call that another one took over"
                with rig.frozen(f"api-{n % 2}"):
                    # What the other process has under way ends within this second.
                    held = _keys_held(store)
                    time.sleep(1)
                    held &= _keys_held(store)
                    if held and wait_until(lambda held=held: not held & _keys_held(store), HOLD_SECONDS + 5):
                        known = sum(pushing.accepted.values())
                        taken_over += wait_until(lambda known=known: sum(pushing.accepted.values()) > known + 120, 20)
                if taken_over == 6:
                    break
                time.sleep(0.1)
        rig.check(pushing.accepted, seconds=120)


def _keys_held(store: Store) -> set[str]:
    with store.read() as connection:
        c = idempotency_keys.c
        return set(connection.execute(select(c.owner).where(c.status.is_(None))).scalars())
