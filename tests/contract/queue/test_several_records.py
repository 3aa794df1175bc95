"""A card that goes out as several records, of which the destination takes some: only the others are sent again."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from hocba_hub.queue.drain import Engine
from hocba_hub.sandbox.faults import Fault, FaultName
from hocba_hub.store.engine import Store
from hocba_hub.store.selection import Selection
from tests.support.engine import PROVINCE, Bench, put
from tests.support.replaying import send_again
from tests.support.sample_cards import canonical, continuing_card
from tests.support.sandbox_server import SandboxHandle, running_sandbox

F = FaultName
BOTH_MODES = pytest.mark.parametrize("mode", ["batch", "single"])
YEAR = "2025-2026/card-1"
PARTS = (f"{YEAR}/1", f"{YEAR}/2", YEAR)
SOON = 120


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxHandle]:
    with running_sandbox(answer_seconds=5) as handle:
        yield handle


@pytest.fixture
def province(running: SandboxHandle, store: Store, mode: str) -> Iterator[Province]:
    running.sandbox.reset()
    with running.adapter("province", options={"mode": mode}) as adapter:
        bench = Bench(store)
        destination = running.destination("province")
        bench.engine = Engine(store, {PROVINCE: destination}, lambda _: adapter, lambda: bench.now, "w", 6)
        put(bench, ("card-1", canonical(continuing_card()).decode()))
        yield Province(bench, running)


class Province:
    """The simulated province, and a hub that has one card of continuing education for it."""

    def __init__(self, bench: Bench, sandbox: SandboxHandle) -> None:
        self.bench, self.sandbox = bench, sandbox

    def drain(self, *faults: Fault, seconds: float = SOON) -> str:
        """The card's state, after what is due was done under these faults."""
        self.sandbox.play(*faults)
        self.bench.now += round(seconds * 1000)
        self.bench.engine.drain(PROVINCE, seconds=5, stop=threading.Event())
        return self.bench.row("card-1").state

    def replay(self, code: str) -> None:
        selection = Selection(destination=PROVINCE, code=code)
        assert send_again(self.bench.store, selection, now=self.bench.now) == 1

    def received(self) -> list[int]:
        """How often each record of the card came."""
        ledger = self.sandbox.ledgers["province"]
        return [sum(row["received"] for row in ledger.record(one)) for one in PARTS]

    def check_taken_once(self) -> None:
        summary = self.sandbox.ledgers["province"].summary()
        assert (summary["records_held"], summary["doubled"], summary["altered"]) == (3, 0, 0)
        assert self.bench.row("card-1").taken is None


REFUSED = Fault(name=F.RECORD_REFUSED, code="CARD_LOCKED", records=PARTS[:1])
LOST = Fault(name=F.DROPPED_AFTER_COMMIT, times=1)


@BOTH_MODES
def test_a_replay_sends_only_what_was_refused(province: Province, mode: str):
    assert province.drain(REFUSED) == "refused"
    assert province.received() == ([1, 1, 1] if mode == "batch" else [1, 0, 0])
    province.replay("CARD_LOCKED")
    assert province.drain() == "acknowledged"
    assert province.received() == [2, 1, 1]
    province.check_taken_once()


@BOTH_MODES
def test_doubt_about_a_card_asks_for_each_record_and_sends_only_what_is_not_there(province: Province, mode: str):
    assert province.drain(REFUSED, LOST) == "in_doubt"
    assert province.drain() == "acknowledged"
    assert province.received() == [2, 1, 1]
    province.check_taken_once()


@pytest.mark.parametrize("mode", ["batch"])
def test_a_card_of_which_a_record_is_refused_is_not_acknowledged_because_the_others_are_held(province: Province):
    """The answer is lost; the year's record, which has the card's own id, is held; the first term's never will be."""
    assert province.drain(REFUSED, LOST) == "in_doubt"
    assert province.drain(REFUSED) == "refused"
    assert province.received() == [2, 1, 1]


@BOTH_MODES
def test_a_look_up_that_breaks_off_decides_nothing(province: Province):
    assert province.drain(LOST) == "in_doubt"
    broken = Fault(name=F.SERVER_ERROR, operations=("lookup",), times=9)
    assert province.drain(broken, seconds=30) == "in_doubt"
    assert province.drain(seconds=600) == "acknowledged"
    province.check_taken_once()


@pytest.mark.parametrize("mode", ["batch"])
def test_what_was_taken_stays_known_through_calls_that_say_nothing(province: Province):
    assert province.drain(REFUSED) == "refused"
    province.replay("CARD_LOCKED")
    assert province.drain(Fault(name=F.SERVER_ERROR)) == "queued"
    assert province.drain() == "acknowledged"
    assert province.received() == [3, 1, 1]
    province.check_taken_once()
