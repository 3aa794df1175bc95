"""Kills under load. The oracle is the simulators' ledgers: each accepted record there once, the newest."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.support.long_form import LONG
from tests.support.pushing import CARDS, ENGINES, Pushing
from tests.support.rig import Rig

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900 if LONG else 240)]
KILLS = 120 if LONG else 7
"""For each engine, and of processes at work alone; the long form makes more than 200 in all."""


@pytest.mark.parametrize("database_url", ENGINES if LONG else ENGINES[1:], indirect=True)
def test_random_kills_of_every_process_lose_and_double_nothing(tmp_path: Path, database_url: str | None):
    chance = random.Random(11)
    with Rig(tmp_path, database_url, faults="demo", apis=2) as rig:
        with Pushing(rig, CARDS) as pushing:
            while rig.kills < KILLS:
                time.sleep(chance.uniform(0.05, 0.5))
                rig.kill_at_work(chance, pushing.vendors)
        verdicts = rig.check(pushing.accepted, seconds=180)
        assert len(pushing.accepted) == CARDS
        assert verdicts["province"].held + verdicts["province"].refused == CARDS
        assert rig.kills >= KILLS
