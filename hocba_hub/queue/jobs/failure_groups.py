"""The job `failure-groups`: failures are counted again by their causes, from what is kept of them."""

from __future__ import annotations

from dataclasses import dataclass

from hocba_hub.model.clock import DAY_MS
from hocba_hub.queue.jobs.runner import JobRun
from hocba_hub.store import failure_recount
from hocba_hub.store.failures import HOUR_MS, hour_of

_DELIVERIES = 1_000
"""That one step looks at."""


@dataclass(frozen=True)
class FailureGroups:
    """Counts hour by hour as far back as rejected records are kept, then puts each delivery into its group."""

    days: int
    """How long rejected records are kept: older hours stay as they were counted."""

    def __call__(self, run: JobRun) -> None:
        """Phase after phase; the cursor says where."""
        if run.cursor is None:
            with run.store.read() as connection:
                first = failure_recount.first_hour(connection, since=hour_of(run.clock() - self.days * DAY_MS))
            with run.step():
                run.cursor = ["place", 0] if first is None else ["count", first]
        while (phase := run.cursor[0]) != "end":
            run.give_way()
            with run.step() as connection:
                if phase == "count":
                    hour = run.cursor[1]
                    run.result["recounted"] += failure_recount.recount_hour(connection, hour)
                    run.result["hours"] += 1
                    run.cursor = ["count", hour + HOUR_MS] if hour < hour_of(run.started_at) else ["place", 0]
                else:
                    last, moved = failure_recount.place_again(connection, run.cursor[1], _DELIVERIES)
                    run.result["placed"] += moved
                    if last is None:
                        run.result["forgotten"] += failure_recount.forget_empty(connection)
                    run.cursor = ["end", None] if last is None else ["place", last]
