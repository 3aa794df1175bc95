"""Records in doubt at destinations that cannot be asked: sent again where that does no harm, else held for a person."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from hocba_hub.model.delivery import DeliveryState, Meaning
from hocba_hub.model.keys import CardId, CardKey, SchoolYear, Version
from hocba_hub.queue.doubt import check_absence
from hocba_hub.store import acknowledgements as acks
from hocba_hub.store import audit
from hocba_hub.store.acknowledgements import Heard, Reception
from hocba_hub.store.delivery_acts import Act, execute, preview
from hocba_hub.store.engine import Store
from hocba_hub.store.selection import Selection, SelectionError
from hocba_hub.store.tables import destinations
from tests.support.engine import PROVINCE, Bench, answered, no_answer, put

S = DeliveryState
DAY = 86_400


def doubtful(store: Store, policy: str, *cards: str) -> Bench:
    """Cards that were sent, and of which no answer came."""
    bench = Bench(store, in_doubt=policy, limits={"answer_seconds": 5}, breaker={"failures": 100})
    bench.peer.on_send = no_answer
    put(bench, *[(card, "1") for card in cards])
    bench.drain()
    assert bench.states() == {S.IN_DOUBT: len(cards)}
    return bench


def test_it_is_sent_again_once_no_answer_can_come(store: Store):
    bench = doubtful(store, "send-again", "a", "b")
    bench.peer.on_send = answered("OK")
    bench.drain(2)
    assert (bench.states(), bench.peer.calls["send"]) == ({S.IN_DOUBT: 2}, 1)
    bench.drain(30)
    assert (bench.states(), bench.peer.calls["send"], bench.peer.calls["lookup"]) == ({S.ACKNOWLEDGED: 2}, 2, 0)
    bench.check_depth()


def test_asking_nobody_says_nothing_about_the_breaker(store: Store):
    bench = doubtful(store, "send-again", "a")
    with store.read() as connection:
        before = connection.execute(select(destinations.c.failures)).scalar_one()
    assert before == 1
    bench.drain(2)
    with store.read() as connection:
        assert connection.execute(select(destinations.c.failures)).scalar_one() == before


def test_it_is_held_for_a_person_and_never_sent_or_asked(store: Store):
    bench = doubtful(store, "hold", "a", "b")
    bench.drain(30 * DAY)
    assert (bench.states(), bench.peer.calls["send"], bench.peer.calls["lookup"]) == ({S.IN_DOUBT: 2}, 1, 0)
    assert bench.engine.due() == []
    assert bench.row("a").code == "timeout"  # what is known


def test_a_person_says_that_it_is_not_there(store: Store):
    bench = doubtful(store, "hold", "a", "b")
    put(bench, ("b", "2"))  # of b a newer version waits
    selection = Selection(destination=PROVINCE)
    with store.read() as connection:
        assert preview(connection, Act.ABSENT, selection).deliveries == 2
    done = execute(store, Act.ABSENT, selection, actor="os:lan", reason="they rang", now=bench.now)
    assert done.deliveries == 2
    assert (bench.row("a").state, bench.row("b", 1).state, bench.row("b", 2).state) == (
        S.QUEUED,
        S.SUPERSEDED,
        S.QUEUED,
    )
    bench.check_depth()
    bench.peer.on_send = answered("OK")
    bench.drain(60)
    assert (bench.row("a").state, bench.row("b", 2).state) == (S.ACKNOWLEDGED, S.ACKNOWLEDGED)


def test_a_person_enters_what_the_destination_said(store: Store):
    bench = doubtful(store, "hold", "a", "b")
    keys = [CardKey(SchoolYear("2025-2026"), CardId(card)) for card in "ab"]
    verdicts = [
        Heard(keys[0], Version(1), "OK", Meaning.ACKNOWLEDGED),
        Heard(keys[1], Version(1), "?", Meaning.TRANSIENT),
    ]
    with store.write() as connection:
        found = acks.enter_by_hand(connection, PROVINCE, verdicts, actor="os:lan", reason="a letter", now=bench.now)
    assert found == [Reception.SETTLED, Reception.NOT_A_VERDICT]
    assert (bench.row("a").state, bench.row("b").state) == (S.ACKNOWLEDGED, S.IN_DOUBT)
    with store.read() as connection:
        [entry] = audit.entries(connection)
        [kept] = acks.listed(connection)
    assert (entry.action, entry.detail["verdicts"][0]["reception"]) == ("enter-acknowledgements", "settled")
    assert (kept.source, kept.kind) == ("person", "settled")
    bench.check_depth()


@pytest.mark.parametrize("policy", ["look-up", "send-again"])
def test_a_person_says_nothing_where_the_hub_finds_out_itself(store: Store, policy: str):
    bench = Bench(store, in_doubt=policy)
    for selection in (Selection(destination=PROVINCE), Selection(deliveries=(1,)), Selection(destination="nowhere")):
        with pytest.raises(SelectionError):
            check_absence({PROVINCE: bench.destination}, selection)


def test_what_a_worker_that_died_may_have_sent_follows_the_same_way(store: Store):
    bench = Bench(store, in_doubt="send-again", limits={"answer_seconds": 5})
    put(bench, ("a", "1"))

    def dies(_: object) -> None:
        raise SystemExit

    bench.peer.on_send = dies  # type: ignore[assignment]
    with pytest.raises(SystemExit):
        bench.drain()
    bench.now += 7_000
    bench.engine.sweep()
    assert bench.states() == {S.IN_DOUBT: 1}
    bench.peer.on_send = answered("OK")
    bench.drain(10)
    assert (bench.states(), bench.peer.calls["send"]) == ({S.ACKNOWLEDGED: 1}, 2)
