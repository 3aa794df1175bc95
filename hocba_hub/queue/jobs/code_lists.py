"""The jobs `code-lists:<destination>`: its code lists are fetched, and what is new becomes a draft.

A draft that only adds counts at once, unless the destination's file says otherwise; any other waits for a person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hocba_hub.adapters.destination import CodeListUse, Destination
from hocba_hub.adapters.protocol import CodeList, Outbound
from hocba_hub.intake.active_mappings import ActiveMappings
from hocba_hub.intake.code_lists import effect
from hocba_hub.mappings.tables.code_lists import Item, list_diff
from hocba_hub.model.clock import vietnam_day
from hocba_hub.model.keys import DestinationName
from hocba_hub.queue.jobs.runner import JobFailedError, JobRun
from hocba_hub.store import code_lists
from hocba_hub.store.code_lists import BY_ITSELF, Target


@dataclass(frozen=True)
class CodeLists:
    """Fetches the lists of the destinations."""

    destinations: Mapping[DestinationName, Destination]
    adapter_of: Callable[[DestinationName], Outbound]
    mappings: ActiveMappings

    def __call__(self, run: JobRun) -> None:
        """One list after the other.

        Raises:
            JobFailedError: there is no such destination any more, or no such table.
            CallError: it does not give a list.
        """
        name = DestinationName(run.about)
        destination = self.destinations.get(name)
        if destination is None:
            raise JobFailedError("no-destination")
        uses = sorted(destination.code_lists.items())
        run.total = len(uses)
        while run.done < len(uses):
            run.give_way()
            list_name, use = uses[run.done]
            self._keep(run, name, list_name, use, self.adapter_of(name).code_list(list_name))

    def _keep(self, run: JobRun, destination: str, name: str, use: CodeListUse, fetched: CodeList) -> None:
        items = [(item.code, item.name) for item in fetched.items]
        mappings, now = self.mappings.newest(), run.clock()
        table = mappings.tables.get(use.table)
        if table is None or not {use.code, use.name} <= set(table.columns):
            raise JobFailedError("no-table")
        diff = list_diff(table, use.code, use.name, [Item(*item) for item in items], vietnam_day(now))
        counts = {"added": len(diff.added), "renamed": len(diff.renamed), "ended": len(diff.ended)}
        with run.step() as connection:
            run.done += 1
            known = code_lists.newest(connection, destination, name)
            if known is not None and known.sha256 == code_lists.digest(items):
                run.result["unchanged"] += 1
                return
            target = Target(use.table, use.code, use.name)
            made = code_lists.add(
                connection, destination, name, target, version=fetched.version, items=items, counts=counts, now=now
            )
            run.result["drafts"] += 1
            if not diff or (diff.only_adds and use.activate == "additions"):
                planned = effect(connection, mappings, made, now)
                reason = "it changes nothing" if not diff else "it only adds"
                code_lists.activate(connection, made.id, planned.solved, actor=BY_ITSELF, reason=reason, now=now)
                run.result["activated"] += 1
