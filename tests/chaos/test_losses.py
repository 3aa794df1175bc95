"""Losses under load: of Redis, and of answers. In the short form on one engine each: what is lost is not the store."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest

from tests.support.long_form import LONG
from tests.support.pushing import CARDS, ENGINES, Pushing
from tests.support.rig import Rig

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900 if LONG else 240)]


@pytest.mark.parametrize("database_url", ENGINES if LONG else ENGINES[:1], indirect=True)
def test_redis_killed_and_started_empty(tmp_path: Path, database_url: str | None):
    with Rig(tmp_path, database_url) as rig:
        with Pushing(rig, CARDS) as pushing:
            for _ in range(3 if LONG else 2):
                time.sleep(0.7)
                rig.redis.kill()
                time.sleep(0.7)
                rig.redis.start()
        rig.check(pushing.accepted)


def test_without_redis_the_store_is_polled(tmp_path: Path):
    with Rig(tmp_path) as rig:
        rig.redis.kill()
        with Pushing(rig, 200) as pushing:
            pass
        rig.check(pushing.accepted, seconds=60)


@pytest.mark.parametrize("database_url", ENGINES if LONG else ENGINES[1:], indirect=True)
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
        with Pushing(rig, CARDS) as pushing:
            pass
        verdicts = rig.check(pushing.accepted, seconds=180)
        played = httpx.get(f"{rig.ledgers['province']}/ledger").json()["faults_played"]
        assert sum(played.values()) > 3, "the faults did not strike, so nothing is shown"
        assert verdicts["province"].held == len(pushing.accepted)
