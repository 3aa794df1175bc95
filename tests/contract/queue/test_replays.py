"""Replays on both stores: chosen once, claimed by one, a few first, stopped when the trouble comes back, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from hocba_hub.adapters.protocol import CallResult, OutboundRecord, Outcome, Stage
from hocba_hub.model.delivery import DeliveryState
from hocba_hub.model.failures import GroupState
from hocba_hub.model.making import Made, Pin
from hocba_hub.model.replays import ReplayError, ReplayMeaning, ReplayPlan, ReplayState
from hocba_hub.queue.jobs.replay import Replaying
from hocba_hub.queue.jobs.retention import Retention
from hocba_hub.queue.jobs.runner import JobWorker
from hocba_hub.settings import Settings
from hocba_hub.store import audit, control, failures, jobs, replays
from hocba_hub.store.counters import sums
from hocba_hub.store.engine import Store
from hocba_hub.store.job_acts import JobAct, act
from hocba_hub.store.replays import Frozen, Replay
from hocba_hub.store.selection import Selection, SelectionError
from hocba_hub.store.tables import deliveries, delivery_attempts, replay_items
from tests.support.acceptance import submit
from tests.support.engine import PROVINCE, Answer, Bench, answered, not_sent, put
from tests.support.jobs import job_worker, run_once

S, R = DeliveryState, ReplayState
WRONG = Selection(code="WRONG")
AT_ONCE = ReplayPlan(canary=())


class Replayed(Bench):
    """A bench whose replays run in this process, step by step."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, breaker={"failures": 10_000, "open_seconds": 1}, batch={"records": 50, "bytes": 10**6})
        self.now = 1_780_000_000_000
        self.rung: list[str] = []
        work = Replaying({PROVINCE: self.destination}, self.rung.append, pace_seconds=0, patience=0)
        self.worker: JobWorker = job_worker(store, {}, {"replay": work}, clock=lambda: self.now)

    def failed(self, *cards: str, code: str = "WRONG") -> None:
        put(self, *[(card, "1") for card in cards])
        self.peer.on_send = answered(code)
        self.drain(1)

    def freeze(self, chosen: Selection = WRONG, plan: ReplayPlan = AT_ONCE, actor: str = "os:lan") -> Frozen:
        with self.store.write() as connection:
            return replays.freeze(connection, chosen, plan, actor=actor, reason="the cause was cured", now=self.now)

    def do(self, what: Callable[..., Replay | None], replay_id: int) -> Replay:
        with self.store.write() as connection:
            found = what(connection, replay_id, actor="os:lan", reason="so", now=self.now)
        assert found is not None
        return found

    def begin(self, chosen: Selection = WRONG, plan: ReplayPlan = AT_ONCE) -> int:
        made = self.freeze(chosen, plan).replay.id
        self.do(replays.start, made)
        return made

    def step(self, replay_id: int, on_send: Answer | None = None, *, seconds: float = 100) -> Replay:
        """The job goes on as far as it can; then what it sent is delivered."""
        self.now += round(seconds * 1000)
        self.worker.run(f"replay:{replay_id}")
        if on_send is not None:
            self.peer.on_send = on_send
            self.drain()
        return self.replay(replay_id)

    def to_end(self, replay_id: int, on_send: Answer) -> Replay:
        for _ in range(50):
            if self.step(replay_id, on_send).state is not R.RUNNING:
                break
        return self.replay(replay_id)

    def replay(self, replay_id: int) -> Replay:
        with self.store.read() as connection:
            found = replays.find(connection, replay_id)
        assert found is not None
        return found

    def replay_sent(self, replay_id: int) -> int:
        return self.replay(replay_id).records - self.counts(replay_id).get(("open", "waiting"), 0)

    def counts(self, replay_id: int) -> dict[tuple[str, str], int]:
        with self.store.read() as connection:
            found = replays.counts(connection, replay_id)
        assert sum(one.records for one in found) == self.replay(replay_id).records, "the sum is the selection"
        return {(str(one.outcome or "open"), one.code): one.records for one in found}


@pytest.fixture
def bench(store: Store) -> Replayed:
    return Replayed(store)


def cards(number: int, prefix: str = "c") -> list[str]:
    return [f"{prefix}{n:03d}" for n in range(number)]


def test_what_is_chosen_is_kept_and_claimed_before_anything_goes_out(bench: Replayed):
    bench.failed("a", "b", "c")
    frozen = bench.freeze()
    bench.failed("d")
    assert (frozen.replay.records, frozen.replay.state, frozen.held, frozen.unmatched) == (3, R.FROZEN, [], 0)
    assert bench.counts(frozen.replay.id) == {("open", "waiting"): 3}
    assert bench.states() == {"refused": 4}
    with bench.store.read() as connection:
        assert [one.card_id for one in replays.items(connection, frozen.replay.id)] == ["a", "b", "c"]
        entry = audit.entries(connection)[0]
    assert (entry.action, entry.actor, entry.reason) == ("freeze-replay", "os:lan", "the cause was cured")
    assert entry.detail["counts"] == [
        {"destination": "province", "state": "refused", "code": "WRONG", "deliveries": 3}
    ]  # fmt: skip


def test_two_operators_cannot_have_the_same_and_the_second_is_told_who_has_it(bench: Replayed):
    bench.failed("a", "b")
    first = bench.freeze().replay
    bench.failed("c")
    second = bench.freeze(actor="operator:minh")
    assert second.replay.records == 1
    assert second.held == [replays.Holder(first.id, "os:lan", 2)]
    with pytest.raises(ReplayError) as all_held:
        bench.freeze(actor="operator:hoa")
    assert (all_held.value.code, all_held.value.facts) == ("replay.claimed", {"replay": first.id, "by": "os:lan"})
    bench.do(replays.cancel, first.id)
    assert bench.counts(first.id) == {("skipped", "cancelled"): 2}
    assert bench.freeze(actor="operator:hoa").replay.records == 2


@pytest.mark.parametrize(
    ("selection", "code"),
    [
        (Selection(), "selection.empty"),
        (Selection(destination="province", states=frozenset({S.REFUSED})), "selection.refused"),
        (Selection(destination="province", states=frozenset({S.IN_DOUBT})), "selection.state"),
        (Selection(destination="province", states=frozenset({S.QUEUED})), "selection.state"),
    ],
)
def test_a_selection_that_is_not_right_chooses_nothing(bench: Replayed, selection: Selection, code: str):
    bench.failed("a")
    with pytest.raises(SelectionError) as wrong:
        bench.freeze(selection)
    assert wrong.value.code == code
    with bench.store.read() as connection:
        assert replays.listed(connection) == []


def test_a_replay_of_nothing_is_told(bench: Replayed):
    bench.failed("a")
    with pytest.raises(ReplayError) as wrong:
        bench.freeze(Selection(code="ANOTHER"))
    assert wrong.value.code == "replay.empty"
    assert bench.freeze(Selection(deliveries=(bench.row("a").id, 998, 999))).unmatched == 2


def test_all_go_again_with_a_new_window_and_the_sum_is_the_selection(bench: Replayed):
    bench.failed("a", "b", "c")
    one = bench.begin()
    assert bench.step(one).state is R.RUNNING
    row = bench.row("a")
    assert (row.state, row.attempts, row.first_attempt_at, row.failure_group_id) == ("queued", 0, None, None)
    assert bench.rung == ["province"]
    done = bench.to_end(one, answered("OK"))
    assert (done.state, bench.counts(one)) == (R.DONE, {("acknowledged", ""): 3})
    bench.check_depth()
    with bench.store.read() as connection:
        [group] = failures.listed(connection, bench.now)
        [run] = jobs.history(connection, f"replay:{one}")
        assert sums(connection)["replayed"] == {("province",): 3}
        assert sums(connection)["replay_records"] == {("province", "acknowledged"): 3}
        entry = audit.entries(connection)[0]
    assert (run.state, run.done, run.total) == ("done", 3, 3)
    assert (group.state, group.standing) == (GroupState.RESOLVED, 0)
    assert (entry.actor, entry.action, entry.detail["failure_groups_resolved"]) == ("hub", "end-replay", [group.id])


def test_a_group_is_chosen_with_all_that_folds_under_it(bench: Replayed):
    put(bench, *[(card, "1") for card in cards(4)])
    bench.peer.on_send = lambda r: Outcome(
        r.delivery_id, Stage.NOT_SENT, "connection-refused" if r.delivery_id % 2 else "name-unknown"
    )
    bench.drain(1)
    with bench.store.write() as connection:
        connection.execute(update(deliveries).values(state="parked"))
        [root] = failures.listed(connection, bench.now)
        under = failures.listed(connection, bench.now, root_id=root.id)
    frozen = bench.freeze(Selection(group=root.id))
    assert frozen.replay.records == 4
    bench.do(replays.cancel, frozen.replay.id)
    assert bench.freeze(Selection(group=under[0].id)).replay.records == 2


def test_a_few_of_each_cause_go_first_then_more_then_all(bench: Replayed):
    bench.failed(*cards(30, "w"))
    bench.failed(*cards(30, "x"), code="CLOSED")
    with bench.store.write() as connection:
        connection.execute(update(deliveries).where(deliveries.c.state == "held").values(state="parked"))
    both = bench.begin(Selection(deliveries=tuple(range(1, 61))), ReplayPlan(canary=(1, 3)))
    sent: list[int] = []
    for _ in range(5):
        before = len(bench.peer.sent)
        bench.step(both, answered("OK"))
        sent.append(len(bench.peer.sent) - before)
    assert sent[:4] == [2, 6, 50, 2], "one of each cause, three of each, then a batch at a time"
    assert (bench.replay(both).state, bench.counts(both)) == (R.DONE, {("acknowledged", ""): 60})


def test_the_next_step_waits_until_every_record_of_the_one_before_has_its_outcome(bench: Replayed):
    bench.failed(*cards(10))
    one = bench.begin(plan=ReplayPlan(canary=(1, 2)))
    bench.step(one, answered("TAKEN", reference="r"))
    for _ in range(3):
        bench.peer.on_poll = answered("PENDING")
        assert bench.step(one).state is R.RUNNING
    assert bench.counts(one) == {("open", "sent"): 1, ("open", "waiting"): 9}
    bench.peer.on_poll = answered("OK")
    bench.drain(3600)
    bench.step(one, answered("OK"))
    assert bench.counts(one) == {("acknowledged", ""): 1, ("open", "sent"): 2, ("open", "waiting"): 7}


def test_it_stops_when_the_cause_comes_back_and_goes_on_when_a_person_says_so(bench: Replayed):
    bench.failed(*cards(20))
    one = bench.begin(plan=ReplayPlan(canary=(1,)))
    bench.step(one, answered("WRONG"))
    stopped = bench.step(one)
    with bench.store.read() as connection:
        [group] = failures.listed(connection, bench.now)
        entry = audit.entries(connection)[0]
        assert sums(connection)["replay_stops"] == {("same-cause",): 1}
    assert (stopped.state, stopped.stop_code, stopped.stop_group_id) == (R.STOPPED, "same-cause", group.id)
    assert (entry.action, entry.actor, entry.reason) == ("stop-replay", "hub", "same-cause")
    assert bench.counts(one) == {("failed", "WRONG"): 1, ("open", "waiting"): 19}
    assert bench.step(one).state is R.STOPPED, "it rests until somebody resumes it"
    with bench.store.read() as connection:
        assert jobs.due(connection, bench.now + 10**9) == []
    bench.do(replays.resume, one)
    assert bench.to_end(one, answered("OK")).state is R.DONE
    assert bench.counts(one) == {("acknowledged", ""): 19, ("failed", "WRONG"): 1}


def test_the_same_cause_under_another_version_of_the_mapping_is_the_same(bench: Replayed):
    def by(mapping: str):
        def send(records, _may_send=None):
            return CallResult(
                [Outcome(r.delivery_id, Stage.ANSWERED, "WRONG") for r in records],
                made={r.delivery_id: Made(mapping) for r in records},
            )

        return send

    bench.peer.send = by("m 1.0.0")  # type: ignore[method-assign]
    put(bench, ("a", "1"), ("b", "1"))
    bench.drain(1)
    one = bench.begin()
    bench.peer.send = by("m 1.0.1")  # type: ignore[method-assign]
    bench.step(one, answered("OK"))
    assert (bench.step(one).stop_code, len(groups_of(bench))) == ("same-cause", 2)


def groups_of(bench: Replayed) -> list[failures.FailureGroup]:
    with bench.store.read() as connection:
        return failures.listed(connection, bench.now)


def test_it_stops_when_too_many_fail_for_another_cause(bench: Replayed):
    bench.failed(*cards(40))
    bad = {f"c{n:03d}" for n in range(0, 40, 5)}

    def some(record: OutboundRecord) -> Outcome:
        return Outcome(record.delivery_id, Stage.ANSWERED, "CLOSED" if record.key.card_id in bad else "OK")

    one = bench.begin(plan=replace(AT_ONCE, most_failed=0.3))
    assert bench.to_end(one, some).state is R.DONE
    assert bench.counts(one) == {("acknowledged", ""): 32, ("failed", "CLOSED"): 8}
    bench.failed(*cards(40, "d"))
    bad = {f"d{n:03d}" for n in range(0, 40, 5)}
    other = bench.begin(plan=replace(AT_ONCE, most_failed=0.1))
    assert (bench.to_end(other, some).stop_code, bench.replay(other).state) == ("too-many-failed", R.STOPPED)


def test_a_record_that_is_tried_in_vain_counts_as_a_failure_before_its_window_is_over(bench: Replayed):
    put(bench, *[(card, "1") for card in cards(3)])
    bench.peer.on_send = not_sent
    bench.drain(1)
    with bench.store.write() as connection:
        connection.execute(update(deliveries).values(state="parked"))
    one = bench.begin(Selection(destination="province"), ReplayPlan(canary=(1,)))
    bench.step(one, not_sent)
    assert bench.states() == {"queued": 1, "parked": 2}
    assert (bench.step(one).state, bench.replay(one).stop_code) == (R.STOPPED, "same-cause")


def test_newer_versions_take_the_place_and_what_has_moved_on_is_left_alone(bench: Replayed):
    bench.failed("a", "b", "c", "d")
    one = bench.begin()
    submit(bench.store, ("a", "2"), now=bench.now, destinations=(PROVINCE,))
    with bench.store.write() as connection:
        connection.execute(update(deliveries).where(deliveries.c.card_id == "b").values(state="acknowledged"))
        connection.execute(update(deliveries).where(deliveries.c.card_id == "c").values(lease_id=77))
    assert bench.to_end(one, answered("OK")).state is R.DONE
    assert bench.counts(one) == {("acknowledged", ""): 1, ("skipped", "changed"): 2, ("superseded", ""): 1}


def test_a_version_that_comes_while_it_waits_to_be_sent_supersedes_it(bench: Replayed):
    bench.failed("a")
    one = bench.begin()
    bench.step(one)
    submit(bench.store, ("a", "2"), now=bench.now, destinations=(PROVINCE,))
    assert bench.to_end(one, answered("OK")).state is R.DONE
    assert bench.counts(one) == {("superseded", ""): 1}
    assert [(r.key.card_id, r.version) for r in bench.peer.sent[-1:]] == [("a", 2)]


def test_it_pauses_resumes_and_is_cancelled_with_exact_counts(bench: Replayed):
    bench.failed(*cards(20))
    one = bench.begin(plan=ReplayPlan(canary=(5,)))
    bench.step(one)
    assert bench.do(replays.pause, one).state is R.PAUSED
    assert bench.step(one, answered("OK")).state is R.PAUSED
    assert bench.counts(one) == {("open", "sent"): 5, ("open", "waiting"): 15}
    with pytest.raises(ReplayError) as wrong:
        bench.do(replays.pause, one)
    assert (wrong.value.code, wrong.value.facts["state"]) == ("replay.state", "paused")
    bench.do(replays.resume, one)
    bench.peer.on_send = answered("TAKEN", reference="r")
    bench.step(one)
    assert bench.do(replays.cancel, one).state is R.CANCELLED
    assert bench.counts(one) == {("acknowledged", ""): 5, ("skipped", "under-way"): 15}
    assert bench.step(one).state is R.CANCELLED
    for what in (replays.start, replays.pause, replays.resume, replays.cancel):
        with pytest.raises(ReplayError):
            bench.do(what, one)
    with bench.store.write() as connection:
        assert replays.start(connection, 999, actor="a", reason="r", now=1) is None


def test_the_acts_on_jobs_act_on_its_replay(bench: Replayed):
    bench.failed("a", "b")
    one = bench.begin()

    def do(what: JobAct) -> None:
        with bench.store.write() as connection:
            act(connection, f"replay:{one}", what, actor="os:lan", reason="so", now=bench.now)

    do(JobAct.PAUSE)
    assert bench.replay(one).state is R.PAUSED
    do(JobAct.RESUME)
    assert bench.replay(one).state is R.RUNNING
    do(JobAct.CANCEL)
    assert (bench.replay(one).state, bench.counts(one)) == (R.CANCELLED, {("skipped", "cancelled"): 2})


def test_a_rate_holds_over_pauses_and_processes(bench: Replayed):
    bench.failed(*cards(40))
    one = bench.begin(plan=replace(AT_ONCE, records_per_second=2))
    sent = []
    for _ in range(6):
        before = len(bench.peer.sent)
        bench.step(one, answered("OK"), seconds=2.5)
        sent.append(len(bench.peer.sent) - before)
    assert sent == [0, 2, 2, 2, 2, 2], "never more than what one second lets through"


def test_at_most_one_batch_waits_before_what_comes_in(bench: Replayed):
    bench.failed(*cards(120))
    one = bench.begin()
    bench.step(one)
    assert bench.states() == {"refused": 70, "queued": 50}
    submit(bench.store, ("new", "1"), now=bench.now, destinations=(PROVINCE,))
    before = len(bench.peer.sent)
    bench.step(one, answered("OK"))
    assert [r.key.card_id for r in bench.peer.sent[before:]].index("new") <= 50


def test_while_cards_come_in_it_takes_a_tenth_of_what_is_settled(bench: Replayed):
    bench.failed(*cards(200))
    one = bench.begin()
    sent = []
    for number in range(4):
        before = bench.replay_sent(one)
        submit(bench.store, *[(f"new-{number}-{n}", "1") for n in range(30)], now=bench.now, destinations=(PROVINCE,))
        bench.step(one, answered("OK"), seconds=2)
        sent.append(bench.replay_sent(one) - before)
    assert sent[0] == 1
    assert all(3 <= one <= 5 for one in sent[1:]), "of 30 new cards and what went out of the replay"
    bench.step(one, answered("OK"))
    assert bench.replay_sent(one) == sum(sent) + 50, "when none come in any more, a batch at a time"


def test_nothing_goes_to_a_destination_that_is_paused_or_unknown(bench: Replayed):
    bench.failed("a")
    one = bench.begin()
    with bench.store.write() as connection:
        control.pause(connection, PROVINCE, actor="os:lan", reason="works there", now=bench.now)
    assert bench.step(one).state is R.RUNNING
    assert bench.states() == {"refused": 1}
    with bench.store.write() as connection:
        control.resume(connection, PROVINCE, actor="os:lan", reason="done", now=bench.now)
    assert bench.to_end(one, answered("OK")).state is R.DONE


def made(bench: Replayed, mapping: str, digest: bytes | None) -> None:
    with bench.store.write() as connection:
        connection.execute(update(delivery_attempts).values(mapping=mapping, made_sha256=digest))


@pytest.mark.parametrize(
    ("meaning", "pin"),
    [
        (ReplayMeaning.MAPPING_IN_FORCE, None),
        (ReplayMeaning.SAME_MAPPING, Pin("m 1.0.0")),
        (ReplayMeaning.SAME_BYTES, Pin("m 1.0.0", bytes(32))),
    ],
)
def test_the_meaning_goes_with_each_delivery_until_it_is_sent_again_otherwise(
    bench: Replayed, meaning: ReplayMeaning, pin: Pin | None
):
    bench.failed("a", "b")
    made(bench, "m 1.0.0", bytes(32))
    one = bench.begin(plan=replace(AT_ONCE, meaning=meaning, most_failed=1))
    bench.step(one, answered("CLOSED"))
    assert {record.pin for record in bench.peer.sent[-2:]} == {pin}
    bench.drain(10**6)
    assert {record.pin for record in bench.peer.sent[-2:]} == {pin}, "tried again by itself, it stays as it was chosen"
    assert bench.step(one).state is R.DONE
    again = bench.begin(Selection(destination="province"), replace(AT_ONCE, most_failed=1))
    bench.step(again, answered("OK"))
    assert {record.pin for record in bench.peer.sent[-2:]} == {None}


def test_what_was_never_made_cannot_be_made_as_before(bench: Replayed):
    bench.failed("a")
    for meaning in (ReplayMeaning.SAME_BYTES, ReplayMeaning.SAME_MAPPING):
        one = bench.begin(plan=replace(AT_ONCE, meaning=meaning))
        assert bench.step(one).state is R.DONE
        assert bench.counts(one) == {("skipped", "never-made"): 1}
    assert bench.states() == {"refused": 1}


def test_a_replay_whose_job_gave_up_stands_still_and_can_be_resumed(bench: Replayed):
    bench.failed("a")
    one = bench.begin()
    broken = job_worker(bench.store, {}, {"replay": lambda _run: 1 / 0}, clock=lambda: bench.now)
    broken.run(f"replay:{one}")
    assert (bench.replay(one).state, bench.replay(one).stop_code) == (R.STOPPED, "unexpected")
    assert bench.counts(one) == {("open", "waiting"): 1}
    bench.do(replays.resume, one)
    assert bench.to_end(one, answered("OK")).state is R.DONE


def test_what_is_frozen_and_never_begun_is_given_free_after_a_day(bench: Replayed):
    bench.failed("a")
    one = bench.freeze().replay.id
    settings = Settings()
    run_once(bench.store, "retention", Retention(settings), now=bench.now + 3_600_000)
    assert bench.replay(one).state is R.FROZEN
    run_once(bench.store, "retention", Retention(settings), now=bench.now + 25 * 3_600_000)
    assert (bench.replay(one).state, bench.counts(one)) == (R.CANCELLED, {("skipped", "cancelled"): 1})


def test_every_open_item_is_a_claim_and_no_delivery_has_two(bench: Replayed):
    bench.failed(*cards(5))
    bench.begin()
    with bench.store.read() as connection:
        open_ = connection.execute(select(replay_items.c.delivery_id).where(replay_items.c.outcome.is_(None))).scalars()
        assert max(Counter(open_).values()) == 1
