"""Back-pressure as an answer: 503 with Retry-After while there is no room for more."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool

from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.intake.backpressure import Backpressure

RETRY_AFTER_SECONDS = 30


async def check_free_space(room: Backpressure) -> None:
    """Do nothing if there is room.

    Raises:
        ProblemError: 503: the backlog or the disk is full.
        StoreError: the store cannot say.
    """
    problem = await run_in_threadpool(room.look) if room.claim_look() else room.problem
    if problem is not None:
        raise ProblemError(problem, retry_after=RETRY_AFTER_SECONDS)
