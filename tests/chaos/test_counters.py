"""Every counter and gauge of /metrics, told by every API process, is what the rows say, after kills of all of them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import insert, select, update

from hocba_hub.adapters.destination import load_destinations
from hocba_hub.cli.killing import kill_while_delivering
from hocba_hub.model.clock import DAY_MS
from hocba_hub.sandbox.synthetic import generate, revise
from hocba_hub.sandbox.vendor import wait_until
from hocba_hub.store import jobs
from hocba_hub.store.access import Role, add_client, add_operator
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import clients, deliveries, job_runs, keys, senders
from tests.support.long_form import LONG
from tests.support.metrics_truth import FAMILIES, Truth, differences, scraped
from tests.support.pushing import CARDS, ENGINES, Pushing
from tests.support.rig import Rig

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900 if LONG else 240)]
KILLS = 60 if LONG else 3
SCRAPES = 6
"""So many that each of two API processes answers some of them."""
FRESH_SECONDS = 0.6
"""What /metrics says may be half a second old."""
REASON = "Chaos test"
SHOWN_ELSEWHERE = {
    "hocba_import_files", "hocba_import_records_waiting", "hocba_records_waiting_for_codes",
    "hocba_precondition_missing", "hocba_window_closes_timestamp_seconds", "hocba_audit_chain_faults",
    "hocba_unmapped_codes", "hocba_backlog_clears_timestamp_seconds",
}  # fmt: skip
"""Of what this test does not cause: `tests/contract/api/test_metrics.py`."""


@pytest.mark.parametrize("database_url", ENGINES if LONG else ENGINES[:1], indirect=True)
def test_every_family_says_what_the_rows_say(tmp_path: Path, database_url: str | None):
    chance = random.Random(12)
    jobs_file = tmp_path / "jobs.yaml"
    jobs_file.write_text("recheck: off\nretention: off", encoding="utf-8")
    environment = {"HOCBA_JOBS_FILE": str(jobs_file)}
    with Rig(tmp_path / "hub", database_url, faults="demo", apis=2, jobs=1, environment=environment) as rig:
        with Pushing(rig, CARDS // 2) as pushing:
            while rig.kills < KILLS:
                time.sleep(chance.uniform(0.05, 0.3))
                rig.kill_at_work(chance, pushing.vendors)
            rig.redis.kill()
            rig.redis.start()  # empty
        assert pushing.accepted
        assert wait_until(rig.is_settled, 180)
        assert wait_until(lambda: all(child.process for child in rig.children) and rig.is_ready(), 60)
        repeated = _calls_of_all_kinds(rig)
        _run_jobs(rig)
        _contradict(rig)
        _fall_silent(rig)
        answers = [vendor.answers for vendor in pushing.vendors]
        seen = repeated + sum(one.replayed for one in answers)
        # A stored answer whose call broke off may have been counted, or not: nobody saw it.
        _compare(rig, (seen, seen + sum(one.broken for one in answers)))


def _calls_of_all_kinds(rig: Rig) -> int:
    """Rejections, repeated calls, a takeover, failures, a replay, and what supersedes and waits; how many repeated."""
    key = rig.client_key("another")
    with rig.store() as store, store.write() as connection:
        operator = add_operator(connection, "lan", Role.ADMINISTRATOR, now=time.time_ns() // 1_000_000).key
    card = next(generate(1, 77, schools=12))
    with httpx.Client(base_url=rig.url, timeout=30) as http:
        vendor, admin = ({"Authorization": f"Bearer {one}"} for one in (key, operator))

        def posted(path: str, headers: dict[str, str], **body: object) -> httpx.Response:
            answer = http.post(path, headers=headers, **body)  # type: ignore[arg-type]
            assert answer.status_code < 500, answer.text
            return answer

        def pushed(changes: bytes) -> None:
            assert posted("/v1/report-cards", vendor, content=changes).status_code == 202

        assert posted("/v1/report-cards", vendor, content=b'{"kind": "primary"}').status_code == 422
        repeated = vendor | {"Idempotency-Key": "once"}
        answers = [posted("/v1/report-cards", repeated, content=card) for _ in range(3)]
        assert {one.status_code for one in answers} == {202}
        assert wait_until(rig.is_settled, 90)
        _outlive_a_worker(rig, lambda: pushed(revise(card, 11)))
        faults = ({"name": "server-error", "times": 2}, {"name": "record-refused", "code": "SCHOOL_UNKNOWN"})
        for number, fault in enumerate(faults):
            rig.set_faults({"seed": 1, "faults": [fault]})
            pushed(revise(card, 20 + number))
            assert wait_until(rig.is_settled, 90)

        def replayed(state: str) -> str:
            asked = {"selection": {"code": "SCHOOL_UNKNOWN"}, "reason": REASON, "start": True}
            made = posted("/v1/operations/replays", admin, json=asked).json()["replay"]
            assert made["records"] > 0
            path = f"/v1/operations/replays/{made['id']}"
            assert wait_until(lambda: http.get(path, headers=admin).json()["state"] == state, 90)
            return path

        stopped = replayed("stopped")  # the cause is still there
        assert posted(f"{stopped}/cancel", admin, json={"reason": REASON}).is_success
        assert wait_until(lambda: http.get(stopped, headers=admin).json()["state"] == "cancelled", 90)
        rig.set_faults({"seed": 1, "faults": []})
        replayed("done")
        assert wait_until(rig.is_settled, 90)
        for name in rig.ledgers:
            assert posted(f"/v1/operations/destinations/{name}/pause", admin, json={"reason": REASON}).is_success
        time.sleep(1)
        for changes in (card, revise(card, 1), revise(card, 2)):  # of three only the newest waits
            pushed(changes)
        time.sleep(1)
    return len(answers) - 1


def _outlive_a_worker(rig: Rig, push: Callable[[], None]) -> None:
    """Kill a worker in the middle of a call, so that another one takes its lease over."""
    rig.set_faults({"seed": 1, "faults": [{"name": "slow-answer", "seconds": 1.5}]})
    push()
    with rig.store() as store:
        workers = [child for child in rig.children if child.name.startswith("worker")]
        assert wait_until(lambda: any(kill_while_delivering(child, store) for child in workers), 30, every=0.02)
    rig.set_faults({"seed": 1, "faults": []})
    assert wait_until(rig.is_settled, 90)


def _run_jobs(rig: Rig) -> None:
    """Each job once."""
    with rig.store() as store:
        with store.write() as connection:
            for job in jobs.listed(connection):
                jobs.ask(connection, job.key, "test", time.time_ns() // 1_000_000)

        def all_done() -> bool:
            with store.read() as connection:
                return all(job.succeeded_at is not None for job in jobs.listed(connection))

        assert wait_until(all_done, 60)


def _contradict(rig: Rig) -> None:
    """The Ministry refuses what it had acknowledged."""
    acknowledged = select(deliveries).where(
        deliveries.c.destination == "ministry", deliveries.c.state == "acknowledged"
    )
    with rig.store() as store, store.write() as connection:
        key = add_client(connection, "ministry-push", (), now=1, destination="ministry").key
        row = connection.execute(acknowledged.limit(1)).one()
    verdict = {"record_id": f"{row.school_year}/{row.card_id}", "version": row.version, "code": "CONTRADICTED"}
    answer = httpx.post(
        f"{rig.url}/v1/acknowledgements",
        json={"acknowledgements": [verdict]},
        headers={"Authorization": f"Bearer {key}"},
    )
    assert answer.json()["results"][0]["reception"] == "contradictory", answer.text


def _fall_silent(rig: Rig) -> None:
    """A school that sent last week and no more, and a key that is about to end."""
    now = time.time_ns() // 1_000_000
    rig.client_key("ending")
    with rig.store() as store, store.write() as connection:
        connection.execute(insert(senders).values(school_code="silent", client_id=999, last_at=now - 9 * DAY_MS))
        ending = select(clients.c.id).where(clients.c.name == "ending").scalar_subquery()
        connection.execute(update(keys).where(keys.c.owner_id == ending).values(ends_at=now + DAY_MS))


def _runs(store: Store) -> list[tuple[int, str]]:
    with store.read() as connection:
        return [(run.id, run.state) for run in connection.execute(select(job_runs.c.id, job_runs.c.state))]


def _compare(rig: Rig, replays: tuple[int, int]) -> None:
    destinations = load_destinations(Path(rig.environment["HOCBA_DESTINATIONS_DIR"]))
    with rig.store() as store:
        compared = 0
        deadline = time.monotonic() + 60
        while compared < SCRAPES:
            assert time.monotonic() < deadline, "jobs run without end"
            before = _runs(store)
            time.sleep(FRESH_SECONDS)
            told = scraped(httpx.get(f"{rig.url}/metrics").text)
            with store.read() as connection:
                truth = Truth(connection, destinations, time.time_ns() // 1_000_000, replays)
                differing = differences(told, truth)
            if _runs(store) == before:  # else a job ran between the two, and both may be right
                assert differing == []
                compared += 1
    still = set(FAMILIES) - {name for name, samples in told.items() if samples}
    assert (
        still
        <= {
            "hocba_acknowledgements_overdue",
            "hocba_breaker_open",
            "hocba_job_late_seconds",
            "hocba_replays",
            "hocba_stuck_age_seconds",
            "hocba_reconciliation_differences",
        }
        | SHOWN_ELSEWHERE
    )  # moments that pass
