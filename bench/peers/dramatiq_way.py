"""Dramatiq on Redis: a message a card."""

from __future__ import annotations

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from bench.peers import moving

dramatiq.set_broker(RedisBroker(url=moving.REDIS))


@dramatiq.actor
def move(card: str) -> None:
    """Move one card."""
    moving.move(card)


def enqueue() -> None:
    """Give all cards."""
    for each in moving.cards():
        move.send(each)
