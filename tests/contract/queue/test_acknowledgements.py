"""Verdicts that come later, on both stores: in time and late, unasked, again, against another, never."""

from __future__ import annotations

from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from hocba_hub.adapters.protocol import OutboundRecord, Outcome, Stage, Unasked
from hocba_hub.model.delivery import FINAL, DeliveryState, Meaning
from hocba_hub.model.keys import CardId, CardKey, SchoolYear, Version
from hocba_hub.queue.jobs.acknowledgements import Acknowledgements
from hocba_hub.queue.jobs.schedules import planned
from hocba_hub.store import acknowledgements as acks
from hocba_hub.store import audit, jobs
from hocba_hub.store.acknowledgements import Decision, DecisionError, Heard, Reception
from hocba_hub.store.counters import sums
from hocba_hub.store.delivery_acts import Act, execute
from hocba_hub.store.engine import Store
from hocba_hub.store.jobs import Run
from hocba_hub.store.schema import upgrade
from hocba_hub.store.selection import Selection
from hocba_hub.store.tables import destinations
from hocba_hub.store.verdict_times import timeliness
from tests.support.engine import CODES, PROVINCE, Bench, answered, put
from tests.support.jobs import job_worker

S = DeliveryState
YEAR = SchoolYear("2025-2026")
OVERDUE = 600
OK, WRONG = ("OK", Meaning.ACKNOWLEDGED), ("WRONG", Meaning.REFUSED)


def awaiting(store: Store, *cards: str, **more: object) -> Bench:
    """Cards that were taken, each batch under a reference."""
    acknowledgement = {"poll_seconds": [10, 20, 60], "overdue_seconds": OVERDUE, **more}
    bench = Bench(store, acknowledgement=acknowledgement, limits={"answer_seconds": 1})
    bench.peer.on_send = answered("TAKEN", reference="batch-1")
    bench.peer.on_lookup = answered("PENDING")
    put(bench, *[(card, "1") for card in cards])
    bench.drain()
    assert bench.states() == {S.AWAITING_ACK: len(cards)}
    return bench


def hear(bench: Bench, card: str, verdict: tuple[str, Meaning], version: int = 1) -> Reception:
    heard = Heard(CardKey(YEAR, CardId(card)), Version(version), *verdict)
    with bench.store.write() as connection:
        [reception] = acks.hear(connection, PROVINCE, [heard], source="push", now=bench.now)
    bench.check_depth()
    return reception


def kept(bench: Bench) -> list[tuple[str, str, int]]:
    with bench.store.read() as connection:
        return [(one.kind, one.source, one.times) for one in reversed(acks.listed(connection))]


def counted(bench: Bench, name: str) -> dict[tuple[str, ...], int]:
    with bench.store.read() as connection:
        return {labels: int(value) for labels, value in sums(connection).get(name, {}).items()}


def look_for_overdue(bench: Bench, *, asks: bool = False) -> Run:
    """One run of the job, by schedule or because a person asks."""
    work = Acknowledgements({PROVINCE: bench.destination})
    key = f"acknowledgements:{PROVINCE}"
    worker = job_worker(
        bench.store, planned({"acknowledgements": "* * * * *"}, [PROVINCE]), {"acknowledgements": work},
        clock=lambda: bench.now,
    )  # fmt: skip
    if asks:
        with bench.store.write() as connection:
            jobs.ask(connection, key, "os:lan", bench.now)
    else:
        bench.now += 60_000
    worker.run(key)
    with bench.store.read() as connection:
        [run] = jobs.history(connection, key, limit=1)
    assert run.state == "done"
    return run


def test_the_first_question_waits_as_long_as_verdicts_usually_take(store: Store):
    bench = awaiting(store, "a")
    assert bench.row("a").next_attempt_at == bench.now + 10_000  # nothing is known yet
    bench.peer.on_poll = answered("OK")
    bench.drain(100)
    with store.read() as connection:
        assert connection.execute(select(destinations.c.verdict_seconds)).scalar_one() == pytest.approx(100, abs=0.1)
    put(bench, ("b", "1"))
    bench.drain()
    assert bench.row("b").next_attempt_at == bench.now + 90_000
    bench.drain(90)
    with store.read() as connection:  # it was there already: the next one is asked for earlier
        assert connection.execute(select(destinations.c.verdict_seconds)).scalar_one() == pytest.approx(98, abs=0.1)


def test_several_references_are_asked_for_in_one_call(store: Store):
    bench = Bench(store, acknowledgement={"poll_seconds": [10], "references": 3}, batch={"records": 2})
    numbers = iter(range(9))
    batch: dict[int, str] = {}

    def taken(record: OutboundRecord) -> Outcome:
        number = next(numbers)
        batch[number] = f"batch-{number // 2}"
        return Outcome(record.delivery_id, Stage.ANSWERED, "TAKEN", reference=batch[number])

    bench.peer.on_send = taken
    for pair in ("ab", "cd", "ef", "gh"):
        put(bench, *[(card, "1") for card in pair])
        bench.drain()
    bench.peer.on_poll = answered("OK")
    bench.drain(10)
    assert bench.states() == {S.ACKNOWLEDGED: 8}
    calls = [call for call in bench.peer.calls if call.startswith("poll")]
    assert sorted(calls) == ["poll batch-0 batch-1 batch-2", "poll batch-3"]


def test_a_verdict_that_is_brought_settles_and_is_repeated_without_effect(store: Store):
    bench = awaiting(store, "a", "b")
    assert hear(bench, "a", OK) is Reception.SETTLED
    assert hear(bench, "b", WRONG) is Reception.SETTLED
    assert bench.states() == {S.ACKNOWLEDGED: 1, S.REFUSED: 1}
    for _ in range(2):
        assert hear(bench, "a", OK) is Reception.REPEATED
    assert kept(bench) == [("settled", "push", 1), ("settled", "push", 1), ("repeated", "push", 2)]
    assert hear(bench, "a", ("PENDING", Meaning.AWAITING_ACK)) is Reception.NOT_A_VERDICT
    assert hear(bench, "c", OK) is Reception.UNKNOWN
    assert hear(bench, "a", OK, version=2) is Reception.UNKNOWN
    assert counted(bench, "acknowledgements_heard") == {
        (PROVINCE, "push", "settled"): 2, (PROVINCE, "push", "repeated"): 2,
        (PROVINCE, "push", "not-a-verdict"): 1, (PROVINCE, "push", "unknown"): 2,
    }  # fmt: skip
    assert bench.row("a").code == "OK"


def test_what_was_never_sent_cannot_be_acknowledged(store: Store):
    bench = Bench(store)
    put(bench, ("a", "1"))
    assert hear(bench, "a", OK) is Reception.UNKNOWN
    assert bench.states() == {S.QUEUED: 1}


def test_a_verdict_for_what_waits_to_be_sent_again_ends_it(store: Store):
    bench = Bench(store)
    bench.peer.on_send = answered("http-503")
    put(bench, ("a", "1"))
    bench.drain()
    assert bench.row("a").state == S.QUEUED
    assert hear(bench, "a", OK) is Reception.SETTLED
    bench.drain(86_400)
    assert bench.peer.calls["send"] == 1


@pytest.mark.parametrize("verdict", [OK, WRONG])
def test_a_verdict_that_is_brought_while_somebody_asks_is_not_written_over(store: Store, verdict: tuple[str, Meaning]):
    bench = awaiting(store, "a", "b")

    def meanwhile(record: OutboundRecord) -> Outcome:
        if record.key.card_id == "a":
            brought.append(hear(bench, "a", verdict))
        return Outcome(record.delivery_id, Stage.ANSWERED, "OK")

    brought: list[Reception] = []
    bench.peer.on_poll = meanwhile
    bench.drain(10)
    assert brought == [Reception.SETTLED]
    assert bench.row("a").code == verdict[0]
    assert bench.row("b").state == S.ACKNOWLEDGED
    kind = "repeated" if verdict is OK else "contradictory"
    assert kept(bench) == [("settled", "push", 1), (kind, "poll", 1)]
    bench.check_depth()


def test_a_verdict_that_is_brought_before_the_answer_to_the_send(store: Store):
    bench = Bench(store)

    def meanwhile(record: OutboundRecord) -> Outcome:
        assert hear(bench, "a", OK) is Reception.SETTLED
        return Outcome(record.delivery_id, Stage.ANSWERED, "TAKEN", reference="r")

    bench.peer.on_send = meanwhile
    put(bench, ("a", "1"))
    bench.drain()
    assert bench.states() == {S.ACKNOWLEDGED: 1}
    bench.check_depth()


def test_the_first_verdict_stands_until_a_person_decides(store: Store):
    bench = awaiting(store, "a", "b")
    for card in "ab":
        hear(bench, card, OK)
        assert hear(bench, card, WRONG) is Reception.CONTRADICTORY
        assert hear(bench, card, WRONG) is Reception.CONTRADICTORY
    assert bench.states() == {S.ACKNOWLEDGED: 2}
    with store.read() as connection:
        found = acks.listed(connection, undecided=True)
        assert acks.undecided(connection, PROVINCE) == 2
    assert [(one.card_id, one.times, one.verdict) for one in found] == [("b", 2, S.REFUSED), ("a", 2, S.REFUSED)]
    with store.write() as connection:
        for one, decision in zip(found, (Decision.KEEP, Decision.TAKE), strict=True):
            acks.decide(connection, one.id, decision, actor="os:lan", reason="they said so", now=bench.now)
    assert (bench.row("b").state, bench.row("a").state, bench.row("a").code) == (S.ACKNOWLEDGED, S.REFUSED, "WRONG")
    bench.check_depth()
    with pytest.raises(DecisionError), store.write() as connection:
        acks.decide(connection, found[0].id, Decision.TAKE, actor="os:lan", reason="again", now=bench.now)
    with store.write() as connection:
        assert acks.decide(connection, 999, Decision.KEEP, actor="os:lan", reason="again", now=bench.now) is None
        assert acks.undecided(connection, PROVINCE) == 0
        acts = [entry.detail["decision"] for entry in audit.entries(connection)]
        [of_card] = audit.about(connection, CardKey(YEAR, CardId("a")), 10)
    assert acts == ["take", "keep"]
    assert of_card.detail["decision"] == "take"


def test_a_verdict_on_what_a_person_had_cancelled_waits_for_a_person(store: Store):
    bench = awaiting(store, "a")
    execute(store, Act.CANCEL, Selection(deliveries=(bench.row("a").id,)), actor="a", reason="why", now=bench.now)
    assert hear(bench, "a", OK) is Reception.CONTRADICTORY
    assert bench.row("a").state == S.CANCELLED


def test_what_a_poll_says_of_others_is_heard(store: Store):
    """A batch of which one record is still undecided: the answer tells the others' verdicts again."""
    bench = awaiting(store, "a", "b")
    first = {"a": "OK", "b": "PENDING"}
    bench.peer.on_poll = lambda record: Outcome(record.delivery_id, Stage.ANSWERED, first[record.key.card_id])
    bench.drain(10)
    bench.peer.unasked = [Unasked(CardKey(YEAR, CardId("a")), Version(1), "WRONG")]
    bench.drain(20)
    assert (bench.row("a").state, bench.row("b").state) == (S.ACKNOWLEDGED, S.AWAITING_ACK)
    assert kept(bench) == [("contradictory", "poll", 1)]


def test_late_verdicts_are_counted_against_the_objective_and_kept(store: Store):
    bench = awaiting(store, "a", "b", "c")
    hear_at = bench.now
    bench.peer.on_poll = answered("PENDING")
    bench.drain(10)
    only: dict[str, str] = {"a": "OK"}
    bench.peer.on_poll = lambda r: Outcome(r.delivery_id, Stage.ANSWERED, only.get(r.key.card_id, "PENDING"))
    bench.drain(20)
    only["b"] = "OK"
    bench.drain(OVERDUE)
    assert bench.now - hear_at > OVERDUE * 1000
    assert counted(bench, "acknowledgements") == {(PROVINCE, "in_time"): 1, (PROVINCE, "late"): 1}
    assert kept(bench) == [("late", "poll", 1)]
    with store.read() as connection:
        told = timeliness(connection, PROVINCE, overdue_seconds=OVERDUE, objective=0.995, now=bench.now)
    assert (told.awaited, told.overdue, told.in_time, told.late) == (1, 1, 1, 1)
    assert told.share == pytest.approx(1 / 3)


def test_an_overdue_verdict_is_looked_up_and_again_after_twice_as_long(store: Store):
    bench = awaiting(store, "a")
    bench.peer.on_poll = answered("PENDING")
    looked_up = []
    for minute in range(60):
        run = look_for_overdue(bench)
        bench.drain(0.01)
        looked_up += [minute + 1] * run.result.get("looked_up", 0)
    assert bench.peer.calls["lookup"] == 3
    assert looked_up == [10, 20, 40]
    assert bench.row("a").state == S.AWAITING_ACK


def test_what_was_lost_after_it_was_taken_is_found_and_sent_again(store: Store):
    bench = awaiting(store, "a")
    bench.peer.on_poll, bench.peer.on_lookup = answered("PENDING"), answered("absent")
    bench.now += OVERDUE * 1000
    assert look_for_overdue(bench).result == {"looked_up": 1}
    bench.drain(0.01)
    assert bench.peer.calls["send"] == 2
    assert bench.row("a").state == S.AWAITING_ACK
    assert bench.row("a").awaiting_since == bench.now


def test_a_person_has_everything_asked_for_at_once(store: Store):
    bench = awaiting(store, "a", "b")
    assert look_for_overdue(bench, asks=True).result["polled"] == 2
    bench.peer.on_poll = answered("OK")
    bench.drain()
    assert bench.states() == {S.ACKNOWLEDGED: 2}


class Answers(RuleBasedStateMachine):
    """Any order and repetition of answers: the first verdict stands, whatever else comes; only a person changes it."""

    @initialize()
    def begin(self) -> None:
        self.first: str | None = None
        self.folder = TemporaryDirectory()
        self.store = Store(f"sqlite:///{self.folder.name}/hub.db")
        upgrade(self.store)
        self.bench = awaiting(self.store, "a")

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()

    def _note(self) -> None:
        state = self.bench.row("a").state
        if self.first is None and state in {S.ACKNOWLEDGED, S.REFUSED}:
            self.first = state

    @rule(code=st.sampled_from(["OK", "WRONG", "PENDING", "nothing"]))
    def brings(self, code: str) -> None:
        hear(self.bench, "a", (code, CODES.get(code, Meaning.TRANSIENT)))
        self._note()

    @rule(code=st.sampled_from(["OK", "WRONG", "PENDING", "http-503"]), unasked=st.booleans())
    def is_polled(self, code: str, *, unasked: bool) -> None:
        self.bench.peer.on_poll = answered(code)
        told = [Unasked(CardKey(YEAR, CardId("a")), Version(1), code)]
        self.bench.peer.unasked = told if unasked and self.first is not None else ()
        self.bench.drain(61)
        self._note()

    @rule(code=st.sampled_from(["OK", "WRONG", "PENDING", "absent"]))
    def is_looked_up(self, code: str) -> None:
        with self.store.write() as connection:
            row = self.bench.row("a")
            acks.doubt(connection, PROVINCE, [row.id], code="ack-overdue", now=self.bench.now)
        self.bench.peer.on_lookup = answered(code)
        self.bench.drain(2)
        self._note()

    @precondition(lambda self: self.first is not None)
    @rule(decision=st.sampled_from(list(Decision)))
    def a_person_decides(self, decision: Decision) -> None:
        with self.store.write() as connection:
            for one in acks.listed(connection, undecided=True):
                acks.decide(connection, one.id, decision, actor="a", reason="why", now=self.bench.now)
                if decision is Decision.TAKE:
                    self.first = one.verdict

    @invariant()
    def the_first_verdict_stands(self) -> None:
        state = self.bench.row("a").state
        if self.first is not None:
            assert state == self.first
        else:
            assert state not in FINAL
        self.bench.check_depth()


TestAnswers = Answers.TestCase
TestAnswers.settings = settings(
    max_examples=25, stateful_step_count=12, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
