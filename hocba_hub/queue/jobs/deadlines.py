"""The job `deadlines`: the board is counted anew, for the school year that it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hocba_hub.adapters.destination import Destination
from hocba_hub.model.keys import DestinationName
from hocba_hub.model.windows import school_year_at
from hocba_hub.queue.jobs.runner import JobRun
from hocba_hub.store.board import take_snapshot
from hocba_hub.store.schools import learn_schools


@dataclass(frozen=True)
class Deadlines:
    """Takes one snapshot; one that a killed run left half written is never shown, and goes with the next."""

    destinations: Mapping[DestinationName, Destination]

    def __call__(self, run: JobRun) -> None:
        """One step."""
        now = run.clock()
        take_snapshot(run.store, school_year_at(now), sorted(self.destinations), now)
        with run.step() as connection:
            if learnt := learn_schools(connection, now):
                run.result["schools"] += learnt
            run.result["snapshots"] += 1
            run.done += 1
