"""The jobs `weekly-report` and `yearly-report`: the facts of a report are gathered and frozen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hocba_hub.queue.jobs.runner import JobRun


@dataclass(frozen=True)
class Reporting:
    """Makes one report; a run that is killed before its step makes it once more."""

    make: Callable[[int, str], int]
    """Makes the report at a moment, for whoever asked; its id."""

    def __call__(self, run: JobRun) -> None:
        """One step."""
        run.cursor = self.make(run.clock(), run.asked_by)
        with run.step():
            run.result["reports"] += 1
            run.done += 1
