"""Three days of trouble at both destinations: 500 cards, real adapters, the ledgers; time is set by hand."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pytest
from sqlalchemy import func, select

from hocba_hub.intake.check import RecordChecker
from hocba_hub.intake.deliverability import Deliverability
from hocba_hub.intake.source import SentRecord
from hocba_hub.mappings.library.mapping_set import shipped_mappings
from hocba_hub.model.delivery import FINAL, DeliveryState
from hocba_hub.model.ids import uuid7
from hocba_hub.model.keys import DestinationName
from hocba_hub.queue.drain import Engine
from hocba_hub.rules.comparing import CardComparison
from hocba_hub.rules.configuration import DEFAULT
from hocba_hub.sandbox.faults import Fault, FaultName
from hocba_hub.sandbox.oracle import examine
from hocba_hub.sandbox.synthetic import generate, revise
from hocba_hub.store import replay
from hocba_hub.store.accept import accept
from hocba_hub.store.access import Client
from hocba_hub.store.counters import sums
from hocba_hub.store.decide import Portion, Submission
from hocba_hub.store.engine import Store
from hocba_hub.store.selection import Selection
from hocba_hub.store.tables import deliveries
from tests.support.sandbox_server import SandboxHandle, running_sandbox

CARDS = 500
CORRECTED = 50
MINUTE, HOUR = 60_000, 3_600_000
WINDOW_HOURS = 72
MINISTRY, PROVINCE = DestinationName("ministry"), DestinationName("province")

_AFTER = (FaultName.DROPPED_AFTER_COMMIT, FaultName.BAD_GATEWAY_AFTER_COMMIT, FaultName.MALFORMED_AFTER_COMMIT)
OUTAGE = (
    Fault(name=FaultName.RECORD_REFUSED, rate=0.03, code="SCHOOL_UNKNOWN", simulators=("province",)),
    Fault(name=FaultName.RECORD_NOT_IN_ANSWER, rate=0.03, simulators=("province",), times=40),
    *(Fault(name=name, rate=0.1, simulators=("province",)) for name in _AFTER),
    Fault(name=FaultName.TOO_MANY_REQUESTS, rate=0.2, simulators=("province",), retry_after=90),
    Fault(name=FaultName.SERVER_ERROR, rate=0.2, simulators=("province",), operations=("submit", "lookup")),
    Fault(name=FaultName.LATE_ACKNOWLEDGEMENT, polls=2, seconds=0, simulators=("ministry",)),
    Fault(name=FaultName.DROPPED_BEFORE_COMMIT, rate=0.03, simulators=("ministry",)),
    Fault(name=FaultName.DROPPED_AFTER_COMMIT, rate=0.02, simulators=("ministry",)),
    Fault(name=FaultName.SOAP_FAULT, rate=0.5, simulators=("ministry",), operations=("submit", "poll")),
    Fault(name=FaultName.UNAVAILABLE, rate=0.93, simulators=("ministry",), retry_after=600),
)
"""The province limps: every call has its chance. The Ministry is as good as away: few of its calls come through."""


class Hub:
    """One process that delivers to both destinations, and its clock."""

    def __init__(self, store: Store, sandbox: SandboxHandle, stack: ExitStack) -> None:
        self.now = time.time_ns() // 1_000_000
        self.store, self.sandbox = store, sandbox
        changes = {"batch": {"records": 25}, "limits": {"concurrency": 2}}
        self.destinations = {name: sandbox.destination(name, **changes) for name in (PROVINCE, MINISTRY)}
        adapters = {name: stack.enter_context(sandbox.adapter(name, **changes)) for name in self.destinations}
        self.engine = Engine(store, self.destinations, adapters.__getitem__, lambda: self.now, "worker-1", 60)
        self.accepted: dict[str, int] = {}

    def accept(self, cards: Sequence[bytes]) -> None:
        checker = RecordChecker(Deliverability(tuple(self.destinations.values())), DEFAULT)
        received = [
            checker.check(place, SentRecord(raw, "application/json"), shipped_mappings())
            for place, raw in enumerate(cards)
        ]
        submission = Submission(uuid7(), Client(1, "vendor", None), self.now, "application/x-ndjson")
        with self.store.write() as connection:
            results = accept(
                connection, [Portion(submission, received)], list(self.destinations), CardComparison(), self.now
            )[0]
        assert {result.status for result in results} == {"accepted"}
        self.accepted |= {result.key.record_id(): result.version for result in results if result.key}

    def run_until(self, end: int) -> None:
        """Go from timer to timer."""
        while self.now < end and (timer := self._next_timer()) is not None and timer <= end:
            self.now = max(self.now, timer)
            for name in self.engine.due():
                self.engine.drain(name, seconds=60, stop=threading.Event())
            self.now += 15 * MINUTE  # polls and probes that come every few seconds, for days, are made together
        self.now = max(self.now, end)

    def _next_timer(self) -> int | None:
        d = deliveries.c
        query = select(func.min(d.next_attempt_at)).where(d.state.not_in([*FINAL, DeliveryState.PARKED]))
        with self.store.read() as connection:
            timer: int | None = connection.execute(query).scalar()
        return timer

    def states(self, name: DestinationName) -> Counter[str]:
        with self.store.read() as connection:
            d = deliveries.c
            rows = connection.execute(select(d.state, func.count()).where(d.destination == name).group_by(d.state))
            return Counter(dict(rows.all()))


@contextmanager
def hub_with_500_cards(store: Store) -> Iterator[Hub]:
    with running_sandbox(answer_seconds=2) as sandbox, ExitStack() as stack:
        hub = Hub(store, sandbox, stack)
        hub.accept(list(generate(CARDS, 72, schools=12)))
        yield hub


@pytest.mark.timeout(240)
def test_three_days_of_trouble_then_replay_and_the_ledgers_hold_every_card_once(store: Store):
    with hub_with_500_cards(store) as hub:
        began = hub.now
        hub.sandbox.play(*OUTAGE, seed=4)
        hub.run_until(began + 30 * HOUR)
        hub.accept([revise(card, 1) for card in list(generate(CARDS, 72, schools=12))[:CORRECTED]])
        hub.run_until(began + (WINDOW_HOURS - 1) * HOUR)
        assert hub.states(MINISTRY)[DeliveryState.PARKED] == 0, "given up before the window was over"
        hub.run_until(began + (WINDOW_HOURS + 10) * HOUR)

        province, ministry = hub.states(PROVINCE), hub.states(MINISTRY)
        assert province.total() == ministry.total() == CARDS + CORRECTED
        assert set(province) == {DeliveryState.ACKNOWLEDGED, DeliveryState.REFUSED}  # it limps, and gets everything
        for state in (DeliveryState.ACKNOWLEDGED, DeliveryState.PARKED, DeliveryState.SUPERSEDED):
            assert ministry[state] > 0, f"nothing is {state}, so that less is shown than is meant to be"
        with store.read() as connection:
            d = deliveries.c
            parked = connection.execute(
                select(d.first_attempt_at, d.settled_at).where(d.state == DeliveryState.PARKED)
            ).all()
            depth = {key: int(n) for key, n in sums(connection)["depth"].items() if n}
        assert all(row.settled_at - row.first_attempt_at >= WINDOW_HOURS * HOUR for row in parked)
        assert depth == {
            (name, state): number
            for name, states in ((PROVINCE, province), (MINISTRY, ministry))
            for state, number in states.items()
        }

        hub.sandbox.play()
        done = replay.execute(
            store, replay.Act.REPLAY, Selection(destination=MINISTRY, states=frozenset({DeliveryState.PARKED})),
            actor="op", reason="mended", now=hub.now,
        )  # fmt: skip
        assert done.deliveries == len(parked)
        hub.run_until(hub.now + 8 * HOUR)
        for name in (PROVINCE, MINISTRY):
            url = hub.sandbox.province_url if name == PROVINCE else hub.sandbox.ministry_url.removesuffix("/soap")
            verdict = examine(url, hub.accepted)
            assert verdict.is_clean, verdict
            assert verdict.held + verdict.refused == CARDS
            assert (verdict.refused > 0) == (name == PROVINCE)
            assert set(hub.states(name)) <= {
                DeliveryState.ACKNOWLEDGED,
                DeliveryState.REFUSED,
                DeliveryState.SUPERSEDED,
            }
