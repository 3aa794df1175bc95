"""How much clients use, counted for all processes: requests in short windows, records and bytes of a day."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from hocba_hub.store.bulk import upsert
from hocba_hub.store.tables import usage

Window = tuple[int, str, int]
"""Client, measure, and the milliseconds at which the window began."""


def add(connection: Connection, amounts: Mapping[Window, int]) -> dict[Window, int]:
    """Add to some windows; what each holds now."""
    totals = {}
    for window, amount in sorted(amounts.items()):  # in one order, so that two that add cannot wait for each other
        client_id, measure, start = window
        adding = upsert(connection, usage).values(
            client_id=client_id, measure=measure, window_start=start, amount=amount
        )
        statement = adding.on_conflict_do_update(
            index_elements=list(usage.primary_key.columns), set_={"amount": usage.c.amount + amount}
        ).returning(usage.c.amount)
        totals[window] = int(connection.execute(statement).scalar_one())
    return totals
