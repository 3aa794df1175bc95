"""Three days of trouble at both destinations: 500 cards, real adapters, the ledgers; time is set by hand."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from sqlalchemy import select

from hocba_hub.model.delivery import DeliveryState
from hocba_hub.sandbox.faults import Fault, FaultName
from hocba_hub.sandbox.oracle import examine
from hocba_hub.sandbox.synthetic import generate, revise
from hocba_hub.store.counters import sums
from hocba_hub.store.engine import Store
from hocba_hub.store.selection import Selection
from hocba_hub.store.tables import deliveries
from tests.support.delivering_hub import HOUR, MINISTRY, PROVINCE, DeliveringHub
from tests.support.long_form import LONG
from tests.support.pushing import ENGINES
from tests.support.replaying import send_again
from tests.support.sandbox_server import running_sandbox

CARDS = 500
CORRECTED = 50
WINDOW_HOURS = 72

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


@contextmanager
def hub_with_500_cards(store: Store) -> Iterator[DeliveringHub]:
    with running_sandbox(answer_seconds=2) as sandbox, ExitStack() as stack:
        hub = DeliveringHub(store, sandbox, stack, now=time.time_ns() // 1_000_000)
        hub.accept(list(generate(CARDS, 72, schools=12)))
        yield hub


@pytest.mark.timeout(240)
@pytest.mark.parametrize("store_url", ENGINES if LONG else ENGINES[1:], indirect=True)
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
        selection = Selection(destination=MINISTRY, states=frozenset({DeliveryState.PARKED}))
        assert send_again(store, selection, now=hub.now) == len(parked)
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
