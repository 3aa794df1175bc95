"""The job `certificates`: until when the certificate of a destination's own is valid, seen before calls fail by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hocba_hub.adapters.destination import Destination
from hocba_hub.adapters.reaching import certificate_ends
from hocba_hub.model.keys import DestinationName
from hocba_hub.queue.jobs.runner import JobFailedError, JobRun
from hocba_hub.store.destination_health import note_certificate


@dataclass(frozen=True)
class Certificates:
    """Looks at the certificate that a destination of https shows; nothing is sent to it."""

    destinations: Mapping[DestinationName, Destination]

    def __call__(self, run: JobRun) -> None:
        """One step; there is nothing to do for an address of plain http.

        A destination that does not answer keeps what is known of it: that it is away, others tell.

        Raises:
            JobFailedError: `no-destination`.
        """
        name = DestinationName(run.about)
        destination = self.destinations.get(name)
        if destination is None:
            raise JobFailedError("no-destination")
        if not destination.address.startswith("https:"):
            return
        ends_at = certificate_ends(destination.address)
        with run.step() as connection:
            run.done += 1
            if ends_at is None:
                run.result["unreachable"] += 1
            else:
                note_certificate(connection, name, ends_at)
                run.result["certificates"] += 1
