"""A delivery engine with a destination whose every answer is scripted; time is set by hand."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence

from sqlalchemy import func, select

from hocba_hub.adapters.destination import Destination, Title
from hocba_hub.adapters.protocol import (
    LEASE_OVER,
    CallResult,
    MaySend,
    OutboundRecord,
    Outcome,
    Stage,
    Unasked,
    always,
)
from hocba_hub.model.delivery import Meaning
from hocba_hub.model.keys import DestinationName
from hocba_hub.queue.drain import Engine
from hocba_hub.store.counters import sums
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import deliveries
from tests.support.acceptance import submit

PROVINCE = DestinationName("province")


CODES = {
    "OK": Meaning.ACKNOWLEDGED,
    "TAKEN": Meaning.AWAITING_ACK,
    "WRONG": Meaning.REFUSED,
    "CLOSED": Meaning.PRECONDITION,
    "PENDING": Meaning.AWAITING_ACK,
}


Answer = Callable[[OutboundRecord], Outcome]


def answered(code: str, **more: object) -> Answer:
    return lambda record: Outcome(record.delivery_id, Stage.ANSWERED, code, **more)  # type: ignore[arg-type]


def no_answer(record: OutboundRecord) -> Outcome:
    return Outcome(record.delivery_id, Stage.NO_ANSWER, "timeout")


def not_sent(record: OutboundRecord) -> Outcome:
    return Outcome(record.delivery_id, Stage.NOT_SENT, "connection-refused")


class Scripted:
    """A destination that answers as it is told and remembers what it was sent."""

    def __init__(self) -> None:
        self.on_send: Answer = answered("OK")
        self.on_lookup: Answer = answered("absent")
        self.on_poll: Answer = answered("PENDING")
        self.unasked: Sequence[Unasked] = ()
        """What polls say of others."""
        self.sent: list[OutboundRecord] = []
        self.calls: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.before_bytes: Callable[[], None] = lambda: None
        """What happens between the call of `send` and its first byte."""
        self.under_way = 0
        self.most_under_way = 0

    def send(self, records: Sequence[OutboundRecord], may_send: MaySend = always) -> CallResult:
        self.before_bytes()
        if not may_send():
            return CallResult([Outcome(record.delivery_id, Stage.NOT_SENT, LEASE_OVER) for record in records])
        with self.lock:
            self.calls["send"] += 1
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
            self.sent += records
        try:
            return CallResult([self.on_send(record) for record in records])
        finally:
            with self.lock:
                self.under_way -= 1

    def poll(self, references: Sequence[str], records: Sequence[OutboundRecord]) -> CallResult:
        self.calls[f"poll {' '.join(references)}"] += 1
        return CallResult([self.on_poll(record) for record in records], unasked=self.unasked)

    def lookup(self, record: OutboundRecord) -> CallResult:
        self.calls["lookup"] += 1
        return CallResult([self.on_lookup(record)])

    def close(self) -> None: ...


class Bench:
    """One engine, one scripted destination, one clock."""

    def __init__(self, store: Store, **destination: object) -> None:
        self.now = 1_000_000
        self.store = store
        self.peer = Scripted()
        self.destination = Destination(
            name=PROVINCE, title=Title(vi="t", en="t"), adapter="x", address="x", codes=CODES, **destination
        )  # type: ignore[arg-type]
        self.engine = self.process("worker-1")

    def process(self, holder: str) -> Engine:
        return Engine(self.store, {PROVINCE: self.destination}, lambda _: self.peer, lambda: self.now, holder, 6)

    def drain(self, seconds_later: float = 0) -> None:
        self.now += round(seconds_later * 1000)
        self.engine.drain(PROVINCE, seconds=20, stop=threading.Event())

    def states(self) -> Counter[str]:
        with self.store.read() as connection:
            rows = connection.execute(select(deliveries.c.state, func.count()).group_by(deliveries.c.state))
            return Counter(dict(rows.all()))

    def row(self, card: str, version: int = 1):
        with self.store.read() as connection:
            return connection.execute(
                select(deliveries).where(
                    deliveries.c.card_id == card,
                    deliveries.c.version == version,
                    deliveries.c.destination == PROVINCE,
                )
            ).one()

    def check_depth(self) -> None:
        """The counted depth is the true one."""
        with self.store.read() as connection:
            counted = {state: int(n) for (_, state), n in sums(connection).get("depth", {}).items() if n}
        assert counted == dict(self.states())


def put(bench: Bench, *cards: tuple[str, str], **more: object):
    return submit(bench.store, *cards, now=bench.now, destinations=(PROVINCE,), **more)  # type: ignore[arg-type]
