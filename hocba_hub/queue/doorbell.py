"""The doorbell: tells the workers, through Redis and RQ, that something is due: at a destination, or with a file.

A ring carries no message and may be lost, doubled or late: the scheduler rings again for whatever is due, and
without Redis the workers look into the store themselves.
"""

from __future__ import annotations

import logging
import threading
import time

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from hocba_hub.queue.rings import enqueue

log = logging.getLogger(__name__)

_RUNG_MS = 5_000
"""How long one ring stands for all that follow; the job takes it down when it starts."""
_REST_SECONDS = 0.05
"""Between rounds of rings: under load one ring then stands for many commits."""


def connect(url: str) -> redis.Redis:
    """A connection that fails at once when Redis is away, instead of holding up its caller."""
    return redis.Redis.from_url(
        url, socket_connect_timeout=0.5, socket_timeout=2, retry=Retry(NoBackoff(), 0), health_check_interval=5
    )


class Doorbell:
    """Rings (`queue/rings.py`); any number of rings before one is answered make one."""

    def __init__(self, url: str | None) -> None:
        """Without a URL nothing is rung: workers poll."""
        self._redis = connect(url) if url else None
        self._wanted: set[tuple[str, str]] = set()
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None

    def ring(self, name: str, argument: str) -> None:
        """Ring soon, from a thread of its own: never waits, never raises."""
        if self._redis is None:
            return
        with self._news:
            self._wanted.add((name, argument))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="doorbell", daemon=True)
                self._thread.start()
            self._news.notify()

    def ring_now(self, name: str, argument: str) -> bool:
        """Ring, and say whether Redis took it."""
        if self._redis is None:
            return False
        try:
            if self._redis.set(_bell(name, argument), 1, nx=True, px=_RUNG_MS):
                enqueue(name, argument, self._redis)
        except redis.RedisError as error:
            log.debug("the doorbell is out of order: %s", type(error).__name__)
            return False
        return True

    def answer(self, name: str, argument: str) -> None:
        """Take the ring down: what is rung from now on makes a new job."""
        if self._redis is not None:
            try:
                self._redis.delete(_bell(name, argument))
            except redis.RedisError:
                log.debug("the doorbell is out of order")

    def answers(self) -> bool:
        """Whether Redis is there."""
        if self._redis is None:
            return False
        try:
            return bool(self._redis.ping())
        except redis.RedisError:
            return False

    def _run(self) -> None:
        while True:
            with self._news:
                while not self._wanted:
                    self._news.wait()
                wanted, self._wanted = self._wanted, set()
            for name, argument in sorted(wanted):
                self.ring_now(name, argument)
            time.sleep(_REST_SECONDS)


def _bell(name: str, argument: str) -> str:
    return f"hocba:bell:{name}:{argument}"
