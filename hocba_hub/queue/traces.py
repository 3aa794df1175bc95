"""The spans of deliveries, made when an attempt has ended: one of the call, and one for each card in its own trace.

Attributes name destinations, meanings and codes; never a card, a school or a pupil.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, StatusCode

from hocba_hub.model.clock import Clock
from hocba_hub.model.delivery import Meaning
from hocba_hub.model.failures import FAILING
from hocba_hub.model.keys import DestinationName
from hocba_hub.store import exemplars
from hocba_hub.store.acknowledgements import Heard
from hocba_hub.store.counters import AGE_SECONDS, ATTEMPT_SECONDS, bucket_of
from hocba_hub.store.engine import Store, StoreError
from hocba_hub.store.exemplars import Exemplar, Place
from hocba_hub.store.lease import Kind, Lease
from hocba_hub.store.origins import Origin, ids_of, origins
from hocba_hub.store.settle import Settlement
from hocba_hub.tracing import child_of, span_context, tracer

log = logging.getLogger(__name__)

_MOST_LINKS = 100
_EXEMPLARS_EVERY_MS = 5_000
_NS = 1_000_000


class CardEnd(NamedTuple):
    """What a call meant for one delivery."""

    delivery_id: int
    meaning: str
    code: str
    accepted_at: int | None = None
    """Milliseconds, of one that is acknowledged now."""


@dataclass
class DeliveryTraces:
    """Makes spans, where somebody keeps them."""

    store: Store
    clock: Clock
    _noted: dict[Place, int] = field(default_factory=dict)
    """When an exemplar was last written: seldom, since every process would write to the same few rows."""

    def origins(self, held: Lease) -> Mapping[int, Origin]:
        """Where the deliveries of a lease come from; nothing if the store cannot say."""
        try:
            with self.store.read() as connection:
                return origins(connection, [delivery.id for delivery in held.deliveries])
        except StoreError:
            return {}

    def attempted(
        self, held: Lease, settled: Sequence[Settlement], known: Mapping[int, Origin], outcome: str, now: int
    ) -> None:
        """An attempt has ended with these settlements, at `now` (milliseconds); `known` are the origins."""
        is_pending = held.kind is Kind.POLL
        ends = [
            CardEnd(
                s.delivery.id, s.meaning, s.code, s.delivery.accepted_at if s.meaning is Meaning.ACKNOWLEDGED else None
            )
            for s in settled
            if not (is_pending and s.meaning is Meaning.AWAITING_ACK)
        ]
        parents = {(one.trace_id, one.span_id): one for end in ends if (one := _parent(known, end)) is not None}
        call = tracer().start_span(
            f"{held.kind} {held.destination}",
            Context(),
            SpanKind.CLIENT,
            {"hocba.destination": held.destination, "hocba.outcome": outcome, "hocba.records": len(settled)},
            [Link(parent) for parent in islice(parents.values(), _MOST_LINKS)],
            held.leased_at * _NS,
        )
        self._cards(str(held.kind), held.destination, ends, known, call, held.leased_at, now)
        call.end(now * _NS)
        self._exemplars(held, ends, known, now)

    def told(self, destination: DestinationName, verdicts: Sequence[Heard], by: Span, now: int) -> None:
        """A destination has told verdicts by a call of its own, `by`."""
        try:
            with self.store.read() as connection:
                ids = ids_of(connection, destination, [(one.key, one.version) for one in verdicts])
                known = origins(connection, list(ids.values()))
        except StoreError:
            return
        ends = [
            CardEnd(ids[one.key, one.version], one.meaning, one.code)
            for one in verdicts
            if (one.key, one.version) in ids
        ]
        self._cards("push", destination, ends, known, by, now, now)

    def _cards(  # noqa: PLR0917 - what is told of each
        self, what: str, destination: str, ends: Sequence[CardEnd], known: Mapping[int, Origin], call: Span, began: int,
        ended: int,
    ) -> None:  # fmt: skip
        link = Link(call.get_span_context())
        for end in ends:
            parent = _parent(known, end)
            if parent is None:
                continue  # nobody kept a trace of where it comes from
            replay_id = known[end.delivery_id].replay_id
            facts = {"hocba.destination": destination, "hocba.meaning": end.meaning, "hocba.code": end.code}
            if replay_id is None:
                span = tracer().start_span(
                    f"card {what}", child_of(parent), SpanKind.CONSUMER, facts, [link], began * _NS
                )
            else:
                span = tracer().start_span(
                    f"card {what} again", Context(), SpanKind.CONSUMER, facts | {"hocba.replay": str(replay_id)},
                    [Link(parent), link], began * _NS,
                )  # fmt: skip
            if end.meaning in FAILING:
                span.set_status(StatusCode.ERROR, end.code)
            span.end(ended * _NS)

    def _exemplars(self, held: Lease, ends: Sequence[CardEnd], known: Mapping[int, Origin], now: int) -> None:
        found: dict[Place, Exemplar] = {}
        for end in ends:
            parent = _parent(known, end)
            if parent is None or not parent.trace_flags.sampled:
                continue
            trace_id = f"{parent.trace_id:032x}"
            seconds = (now - held.leased_at) / 1000
            labels = f"{held.destination} {held.kind} {bucket_of(ATTEMPT_SECONDS, seconds)}"
            found["attempt_seconds", labels] = Exemplar(seconds, trace_id, now)
            if end.accepted_at is not None:
                age = (now - end.accepted_at) / 1000
                labels = f"{held.destination} {bucket_of(AGE_SECONDS, age)}"
                found["acknowledgement_age_seconds", labels] = Exemplar(age, trace_id, now)
        due = {place: one for place, one in found.items() if now - self._noted.get(place, 0) >= _EXEMPLARS_EVERY_MS}
        if not due:
            return
        self._noted |= dict.fromkeys(due, now)
        try:
            with self.store.write() as connection:
                exemplars.note(connection, due)
        except StoreError as error:
            log.debug("no exemplars are written: %s", error)


def _parent(known: Mapping[int, Origin], end: CardEnd) -> SpanContext | None:
    origin = known.get(end.delivery_id)
    return None if origin is None else span_context(origin.trace_parent)
