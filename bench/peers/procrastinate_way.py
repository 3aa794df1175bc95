"""Procrastinate on PostgreSQL: a job a card, in the database that a team has anyway."""

from __future__ import annotations

import asyncio

import procrastinate

from bench.peers import moving

app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=moving.POSTGRESQL))


@app.task(name="move", queue="cards")
async def move(card: str) -> None:
    """Move one card."""
    await asyncio.to_thread(moving.move, card)


def schema() -> None:
    """Make the tables that it needs."""
    with app.open():
        app.schema_manager.apply_schema()


def enqueue() -> None:
    """Give all cards."""
    with app.open():
        for each in moving.cards():
            move.defer(card=each)
