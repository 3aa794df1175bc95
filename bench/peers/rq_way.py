"""RQ on Redis: a job a card, in a forking worker whose modules are loaded before the fork."""

from __future__ import annotations

import sys

import redis
from rq import Queue, Worker

from bench.peers import moving

if __name__ == "__main__":
    connection = redis.Redis.from_url(moving.REDIS)
    queue = Queue("cards", connection=connection)
    if sys.argv[1] == "work":
        Worker([queue], connection=connection).work(logging_level="ERROR")
    else:
        for each in moving.cards():
            queue.enqueue(moving.move, each, result_ttl=0)
