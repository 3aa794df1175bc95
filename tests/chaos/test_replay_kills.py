"""A replay whose processes are killed at each of its steps: every record goes again once, and the counts are exact."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from hocba_hub.model.replays import ItemOutcome, ReplayError, ReplayPlan, ReplayState
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.sandbox.vendor import wait_until
from hocba_hub.store import jobs, replays
from hocba_hub.store.access import Role, add_operator
from hocba_hub.store.engine import Store
from hocba_hub.store.replays import Replay
from hocba_hub.store.selection import Selection
from hocba_hub.store.tables import delivery_attempts, replay_items
from tests.support.long_form import LONG
from tests.support.pushing import ENGINES
from tests.support.rig import Rig

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

CARDS = 600 if LONG else 100
RECORDS = 2 * CARDS
REASON = "the schools were declared"
SELECTION = {"code": "SCHOOL_UNKNOWN"}
PLAN = ReplayPlan(canary=(1, 10), records_per_second=RECORDS / 6)


def _now() -> int:
    return time.time_ns() // 1_000_000


class Played:
    """A hub in which every card was refused by both destinations, and one replay of it."""

    def __init__(self, rig: Rig, store: Store, operator: str) -> None:
        self.rig, self.store = rig, store
        self.headers = {"Authorization": f"Bearer {operator}"}
        self.id = 0

    def counts(self) -> dict[tuple[str, str], int]:
        with self.store.read() as connection:
            found = replays.counts(connection, self.id)
        assert sum(one.records for one in found) == RECORDS
        return {(str(one.outcome or "open"), one.code): one.records for one in found}

    def sent(self) -> int:
        """How many were sent again by now."""
        return RECORDS - self.counts().get(("open", "waiting"), 0)

    def state(self) -> ReplayState:
        with self.store.read() as connection:
            found = replays.find(connection, self.id)
        assert found is not None
        return found.state

    def do(self, what: Callable[..., Replay | None]) -> None:
        with self.store.write() as connection:
            what(connection, self.id, actor="os:lan", reason=REASON, now=_now())

    def kill_its_job(self) -> None:
        """Whoever is at it, and the deliveries."""
        for name in ("jobs-0", "jobs-1", "worker-0"):
            self.rig.kill(name, signal.SIGKILL)


@pytest.fixture
def played(tmp_path: Path, database_url: str | None):
    with Rig(tmp_path, database_url, jobs=2, environment={"HOCBA_LEASE_SECONDS": "1.5"}) as rig, rig.store() as store:
        rig.set_faults({"seed": 3, "faults": [{"name": "record-refused", "code": "SCHOOL_UNKNOWN"}]})
        accepted = {}
        with httpx.Client(headers={"Authorization": f"Bearer {rig.client_key()}"}, timeout=60) as vendor:
            for raw in generate(CARDS, 9):
                answer = vendor.post(f"{rig.url}/v1/report-cards", content=raw)
                assert answer.status_code == 202, answer.text
                [record] = answer.json()["records"]
                accepted[f"{record['school_year']}/{record['card_id']}"] = record["version"]
        assert wait_until(rig.is_settled, 90)
        rig.set_faults({"seed": 3, "faults": []})
        with store.write() as connection:
            key = add_operator(connection, "lan", Role.OPERATOR, now=1).key
        made = Played(rig, store, key)
        yield made
        assert made.state() is ReplayState.DONE
        assert made.counts() == {("acknowledged", ""): RECORDS}
        rig.check(accepted)
        with store.read() as connection:
            acknowledged = select(func.count()).where(delivery_attempts.c.meaning == "acknowledged")
            assert connection.execute(acknowledged).scalar_one() == RECORDS, "each was taken once"


@pytest.mark.parametrize("database_url", ENGINES if LONG else ENGINES[1:], indirect=True)
def test_a_replay_survives_a_kill_at_each_of_its_steps(played: Played):
    _freeze_while_the_api_is_killed(played)
    _collide(played)
    _canary(played)
    _ramp_without_redis(played)
    _paused(played)
    _ending(played)


def _freeze_while_the_api_is_killed(played: Played) -> None:
    """Either all of it is chosen and kept, or nothing at all."""
    chance, rig = random.Random(4), played.rig
    asked = {"selection": SELECTION, "canary": [1, 10], "records_per_second": PLAN.records_per_second, "reason": REASON}

    def freeze() -> None:
        with suppress(httpx.TransportError):
            httpx.post(f"{rig.url}/v1/operations/replays", headers=played.headers, json=asked, timeout=10)

    for _ in range(6 if LONG else 2):
        thread = threading.Thread(target=freeze)
        thread.start()
        time.sleep(chance.uniform(0.005, 0.05))
        rig.kill("api" if not any(one.name == "api-0" for one in rig.children) else "api-0", signal.SIGKILL)
        thread.join()
        assert wait_until(rig.is_ready, 60)
        with played.store.read() as connection:
            frozen = replays.listed(connection, open_only=True)
            items = connection.execute(select(func.count()).select_from(replay_items)).scalar_one()
        assert (len(frozen), items) in {(0, 0), (1, RECORDS)}
    if not frozen:
        freeze()
    with played.store.read() as connection:
        [found] = replays.listed(connection, open_only=True)
    played.id = found.id
    assert played.counts() == {("open", "waiting"): RECORDS}


def _collide(played: Played) -> None:
    """Two operators choose the same, and begin the same: one of them each time, and the other is told."""

    def claim(name: str) -> str:
        try:
            with played.store.write() as connection:
                replays.freeze(connection, Selection(code="SCHOOL_UNKNOWN"), PLAN, actor=name, reason="r", now=_now())
        except ReplayError as error:
            return f"{error.code} {error.facts['replay']}"
        return "claimed twice"

    def begin(name: str) -> str:
        try:
            with played.store.write() as connection:
                replays.start(connection, played.id, actor=name, reason="r", now=_now())
        except ReplayError as error:
            return error.code
        return "begun"

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(claim, ("operator:a", "operator:b"))) == [f"replay.claimed {played.id}"] * 2
        assert sorted(pool.map(begin, ("operator:a", "operator:b"))) == ["begun", "replay.state"]


def _canary(played: Played) -> None:
    assert wait_until(lambda: played.sent() > 0, 30, every=0.005)
    played.kill_its_job()
    assert played.sent() < RECORDS / 2, "it was over before it was killed"


def _ramp_without_redis(played: Played) -> None:
    assert wait_until(lambda: played.sent() > 25, 60, every=0.005)
    played.kill_its_job()
    played.rig.redis.kill()
    played.rig.redis.start()  # empty: what is to be done stands in the store
    before = played.sent()
    assert wait_until(lambda: played.sent() > before, 60)


def _paused(played: Played) -> None:
    played.do(replays.pause)
    played.kill_its_job()
    before = played.sent()
    time.sleep(2)
    assert (played.sent(), played.state()) == (before, ReplayState.PAUSED), "it rests, whoever was killed"
    played.do(replays.resume)


def _ending(played: Played) -> None:
    ended = ItemOutcome.ACKNOWLEDGED
    assert wait_until(lambda: played.counts().get((str(ended), ""), 0) > 0.8 * RECORDS, 90, every=0.005)
    played.kill_its_job()
    assert wait_until(lambda: played.state() is not ReplayState.RUNNING, 90)

    def run() -> jobs.Run:
        with played.store.read() as connection:
            [found] = jobs.history(connection, f"replay:{played.id}")
        return found

    assert wait_until(lambda: run().state != "running", 30)  # the run ends in a transaction behind the replay's
    assert (run().state, run().done, run().takeovers > 0) == ("done", RECORDS, True)
