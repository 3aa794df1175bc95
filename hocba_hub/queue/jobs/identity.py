"""The jobs `identity:<destination>`: what the check of pupils' personal numbers came to is fetched and kept.

A run goes on where the run before it ended, since a destination lists its results in the order of their coming.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hocba_hub.adapters.destination import Destination
from hocba_hub.adapters.http import CallError
from hocba_hub.adapters.lists import NO_IDENTITY
from hocba_hub.adapters.protocol import Outbound
from hocba_hub.model.finding_kinds import IDENTITY_MISMATCH, IDENTITY_NOT_FOUND
from hocba_hub.model.findings import Finding
from hocba_hub.model.identity import IdentityResult
from hocba_hub.model.keys import DestinationName
from hocba_hub.queue.jobs.runner import JobFailedError, JobRun
from hocba_hub.store import identity, jobs

_KINDS = {IdentityResult.MISMATCH: IDENTITY_MISMATCH, IdentityResult.NOT_FOUND: IDENTITY_NOT_FOUND}


@dataclass(frozen=True)
class Identity:
    """Fetches the identity results of the destinations."""

    destinations: Mapping[DestinationName, Destination]
    adapter_of: Callable[[DestinationName], Outbound]

    def __call__(self, run: JobRun) -> None:
        """Page by page; a destination that tells no results has nothing to be fetched.

        Raises:
            JobFailedError: there is no such destination any more.
            CallError: it does not give its results.
        """
        name = DestinationName(run.about)
        if name not in self.destinations:
            raise JobFailedError("no-destination")
        adapter = self.adapter_of(name)
        after: str | None = run.cursor
        if after is None:
            with run.store.read() as connection:
                before = jobs.last_done(connection, run.key, before=run.id)
            after = None if before is None else before.cursor
        findings = {
            result: Finding(kind, "/pupil/personal_number", facts={"destination": name})
            for result, kind in _KINDS.items()
        }
        has_more = True
        while has_more:
            run.give_way()
            try:
                page = adapter.identities(after)
            except CallError as error:
                if error.code == NO_IDENTITY:
                    return
                raise
            has_more = bool(page.entries) and page.next not in {None, after}
            after = page.next or after
            with run.step() as connection:
                run.result.update(identity.keep(connection, name, page.entries, findings, run.clock()))
                if page.unreadable:
                    run.result["unreadable"] += page.unreadable
                run.done += len(page.entries)
                run.cursor = after
