"""A job worker that is killed in the middle of a job: another goes on where it was, and nothing is done twice."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from hocba_hub.sandbox.vendor import wait_until
from hocba_hub.store import jobs
from hocba_hub.store.engine import Store
from hocba_hub.store.jobs import Run
from hocba_hub.store.tables import records
from tests.support.long_form import LONG
from tests.support.rig import Rig

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

KILLS = 10 if LONG else 2


@dataclass(frozen=True)
class Killed:
    """A kind of job, with enough to do that it can be killed in the middle."""

    key: str
    prepare: Callable[[Store], int]
    """Gives it work; how much."""
    check: Callable[[Store, int, Run], None]
    """That everything was done, and once."""
    counted: str
    """The count of its result that tells that it has begun."""


def _old_records(store: Store) -> int:
    number = 60_000 if LONG else 30_000
    rows = [
        {"submission_id": f"00000000-{n:012d}", "position": 0, "status": "rejected", "sha256": b"x" * 32}
        for n in range(number)
    ]
    with store.write() as connection:
        connection.execute(insert(records), rows)
    return number


def _all_forgotten(store: Store, number: int, run: Run) -> None:
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(records)).scalar_one() == 0
    assert run.result["rejected_records"] == number


KINDS = (Killed("retention", _old_records, _all_forgotten, "rejected_records"),)


@pytest.mark.parametrize("kind", KINDS, ids=[one.key for one in KINDS])
def test_a_killed_job_goes_on_where_it_was(tmp_path: Path, database_url: str | None, kind: Killed):
    with Rig(tmp_path, database_url, jobs=2, environment={"HOCBA_LEASE_SECONDS": "1.5"}) as rig, rig.store() as store:

        def run() -> Run | None:
            with store.read() as connection:
                found = jobs.history(connection, kind.key, limit=1)
            return found[0] if found else None

        def progress() -> int:
            current = run()
            return 0 if current is None else current.result.get(kind.counted, 0)

        number = kind.prepare(store)
        with store.write() as connection:
            asked = jobs.ask(connection, kind.key, "test", time.time_ns() // 1_000_000)
        assert asked is not None
        kills = 0  # in the middle of the job
        while kills < KILLS:
            before = progress()
            assert wait_until(lambda before=before: progress() > before, 30, every=0.005)
            for name in ("jobs-0", "jobs-1"):
                rig.kill(name, signal.SIGKILL)
            current = run()
            assert current is not None
            assert current.ended_at is None, "it ended before it was killed, so that nothing is shown"
            kills += 1
            if kills == 1:
                rig.redis.kill()
                rig.redis.start()  # empty: what is to be done stands in the store
        assert wait_until(lambda: (found := run()) is not None and found.ended_at is not None, 60)
        ended = run()
        assert ended is not None
        assert (ended.id, ended.state, ended.takeovers) == (asked.id, "done", KILLS)
        kind.check(store, number, ended)
