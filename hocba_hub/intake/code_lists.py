"""What a fetched code list would change: in its table, for the cards that wait for a code, and for what is held."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from hocba_hub.mappings.library.mapping_set import MappingSet
from hocba_hub.mappings.tables.code_lists import Item, ListDiff, ListInForce, list_diff, with_list
from hocba_hub.mappings.tables.code_table import Outcome, TableError
from hocba_hub.model.clock import vietnam_day
from hocba_hub.store import code_lists
from hocba_hub.store.code_lists import StoredList


@dataclass(frozen=True, slots=True)
class ListEffect:
    """What activating a list would do now."""

    diff: ListDiff
    solved: Sequence[int]
    """Unmapped codes that the table would know, by id."""
    waiting: int
    """Cards that wait for one of these codes, and would be read again."""
    held: int
    """Deliveries to the destination that are held since a value could not be written; they are tried again anyway."""


def in_force(stored: StoredList, since: date) -> ListInForce:
    """A list as the mappings read it."""
    items = [Item(*item) for item in stored.items]
    return ListInForce(stored.code_table, stored.code_system, stored.name_system, items, since)


def effect(connection: Connection, mappings: MappingSet, stored: StoredList, now: int) -> ListEffect:
    """What a list would do; a table that is not there (any more) gets nothing from it."""
    table = mappings.tables.get(stored.code_table)
    if table is None:
        return ListEffect(ListDiff((), (), ()), (), 0, 0)
    day = vietnam_day(now)
    listed = in_force(stored, day)
    after = with_list(table, listed)
    solved = []
    for code in code_lists.unsolved(connection, stored.code_table):
        try:
            view = after.view(code.system, code.result_system, json.loads(code.conditions))
        except TableError:
            continue
        if view.find(code.value, day).outcome is Outcome.FOUND:
            solved.append(code.id)
    diff = list_diff(table, listed.code_system, listed.name_system, listed.items, day)
    waiting = code_lists.waiting_cards(connection, solved)
    return ListEffect(diff, solved, waiting, code_lists.held_for_values(connection, stored.destination))
