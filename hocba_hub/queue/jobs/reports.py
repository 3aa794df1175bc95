"""The jobs `weekly-report` and `yearly-report`: the facts of a report are gathered and frozen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hocba_hub.queue.jobs.runner import JobRun
from hocba_hub.store.reports import Gathered, keep


@dataclass(frozen=True)
class Reporting:
    """Makes one report, in one step: a run that is killed before has made none."""

    gather: Callable[[int], Gathered]
    """Gathers the facts at a moment (milliseconds)."""

    def __call__(self, run: JobRun) -> None:
        """One step."""
        if run.cursor is not None:
            return
        gathered = self.gather(run.clock())
        with run.step() as connection:
            run.cursor = keep(connection, gathered, made_by=run.asked_by)
            run.result["reports"] += 1
            run.done += 1
