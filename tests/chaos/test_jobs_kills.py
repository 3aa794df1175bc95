"""A job worker that is killed in the middle of a job: another goes on where it was, and nothing is done twice."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson
import pytest
from sqlalchemy import func, insert, select, update

from hocba_hub.adapters.destination import load_destination
from hocba_hub.adapters.registry import adapter_for
from hocba_hub.model.codes import CodeFill
from hocba_hub.model.keys import DestinationName
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.sandbox.vendor import wait_until
from hocba_hub.sandbox.vendors.flat_json import flat
from hocba_hub.store import code_fills, control, identity, jobs
from hocba_hub.store.engine import Store
from hocba_hub.store.jobs import Run
from hocba_hub.store.tables import (
    code_lists,
    deliveries,
    open_findings,
    reconcile_differences,
    records,
    report_cards,
    unmapped_codes,
    versions,
    waiting_records,
)
from tests.support.long_form import LONG
from tests.support.rig import PACKAGED, Rig
from tests.support.sandbox_server import outbound_record

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

KILLS = 5 if LONG else 2


@dataclass(frozen=True)
class Killed:
    """A kind of job, with enough to do that it can be killed in the middle."""

    key: str
    prepare: Callable[[Rig, Store], int]
    """Gives it work; how much."""
    check: Callable[[Store, int, Run], None]
    """That everything was done, and once."""
    progress: Callable[[Run], object]
    """Something that moves while it works."""
    kills: int = KILLS


def _old_records(_: Rig, store: Store) -> int:
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


def _acknowledged_cards(_: Rig, store: Store) -> int:
    """Cards that the Ministry acknowledged and holds nothing of: each is missing there."""
    number = 30_000 if LONG else 12_000
    cards = [{"school_year": "2025-2026", "card_id": f"card-{n:06d}"} for n in range(number)]
    with store.write() as connection:
        connection.execute(insert(report_cards),
            [
                {
                    **card, "school_code": f"S{n % 50}", "client_id": 1, "version": 1, "content_sha256": b"x" * 32,
                    "recalled": False, "changed_at": 1,
                }
                for n, card in enumerate(cards)
            ],
        )  # fmt: skip
        connection.execute(insert(deliveries),
            [
                {
                    **card, "destination": "ministry", "version": 1, "event": "NEW", "state": "acknowledged",
                    "accepted_at": 1, "next_attempt_at": 1, "settled_at": 1,
                }
                for card in cards
            ],
        )  # fmt: skip
    return number


def _all_found_missing(store: Store, number: int, run: Run) -> None:
    with store.read() as connection:
        found = select(func.count(), func.count(reconcile_differences.c.card_id.distinct()))
        assert connection.execute(found.select_from(reconcile_differences)).one() == (number, number)
    assert (run.result["missing"], run.result["all"], run.result["equal"]) == (number, number, 0)


def _awaited(rig: Rig, store: Store) -> int:
    """Cards whose verdict has been awaited for a day; nobody is called, so that only the job moves them."""
    number = _acknowledged_cards(rig, store)
    with store.write() as connection:
        control.pause(connection, DestinationName("ministry"), actor="t", reason="t", now=1)
        connection.execute(update(deliveries).values(state="awaiting_ack", awaiting_since=1, reference="r"))
    return number


def _all_in_doubt(store: Store, number: int, run: Run) -> None:
    with store.read() as connection:
        states = connection.execute(select(deliveries.c.state, func.count()).group_by(deliveries.c.state)).all()
    assert [tuple(row) for row in states] == [("in_doubt", number)]
    assert run.result["looked_up"] == number


def _identity_results(rig: Rig, store: Store) -> int:
    """Cards that the Ministry holds, and whose numbers it has checked: nobody has them."""
    number = _acknowledged_cards(rig, store)
    text = (PACKAGED / "ministry.yaml").read_text(encoding="utf-8")
    ministry = adapter_for(load_destination(text, rig.environment), rig.environment)
    for first in range(0, number, 200):
        cards = [outbound_record(n, document=b"<x/>", card_id=f"card-{n:06d}") for n in range(first, first + 200)]
        assert {one.code for one in ministry.send(cards).outcomes} == {"TAKEN"}
    ministry.close()
    told = {f"2025-2026/card-{n:06d}": "not-found" for n in range(number)}
    assert httpx.post(f"{rig.ledgers['ministry']}/identity", json=told, timeout=60).json() == {"checked": number}
    return number


def _all_told(store: Store, number: int, run: Run) -> None:
    with store.read() as connection:
        assert identity.counts(connection, "ministry") == {("", ""): {"not-found": number}}
        opened = select(func.count(), func.max(open_findings.c.times)).where(open_findings.c.matter == "identity")
        assert connection.execute(opened).one() == (number, 1)
    assert (run.result["new"], run.result["known"]) == (number, 0)


def _waiting_cards(rig: Rig, store: Store) -> int:
    """Vendors' cards with an ethnic group that nobody knows, until it is filled."""
    number = 6_000 if LONG else 1_200
    cards = (orjson.loads(raw) for raw in generate(4 * number, 5))
    records_ = [flat(card) | {"danToc": "Nhóm lạ"} for card in cards if card["kind"] == "secondary"][:number]
    assert len(records_) == number
    with httpx.Client(headers={"Authorization": f"Bearer {rig.client_key()}"}, timeout=60) as vendor:
        for first in range(0, number, 300):
            answer = vendor.post(
                f"{rig.url}/v1/report-cards?profile=vendor-flat-secondary",
                content=orjson.dumps(records_[first : first + 300]), headers={"Content-Type": "application/json"},
            )  # fmt: skip
            assert answer.json()["rejected"] == 300
    with store.write() as connection:
        [code] = connection.execute(select(unmapped_codes)).all()
        meant = CodeFill(code.code_table, code.system, code.value, code.result_system, "01")
        code_fills.fill(connection, meant, source="a decree", actor="test", now=1)
    return number


def _all_accepted(store: Store, number: int, run: Run) -> None:
    with store.read() as connection:
        counts = [
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (report_cards, versions, waiting_records)
        ]
    assert counts == [number, number, 0]
    assert run.result["rejected"] == 0


def _slow_list(rig: Rig, _: Store) -> int:
    """A code list that takes a second to come: the job has one step a list, and is killed while it waits for it."""
    slow = {"name": "slow-answer", "seconds": 1, "operations": ["list"]}
    rig.set_faults({"faults": [slow]})
    return 1


def _fetched_once(store: Store, number: int, run: Run) -> None:
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(code_lists)).scalar_one() == number
    assert (run.done, run.result["drafts"]) == (number, number)


KINDS = (
    Killed("recheck", _waiting_cards, _all_accepted, lambda run: run.result.get("accepted", 0)),
    Killed("identity:ministry", _identity_results, _all_told, lambda run: run.result.get("new", 0)),
    Killed("retention", _old_records, _all_forgotten, lambda run: run.result.get("rejected_records", 0)),
    Killed("reconcile:ministry", _acknowledged_cards, _all_found_missing, lambda run: len(str(run.cursor or ""))),
    Killed("acknowledgements:ministry", _awaited, _all_in_doubt, lambda run: run.result.get("looked_up", 0)),
    # Without any step done in between, a run is given up at the sixth attempt.
    Killed("code-lists:ministry", _slow_list, _fetched_once, lambda run: run.lease_id, kills=2),
)


@pytest.mark.parametrize("kind", KINDS, ids=[one.key for one in KINDS])
def test_a_killed_job_goes_on_where_it_was(tmp_path: Path, database_url: str | None, kind: Killed):
    if not LONG and (KINDS.index(kind) % 2 == 0) == (database_url is None):
        pytest.skip("the other store's; the long form has both")
    # By its schedule a run might do the work before the one that is asked for, and killed.
    schedules = tmp_path / "jobs.yaml"
    schedules.write_text("\n".join(f"{one.key.partition(':')[0]}: off" for one in KINDS), encoding="utf-8")
    environment = {"HOCBA_LEASE_SECONDS": "1.5", "HOCBA_JOBS_FILE": str(schedules)}
    with Rig(tmp_path / "hub", database_url, workers=1, jobs=2, environment=environment) as rig, rig.store() as store:
        number = kind.prepare(rig, store)
        with store.write() as connection:
            asked = jobs.ask(connection, kind.key, "test", time.time_ns() // 1_000_000)
        assert asked is not None

        def run() -> Run:
            """The one that was asked for."""
            with store.read() as connection:
                [found] = [one for one in jobs.history(connection, kind.key, limit=100) if one.id == asked.id]
            return found

        kills = 0  # in the middle of the job
        while kills < kind.kills:
            before = kind.progress(run())
            assert wait_until(lambda before=before: kind.progress(run()) != before, 30, every=0.005)
            for name in ("jobs-0", "jobs-1"):
                rig.kill(name, signal.SIGKILL)
            assert run().ended_at is None, "it ended before it was killed, so that nothing is shown"
            kills += 1
            if kills == 1:
                rig.redis.kill()
                rig.redis.start()  # empty: what is to be done stands in the store
        assert wait_until(lambda: run().ended_at is not None, 60)
        ended = run()
        assert (ended.state, ended.takeovers) == ("done", kind.kills)
        kind.check(store, number, ended)
