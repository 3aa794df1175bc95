"""Procrastinate on PostgreSQL: a job a card, in the database that a team has anyway."""

from __future__ import annotations

import asyncio
import sys

import procrastinate

from bench.peers import moving

app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=moving.POSTGRESQL))


@app.task(name="move", queue="cards")
async def move(card: str) -> None:
    """Move one card."""
    await asyncio.to_thread(moving.move, card)


if __name__ == "__main__":
    with app.open():
        if sys.argv[1] == "schema":
            app.schema_manager.apply_schema()
        else:
            for each in moving.cards():
                move.defer(card=each)
