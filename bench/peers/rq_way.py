"""RQ on Redis: a job a card, in a forking worker whose modules are loaded before the fork."""

from __future__ import annotations

import redis
from rq import Queue, Worker

from bench.peers import moving

queue = Queue("cards", connection=redis.Redis.from_url(moving.REDIS))


def work() -> None:
    """One worker."""
    Worker([queue], connection=queue.connection).work(logging_level="ERROR")


def enqueue() -> None:
    """Give all cards."""
    for each in moving.cards():
        queue.enqueue(moving.move, each, result_ttl=0)
