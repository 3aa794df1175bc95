"""Protecting the destination: when the breaker opens, how many calls it bears. Pure; the store keeps the state."""

from __future__ import annotations

from collections.abc import Sequence

from hocba_hub.adapters.destination import Destination
from hocba_hub.adapters.protocol import LEASE_OVER, MISFIT, RECORD_ID_IN_USE, WINDOW_CLOSED, Outcome, Stage
from hocba_hub.store.settle import BreakerState

_GOOD_CALLS_TO_RISE = 10
_OVERLOADED = frozenset({"http-429", "http-503", "http-504", "timeout"})


def next_breaker_state(
    state: BreakerState, outcomes: Sequence[Outcome], destination: Destination, *, now: int, seconds: float
) -> BreakerState:
    """The destination's state after a call that took `seconds`.

    A call failed if no record of it was answered by the destination's application. Enough failures in a row open
    the breaker, as does a `Retry-After`; then one probe decides. The cap on calls under way is halved when the
    destination is overloaded or slower than half of the time it is given, and rises by one after ten good calls.
    """
    failed = bool(outcomes) and all(_is_failure(outcome) for outcome in outcomes)
    pause = max((outcome.retry_after for outcome in outcomes if outcome.retry_after), default=0.0)
    pause = min(pause, destination.retry.longest_retry_after_seconds)
    most = destination.limits.concurrency
    cap = min(state.cap or most, most)
    struggles = any(outcome.code in _OVERLOADED for outcome in outcomes)
    if struggles or seconds > destination.limits.answer_seconds / 2:
        cap, good = max(1, cap // 2), 0
    elif failed:
        good = 0
    else:
        good = state.good_calls + 1
        if good >= _GOOD_CALLS_TO_RISE:
            cap, good = min(most, cap + 1), 0
    failures = state.failures + 1 if failed else 0
    open_until = None
    if failures >= destination.breaker.failures or (failed and state.open_until is not None):
        open_until = now + round(max(pause, destination.breaker.open_seconds) * 1000)
    elif pause:
        open_until = now + round(pause * 1000)
    return BreakerState(failures, open_until, cap if cap < most else None, good if cap < most else 0)


def _is_failure(outcome: Outcome) -> bool:
    if outcome.stage is not Stage.ANSWERED:
        return outcome.code not in {"missing-precondition", MISFIT, LEASE_OVER, RECORD_ID_IN_USE, WINDOW_CLOSED}
    return outcome.code.startswith("http-5") or outcome.code in {"http-429", "soap-server"}
