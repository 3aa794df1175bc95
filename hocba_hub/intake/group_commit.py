"""Group commit: concurrent requests share the store's commits, because the disk's sync is the limit.

A writer takes whatever waits, writes it in one transaction and answers everybody; what arrives meanwhile is the next
group. A lone request never waits for others.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

from sqlalchemy import Connection

from hocba_hub.intake.parts import IntakeParts
from hocba_hub.model.clock import Clock
from hocba_hub.model.keys import DestinationName
from hocba_hub.store.accept import CardRaceError, accept
from hocba_hub.store.decide import Portion, RecordResult
from hocba_hub.store.engine import Store, StoreAwayError

log = logging.getLogger(__name__)
R = TypeVar("R")

PORTION_RECORDS = 500
"""Most records of a long submission or file that are accepted in one commit."""
_GROUP_RECORDS = 1_000
"""Most records of one commit, unless a single portion has more."""
_GATHER_SHARE = 0.5
_GATHER_SECONDS = 0.02
"""How long a group is gathered before it is written: this share of the time that the last one took, so long at most.

A group of 40 portions that took 30 ms → the next one is gathered for 15 ms. One of a single portion → the next is
written at once: whoever is alone never waits for others."""
_RACES = 20


@dataclass(slots=True)
class _Waiting:
    portion: Portion
    future: asyncio.Future[list[RecordResult]]
    loop: asyncio.AbstractEventLoop


class GroupCommit:
    """Accepts portions of submissions into the store, several in one commit."""

    def __init__(
        self,
        parts: IntakeParts,
        clock: Clock,
        ring: Callable[[DestinationName], None],
        used: Callable[[int, int, int], None] = lambda *_: None,
    ) -> None:
        """`ring` is called for every destination after each commit that has something for it.

        `used` is told the client, the records and the bytes of each portion, whatever becomes of them.
        """
        self._used = used
        self._parts, self._clock, self._ring = parts, clock, ring
        self._waiting: deque[_Waiting] = deque()
        self._news = threading.Condition()
        self._stopping = False
        # One writer is all that SQLite allows; on PostgreSQL a second one fills the first one's wait for the disk.
        # They take turns until the commit: two that ran at once would only halve the groups.
        self._turn = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, name=f"writer-{number}", daemon=True)
            for number in range(1 if parts.store.is_sqlite else 2)
        ]
        for thread in self._threads:
            thread.start()

    async def write(self, portion: Portion) -> list[RecordResult]:
        """Accept a portion; returns when it is committed.

        Raises:
            ClaimLostError: the submission's idempotency key belongs to another call by now.
            StoreError: the store is full or away; nothing of the portion is known to be accepted.
        """
        self._used(portion.submission.client.id, len(portion.records), portion.size if portion.last else 0)
        loop = asyncio.get_running_loop()
        waiting = _Waiting(portion, loop.create_future(), loop)
        with self._news:
            self._waiting.append(waiting)
            self._news.notify()
        return await waiting.future

    def close(self) -> None:
        """Write what waits, then end."""
        with self._news:
            self._stopping = True
            self._news.notify_all()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        gather = 0.0
        while True:
            with ExitStack() as turn:
                turn.enter_context(self._turn)
                with self._news:
                    while not self._waiting:
                        if self._stopping:
                            return
                        self._news.wait()
                time.sleep(gather)
                group = self._take()
                begun = time.monotonic()
                self._write(group, before_commit=turn.close)
                took = time.monotonic() - begun
                gather = min(took * _GATHER_SHARE, _GATHER_SECONDS) if len(group) > 1 else 0.0

    def _take(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        records = 0
        with self._news:
            while self._waiting and (not group or records + len(self._waiting[0].portion.records) <= _GROUP_RECORDS):
                group.append(self._waiting.popleft())
                records += len(group[-1].portion.records)
        return group

    def _write(self, group: Sequence[_Waiting], before_commit: Callable[[], None]) -> None:
        try:
            results = self._commit([waiting.portion for waiting in group], before_commit)
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits for the answer
            if len(group) > 1 and not isinstance(error, StoreAwayError):
                for waiting in group:  # one request's fault must not be the others'
                    self._write([waiting], before_commit)
                return
            for waiting in group:
                _answer(waiting, None, error)
            return
        for waiting, result in zip(group, results, strict=True):
            _answer(waiting, result, None)
        if any(result.status == "accepted" for each in results for result in each):
            for destination in self._parts.destinations:
                self._ring(destination)

    def _commit(self, portions: Sequence[Portion], before_commit: Callable[[], None]) -> list[list[RecordResult]]:
        def work(connection: Connection) -> list[list[RecordResult]]:
            parts = self._parts
            results = accept(connection, portions, parts.destinations, parts.checker.comparison, self._clock())
            before_commit()
            return results

        return commit(self._parts.store, work)


def commit(store: Store, work: Callable[[Connection], R]) -> R:
    """What `work` returns, done in one transaction; done again where another transaction was first with a card.

    Raises:
        CardRaceError: it was too late again and again.
        StoreError: the store is full or away.
    """
    for race in count(1):
        try:
            with store.write() as connection:
                return work(connection)
        except CardRaceError:
            if race == _RACES:
                raise
    raise AssertionError  # `count` has no end


def _answer(waiting: _Waiting, results: list[RecordResult] | None, error: Exception | None) -> None:
    def answer() -> None:
        if waiting.future.done():  # the client went away
            return
        if error is not None:
            waiting.future.set_exception(error)
        else:
            waiting.future.set_result(results or [])

    try:
        waiting.loop.call_soon_threadsafe(answer)
    except RuntimeError:
        log.debug("the event loop ended before its request was answered")
