"""When to try again: waits by a schedule inside a window of time, not by a count (design §3).

tenacity computes the waits; nothing sleeps here. The result is a moment that the store keeps as the delivery's timer.
"""

from __future__ import annotations

from functools import cache

from tenacity import RetryCallState, wait_chain, wait_fixed

from hocba_hub.adapters.destination import Retry


def wait_seconds(retry: Retry, attempt: int, *, jitter: float = 0.0, retry_after: float | None = None) -> float:
    """Seconds from the failure of attempt number `attempt` (from 1) to the next one.

    `jitter` lies between -1 and 1 and is scaled by the policy's share. A `Retry-After` of the destination wins,
    up to the policy's longest.
    """
    if retry_after is not None:
        return min(max(retry_after, 0.0), retry.longest_retry_after_seconds)
    wait = step((*retry.schedule_seconds, retry.then_every_seconds), attempt)
    return wait * (1 + jitter * retry.jitter)


def step(waits: tuple[float, ...], number: int) -> float:
    """The wait after call number `number` (from 1); the last one repeats."""
    state = RetryCallState(retry_object=None, fn=None, args=(), kwargs={})  # type: ignore[arg-type]
    state.attempt_number = number
    return float(_chain(waits)(state))


@cache
def _chain(waits: tuple[float, ...]) -> wait_chain:
    return wait_chain(*(wait_fixed(seconds) for seconds in waits))
