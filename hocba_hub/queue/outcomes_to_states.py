"""From the outcome of an attempt to what becomes of each delivery: pure, so that days can be tested in seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hocba_hub.adapters.destination import Acknowledgement, Destination
from hocba_hub.adapters.protocol import Outcome, Stage, Unasked
from hocba_hub.model.delivery import VERDICTS, DeliveryState, Meaning, next_state
from hocba_hub.queue.code_meanings import meaning_of
from hocba_hub.queue.retry import step, wait_seconds
from hocba_hub.store.acknowledgements import Heard
from hocba_hub.store.lease import Kind, Lease, LeasedDelivery
from hocba_hub.store.settle import Settlement

RELEASED = "released"
"""Code of a delivery that was given back unsent."""
_A_LITTLE_BEFORE = 0.9
"""Share of the usual time after which a verdict is first asked for: so the estimate can fall, too."""
_WEIGHT_OF_NEWEST = 0.2
LEASE_EXPIRED = "lease-expired"
"""Code of a delivery that may have been sent by a worker that died."""
NOT_LOOKED_UP = "not-looked-up"
"""Code of a delivery that is sent again without a look-up, as its destination's file says."""
NOT_IN_OUTCOMES = "not-in-outcomes"
"""Code of a delivery that the adapter said nothing about."""


def settlements(
    lease: Lease, outcomes: Sequence[Outcome], destination: Destination, *, now: int, jitter: float
) -> list[Settlement]:
    """What becomes of every delivery of the lease; one that has no outcome counts as sent and not answered.

    `now` in milliseconds, `jitter` between -1 and 1 for the whole batch, so that it stays together.
    """
    by_delivery = {outcome.delivery_id: outcome for outcome in outcomes}
    settled = []
    for delivery in lease.deliveries:
        outcome = by_delivery.get(delivery.id) or Outcome(delivery.id, Stage.NO_ANSWER, NOT_IN_OUTCOMES)
        meaning = meaning_of(outcome, lease.kind, destination.codes)
        if meaning is Meaning.ABSENT and _may_still_arrive(delivery, destination, now):
            meaning = Meaning.UNKNOWN_OUTCOME
        settled.append(
            _settlement(
                delivery, outcome, meaning, destination, now=now, jitter=jitter, verdict_seconds=lease.verdict_seconds
            )
        )
    return settled


def _may_still_arrive(delivery: LeasedDelivery, destination: Destination, now: int) -> bool:
    """Whether what was sent may still be under way there: as long as an answer may take, absence says nothing."""
    return delivery.sent_at is not None and now < delivery.sent_at + destination.limits.answer_seconds * 1000


def presumed_absent(lease: Lease, destination: Destination, *, now: int) -> list[Settlement]:
    """What becomes of deliveries in doubt that are sent again without a look-up, once no answer can come any more."""
    settled = []
    for delivery in lease.deliveries:
        may_arrive = _may_still_arrive(delivery, destination, now)
        meaning = Meaning.UNKNOWN_OUTCOME if may_arrive else Meaning.ABSENT
        outcome = Outcome(delivery.id, Stage.NOT_SENT, NOT_LOOKED_UP)
        settled.append(_settlement(delivery, outcome, meaning, destination, now=now, jitter=0))
    return settled


def given_back(lease: Lease, destination: Destination, *, now: int) -> list[Settlement]:
    """What becomes of the deliveries of a lease that ends without a call of ours having an outcome.

    Unsent ones wait again as before; what may have been sent is in doubt; a question is asked again.
    """
    settled = []
    for delivery in lease.deliveries:
        if lease.sent and delivery.state is DeliveryState.LEASED:
            outcome, meaning = Outcome(delivery.id, Stage.NO_ANSWER, LEASE_EXPIRED), Meaning.UNKNOWN_OUTCOME
        else:
            outcome, meaning = Outcome(delivery.id, Stage.NOT_SENT, RELEASED), Meaning.RELEASED
        settled.append(_settlement(delivery, outcome, meaning, destination, now=now, jitter=0))
    return settled


def _settlement(
    delivery: LeasedDelivery,
    outcome: Outcome,
    meaning: Meaning,
    destination: Destination,
    *,
    now: int,
    jitter: float,
    verdict_seconds: float | None = None,
) -> Settlement:
    retry = destination.retry
    first = delivery.first_attempt_at
    attempts, asked, wait = delivery.attempts, delivery.asked, 0.0
    reference = delivery.reference
    state = delivery.state
    acknowledgement, since = destination.acknowledgement, delivery.awaiting_since
    if state is DeliveryState.LEASED:
        asked, reference, since = 0, None, None
        if meaning not in {Meaning.RELEASED, Meaning.PRECONDITION}:
            attempts, first = attempts + 1, first if first is not None else now
    else:
        asked += 1
    window_open = (
        first is None or now - first - destination.maintained(first, now) < retry.window_seconds * 1000
    )  # fmt: skip
    after = next_state(state, meaning, window_open=window_open)
    match after:
        case DeliveryState.QUEUED if meaning is Meaning.TRANSIENT:
            wait = wait_seconds(retry, attempts, jitter=jitter, retry_after=outcome.retry_after)
        case DeliveryState.HELD:
            wait = retry.held_seconds if outcome.held_seconds is None else outcome.held_seconds
        case DeliveryState.IN_DOUBT if meaning is not Meaning.RELEASED:
            asked = asked if state is DeliveryState.IN_DOUBT else 0
            wait = step(retry.lookup_seconds, asked + 1)
        case DeliveryState.AWAITING_ACK if meaning is not Meaning.RELEASED:
            asked = asked if state is DeliveryState.AWAITING_ACK else 0
            reference = outcome.reference or reference
            since = now if since is None else since
            wait = _poll_wait(acknowledgement, asked + 1, (now - since) / 1000, verdict_seconds)
        case _:
            pass
    return Settlement(
        delivery=delivery,
        state=after,
        meaning=meaning,
        code=outcome.code,
        detail=outcome.detail,
        next_attempt_at=now + round(wait * 1000),
        attempts=attempts,
        asked=asked,
        first_attempt_at=first,
        reference=reference,
        taken=delivery.taken if outcome.taken is None else outcome.taken,
        awaiting_since=since,
        sent_sha256=outcome.sent_sha256,
        is_late=since is not None and now - since > acknowledgement.overdue_seconds * 1000,
    )


def _poll_wait(acknowledgement: Acknowledgement, number: int, waited: float, verdict_seconds: float | None) -> float:
    """Seconds until question number `number` (from 1) about a reference that has waited so long.

    The first question comes when the destination's verdicts usually are there, so that it is mostly the last; the next
    ones at growing intervals.
    """
    wait = step(acknowledgement.poll_seconds, number)
    usual = 0.0 if verdict_seconds is None else _A_LITTLE_BEFORE * verdict_seconds - waited
    return max(wait, min(usual, acknowledgement.overdue_seconds)) if number == 1 else wait


def verdict_seconds_after(before: float | None, lease: Lease, outcomes: Sequence[Settlement], now: int) -> float | None:
    """How long a destination's verdicts take, after a call that may have brought one: a moving mean."""
    if lease.kind is not Kind.POLL:
        return before
    waited = next(
        (
            (now - s.delivery.awaiting_since) / 1000
            for s in outcomes
            if s.meaning in VERDICTS and s.delivery.awaiting_since is not None
        ),
        None,
    )
    if waited is None:
        return before
    return waited if before is None else before + _WEIGHT_OF_NEWEST * (waited - before)


def heard(unasked: Sequence[Unasked], codes: Mapping[str, Meaning]) -> list[Heard]:
    """What a destination says of versions that it was not asked about, by its code table; other codes say nothing."""
    return [Heard(one.key, one.version, one.code, codes.get(one.code, Meaning.TRANSIENT)) for one in unasked]
