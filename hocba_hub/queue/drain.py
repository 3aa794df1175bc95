"""Draining a destination: lease, send, settle, until nothing is due.

The engine of one process. Several lanes (threads) work side by side, each with one call under way; the store's
leases keep the lanes of all processes apart and within the destination's cap. Nothing here is lost when the process
dies: its leases expire, and what it may have sent is looked up by whoever takes over.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sqlalchemy import Connection
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from hocba_hub.adapters.destination import Destination, Doubt
from hocba_hub.adapters.protocol import (
    RECORD_ID_IN_USE,
    WINDOW_CLOSED,
    CallResult,
    Outbound,
    OutboundRecord,
    Outcome,
    Stage,
)
from hocba_hub.model.clock import Clock
from hocba_hub.model.keys import DestinationName, SchoolCode
from hocba_hub.model.windows import level_of, opens_at
from hocba_hub.queue.breaker import next_breaker_state
from hocba_hub.queue.outcomes_to_states import (
    given_back,
    heard,
    presumed_absent,
    settlements,
    verdict_seconds_after,
)
from hocba_hub.queue.traces import DeliveryTraces
from hocba_hub.store.acknowledgements import hear
from hocba_hub.store.bodies import pack
from hocba_hub.store.engine import Store, StoreAwayError, StoreError
from hocba_hub.store.lease import (
    Allowance,
    Body,
    Kind,
    Lease,
    bodies,
    due,
    expired,
    lease,
    mark_sent,
    of_other_years,
    renew,
)
from hocba_hub.store.renewal import Renewal
from hocba_hub.store.settle import BreakerState, CallFacts, Settlement, gravest, settle

log = logging.getLogger(__name__)

_MOST_KEPT = 20_000_000
"""Bytes of a request or an answer that is kept."""
_LONGEST_HELD_MS = 86_400_000
"""Until a window is looked at again: its file may have been changed."""


@dataclass
class _Running:
    """A lease of a call under way."""

    until: int
    """When it ends, as far as this process has seen its renewals committed."""


@dataclass(frozen=True)
class Engine:
    """What a process needs to deliver: the store, the destinations and an adapter for each."""

    store: Store
    destinations: Mapping[DestinationName, Destination]
    adapter_of: Callable[[DestinationName], Outbound]
    """The process's adapter for a destination, made once and kept."""
    clock: Clock
    holder: str
    """Names this process among all that lease."""
    lease_seconds: float
    keeps_bodies: bool = False
    """Whether requests and answers are kept."""
    traces: DeliveryTraces | None = None
    """Makes spans; None where nobody keeps them."""
    rng: random.Random = field(default_factory=random.Random)
    _running: dict[int, _Running] = field(default_factory=dict, init=False)
    """The leases of calls under way, by id."""

    def due(self) -> list[DestinationName]:
        """The destinations at which something is due now."""
        with self.store.read() as connection:
            return [name for name in self.destinations if self._due(connection, name)]

    def _due(self, connection: Connection, name: DestinationName) -> list[Kind]:
        """What is due at a destination; nothing during its maintenance. What is held for a person is not looked up."""
        if self.destinations[name].maintained_until(self.clock()) is not None:
            return []
        holds = self.destinations[name].in_doubt is Doubt.HOLD
        return [kind for kind in due(connection, name, self.clock()) if not (holds and kind is Kind.LOOKUP)]

    def drain(self, name: DestinationName, *, seconds: float, stop: threading.Event) -> bool:
        """Work off what is due at a destination, until nothing is, `seconds` are over or `stop` is set.

        False if the store did not let it: then there is no sense in going on at once.
        """
        end = time.monotonic() + seconds
        lanes = self.destinations[name].limits.concurrency
        with (
            Renewal(self.renew, self.lease_seconds),
            ThreadPoolExecutor(lanes, thread_name_prefix=f"lane-{name}") as pool,
        ):
            lanes_done = [pool.submit(self._lane, name, end, stop) for _ in range(lanes)]
        return all(lane.result() for lane in lanes_done)

    def _lane(self, name: DestinationName, end: float, stop: threading.Event) -> bool:
        try:
            while not stop.is_set() and time.monotonic() < end:
                with self.store.read() as connection:
                    kinds = self._due(connection, name)
                worked = False
                for kind in kinds:
                    worked |= self._attempt(name, kind)
                if not worked:
                    break
        except StoreError as error:
            # Whatever this lane holds is taken over when its lease expires; the scheduler rings again.
            log.warning("drain of %s interrupted: %s", name, error)
            return False
        return True

    def _attempt(self, name: DestinationName, kind: Kind) -> bool:
        """Make one attempt; False if there was nothing to lease."""
        destination = self.destinations[name]
        now = self.clock()
        allowance = Allowance(
            name,
            destination.limits.concurrency,
            destination.batch.records,
            destination.batch.bytes,
            destination.limits.records_per_second,
            destination.acknowledgement.references,
        )
        with self.store.write() as connection:
            held = lease(connection, allowance, kind, holder=self.holder, now=now, until=now + self._lease_ms)
        if held is None:
            return False
        if kind is Kind.LOOKUP and destination.in_doubt is Doubt.SEND_AGAIN:
            return self._settle(held, presumed_absent(held, destination, now=now), CallResult([]))
        started = time.monotonic()
        try:
            call = self._call(held, self.adapter_of(name))
        finally:
            self._running.pop(held.id, None)
        now = self.clock()
        if call is None:
            return self._settle(held, given_back(held, destination, now=now), CallResult([]))
        seconds = time.monotonic() - started
        settled = settlements(held, call.outcomes, destination, now=now, jitter=self.rng.uniform(-1, 1))
        return self._settle(
            held,
            settled,
            call,
            lambda before: replace(
                next_breaker_state(before, call.outcomes, destination, now=now, seconds=seconds),
                verdict_seconds=verdict_seconds_after(before.verdict_seconds, held, settled, now),
            ),
        )

    def _early(self, held: Lease, found: Mapping[int, Body]) -> dict[int, Outcome]:
        """What is not to be sent now, since the destination takes such cards at another time."""
        destination = self.destinations[held.destination]
        if held.kind is not Kind.SEND or not destination.windows or destination.outside_windows == "send":
            return {}
        now, early = self.clock(), {}
        for delivery in held.deliveries:
            level = level_of(found[delivery.id].circular, found[delivery.id].grade)
            opens = opens_at(destination.windows, level, delivery.key.school_year, now)
            if opens is not None:
                seconds = min(opens - now, _LONGEST_HELD_MS) / 1000
                early[delivery.id] = Outcome(delivery.id, Stage.NOT_SENT, WINDOW_CLOSED, held_seconds=seconds)
        return early

    def _of_other_years(self, connection: Connection, held: Lease) -> dict[int, Outcome]:
        """What is not to be sent, since to this destination it would be the record of another card."""
        if held.kind is not Kind.SEND or self.destinations[held.destination].record_ids.names_year:
            return {}
        why = "dùng cho năm học khác · used for another school year"
        return {one: Outcome(one, Stage.NOT_SENT, RECORD_ID_IN_USE, why) for one in of_other_years(connection, held)}

    def _call(self, held: Lease, adapter: Outbound) -> CallResult | None:
        """Make the call; None if the lease was lost or the bodies could not be read, and nothing was sent."""
        kept: dict[int, Outcome] = {}
        if held.kind is Kind.POLL:
            records = _records(held, None)
        else:
            with self.store.read() as connection:
                found = bodies(connection, [delivery.id for delivery in held.deliveries])
                kept = self._early(held, found) | self._of_other_years(connection, held)
            records = [record for record in _records(held, found) if record.delivery_id not in kept]
        if not records:
            return CallResult(list(kept.values()))
        with self.store.write() as connection:
            until = mark_sent(connection, held.id, self.clock())
        if until is None or self.clock() >= until:  # the commit may have taken as long as it liked
            return None
        running = self._running[held.id] = _Running(until)
        try:
            match held.kind:
                case Kind.SEND:
                    sent = adapter.send(records, lambda: self.clock() < running.until)
                    return replace(sent, outcomes=[*sent.outcomes, *kept.values()]) if kept else sent
                case Kind.POLL:
                    references = dict.fromkeys(one.reference for one in held.deliveries if one.reference is not None)
                    return adapter.poll(list(references), records)
                case Kind.LOOKUP:
                    calls = [adapter.lookup(record) for record in records]
                    return CallResult([outcome for call in calls for outcome in call.outcomes])
        except Exception:
            # A fault of ours must not end the lane; what it sent, if anything, is in doubt.
            log.exception("the adapter of %s failed", held.destination)
            failed = [Outcome(record.delivery_id, Stage.NO_ANSWER, "adapter-failed") for record in records]
            return CallResult([*failed, *kept.values()])

    def _settle(
        self,
        held: Lease,
        settled: list[Settlement],
        call: CallResult,
        next_breaker: Callable[[BreakerState], BreakerState] | None = None,
    ) -> bool:
        facts = CallFacts(
            gravest([settlement.meaning for settlement in settled]),
            call.request_sha256,
            call.response_sha256,
            call.http_status,
            call.made,
            self._bodies(call),
        )
        known = {} if self.traces is None else self.traces.origins(held)
        now = self.clock()
        for attempt in Retrying(
            retry=retry_if_exception_type(StoreAwayError),
            wait=wait_exponential(0.1, max=1),
            stop=stop_after_delay(self.lease_seconds),
            reraise=True,
        ):
            with attempt, self.store.write() as connection:
                if not settle(connection, held, settled, facts, now=self.clock(), next_breaker=next_breaker):
                    log.warning("lease %s of %s was taken over", held.id, held.destination)
                elif call.unasked:
                    codes = self.destinations[held.destination].codes
                    hear(connection, held.destination, heard(call.unasked, codes), source=held.kind, now=self.clock())
        if self.traces is not None:
            try:
                self.traces.attempted(held, settled, known, facts.outcome, now)
            except Exception:  # what is done is done: no fault of a trace ends a lane
                log.exception("no trace of lease %s", held.id)
        return True

    def _bodies(self, call: CallResult) -> tuple[bytes, bytes] | None:
        """Request and answer as they are kept, None if they are not; packed before the store is held."""
        if not self.keeps_bodies or not (call.request or call.response):
            return None
        if max(len(call.request), len(call.response)) > _MOST_KEPT:
            return None
        return pack(call.request), pack(call.response)

    def sweep(self) -> int:
        """Take over the leases that expired; how many there were."""
        now = self.clock()
        with self.store.write() as connection:
            found = expired(connection, now)
            for held in found:
                destination = self.destinations.get(held.destination)
                if destination is None:
                    continue  # its file was taken away: it stays as it is until the file is back
                settled = given_back(held, destination, now=now)
                facts = CallFacts(gravest([settlement.meaning for settlement in settled]))
                settle(connection, held, settled, facts, now=now, taken_over=True)
        return len(found)

    @property
    def _lease_ms(self) -> int:
        return round(self.lease_seconds * 1000)

    def renew(self) -> None:
        """Put off the end of this process's leases."""
        until = self.clock() + self._lease_ms
        with self.store.write() as connection:
            renewed = renew(connection, self.holder, until)
        for lease_id in renewed:
            running = self._running.get(lease_id)
            if running is not None:
                running.until = until


def _records(held: Lease, found: Mapping[int, Body] | None) -> list[OutboundRecord]:
    """The leased deliveries as the adapter sees them; without bodies for a poll."""
    records = []
    for delivery in held.deliveries:
        body = found[delivery.id] if found is not None else None
        records.append(
            OutboundRecord(
                delivery_id=delivery.id,
                key=delivery.key,
                version=delivery.version,
                event=delivery.event,
                school=body.school if body else SchoolCode(""),
                accepted_at=datetime.fromtimestamp(delivery.accepted_at / 1000, UTC),
                canonical=body.canonical if body else b"",
                document=body.document if body else b"",
                document_type=body.document_type if body else "",
                taken=delivery.taken,
                reference=delivery.reference,
                pin=delivery.pin,
            )
        )
    return records
