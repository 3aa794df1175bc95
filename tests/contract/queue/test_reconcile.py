"""Reconciliation with both simulators on both stores: differences are found, told from what moves, and repaired."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select, update

from hocba_hub.adapters.protocol import InventoryPage, Outbound
from hocba_hub.api.reconciliation import LEVELS, figures, told_to_schools, workbook
from hocba_hub.model.delivery import DeliveryState
from hocba_hub.model.keys import CardId, CardKey, DestinationName
from hocba_hub.model.reconciliation import Difference
from hocba_hub.queue.jobs import reconcile as job
from hocba_hub.queue.jobs.reconcile import Reconcile
from hocba_hub.queue.jobs.runner import JobRun
from hocba_hub.sandbox.faults import Fault, FaultName
from hocba_hub.sandbox.ledger import Arrival
from hocba_hub.store import audit, jobs, reconciliation
from hocba_hub.store.bulk import insert_rows
from hocba_hub.store.engine import Store
from hocba_hub.store.jobs import Planned, Run
from hocba_hub.store.repair import Chosen, plan, repair
from hocba_hub.store.search import open_list
from hocba_hub.store.tables import deliveries, delivery_attempts, reconcile_entries
from tests.support.acceptance import YEAR, submit
from tests.support.jobs import job_worker
from tests.support.sandbox_server import SandboxHandle, running_sandbox

D, S = Difference, DeliveryState
NAMES = ("ministry", "province")


@pytest.fixture(scope="module")
def served() -> Iterator[SandboxHandle]:
    with running_sandbox(answer_seconds=5) as handle:
        yield handle


@pytest.fixture
def sandbox(served: SandboxHandle) -> SandboxHandle:
    served.sandbox.reset()
    return served


class Stage:
    """Cards that a destination acknowledged, and its ledger that holds them."""

    def __init__(self, store: Store, sandbox: SandboxHandle, name: str, adapter: Outbound) -> None:
        self.store, self.name, self.adapter = store, DestinationName(name), adapter
        self.ledger, self.now = sandbox.ledgers[name], 1_780_000_000_000
        self.destination = sandbox.destination(name)
        self.key = f"reconcile:{name}"

    def acknowledged(self, *cards: str, content: str = "1", recalled: bool = False) -> None:
        """The next version of some cards went there, and is held."""
        submit(
            self.store, *[(card, content) for card in cards], now=self.now, destinations=(self.name,), recalled=recalled
        )
        with self.store.write() as connection:
            new = connection.execute(select(deliveries).where(deliveries.c.state == S.QUEUED)).all()
            rows = [
                {
                    "delivery_id": row.id, "attempt_id": row.id, "meaning": "acknowledged", "code": "OK", "detail": "",
                    "sent_sha256": _digest(row.card_id, row.version),
                }
                for row in new
            ]  # fmt: skip
            insert_rows(connection, delivery_attempts, rows)
            connection.execute(
                update(deliveries)
                .where(deliveries.c.state == S.QUEUED)
                .values(state=S.ACKNOWLEDGED, settled_at=self.now, first_attempt_at=self.now, attempts=1)
            )
        self.hold(*[(row.card_id, row.version, row.event) for row in new])

    def hold(self, *versions: tuple[str, int, str], content: str = "") -> None:
        arrivals = [
            Arrival(f"2025-2026/{card}", version, event, _digest(card, version, content).hex())
            for card, version, event in versions
        ]
        self.ledger.commit(arrivals, lambda _: None)

    def state(self, card: str, state: S) -> None:
        with self.store.write() as connection:
            connection.execute(update(deliveries).where(deliveries.c.card_id == card).values(state=state))

    def begin(self) -> None:
        with self.store.write() as connection:
            jobs.ask(connection, self.key, "test", self.now)

    def reconcile(self, adapter: Outbound | None = None) -> Run:
        worker = job_worker(
            self.store, {self.key: Planned("reconcile", None)},
            {"reconcile": Reconcile({self.name: self.destination}, lambda _: adapter or self.adapter)},
            clock=lambda: self.now,
        )  # fmt: skip
        self.now += 1_000
        self.begin()
        worker.run(self.key)
        with self.store.read() as connection:
            [run] = jobs.history(connection, self.key, limit=1)
            staged = connection.execute(select(func.count()).select_from(reconcile_entries)).scalar_one()
        if run.state == "done":
            assert staged == 0
        return run

    def found(self, run: Run) -> dict[str, str]:
        with self.store.read() as connection:
            return {one.card_id: str(one.kind) for one in reconciliation.differences(connection, run.id)}


def _digest(card: str, version: int, content: str = "") -> bytes:
    return hashlib.sha256(f"{card} {version} {content}".encode()).digest()


@pytest.fixture(params=NAMES)
def stage(request: pytest.FixtureRequest, store: Store, sandbox: SandboxHandle) -> Iterator[Stage]:
    options: dict[str, Any] = {"inventory_limit": 3}
    if request.param == "ministry":
        options = {"inventory": {"lines_per_page": 3}}
    with sandbox.adapter(request.param, options=options) as adapter:
        yield Stage(store, sandbox, request.param, adapter)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a few cards take several pages and steps."""
    monkeypatch.setattr(job, "_CARDS", 3)
    monkeypatch.setattr(job, "_SECOND_LOOKS", 2)
    monkeypatch.setattr(job, "_LINES", 4)


def plant(stage: Stage) -> dict[str, str]:
    """One card of each kind of difference, among others that are equal."""
    stage.acknowledged(*[f"equal-{n}" for n in range(5)], "missing", "older", "newer", "different", "alive", "refused")
    stage.acknowledged("older", "newer", content="2")
    stage.acknowledged("alive", content="3", recalled=True)
    stage.ledger.lose("2025-2026/missing")
    for card, version in (("older", 1), ("newer", 2), ("different", 1), ("alive", 1)):
        stage.ledger.lose(f"2025-2026/{card}")
        del version
    stage.ledger.reset()
    stage.hold(*[(f"equal-{n}", 1, "NEW") for n in range(5)])
    stage.hold(
        ("older", 1, "NEW"), ("newer", 3, "UPDATE"), ("alive", 2, "NEW"), ("unknown", 1, "NEW"), ("zz", 1, "NEW")
    )
    stage.hold(("different", 1, "NEW"), content="other")
    stage.state("refused", S.REFUSED)
    submit(stage.store, ("waiting", "1"), now=stage.now, destinations=(stage.name,))
    return {
        "missing": "missing", "older": "older", "newer": "newer", "different": "different", "alive": "alive",
        "refused": "refused", "unknown": "unknown", "zz": "unknown",
    }  # fmt: skip


def test_where_both_are_equal_nothing_differs(stage: Stage):
    stage.acknowledged(*[f"card-{n}" for n in range(10)])
    stage.acknowledged("card-3", content="2", recalled=True)
    run = stage.reconcile()
    assert (run.state, run.result["listed"], run.result["all"], run.result["equal"]) == ("done", 10, 10, 10)
    assert stage.found(run) == {}


def test_an_empty_hub_and_an_empty_destination(stage: Stage):
    assert stage.reconcile().state == "done"


def test_every_kind_of_difference_is_found_and_counted(stage: Stage):
    expected = plant(stage)
    expected["alive"] = "alive"
    run = stage.reconcile()
    assert stage.found(run) == expected
    assert {kind: run.result[kind] for kind in (*expected.values(), "waiting", "all", "equal")} == {
        "missing": 1, "older": 1, "newer": 1, "different": 1, "alive": 1, "refused": 1, "unknown": 2, "waiting": 1,
        "all": 12, "equal": 5,
    }  # fmt: skip
    with stage.store.read() as connection:
        by_class = figures(reconciliation.counts(connection, run.id, by=LEVELS["class"]))
        by_school = figures(reconciliation.counts(connection, run.id, by=LEVELS["school"], school="SCHOOL"))
        only = reconciliation.differences(connection, run.id, kind=D.MISSING, school="SCHOOL")
    assert by_class["SCHOOL", "", 8, "missing"] == {"all": 1, "missing": 1, "equal": 0}
    assert by_school["SCHOOL", "", 0, ""]["equal"] == 5
    assert [(one.card_id, one.our_version, one.their_version) for one in only] == [("missing", 1, None)]


def test_the_report_is_a_workbook(stage: Stage):
    plant(stage)
    run = stage.reconcile()
    with stage.store.read() as connection:
        made = load_workbook(BytesIO(workbook(connection, run.id)))
    assert made.sheetnames == ["Trường - School", "Lớp - Class", "Khác biệt - Differences"]
    rows = list(made["Khác biệt - Differences"].iter_rows(values_only=True))
    assert len(rows) == 1 + 8
    assert rows[0][3] == "Học bạ / Card"
    [school] = [row for row in made["Trường - School"].iter_rows(values_only=True) if row[0] == "SCHOOL"]
    assert school[1:3] == (12, 5)


class Moving:
    """An adapter beside which something happens after the inventory was listed."""

    most_keys = 1

    def __init__(self, inner: Outbound, after_listing: Any) -> None:
        self.inner, self.after_listing, self.asked = inner, after_listing, 0

    def inventory(self, after: str | None, keys: Sequence[CardKey] = ()) -> InventoryPage:
        page = self.inner.inventory(after, keys)
        if not keys and page.next is None:
            self.after_listing()
        self.asked += bool(keys)
        return page


def test_what_moves_while_it_runs_is_no_difference(stage: Stage):
    stage.acknowledged("a", "b", "c")
    moving = Moving(stage.adapter, lambda: stage.acknowledged("a", "new", content="2"))
    run = stage.reconcile(moving)  # type: ignore[arg-type]
    assert moving.asked == 2
    assert (stage.found(run), run.result["moved"], run.result["equal"]) == ({}, 2, 4)


def test_an_inventory_that_changes_while_it_is_read_is_no_difference(stage: Stage, sandbox: SandboxHandle):
    cards = [f"card-{number}" for number in range(40)]
    stage.acknowledged(*cards)
    stage.ledger.lose("2025-2026/card-7")
    sandbox.play(Fault(name=FaultName.INVENTORY_CHANGES, rate=0.5))
    run = stage.reconcile()
    assert 10 < run.result["moved"] < 30
    assert stage.found(run) == {"card-7": "missing"}
    sandbox.play()
    assert stage.reconcile().result["moved"] == 0


def test_where_single_cards_cannot_be_asked_for_what_changed_here_is_left_out(stage: Stage):
    stage.acknowledged("a", "b")
    stage.ledger.lose("2025-2026/b")

    def moves() -> None:
        stage.now += 5_000
        stage.acknowledged("a", content="2")

    moving = Moving(stage.adapter, moves)
    moving.most_keys = 0
    run = stage.reconcile(moving)  # type: ignore[arg-type]
    assert stage.found(run) == {"b": "missing"}


def test_a_run_that_is_taken_over_at_any_step_finds_the_same(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    expected = plant(stage)
    real, steps = JobRun.give_way, Counter[str]()

    def stops(run: JobRun) -> None:
        steps[str(run.cursor)] += 1
        if steps[str(run.cursor)] == 1 and run.cursor is not None:
            run._must_give_way = lambda: True
        real(run)

    monkeypatch.setattr(JobRun, "give_way", stops)
    run = stage.reconcile()
    for _ in range(60):
        if run.state == "done":
            break
        run = stage.reconcile()
    assert (run.state, stage.found(run), run.result["equal"]) == ("done", expected, 5)
    assert len(steps) > 12
    with stage.store.read() as connection:
        assert len(jobs.history(connection, stage.key)) == 1


def test_repairs_are_planned_done_once_and_counted(stage: Stage):
    plant(stage)
    run = stage.reconcile()
    sending = Chosen(run.id, {D.MISSING, D.OLDER, D.ALIVE})
    raising = Chosen(run.id, {D.REFUSED, D.DIFFERENT, D.NEWER, D.UNKNOWN}, "SCHOOL")
    told = told_to_schools(stage.name)
    with stage.store.read() as connection:
        assert dict(plan(connection, sending).sent) == {"missing": 1, "older": 1, "alive": 1}
        assert plan(connection, Chosen(run.id, {D.MISSING}, "OTHER")).cards == 0
    with stage.store.write() as connection:  # as after a replay of the same bytes
        connection.execute(update(deliveries).where(deliveries.c.card_id == "missing").values(pin="province 1.0.0"))
    done = repair(stage.store, sending, told, actor="os:lan", reason="they lost some", now=stage.now)
    assert (dict(done.sent), done.changed, done.cards) == ({"missing": 1, "older": 1, "alive": 1}, 0, 3)
    again = repair(stage.store, sending, told, actor="os:lan", reason="twice", now=stage.now)
    assert (again.cards, again.repaired_before) == (3, 3)
    with stage.store.read() as connection:
        states = select(deliveries.c.card_id).where(deliveries.c.state == S.QUEUED, deliveries.c.code == "reconciled")
        assert set(connection.execute(states).scalars()) == {"missing", "older", "alive"}
        pinned = select(deliveries.c.card_id).where(deliveries.c.pin.is_not(None))
        assert connection.execute(pinned).all() == [], "a repair is made by the mapping in force"
    raised = repair(stage.store, raising, told, actor="os:lan", reason="theirs to mend", now=stage.now)
    assert dict(raised.raised) == {"refused": 1, "different": 1, "newer": 1}
    with stage.store.read() as connection:
        items = {one.card_id: one for one in open_list(connection, schools=["SCHOOL"])}
        acts = [entry.action for entry in audit.entries(connection)]
        for card in ("missing", "older", "alive", "refused", "different", "newer"):
            told = audit.about(connection, CardKey(YEAR, CardId(card)), 10)
            assert [(one.action, one.actor) for one in told] == [("repair", "os:lan")], card
    assert set(items) == {"refused", "different", "newer"}
    assert items["different"].findings[0]["code"] == "destination.different"
    assert stage.name in items["newer"].findings[0]["message_vi"]
    assert acts == ["repair", "repair", "repair"]
    submit(stage.store, ("different", "mended"), now=stage.now, destinations=(stage.name,))
    with stage.store.read() as connection:
        assert "different" not in {one.card_id for one in open_list(connection, schools=["SCHOOL"])}


def test_what_has_moved_since_the_run_is_left_alone(stage: Stage):
    stage.acknowledged("a", "b")
    for card in "ab":
        stage.ledger.lose(f"2025-2026/{card}")
    run = stage.reconcile()
    submit(stage.store, ("a", "2"), now=stage.now, destinations=(stage.name,))
    with stage.store.read() as connection:
        planned = plan(connection, Chosen(run.id, {D.MISSING}))
    assert (dict(planned.sent), planned.changed) == ({"missing": 1}, 1)
    done = repair(stage.store, Chosen(run.id, {D.MISSING}), {}, actor="os:lan", reason="they lost some", now=stage.now)
    assert (dict(done.sent), done.changed) == ({"missing": 1}, 1)


def test_only_the_newest_runs_are_kept(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reconciliation, "_RUNS_KEPT", 2)
    stage.acknowledged("a")
    stage.ledger.lose("2025-2026/a")
    runs = [stage.reconcile() for _ in range(4)]
    assert [stage.found(run) for run in runs] == [{}, {}, {"a": "missing"}, {"a": "missing"}]


def test_a_destination_without_an_inventory_says_so(stage: Stage, sandbox: SandboxHandle):
    option = {"inventory": None} if stage.name == "ministry" else {"inventory_path": None}
    with sandbox.adapter(stage.name, options=option) as adapter:
        run = stage.reconcile(adapter)
    assert (run.state, run.error) == ("failed", "no-inventory")
