"""Failures, and what people do to many deliveries, on both stores: exact counts, one audit row, all in order."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress

import pytest
from sqlalchemy import event, func, select, update

from hocba_hub.model.delivery import DeliveryState
from hocba_hub.model.replays import ReplayError
from hocba_hub.store import audit, delivery_acts, replays
from hocba_hub.store.delivery_acts import Act, Count, execute, preview
from hocba_hub.store.delivery_lists import are_at_most, delivery_groups, listed_deliveries
from hocba_hub.store.engine import Store
from hocba_hub.store.selection import PENDING, Selection, SelectionError
from hocba_hub.store.tables import deliveries
from tests.support.engine import Bench, answered, no_answer, not_sent, put
from tests.support.replaying import send_again

S = DeliveryState


def act(bench: Bench, selection: Selection, kind: Act = Act.CANCEL) -> delivery_acts.ActResult:
    """Foresee it, do it, and hold the one against the other."""
    with bench.store.read() as connection:
        before = preview(connection, kind, selection)
    done = execute(bench.store, kind, selection, actor="os:lan", reason="the cause was cured", now=bench.now)
    assert (done.counts, done.unmatched) == (before.counts, before.unmatched)
    assert before.audit_id is None
    bench.check_depth()
    return done


def failed(bench: Bench, code: str, *cards: str) -> None:
    """These cards, new, were answered with `code`."""
    put(bench, *[(card, "1") for card in cards])
    bench.peer.on_send = answered(code)
    bench.drain(1)


def parked(bench: Bench, *cards: str) -> None:
    put(bench, *[(card, "1") for card in cards])
    with bench.store.write() as connection:
        connection.execute(update(deliveries).where(deliveries.c.card_id.in_(cards)).values(first_attempt_at=0))
    bench.now += 10**9
    bench.peer.on_send = not_sent
    bench.drain()
    assert {bench.row(card).state for card in cards} == {"parked"}


def ids(bench: Bench, *cards: str) -> tuple[int, ...]:
    return tuple(bench.row(card).id for card in cards)


@pytest.fixture
def bench(store: Store) -> Bench:
    return Bench(store, breaker={"failures": 1000, "open_seconds": 1})


def test_failures_are_counted_by_destination_state_and_code(bench: Bench):
    failed(bench, "WRONG", "a", "b")
    earlier = bench.now
    failed(bench, "CLOSED", "c")
    parked(bench, "d")
    failed(bench, "OK", "e")
    with bench.store.read() as c:
        groups = delivery_groups(c, Selection())
        since = delivery_groups(c, Selection(since=earlier + 1, destination="province"))
        elsewhere = delivery_groups(c, Selection(destination="ministry"))
    # "c" was held, and tried again with "d".
    first = groups[0]
    assert (first.destination, first.state, first.code, first.deliveries) == ("province", "refused", "WRONG", 2)
    assert sum(g.deliveries for g in groups) == 3 + (bench.row("c").state == "held")
    assert all(g.oldest_at > earlier for g in since)
    assert sum(g.deliveries for g in since) == sum(g.deliveries for g in groups) - 2
    assert elsewhere == []
    assert first.oldest_at == first.newest_at == earlier


def test_failed_deliveries_are_listed_page_by_page(bench: Bench):
    failed(bench, "WRONG", "a", "b", "c")
    failed(bench, "CLOSED", "d", "e")
    found, after = [], None
    while True:
        with bench.store.read() as c:
            page = listed_deliveries(c, Selection(), after=after, limit=2)
        found += page
        if len(page) < 2:
            break
        after = page[-1].place
    assert [(d.card_id, d.state, d.code) for d in found] == [
        ("d", "held", "CLOSED"),
        ("e", "held", "CLOSED"),
        ("a", "refused", "WRONG"),
        ("b", "refused", "WRONG"),
        ("c", "refused", "WRONG"),
    ]
    with bench.store.read() as c:
        first = listed_deliveries(c, Selection(), limit=2, newest_first=True)
        rest = listed_deliveries(c, Selection(), after=first[-1].place, newest_first=True)
    assert [*first, *rest] == found[::-1]
    with bench.store.read() as c:
        assert are_at_most(c, Selection(), 5)
        assert not are_at_most(c, Selection(), 4)
        assert are_at_most(c, Selection(code="CLOSED"), 2)
    assert [d.next_attempt_at is not None for d in found] == [True, True, False, False, False]
    with bench.store.read() as c:
        one = listed_deliveries(c, Selection(code="WRONG", school="SCHOOL", states=frozenset({S.REFUSED})), limit=1)
        none = listed_deliveries(c, Selection(school="ANOTHER"))
        with pytest.raises(SelectionError):
            listed_deliveries(c, Selection(states=frozenset({S.LEASED})))
        with pytest.raises(SelectionError):
            delivery_groups(c, Selection(states=frozenset({S.ACKNOWLEDGED, S.PARKED})))
    assert [d.card_id for d in one] == ["a"]
    assert none == []


@pytest.mark.parametrize(
    ("selection", "code"),
    [
        (Selection(), "selection.empty"),
        (Selection(states=frozenset({S.PARKED})), "selection.empty"),
        (Selection(destination="province", states=frozenset({S.ACKNOWLEDGED})), "selection.state"),
        (Selection(deliveries=(1,), states=frozenset({S.IN_DOUBT})), "selection.state"),
        (Selection(deliveries=(1,), states=frozenset({S.LEASED})), "selection.state"),
        (Selection(deliveries=(1,), states=frozenset({S.AWAITING_ACK})), "selection.state"),
        (Selection(deliveries=(1,), states=frozenset({S.SUPERSEDED})), "selection.state"),
    ],
)
def test_what_may_be_at_the_destination_is_never_sent_again_by_hand(bench: Bench, selection: Selection, code: str):
    with pytest.raises(SelectionError) as refusal:
        send_again(bench.store, selection, now=1)
    assert refusal.value.code == code
    with bench.store.read() as c:
        assert audit.entries(c) == []


def test_a_selection_narrows_by_time_and_school(bench: Bench):
    failed(bench, "WRONG", "a")
    middle = bench.now + 1
    failed(bench, "WRONG", "b")
    with pytest.raises(ReplayError):
        send_again(bench.store, Selection(code="WRONG", school="ANOTHER"), now=bench.now)
    assert send_again(bench.store, Selection(code="WRONG", until=middle, school="SCHOOL"), now=bench.now) == 1
    assert bench.row("a").state == "queued"
    assert send_again(bench.store, Selection(code="WRONG", since=middle), now=bench.now) == 1
    assert bench.row("b").state == "queued"


def test_what_is_replayed_is_superseded_by_a_version_accepted_before_it_goes_out(bench: Bench):
    failed(bench, "WRONG", "a")
    send_again(bench.store, Selection(code="WRONG"), now=bench.now)
    put(bench, ("a", "2"))
    assert (bench.row("a").state, bench.row("a", 2).state) == ("superseded", "queued")
    assert bench.row("a", 2).event == "UPDATE"  # it was sent once, whatever the replay made of its window


def test_versions_stay_in_order_though_replay_and_acceptance_run_at_once(bench: Bench):
    """Whoever comes first, an older version is never queued beside a newer one."""
    cards = [f"card-{n}" for n in range(40)]
    failed(bench, "WRONG", *cards)
    start = threading.Barrier(2)

    def replayed() -> None:
        start.wait()
        for card in cards:
            with suppress(ReplayError):  # it was superseded before
                send_again(bench.store, Selection(deliveries=ids(bench, card)), now=bench.now)

    def accepted() -> None:
        start.wait()
        for card in reversed(cards):
            put(bench, (card, "2"))

    threads = [threading.Thread(target=replayed), threading.Thread(target=accepted)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for card in cards:
        assert (bench.row(card).state, bench.row(card, 2).state) in {("refused", "queued"), ("superseded", "queued")}
    bench.check_depth()


def test_a_replay_waits_for_a_version_that_is_being_accepted(bench: Bench):
    """The look for newer versions and the change are one step: the cards are locked between them."""
    failed(bench, "WRONG", "a")
    [delivery] = ids(bench, "a")
    meanwhile = []

    def accept_newer(_connection, _cursor, statement, *_):
        if "FROM report_cards" in statement and not meanwhile:
            thread = threading.Thread(target=put, args=(bench, ("a", "2")))
            meanwhile.append(thread)
            thread.start()
            thread.join(0.5)

    engine = bench.store._writing
    event.listen(engine, "after_cursor_execute", accept_newer)
    try:
        sent = send_again(bench.store, Selection(deliveries=(delivery,)), now=bench.now)
    finally:
        event.remove(engine, "after_cursor_execute", accept_newer)
    meanwhile[0].join()
    assert sent == 1
    assert (bench.row("a").state, bench.row("a", 2).state) == ("superseded", "queued")


def test_a_big_act_goes_in_batches_and_counts_exactly(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(delivery_acts, "_BATCH", 7)
    parked(bench, *[f"card-{n}" for n in range(50)])
    batches = []
    locked = delivery_acts._locked

    def counted(connection, ids, states):
        batches.append(len(ids))
        return locked(connection, ids, states)

    monkeypatch.setattr(delivery_acts, "_locked", counted)
    done = act(bench, Selection(destination="province"))
    assert (done.deliveries, done.changed) == (50, 0)
    assert batches == [7] * 7 + [1]
    with bench.store.read() as c:
        entry, *others = audit.entries(c)
    assert (entry.actor, entry.action, entry.reason) == ("os:lan", "cancel", "the cause was cured")
    assert (entry.id, entry.detail["deliveries"], entry.detail["finished"]) == (done.audit_id, 50, True)
    assert [one.detail["deliveries"] for one in others] == [49, 42, 35, 28, 21, 14, 7]


def test_the_audit_row_of_an_act_that_died_says_what_was_done(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(delivery_acts, "_BATCH", 10)
    parked(bench, *[f"card-{n}" for n in range(30)])
    batches = Counter()
    locked = delivery_acts._locked

    def dying(*arguments):
        batches["begun"] += 1
        if batches["begun"] == 3:
            raise RuntimeError("killed")
        return locked(*arguments)

    monkeypatch.setattr(delivery_acts, "_locked", dying)
    with pytest.raises(RuntimeError):
        execute(bench.store, Act.CANCEL, Selection(destination="province"), actor="a", reason="r", now=bench.now)
    with bench.store.read() as c:
        entry, _ = audit.entries(c)
    assert bench.states() == {"cancelled": 20, "parked": 10}
    assert (entry.detail["deliveries"], entry.detail["finished"]) == (20, False)
    bench.check_depth()


def test_what_left_its_state_meanwhile_is_counted_and_left_alone(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    parked(bench, "a", "b")
    locked = delivery_acts._locked

    def late(connection, ids, states):
        connection.execute(update(deliveries).where(deliveries.c.card_id == "a").values(state="superseded"))
        return locked(connection, ids, states)

    monkeypatch.setattr(delivery_acts, "_locked", late)
    selection = Selection(destination="province")
    done = execute(bench.store, Act.CANCEL, selection, actor="a", reason="r", now=bench.now)
    assert (done.deliveries, done.changed) == (1, 1)
    assert bench.row("a").state == "superseded"


def test_a_cancellation_ends_and_a_replay_opens_again(bench: Bench):
    parked(bench, "a")
    failed(bench, "WRONG", "b")
    done = act(bench, Selection(destination="province"), Act.CANCEL)
    assert done.counts == [Count("province", S.PARKED, "connection-refused", 1)]
    assert (bench.row("a").state, bench.row("b").state) == ("cancelled", "refused")
    bench.peer.on_send = answered("OK")
    bench.drain(10**6)
    assert bench.row("a").state == "cancelled"
    with pytest.raises(ReplayError):
        send_again(bench.store, Selection(destination="province"), now=bench.now)
    cancelled = Selection(destination="province", states=frozenset({S.CANCELLED}))
    assert send_again(bench.store, cancelled, now=bench.now) == 1
    bench.drain()
    assert bench.row("a").state == "acknowledged"


def test_what_waits_unsent_or_undecided_can_be_cancelled_by_its_state(bench: Bench):
    put(bench, ("doubtful", "1"))
    bench.peer.on_send = no_answer
    bench.drain()
    put(bench, ("waiting", "1"))
    with bench.store.write() as connection:
        connection.execute(
            update(deliveries).where(deliveries.c.card_id == "waiting").values(next_attempt_at=bench.now + 10**6)
        )
    done = act(bench, Selection(destination="province", states=frozenset({S.QUEUED, S.IN_DOUBT})), Act.CANCEL)
    assert done.deliveries == 2
    assert bench.states() == {"cancelled": 2}
    assert bench.row("waiting").code == "cancelled"
    assert bench.row("doubtful").code == "timeout"
    with pytest.raises(SelectionError):
        act(bench, Selection(code="x", states=frozenset({S.REFUSED})), Act.CANCEL)


def test_what_is_being_asked_about_is_not_cancelled(bench: Bench):
    put(bench, ("a", "1"))
    bench.peer.on_send = no_answer
    bench.drain()
    with bench.store.write() as connection:
        connection.execute(update(deliveries).values(lease_id=99))
    done = act(bench, Selection(deliveries=ids(bench, "a")), Act.CANCEL)
    assert (done.deliveries, done.unmatched) == (0, 1)
    assert bench.states() == {"in_doubt": 1}


def test_an_act_on_nothing_is_told_too(bench: Bench):
    done = act(bench, Selection(destination="ministry"))
    assert done.deliveries == 0
    with bench.store.read() as c:
        assert audit.entries(c)[0].id == done.audit_id
        assert c.execute(select(func.count()).select_from(deliveries)).scalar_one() == 0


def test_replay_acceptance_and_delivery_at_once_keep_every_card_in_order(store: Store):
    """Nobody locks anybody out, and no destination ever gets an older version after a newer one."""
    bench = Bench(store, breaker={"failures": 10_000, "open_seconds": 1}, batch={"records": 7})
    cards = [f"card-{n}" for n in range(30)]
    bench.peer.on_send = lambda record: answered("WRONG" if (record.delivery_id + bench.now) % 3 else "OK")(record)
    put(bench, *[(card, "1") for card in cards])
    over = threading.Event()

    def deliver(holder: str) -> None:
        engine = bench.process(holder)
        while not over.is_set():
            engine.drain(bench.destination.name, seconds=20, stop=over)

    def replay_often() -> None:
        for _ in range(25):
            with suppress(ReplayError):  # nothing is refused just now, or all of it is claimed
                send_again(store, Selection(code="WRONG"), now=bench.now)
            bench.now += 1

    def accept_newer() -> None:
        for version in range(2, 6):
            for card in cards:
                put(bench, (card, str(version)))

    with ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(deliver, f"w{n}") for n in range(2)]
        people = [pool.submit(replay_often), pool.submit(accept_newer)]
        wait(people)
        over.set()
    for ended in (*workers, *people):
        ended.result()
    bench.peer.on_send = answered("OK")
    with store.write() as connection:
        for one in replays.listed(connection, open_only=True):
            replays.cancel(connection, one.id, actor="a", reason="r", now=bench.now)
    with suppress(ReplayError):
        send_again(store, Selection(code="WRONG"), now=bench.now)
    bench.drain(120)
    assert {card: bench.row(card, 5).state for card in cards} == dict.fromkeys(cards, "acknowledged")
    by_card: dict[str, list[int]] = {}
    for record in bench.peer.sent:
        by_card.setdefault(record.key.card_id, []).append(record.version)
    assert all(versions == sorted(versions) for versions in by_card.values())
    bench.check_depth()


def test_what_waits_is_counted_and_listed_with_when_it_goes_on(bench: Bench):
    put(bench, ("new", "1"))
    bench.peer.on_send = no_answer
    bench.drain(1)
    put(bench, ("next", "1"))
    with bench.store.read() as c:
        groups = delivery_groups(c, Selection(), PENDING)
        listed = listed_deliveries(c, Selection(), PENDING)
        failures = delivery_groups(c, Selection())
    assert [(g.state, g.code, g.deliveries) for g in groups] == [("in_doubt", "timeout", 1), ("queued", "", 1)]
    assert [g.next_attempt_at for g in groups] == [bench.row(card).next_attempt_at for card in ("new", "next")]
    assert [(one.card_id, one.settled_at) for one in listed] == [("new", bench.now), ("next", bench.now)]
    assert failures == []


def test_a_group_says_what_the_last_attempt_of_one_of_its_deliveries_said(bench: Bench):
    put(bench, ("a", "1"), ("b", "1"))
    bench.peer.on_send = answered("CLOSED", detail="the environment variable X is not set")
    bench.drain(1)
    with bench.store.read() as c:
        (group,) = delivery_groups(c, Selection())
    assert (group.state, group.deliveries, group.detail) == ("held", 2, "the environment variable X is not set")
    assert group.next_attempt_at is not None


def test_what_waits_is_hurried_and_nothing_else_of_it_changes(bench: Bench):
    put(bench, ("doubt", "1"))
    bench.peer.on_send = no_answer
    bench.drain(1)
    bench.peer.on_lookup = not_sent
    bench.drain(60)
    put(bench, ("retried", "1"), ("held", "1"))
    bench.peer.on_send = lambda record: (not_sent if record.key.card_id == "retried" else answered("CLOSED"))(record)
    bench.drain(1)
    before = {card: bench.row(card) for card in ("doubt", "retried", "held")}
    assert {card: row.state for card, row in before.items()} == {
        "doubt": "in_doubt", "retried": "queued", "held": "held",
    }  # fmt: skip
    assert all(row.next_attempt_at > bench.now for row in before.values())
    done = act(bench, Selection(destination="province", states=frozenset(PENDING)), Act.HURRY)
    assert (done.deliveries, bench.row("held")) == (2, before["held"])
    done = act(bench, Selection(destination="province"), Act.HURRY)
    assert done.deliveries == 3
    for card, row in before.items():
        assert bench.row(card)._asdict() == {**row._asdict(), "next_attempt_at": bench.now}
    bench.peer.on_send = bench.peer.on_lookup = answered("OK")
    bench.drain()
    assert bench.states() == {"acknowledged": 3}
    assert [record.key.card_id for record in bench.peer.sent].count("doubt") == 1, "it was looked up, not sent again"


def test_what_has_ended_cannot_be_hurried(bench: Bench):
    failed(bench, "WRONG", "a")
    with pytest.raises(SelectionError) as refusal:
        act(bench, Selection(destination="province", states=frozenset({S.REFUSED})), Act.HURRY)
    assert refusal.value.code == "selection.state"
    assert act(bench, Selection(destination="province"), Act.HURRY).deliveries == 0
