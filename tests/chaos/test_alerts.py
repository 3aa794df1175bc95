"""A real Prometheus and Alertmanager watch a real hub in which each condition is caused and cleared.

Time is made to pass by moving moments back in the store: a card that is overdue by a quarter of an hour is one whose
time is set back by an hour. `make test` shows what stands still, is away or is about to end; the long form all alerts.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Executable, delete, func, insert, select, text, update

from hocba_hub.model.clock import DAY_MS, VIETNAM
from hocba_hub.monitoring.alerts import alerts, rules
from hocba_hub.monitoring.dashboards import dashboards
from hocba_hub.monitoring.presence import Presence
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.sandbox.vendor import wait_until
from hocba_hub.store.access import Role, add_operator
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import (
    acknowledgements,
    attempts,
    audit,
    deliveries,
    destinations,
    job_runs,
    jobs,
    keys,
    processes,
    reconcile_differences,
    senders,
    unmapped_codes,
)
from tests.support.long_form import LONG
from tests.support.prometheus import Told, Watching, programs
from tests.support.rig import Rig
from tests.support.servers import PostgresServer

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900 if LONG else 240)]
HOUR_MS = 3_600_000
REASON = {"reason": "Chaos test"}
_d = deliveries.c
Labels = tuple[tuple[str, str], ...]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Scene:
    """The hub, and those who watch it."""

    def __init__(self, rig: Rig, watching: Watching, store: Store, folders: Sequence[Path]) -> None:
        self.rig, self.watching, self.store, self.folders = rig, watching, store, folders
        self._key = rig.client_key()
        with store.write() as connection:
            operator = add_operator(connection, "lan", Role.ADMINISTRATOR, now=now_ms()).key
        self._http = httpx.Client(base_url=rig.url, timeout=30, headers={"Authorization": f"Bearer {operator}"})
        self._seed = 0

    def push(self, number: int) -> None:
        """New cards, all accepted."""
        self._seed += 1
        self.send(list(generate(number, self._seed, schools=12)))

    def send(self, records: Sequence[bytes]) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/x-ndjson"}
        return httpx.post(f"{self.rig.url}/v1/report-cards", content=b"\n".join(records), headers=headers, timeout=30)

    def post(self, path: str, **body: object) -> httpx.Response:
        answer = self._http.post(f"/v1/operations/{path}", json={**REASON, **body})
        assert answer.is_success, (path, answer.text)
        return answer

    def get(self, path: str) -> httpx.Response:
        return self._http.get(f"/v1/operations/{path}")

    def change(self, *statements: Executable) -> None:
        with self.store.write() as connection:
            for statement in statements:
                connection.execute(statement)

    def number(self, *conditions: object) -> int:
        with self.store.read() as connection:
            query = select(func.count()).select_from(deliveries).where(*conditions)  # type: ignore[arg-type]
            return int(connection.execute(query).scalar_one())

    def run_job(self, key: str) -> str:
        """Run a job; how it ended."""
        self.post(f"jobs/{key}/run")

        def ended() -> bool:
            run = self.get(f"jobs/{key}").json()["run"]
            return "ended_at" in run

        assert wait_until(ended, 30), key
        return str(self.get(f"jobs/{key}").json()["run"]["state"])

    def faults(self, *faults: Mapping[str, object]) -> None:
        self.rig.set_faults({"seed": 1, "faults": list(faults)})

    def settle(self) -> None:
        """Whatever waits for a time of its own goes now."""
        self.change(update(deliveries).where(_d.lease_id.is_(None)).values(next_attempt_at=now_ms()))
        assert wait_until(self.rig.is_settled, 60)

    def wait_for(self, names: Collection[str], status: str, *, since: int = 0) -> None:
        """Until a message says this of all of these; `since` is how many messages are known already."""

        def left() -> set[str]:
            return set(names) - {one.name for one in self.watching.told[since:] if one.status == status}

        wait_until(lambda: not left(), 45)
        assert not left(), (status, left(), self.watching.firing(), self.watching.log())


Condition = Callable[[Scene], AbstractContextManager[None]]
"""On its way in it causes something, on its way out it mends it."""
CONDITIONS: dict[Condition, frozenset[str]] = {}
"""What each is to be told by."""


def told_by(*names: str) -> Callable[[Callable[[Scene], Iterator[None]]], Condition]:
    def made(cause: Callable[[Scene], Iterator[None]]) -> Condition:
        condition = contextmanager(cause)
        CONDITIONS[condition] = frozenset(f"Hocba{name}" for name in names)
        return condition

    return made


def happen(scene: Scene, *conditions: Condition) -> None:
    """All at once: they are told when they begin, and when they have ended."""
    names = frozenset().union(*(CONDITIONS[one] for one in conditions))
    known = len(scene.watching.told)
    with ExitStack() as stack:
        for one in conditions:
            stack.enter_context(one(scene))
        scene.wait_for(names, "firing", since=known)
    scene.faults()
    scene.settle()
    scene.wait_for(names, "resolved", since=known)

    def of_these() -> dict[Labels, list[str]]:
        told = by_labels(scene.watching.told[known:])
        return {labels: statuses for labels, statuses in told.items() if dict(labels)["alertname"] in names}

    wait_until(lambda: all(statuses[-1] == "resolved" for statuses in of_these().values()), 45)
    assert {labels: statuses for labels, statuses in of_these().items() if statuses != ["firing", "resolved"]} == {}


def by_labels(told: Sequence[Told]) -> dict[Labels, list[str]]:
    statuses: dict[Labels, list[str]] = {}
    for one in told:
        statuses.setdefault(tuple(sorted(one.labels.items())), []).append(one.status)
    return statuses


@pytest.fixture
def scene(tmp_path: Path, durable_postgres: PostgresServer, request: pytest.FixtureRequest) -> Iterator[Scene]:
    programs()
    folder = tmp_path / "jobs.yaml"
    folder.write_text("\n".join(f"{kind}: off" for kind in (
        "retention", "recheck", "acknowledgements", "code-lists", "reconcile", "identity", "certificates",
        "audit-anchors", "audit-verify", "deadlines", "weekly-report", "yearly-report",
    )), encoding="utf-8")  # fmt: skip
    closes = (datetime.now(VIETNAM) + timedelta(days=3)).date().isoformat()
    environment = {"HOCBA_JOBS_FILE": str(folder), "HOCBA_ANCHORS_FILE": str(tmp_path / "anchors")}
    folders: list[Path] = [request.getfixturevalue("small_disk")] if LONG else []
    environment["HOCBA_WATCHED_FOLDERS"] = json.dumps([str(one) for one in folders])
    destination = {
        "windows": [{"closes": closes}], "batch": {"records": 5}, "limits": {"concurrency": 8},
        "breaker": {"failures": 8, "open_seconds": 6},
    }  # fmt: skip
    database = durable_postgres.create_database(f"alerts_{uuid4().hex}")
    rig = Rig(
        tmp_path / "hub", database, workers=1, jobs=1, importers=1, environment=environment, destination=destination
    )
    target = f"127.0.0.1:{rig.ports['api']}"
    with rig, rig.store() as store, Watching(tmp_path / "watching", target, rules()) as watching:
        yield Scene(rig, watching, store, folders)


def test_each_condition_is_told_once_when_it_begins_and_once_when_it_ends(scene: Scene):
    happen(scene, *SHORT[:-1])
    happen(scene, api_is_down)  # then nothing else is told
    no_panel_is_empty(scene)
    if LONG:
        for condition in list(CONDITIONS)[len(SHORT) :]:
            happen(scene, condition)
    shown = frozenset().union(*(CONDITIONS.values() if LONG else (CONDITIONS[one] for one in SHORT)))
    assert shown == {one.name for one in alerts().alerts} if LONG else len(shown) >= 12
    for labels, statuses in by_labels(scene.watching.told).items():  # some are told by what another one brings about
        assert statuses == ["firing", "resolved"] * (len(statuses) // 2), labels
    for one in scene.watching.told:
        hub = "http://127.0.0.1:8080/runbooks/"
        assert one.annotations["runbook_url"].startswith(hub)
        page = httpx.get(f"{scene.rig.url}/runbooks/{one.annotations['runbook_url'].removeprefix(hub)}")
        assert (page.status_code, one.name in page.text) == (200, True)
        assert "<no value>" not in "".join(one.annotations.values())
        assert one.annotations["summary"] != one.annotations["summary_en"]


def no_panel_is_empty(scene: Scene) -> None:
    """Every query of every dashboard finds series in what Prometheus has scraped."""
    for key in ("reconcile:province", "reconcile:ministry", "audit-verify", "deadlines"):
        assert scene.run_job(key) == "done"
    scene.push(5)
    scene.send([b'{"kind": "primary"}'])
    scene.faults({"name": "record-refused", "code": "SCHOOL_UNKNOWN"})
    scene.push(5)
    scene.settle()
    scene.faults()
    scene.post("replays", selection={"code": "SCHOOL_UNKNOWN"}, start=True)

    def empty() -> list[str]:
        found = []
        for name, dashboard in dashboards().items():
            for panel in dashboard.panels:
                for query in panel.queries.values():
                    for destination in ("province", "ministry"):
                        asked = query.replace("$destination", destination).replace("$__rate_interval", "1m")
                        if not scene.watching.query(asked):
                            found.append(f"{name}: {panel.en}: {asked}")
        return found

    assert wait_until(lambda: not empty(), 20, every=1), empty()


@told_by("CredentialEnding", "CredentialEndsSoon")
def credentials_end(scene: Scene) -> Iterator[None]:
    now, owner = now_ms(), keys.c.owner_kind
    scene.change(
        update(keys).values(ends_at=now + 5 * DAY_MS).where(owner == "operator"),
        update(keys).values(ends_at=now + 30 * DAY_MS).where(owner == "client"),
    )
    yield
    scene.change(update(keys).values(ends_at=None))


@told_by("SchoolsSilent", "VendorSilent")
def somebody_is_silent(scene: Scene) -> Iterator[None]:
    ago = now_ms() - 9 * DAY_MS
    scene.change(insert(senders).values(school_code="silent", client_id=999, last_at=ago))
    yield
    scene.change(delete(senders).where(senders.c.client_id == 999))


@told_by("UnmappedCodes")
def codes_are_unknown(scene: Scene) -> Iterator[None]:
    code = {
        "code_table": "t", "system": "s", "conditions": "{}", "result_system": "r", "times": 1, "first_at": 1,
        "last_at": 1, "value": "x",
    }  # fmt: skip
    scene.change(insert(unmapped_codes).values(code))
    yield
    scene.change(update(unmapped_codes).values(fill_id=1))


@told_by("DestinationPaused", "BacklogMissesWindow")
def destination_is_paused(scene: Scene) -> Iterator[None]:
    """It has a backlog that no rate works off before its window closes."""
    scene.post("destinations/province/pause")
    scene.push(20)
    yield
    scene.post("destinations/province/resume")


@told_by("RedisAway", "ProcessMissing", "SchedulerLate", "DeliveriesOverdue", "DeliveriesStuck", "JobOverdue")
def all_stands_still(scene: Scene) -> Iterator[None]:
    """Redis is away; workers, jobs, importer and scheduler stand still, as on a machine that is suspended."""
    scene.faults({"name": "late-acknowledgement", "simulators": ["ministry"], "seconds": 5})
    scene.push(10)
    awaiting = (_d.state == "awaiting_ack", _d.destination == "ministry", _d.lease_id.is_(None))
    assert wait_until(lambda: scene.number(*awaiting) > 0, 30, every=0.05)
    before = now_ms() - HOUR_MS
    with _standing_still(scene, "worker-0", "jobs-0", "importer-0", "scheduler"):
        scene.rig.redis.kill()
        scene.push(2)
        scene.change(
            update(deliveries).where(*awaiting).values(next_attempt_at=before),
            update(deliveries).where(_d.state == "queued").values(next_attempt_at=before),
            update(processes).where(processes.c.kind != "api").values(seen_at=before, round_at=before),
            update(jobs).where(jobs.c.key == "retention").values(next_run_at=before),
        )
        yield
    scene.rig.redis.start()


@told_by("Down")
def api_is_down(scene: Scene) -> Iterator[None]:
    with scene.rig.frozen("api-0"):
        yield


@contextmanager
def _standing_still(scene: Scene, *children: str) -> Iterator[None]:
    """Processes stand still between two transactions: what one holds that stands still within is another matter."""
    busy = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND xact_start IS NOT NULL"
    )

    def is_quiet() -> bool:
        with scene.store.read() as connection:
            return connection.execute(busy).scalar_one() == 0

    for _ in range(50):
        with ExitStack() as frozen:
            for child in children:
                frozen.enter_context(scene.rig.frozen(child))
            if wait_until(is_quiet, 0.4, every=0.05):
                yield
                return
        time.sleep(0.2)
    raise AssertionError("some process always was in the middle of a transaction")


SHORT = list(CONDITIONS)
"""The conditions of the short form: those above."""


@told_by("DiskLow")
def disk_fills(scene: Scene) -> Iterator[None]:
    [folder] = scene.folders
    (folder / "most").write_bytes(bytes(29_000_000))
    yield
    (folder / "most").unlink()


@told_by("DiskAlmostFull")
def disk_is_full(scene: Scene) -> Iterator[None]:
    [folder] = scene.folders
    (folder / "all").write_bytes(bytes(32_800_000))
    yield
    (folder / "all").unlink()


@told_by("ProcessRestarting")
def processes_restart(scene: Scene) -> Iterator[None]:
    for _ in range(8):
        Presence(scene.store, f"again-{uuid4().hex}", "importer", now_ms).close()
    yield


@told_by("StoreSlow")
def store_is_slow(scene: Scene) -> Iterator[None]:
    """Somebody holds the rows that every process writes to, for seconds at a time."""
    over = threading.Event()

    def hold() -> None:
        while not over.is_set():
            with scene.store.write() as connection:
                connection.execute(select(processes).with_for_update()).all()
                over.wait(2)
            time.sleep(0.05)

    holding = threading.Thread(target=hold)
    holding.start()
    try:
        yield
    finally:
        over.set()
        holding.join()


@told_by("AuditChainBroken")
def audit_is_broken(scene: Scene) -> Iterator[None]:
    """Somebody changes a row, and puts it right."""
    first = audit.c.seq == 1
    with scene.store.read() as connection:
        kept = connection.execute(select(audit.c.reason).where(first)).scalar_one()
    scene.change(update(audit).where(first).values(reason="something else"))
    assert scene.run_job("audit-verify") == "done"
    yield
    scene.change(update(audit).where(first).values(reason=kept))
    scene.run_job("audit-verify")


@told_by("ServerErrors")
def answers_are_errors(scene: Scene) -> Iterator[None]:
    """The schema is said to be another one: the API says of itself that it is not ready."""
    with scene.store.read() as connection:
        kept = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    say = text("UPDATE alembic_version SET version_num = :revision")
    scene.change(say.bindparams(revision="0001"))
    for _ in range(40):
        assert httpx.get(f"{scene.rig.url}/readyz").status_code == 503
    yield
    scene.change(say.bindparams(revision=kept))


@told_by("RecordsRejected")
def records_are_rejected(scene: Scene) -> Iterator[None]:
    for _ in range(4):
        scene.send([b'{"kind": "primary"}'] * 150)
        time.sleep(0.7)
    yield


@told_by("DeliveriesFailing", "ReplayStopped")
def records_are_refused(scene: Scene) -> Iterator[None]:
    """And a replay meets the same cause again."""
    known = len(scene.watching.told)
    scene.faults({"name": "record-refused", "code": "SCHOOL_UNKNOWN"})
    scene.push(100)
    scene.wait_for(["HocbaDeliveriesFailing"], "firing", since=known)
    made = scene.post("replays", selection={"code": "SCHOOL_UNKNOWN"}, start=True).json()["replay"]
    yield
    scene.post(f"replays/{made['id']}/cancel")


@told_by("BreakerOpen")
def breaker_opens(scene: Scene) -> Iterator[None]:
    scene.faults({"name": "server-error", "simulators": ["province"]})
    scene.push(60)
    yield


@told_by("DoubtGrowing")
def fate_is_unknown(scene: Scene) -> Iterator[None]:
    scene.faults(
        {"name": "dropped-after-commit", "simulators": ["province"]},
        {"name": "server-error", "simulators": ["province"], "operations": ["lookup"]},
    )
    for _ in range(8):
        scene.push(10)
        time.sleep(0.6)
        # The breaker would keep what is to grow from growing.
        scene.change(update(destinations).values(failures=0, open_until=None))
    yield


@told_by("PreconditionMissing")
def precondition_is_missing(scene: Scene) -> Iterator[None]:
    scene.faults({"name": "wrong-credentials", "simulators": ["province"]})
    scene.push(3)
    yield


@told_by("LeaseTakeovers")
def leases_are_taken_over(scene: Scene) -> Iterator[None]:
    scene.faults({"name": "slow-answer", "seconds": 1.8, "simulators": ["province"]})
    scene.push(60)
    a = attempts.c
    under_way = (a.destination == "province", a.ended_at.is_(None), a.sent_at.is_not(None))

    def are_many() -> bool:
        with scene.store.read() as connection:
            return bool(connection.execute(select(func.count()).where(*under_way)).scalar_one() >= 7)

    assert wait_until(are_many, 20, every=0.02)
    scene.rig.kill("worker-0")
    yield


@told_by("AcknowledgementsOverdue", "AcknowledgementObjectiveMissed")
def verdicts_are_late(scene: Scene) -> Iterator[None]:
    """They are overdue first; when they come, too many have come late."""
    known = len(scene.watching.told)
    scene.faults({"name": "late-acknowledgement", "simulators": ["ministry"], "seconds": 10})
    awaiting = (_d.state == "awaiting_ack", _d.destination == "ministry")
    scene.push(20)
    assert wait_until(lambda: scene.number(*awaiting) >= 15, 20)
    scene.change(update(deliveries).where(*awaiting).values(awaiting_since=now_ms() - 30 * DAY_MS))
    scene.wait_for(["HocbaAcknowledgementsOverdue"], "firing", since=known)
    scene.faults()
    yield


@told_by("VerdictsContradict")
def verdicts_contradict(scene: Scene) -> Iterator[None]:
    with scene.store.read() as connection:
        acknowledged = select(deliveries).where(_d.destination == "ministry", _d.state == "acknowledged").limit(1)
        row = connection.execute(acknowledged).one()
    verdict = {"record_id": f"{row.school_year}/{row.card_id}", "version": row.version, "code": "CONTRADICTED"}
    scene.post("acknowledgements/enter", destination="ministry", acknowledgements=[verdict])
    yield
    with scene.store.read() as connection:
        undecided = select(acknowledgements.c.id).where(acknowledgements.c.kind == "contradictory")
        [one] = connection.execute(undecided).scalars()
    scene.post(f"acknowledgements/{one}/decide", decision="keep")


@told_by("JobFailed")
def job_fails(scene: Scene) -> Iterator[None]:
    scene.faults({"name": "server-error", "operations": ["list"]})
    assert scene.run_job("reconcile:province") == "failed"
    yield


@told_by("ReconciliationDifferences")
def reconciliation_differs(scene: Scene) -> Iterator[None]:
    """The province has lost one card."""
    assert scene.run_job("reconcile:province") == "done"
    of_job = select(func.max(job_runs.c.id)).where(job_runs.c.key == "reconcile:province", job_runs.c.state == "done")
    with scene.store.read() as connection:
        run = connection.execute(of_job).scalar_one()
    lost = {
        "run_id": run, "destination": "province", "kind": "missing", "school_year": "2025-2026", "card_id": "lost",
        "school_code": "S", "grade": 1, "class_code": "1A",
    }  # fmt: skip
    scene.change(insert(reconcile_differences).values(lost))
    yield
    scene.change(update(reconcile_differences).values(repaired_at=1))
