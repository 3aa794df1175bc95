"""The delivery engine over both stores, against a destination whose every answer is scripted; time is set by hand."""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest
from sqlalchemy import event, func, select, update

from hocba_hub.adapters.destination import Breaker, Limits
from hocba_hub.adapters.protocol import OutboundRecord, Outcome
from hocba_hub.model.delivery import DeliveryState
from hocba_hub.store.counters import sums
from hocba_hub.store.engine import Store
from hocba_hub.store.lease import Allowance, Kind, lease, mark_sent
from hocba_hub.store.tables import attempts, delivery_attempts, destinations
from tests.support.acceptance import key
from tests.support.engine import PROVINCE, Bench, answered, no_answer, not_sent, put


@pytest.fixture
def bench(store: Store) -> Bench:
    return Bench(store)


def test_what_is_accepted_is_sent_once_and_acknowledged(bench: Bench):
    put(bench, *[(f"card-{n}", f"content {n}") for n in range(450)])
    bench.drain()
    assert bench.states() == {"acknowledged": 450}
    assert Counter(record.key for record in bench.peer.sent) == {key(f"card-{n}"): 1 for n in range(450)}
    assert {record.document for record in bench.peer.sent} == {f"content {n}".encode() for n in range(450)}
    assert bench.peer.calls["send"] == 3  # batches of 200
    bench.check_depth()


def test_calls_under_way_stay_within_the_cap(store: Store):
    bench = Bench(store, limits=Limits(concurrency=2), batch={"records": 5})
    put(bench, *[(f"card-{n}", "x") for n in range(100)])
    threads = [
        threading.Thread(
            target=bench.process(f"w{n}").drain, args=(PROVINCE,), kwargs={"seconds": 20, "stop": threading.Event()}
        )
        for n in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bench.drain()
    assert bench.states() == {"acknowledged": 100}
    assert len(bench.peer.sent) == 100
    assert bench.peer.most_under_way <= 2


def test_a_batch_is_cut_by_bytes(store: Store):
    bench = Bench(store, batch={"records": 100, "bytes": 10_000})
    put(bench, *[(f"card-{n}", "x" * 4_000) for n in range(6)])
    bench.drain()
    assert bench.peer.calls["send"] == 3


def test_a_transient_failure_is_retried_by_schedule_and_keeps_the_message_id(bench: Bench):
    put(bench, ("a", "1"))
    bench.peer.on_send = answered("http-503")
    bench.drain()
    row = bench.row("a")
    assert (row.state, row.attempts, row.code) == ("queued", 1, "http-503")
    assert 8_000 <= row.next_attempt_at - bench.now <= 12_000
    bench.drain(7)
    assert bench.peer.calls["send"] == 1
    bench.peer.on_send = answered("OK")
    bench.drain(6)
    assert bench.row("a").state == "acknowledged"
    assert {record.message_id for record in bench.peer.sent} == {"2025-2026/a/1"}


def test_the_destinations_wait_wins(bench: Bench):
    put(bench, ("a", "1"))
    bench.peer.on_send = answered("http-429", retry_after=120.0)
    bench.drain()
    assert bench.row("a").next_attempt_at == bench.now + 120_000


def test_the_whole_retry_window_then_parked_and_never_dropped(store: Store):
    bench = Bench(store, breaker=Breaker(failures=1000))
    put(bench, ("a", "1"))
    bench.peer.on_send = not_sent
    times = []
    for _ in range(200):
        bench.drain()
        row = bench.row("a")
        if row.state != "queued":
            break
        times.append(row.next_attempt_at)
        bench.now = row.next_attempt_at
    assert bench.row("a").state == "parked"
    hours = (bench.now - 1_000_000) / 3_600_000
    assert 72 <= hours < 72 + 3.7
    waits = [(b - a) / 1000 for a, b in zip([1_000_000, *times], times, strict=False)]
    for wait, planned in zip(waits, [10, 60, 300, 900, 3600, *[10_800] * 100], strict=False):
        assert 0.8 * planned <= wait <= 1.2 * planned
    assert bench.row("a").attempts == len(bench.peer.sent) == 1 + len(times)
    bench.check_depth()


def test_sent_without_answer_is_looked_up_before_it_is_sent_again(bench: Bench):
    put(bench, ("held", "1"), ("lost", "1"))
    bench.peer.on_send = no_answer
    bench.drain()
    assert bench.states() == {"in_doubt": 2}
    bench.peer.on_send = answered("OK")
    bench.peer.on_lookup = lambda record: answered("OK" if record.key.card_id == "held" else "absent")(record)
    bench.drain(10)  # it may still be under way there, as long as an answer may take: 30 s
    assert bench.states() == {"acknowledged": 1, "in_doubt": 1}
    bench.drain(30)
    bench.drain(0)
    assert bench.states() == {"acknowledged": 2}
    assert Counter(record.key.card_id for record in bench.peer.sent) == {"held": 1, "lost": 2}


def test_a_look_up_that_fails_decides_nothing(bench: Bench):
    put(bench, ("a", "1"))
    bench.peer.on_send = no_answer
    bench.drain()
    bench.peer.on_lookup = not_sent
    for _ in range(5):
        bench.drain(1_000)
    assert bench.row("a").state == "in_doubt"
    assert len(bench.peer.sent) == 1


def test_a_verdict_that_comes_later_is_polled_for(bench: Bench):
    put(bench, ("a", "1"), ("b", "1"))
    bench.peer.on_send = answered("TAKEN", reference="R1")
    bench.drain()
    assert bench.states() == {"awaiting_ack": 2}
    bench.drain(2)
    assert bench.peer.calls["poll R1"] == 1
    bench.peer.on_poll = lambda record: answered("OK" if record.key.card_id == "a" else "WRONG")(record)
    bench.drain(2.5)
    assert bench.peer.calls["poll R1"] == 2
    assert (bench.row("a").state, bench.row("b").state) == ("acknowledged", "refused")
    assert len(bench.peer.sent) == 2


def test_a_verdict_ends_only_its_own_record(bench: Bench):
    put(bench, ("good", "1"), ("bad", "1"), ("shut", "1"), ("odd", "1"))
    code = {"good": "OK", "bad": "WRONG", "shut": "CLOSED", "odd": "NEVER-HEARD-OF"}
    bench.peer.on_send = lambda record: answered(code[record.key.card_id])(record)
    bench.drain()
    states = {card: bench.row(card).state for card in code}
    assert states == {"good": "acknowledged", "bad": "refused", "shut": "held", "odd": "queued"}
    assert bench.row("shut").attempts == 0  # a precondition burns no attempts
    bench.peer.on_send = answered("OK")
    bench.drain(400)
    assert bench.row("shut").state == "acknowledged"
    bench.check_depth()


def test_a_newer_version_supersedes_the_unsent_one(bench: Bench):
    put(bench, ("a", "1"))
    put(bench, ("a", "2"))
    bench.drain()
    assert (bench.row("a", 1).state, bench.row("a", 2).state) == ("superseded", "acknowledged")
    assert [(record.version, record.event) for record in bench.peer.sent] == [(2, "NEW")]
    bench.check_depth()


def test_versions_of_one_card_go_one_after_the_other(bench: Bench):
    put(bench, ("a", "1"), ("b", "1"))
    bench.peer.on_send = no_answer
    bench.drain()
    put(bench, ("a", "2"))
    bench.peer.on_send = answered("OK")
    bench.drain()
    assert [record.version for record in bench.peer.sent if record.key.card_id == "a"] == [1]
    bench.peer.on_lookup = answered("OK")
    bench.drain(5)
    bench.drain()
    assert [(r.version, r.event) for r in bench.peer.sent if r.key.card_id == "a"] == [(1, "NEW"), (2, "UPDATE")]
    assert bench.states() == {"acknowledged": 3}


def test_an_older_version_in_doubt_is_not_sent_again_once_a_newer_one_waits(bench: Bench):
    put(bench, ("a", "1"))
    bench.peer.on_send = no_answer
    bench.drain()
    put(bench, ("a", "2"))
    bench.peer.on_send = answered("OK")
    bench.drain(40)
    bench.drain()
    assert (bench.row("a", 1).state, bench.row("a", 2).state) == ("superseded", "acknowledged")
    assert [record.version for record in bench.peer.sent] == [1, 2]
    bench.check_depth()


def test_a_version_that_is_accepted_while_its_older_one_is_settled_waits_a_second_at_most(bench: Bench):
    """On PostgreSQL neither transaction sees the other then, so nobody wakes the newer version."""
    if bench.store.is_sqlite:
        pytest.skip("here one waits for the other")
    put(bench, ("a", "1"))
    accepted = threading.Event()

    def hold(_: object) -> None:
        if threading.current_thread() is newer:
            accepted.set()
            time.sleep(0.5)  # the older one is settled meanwhile

    def send(record: OutboundRecord) -> Outcome:
        if record.version == 1:
            newer.start()
            assert accepted.wait(10)
        return answered("OK")(record)

    newer = threading.Thread(target=put, args=(bench, ("a", "2")))
    bench.peer.on_send = send
    event.listen(bench.store._writing, "commit", hold)
    bench.drain()
    newer.join()
    assert [record.version for record in bench.peer.sent] == [1]
    bench.drain(1)
    assert [record.version for record in bench.peer.sent] == [1, 2]


def test_a_failing_card_holds_up_no_other(bench: Bench):
    put(bench, ("a", "1"), ("b", "1"))
    bench.peer.on_send = lambda r: answered("http-500" if r.key.card_id == "a" else "OK")(r)
    bench.drain()
    assert (bench.row("a").state, bench.row("b").state) == ("queued", "acknowledged")


def test_the_breaker_opens_probes_with_one_record_and_closes(store: Store):
    bench = Bench(
        store, breaker=Breaker(failures=2, open_seconds=30), batch={"records": 1}, limits=Limits(concurrency=1)
    )
    put(bench, *[(f"card-{n}", "x") for n in range(10)])
    bench.peer.on_send = not_sent
    bench.drain()
    assert bench.peer.calls["send"] == 2
    bench.drain(29)
    assert bench.peer.calls["send"] == 2
    bench.drain(2)  # the probe fails: open again
    assert bench.peer.calls["send"] == 3
    bench.peer.on_send = answered("OK")
    bench.drain(31)
    bench.drain(120)
    assert bench.states() == {"acknowledged": 10}


def test_a_paused_destination_is_left_alone(bench: Bench):
    put(bench, ("a", "1"), ("b", "1"))
    with bench.store.write() as connection:
        bench.engine.due()
        lease(connection, Allowance(PROVINCE, 1, 1, 1, None), Kind.POLL, holder="x", now=0, until=0)
        connection.execute(update(destinations).values(paused_at=1))
    bench.drain()
    assert bench.peer.sent == []
    assert bench.engine.due() == []
    with bench.store.write() as connection:
        connection.execute(update(destinations).values(paused_at=None))
    bench.drain()
    assert bench.states() == {"acknowledged": 2}


def test_the_rate_is_kept(store: Store):
    bench = Bench(store, limits=Limits(records_per_second=10))
    put(bench, *[(f"card-{n}", "x") for n in range(60)])
    bench.drain()
    assert len(bench.peer.sent) == 10
    for _ in range(4):
        bench.drain(1)
    assert len(bench.peer.sent) == 50


def test_overload_halves_the_cap_and_good_calls_raise_it(store: Store):
    bench = Bench(store, batch={"records": 1}, limits=Limits(concurrency=4), breaker=Breaker(failures=100))
    put(bench, ("first", "x"))
    bench.peer.on_send = answered("http-503")
    bench.drain()
    with store.read() as connection:
        assert connection.execute(select(destinations.c.cap)).scalar_one() == 2
    bench.peer.on_send = answered("OK")
    put(bench, *[(f"card-{n}", "x") for n in range(25)])
    bench.drain(20)
    with store.read() as connection:
        assert connection.execute(select(destinations.c.cap)).scalar_one() is None


def taken(bench: Bench, holder: str, *, sent: bool) -> int:
    """Lease as a worker that then dies."""
    with bench.store.write() as connection:
        held = lease(
            connection, Allowance(PROVINCE, 4, 200, 8_000_000, None), Kind.SEND, holder=holder, now=bench.now,
            until=bench.now + 6_000,
        )  # fmt: skip
        assert held is not None
        if sent:
            assert mark_sent(connection, held.id, bench.now)
    return held.id


@pytest.mark.parametrize(("sent", "state"), [(False, "queued"), (True, "in_doubt")])
def test_a_dead_workers_lease_is_taken_over(bench: Bench, *, sent: bool, state: str):
    put(bench, ("a", "1"))
    taken(bench, "dead", sent=sent)
    assert bench.engine.sweep() == 0  # it may still live
    bench.now += 6_001
    assert bench.engine.sweep() == 1
    assert bench.row("a").state == state
    bench.peer.on_lookup = answered("OK")
    bench.drain(6)
    assert bench.row("a").state == "acknowledged"
    assert len(bench.peer.sent) == (0 if sent else 1)
    bench.check_depth()


def test_a_worker_that_was_held_up_until_its_lease_was_over_sends_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    """Whoever takes over asks the destination: what was sent after that would come twice."""
    put(bench, ("a", "1"))

    def slow(*of: object) -> int | None:
        until = mark_sent(*of)  # type: ignore[arg-type]
        bench.now += 6_000
        return until

    with monkeypatch.context() as patched:
        patched.setattr("hocba_hub.queue.drain.mark_sent", slow)
        bench.engine._attempt(PROVINCE, Kind.SEND)
    assert (bench.peer.sent, bench.row("a").state) == ([], "queued")
    bench.drain()
    assert (len(bench.peer.sent), bench.row("a").state) == (1, "acknowledged")
    bench.check_depth()


@pytest.mark.parametrize("taken_over", [True, False])
def test_a_worker_that_is_frozen_just_before_it_sends_sends_nothing(bench: Bench, *, taken_over: bool):
    """When it wakes, it may renew its lease first; that one was over then, unless nobody had noticed yet."""
    put(bench, ("a", "1"))

    def frozen() -> None:
        bench.peer.before_bytes = lambda: None
        bench.now += 6_001
        if taken_over:
            bench.process("other").sweep()
            bench.engine.renew()

    bench.peer.before_bytes = frozen
    bench.engine._attempt(PROVINCE, Kind.SEND)
    row = bench.row("a")
    assert (bench.peer.sent, row.state, row.attempts) == ([], "in_doubt" if taken_over else "queued", int(taken_over))
    bench.drain()
    bench.drain(40)
    bench.drain()
    assert (len(bench.peer.sent), bench.row("a").state) == (1, "acknowledged")
    with bench.store.read() as connection:
        assert connection.execute(select(func.max(destinations.c.failures))).scalar_one() == 0
    bench.check_depth()


def test_a_worker_whose_lease_was_renewed_meanwhile_sends(bench: Bench):
    put(bench, ("a", "1"))

    def held_up() -> None:
        for _ in range(3):
            bench.now += 4_000
            bench.engine.renew()

    bench.peer.before_bytes = held_up
    bench.engine._attempt(PROVINCE, Kind.SEND)
    assert (len(bench.peer.sent), bench.row("a").state) == (1, "acknowledged")
    assert bench.engine._running == {}


def test_a_worker_that_lost_its_lease_writes_nothing(bench: Bench):
    put(bench, ("a", "1"))

    def slow(record: OutboundRecord) -> Outcome:
        bench.now += 7_000
        bench.process("other").sweep()
        return answered("WRONG")(record)

    bench.peer.on_send = slow
    bench.drain()
    assert bench.row("a").state == "in_doubt"
    bench.check_depth()


def test_renewing_keeps_the_lease(bench: Bench):
    put(bench, ("a", "1"))
    taken(bench, bench.engine.holder, sent=True)
    for _ in range(5):
        bench.now += 4_000
        bench.engine.renew()
        assert bench.engine.sweep() == 0
    assert bench.row("a").state == "leased"


def test_an_adapter_that_breaks_leaves_its_records_in_doubt(bench: Bench):
    put(bench, ("a", "1"))

    def broken(record: OutboundRecord) -> Outcome:
        raise RuntimeError("a fault of the adapter")

    bench.peer.on_send = broken
    bench.drain()
    assert (bench.row("a").state, bench.row("a").code) == ("in_doubt", "adapter-failed")


def test_the_same_content_again_is_the_same_version_and_delivered_once(bench: Bench):
    first = put(bench, ("a", "1"))[0]
    again = put(bench, ("a", "1"))[0]
    assert (first.status, first.version, again.status, again.version) == ("accepted", 1, "unchanged", 1)
    bench.drain()
    assert len(bench.peer.sent) == 1


def test_a_recall_is_a_cancel_and_the_last_word(bench: Bench):
    put(bench, ("a", "1"))
    bench.drain()
    put(bench, ("a", "1 recalled"), recalled=True)
    bench.drain()
    assert [(r.version, r.event) for r in bench.peer.sent] == [(1, "NEW"), (2, "CANCEL")]


def test_every_attempt_is_on_record(bench: Bench):
    put(bench, ("a", "1"))
    bench.peer.on_send = no_answer
    bench.drain()
    bench.peer.on_lookup = answered("OK")
    bench.drain(10)
    with bench.store.read() as connection:
        kinds = connection.execute(select(attempts.c.kind, attempts.c.outcome).order_by(attempts.c.id)).all()
        codes = (
            connection.execute(select(delivery_attempts.c.code).order_by(delivery_attempts.c.attempt_id))
            .scalars()
            .all()
        )
        open_leases = connection.execute(select(func.count()).where(attempts.c.ended_at.is_(None))).scalar_one()
        assert sums(connection)["acknowledgement_age_seconds_sum"][(PROVINCE,)] == 10.0
    assert kinds == [("send", "unknown_outcome"), ("lookup", "acknowledged")]
    assert codes == ["timeout", "OK"]
    assert open_leases == 0


def test_final_states_are_final(bench: Bench):
    put(bench, ("a", "1"))
    bench.drain()
    for _ in range(3):
        bench.drain(100_000)
    assert len(bench.peer.sent) == 1
    assert bench.row("a").state == DeliveryState.ACKNOWLEDGED
