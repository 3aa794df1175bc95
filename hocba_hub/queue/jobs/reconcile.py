"""The jobs `reconcile:<destination>`: its inventory is held against ours, card by card.

In four phases, each in steps: the inventory is fetched and staged; both are compared in the order of the card's key;
what differs is looked at a second time, since it may have been moving; then all is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hocba_hub.adapters.destination import Destination
from hocba_hub.adapters.protocol import Outbound
from hocba_hub.model.keys import CardId, CardKey, DestinationName, SchoolYear
from hocba_hub.queue.jobs.runner import JobFailedError, JobRun
from hocba_hub.store import reconciliation

_CARDS = 2_000
"""That one step compares."""
_LINES = 20_000
"""Staged lines that one step forgets."""
_SECOND_LOOKS = 200
"""Cards that are asked for again in one call."""


@dataclass(frozen=True)
class Reconcile:
    """Reconciles the destinations."""

    destinations: Mapping[DestinationName, Destination]
    adapter_of: Callable[[DestinationName], Outbound]

    def __call__(self, run: JobRun) -> None:
        """Phase after phase; the cursor says where.

        Raises:
            JobFailedError: there is no such destination any more.
            CallError: it does not give its inventory.
        """
        name = DestinationName(run.about)
        if name not in self.destinations:
            raise JobFailedError("no-destination")
        adapter = self.adapter_of(name)
        while (phase := (run.cursor or ["fetch", None])[0]) != "end":
            run.give_way()
            match phase:
                case "fetch":
                    self._fetch(run, adapter)
                case "compare":
                    self._compare(run, name)
                case "again":
                    self._look_again(run, adapter)
                case "count":
                    self._count(run)
                case _:
                    self._clear(run)

    @staticmethod
    def _fetch(run: JobRun, adapter: Outbound) -> None:
        page = adapter.inventory(run.cursor[1] if run.cursor else None)
        with run.step() as connection:
            reconciliation.stage(connection, run.id, page.entries)
            run.result["listed"] += len(page.entries)
            run.done += len(page.entries)
            if page.unreadable:
                run.result["unreadable"] += page.unreadable
            run.cursor = ["fetch", page.next] if page.next is not None else ["compare", None]

    @staticmethod
    def _compare(run: JobRun, name: DestinationName) -> None:
        _, after = run.cursor
        key = None if after is None else CardKey(SchoolYear(after[0]), CardId(after[1]))
        with run.step() as connection:
            last = reconciliation.compare_page(connection, run.id, name, key, _CARDS)
            run.cursor = ["again", 0] if last is None else ["compare", list(last)]

    @staticmethod
    def _look_again(run: JobRun, adapter: Outbound) -> None:
        with run.store.read() as connection:
            suspected = reconciliation.suspects(connection, run.id, run.cursor[1], _SECOND_LOOKS)
        theirs = None
        if adapter.most_keys:
            keys = [one.key for one in suspected]
            parts = (keys[start : start + adapter.most_keys] for start in range(0, len(keys), adapter.most_keys))
            theirs = {one.key: one.theirs for part in parts for one in adapter.inventory(None, part).entries}
        with run.step() as connection:
            if suspected:
                moved = reconciliation.look_again(connection, suspected, theirs, since=run.started_at)
                run.result["moved"] += moved
            run.cursor = ["again", suspected[-1].id] if len(suspected) == _SECOND_LOOKS else ["count", None]

    @staticmethod
    def _count(run: JobRun) -> None:
        with run.step() as connection:
            found = reconciliation.count(connection, run.id)
            for kind, cards in found.items():
                run.result[kind] = cards
            reconciliation.forget_runs(connection, run.key)
            run.cursor = ["clear", None]

    @staticmethod
    def _clear(run: JobRun) -> None:
        with run.step() as connection:
            if reconciliation.forget_entries(connection, run.id, _LINES) < _LINES:
                run.cursor = ["end", None]
