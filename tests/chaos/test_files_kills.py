"""Imports whose processes are killed: every record has one result and every card one version, and all are delivered."""

from __future__ import annotations

import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from hocba_hub.sandbox.synthetic import generate
from hocba_hub.sandbox.vendor import wait_until
from hocba_hub.store.tables import records, versions
from tests.support.imports import imported_once, in_four
from tests.support.long_form import LONG
from tests.support.rig import Rig

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

KILLS = 40 if LONG else 2
FILES = 6 if LONG else 1
RECORDS = 4_000 if LONG else 1_000


def test_killed_imports_lose_and_double_nothing(tmp_path: Path, database_url: str | None):
    chance = random.Random(5)
    raws = list(generate(FILES * RECORDS, 9, schools=12))
    with Rig(tmp_path, database_url, importers=1, environment={"HOCBA_LEASE_SECONDS": "1.5"}) as rig:
        http = httpx.Client(base_url=rig.url, headers={"Authorization": f"Bearer {rig.client_key()}"}, timeout=30)
        where = []
        for number in range(FILES):
            part = raws[number * RECORDS : (number + 1) * RECORDS]
            answer = http.post("/v1/files", content=in_four(part), headers={"Content-Type": "application/zip"})
            assert answer.status_code == 202, answer.text
            where.append(answer.headers["location"])

        def imported() -> list[int]:
            return [http.get(path).json()["imported"] for path in where]

        def begun_or_done() -> bool:
            now = imported()
            return any(0 < one < RECORDS for one in now) or sum(now) == len(raws)

        kills = 0  # in the middle of an import
        while kills < KILLS and sum(imported()) < len(raws):
            before = imported()
            assert wait_until(begun_or_done, 30, every=0.02)
            time.sleep(chance.uniform(0, 0.1))
            for name in ("importer-0", "worker-0"):
                rig.kill(name, signal.SIGKILL)
            kills += any(0 < one < RECORDS for one in imported())
            if kills == KILLS // 2:
                rig.redis.kill()
                rig.redis.start()
            wait_until(lambda before=before: imported() != before, 15)
        assert kills == KILLS, "too few were killed during an import, so that nothing is shown"
        assert wait_until(lambda: all(http.get(path).json()["state"] == "done" for path in where), 120)

        accepted = {}
        for number, path in enumerate(where):
            accepted |= imported_once(http, path, raws[number * RECORDS : (number + 1) * RECORDS])
        with rig.store() as store, store.read() as connection:
            for table in (records, versions):
                assert connection.execute(select(func.count()).select_from(table)).scalar_one() == len(raws)
        rig.check(accepted, seconds=120)
        with suppress(httpx.HTTPError):
            http.close()
