"""The jobs `acknowledgements:<destination>`: verdicts that are overdue are looked up.

Each is looked up when its time is over, and again after twice, four times, eight times that long: a destination that
stands still for hours is not asked about each card every minute. A run that a person asks for has everything polled
at once, besides. Where a destination cannot be asked for one card, nothing is looked up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hocba_hub.adapters.destination import Destination, Doubt
from hocba_hub.model.keys import DestinationName
from hocba_hub.queue.jobs.runner import JobFailedError, JobRun
from hocba_hub.store import acknowledgements, jobs
from hocba_hub.store.jobs import BY_SCHEDULE

OVERDUE = "ack-overdue"
"""Code of a delivery that is looked up because its verdict is overdue."""
_BATCH = 1_000
_DOUBLINGS = 12


@dataclass(frozen=True)
class Acknowledgements:
    """Looks up what is overdue at one of the destinations."""

    destinations: Mapping[DestinationName, Destination]

    def __call__(self, run: JobRun) -> None:
        """Batch by batch; what the run before this one has looked up is not met again.

        Raises:
            JobFailedError: there is no such destination any more.
        """
        name = DestinationName(run.about)
        destination = self.destinations.get(name)
        if destination is None:
            raise JobFailedError("no-destination")
        if run.asked_by != BY_SCHEDULE and run.cursor is None:
            _poll_now(run, name)
        if destination.in_doubt is not Doubt.LOOK_UP:
            return
        with run.store.read() as connection:
            before = jobs.last_done(connection, run.key, before=run.id)
        overdue_ms = round(destination.acknowledgement.overdue_seconds * 1000)
        for doubling in range(_DOUBLINGS):
            wait = overdue_ms * 2**doubling
            # Whose wait became so long since the run before this one; without one, whose wait is over at all.
            since = run.started_at - wait if before is None else before.started_at - wait
            _look_up(run, name, 0 if before is None and doubling == 0 else since, run.started_at - wait)


def _poll_now(run: JobRun, name: DestinationName) -> None:
    polled = _BATCH
    while polled == _BATCH:
        run.give_way()
        with run.step() as connection:
            polled = acknowledgements.poll_now(connection, name, run.started_at, limit=_BATCH)
            run.result["polled"] += polled
            run.cursor = None if polled == _BATCH else "polled"


def _look_up(run: JobRun, name: DestinationName, since: int, before: int) -> None:
    found = _BATCH
    while found == _BATCH and since < before:
        run.give_way()
        with run.store.read() as connection:
            ids = acknowledgements.overdue_ids(connection, name, since=since, before=before, limit=_BATCH)
        if (found := len(ids)) == 0:
            return
        with run.step() as connection:
            looked_up = acknowledgements.doubt(connection, name, ids, code=OVERDUE, now=run.clock())
            run.result["looked_up"] += looked_up
            run.done += looked_up
