"""One process that delivers to both simulators with the shipped destinations, under a clock of the test's own."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from sqlalchemy import func, select

from hocba_hub.adapters.protocol import Outbound
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
from hocba_hub.store.accept import accept
from hocba_hub.store.access import Client
from hocba_hub.store.decide import Portion, RecordResult, Submission
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import deliveries
from tests.support.sandbox_server import SandboxHandle

MINUTE, HOUR = 60_000, 3_600_000
MINISTRY, PROVINCE = DestinationName("ministry"), DestinationName("province")
_QUICK: dict[str, Any] = {"batch": {"records": 25}, "limits": {"concurrency": 2}}


class DeliveringHub:
    """Accepts cards, and goes from timer to timer; `changes` are made to a destination by name."""

    def __init__(
        self, store: Store, sandbox: SandboxHandle, stack: ExitStack, *, now: int, **changes: dict[str, Any]
    ) -> None:
        self.now, self.store, self.sandbox = now, store, sandbox
        made = {name: _QUICK | changes.get(name, {}) for name in (PROVINCE, MINISTRY)}
        self.destinations = {name: sandbox.destination(name, **change) for name, change in made.items()}
        self.adapters: dict[DestinationName, Outbound] = {
            name: stack.enter_context(sandbox.adapter(name, **change)) for name, change in made.items()
        }
        self.engine = Engine(store, self.destinations, self.adapters.__getitem__, lambda: self.now, "worker-1", 60)
        self.accepted: dict[str, int] = {}

    def send(self, cards: Sequence[bytes], client: Client | None = None) -> list[RecordResult]:
        """What became of some cards that a client, or one that speaks for all schools, sends."""
        checker = RecordChecker(Deliverability(tuple(self.destinations.values())), DEFAULT)
        received = [
            checker.check(place, SentRecord(raw, "application/json"), shipped_mappings())
            for place, raw in enumerate(cards)
        ]
        sender = client or Client(1, "vendor", None)
        submission = Submission(uuid7(), sender, self.now, "application/x-ndjson")
        with self.store.write() as connection:
            return list(
                accept(
                    connection, [Portion(submission, received)], list(self.destinations), CardComparison(), self.now
                )[0]
            )

    def accept(self, cards: Sequence[bytes], client: Client | None = None) -> None:
        """Send cards, all of which are accepted."""
        results = self.send(cards, client)
        assert {result.status for result in results} == {"accepted"}, [one.findings for one in results if one.findings]
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
