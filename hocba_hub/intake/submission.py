"""Submitting, validating and recalling, whatever the entrance: checked record by record, committed in portions.

A record is accepted or rejected by itself, with all its findings; nothing is answered before it is committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio.to_thread

from hocba_hub.intake.errors import SubmissionError
from hocba_hub.intake.group_commit import PORTION_RECORDS, GroupCommit
from hocba_hub.intake.parts import IntakeParts
from hocba_hub.intake.source import Source
from hocba_hub.model.clock import Clock
from hocba_hub.model.ids import uuid7
from hocba_hub.model.keys import CardKey
from hocba_hub.store.access import Client
from hocba_hub.store.decide import (
    Portion,
    ReceivedRecord,
    RecordResult,
    Submission,
    cards_of,
    decide,
    find_cards,
    recall_of,
)
from hocba_hub.store.engine import StoreError

_RECORDS_IN_A_ROW = 20
"""Records that are checked before other calls get their turn."""


@dataclass(slots=True)
class Submitted:
    """A submission and what became of its records, as far as it came."""

    submission: Submission
    results: list[RecordResult] = field(default_factory=list)
    size: int = 0
    """Bytes of the whole."""
    sha256: str = ""
    """Hex, of the same bytes."""


class InterruptedSubmissionError(Exception):
    """What was sent broke off after something of it was accepted, which stays accepted."""

    def __init__(self, submitted: Submitted, cause: Exception) -> None:
        """`cause` says why."""
        super().__init__("The submission broke off.")
        self.submitted, self.cause = submitted, cause


class Submissions:
    """Takes in what clients send, for any number of calls at once."""

    def __init__(self, parts: IntakeParts, group: GroupCommit, clock: Clock) -> None:
        self._parts, self._group, self._clock = parts, group, clock

    def begin(self, client: Client, media_type: str, **facts: Any) -> Submission:  # noqa: ANN401 - of `Submission`
        """A new submission of a client; `facts` are the other fields of `Submission`."""
        return Submission(uuid7(), client, self._clock(), media_type, **facts)

    async def submit(self, submission: Submission, source: Source) -> Submitted:
        """Accept the records of a source, portion by portion; an atomic submission in one.

        Raises:
            SubmissionError, and whatever the source raises: it cannot be read, and nothing of it was accepted.
            InterruptedSubmissionError: the same, after something was accepted.
            StoreError: the store is full or away.
        """
        done = Submitted(submission)
        pending: list[ReceivedRecord] = []
        checked = self._checked(submission, source)
        while True:
            try:
                record = await anext(checked, None)
            except Exception as error:
                if not done.results or isinstance(error, StoreError):
                    raise
                # What was accepted stays accepted: the submission is closed, and the answer says what became of it.
                await self._write(done, [], source, last=True)
                raise InterruptedSubmissionError(done, error) from error
            if record is None:
                break
            if len(pending) == PORTION_RECORDS and not submission.atomic:
                await self._write(done, pending, source)
                pending = []
            pending.append(record)
        await self._write(done, pending, source, last=True)
        return done

    async def validate(self, submission: Submission, source: Source) -> Submitted:
        """What `submit` would answer now; nothing is stored.

        Raises:
            SubmissionError, and whatever the source raises: it cannot be read.
        """
        found = [record async for record in self._checked(submission, source)]
        results = await anyio.to_thread.run_sync(self._decided, Portion(submission, found))
        return Submitted(submission, results, source.size, source.sha256)

    async def recall(
        self, submission: Submission, key: CardKey, *, size: int = 0, sha256: str = ""
    ) -> Submitted | None:
        """Recall a card: its next version is CANCEL at every destination. None if the client has no such card.

        `size` and `sha256` are those of the call that asks for it, where it has a body.
        """
        if not await anyio.to_thread.run_sync(self._may_recall, submission.client, key):
            return None
        results = await self._group.write(Portion(submission, [recall_of(key)], size=size, sha256=sha256))
        return Submitted(submission, results, size or results[0].size, sha256 or results[0].sha256.hex())

    async def _checked(self, submission: Submission, source: Source) -> AsyncIterator[ReceivedRecord]:
        mappings, checker = await self._parts.mappings.awaited(), self._parts.checker
        position = 0
        async for sent in source.records():
            yield checker.check(position, sent, mappings, tells_unchecked=submission.tells_unchecked)
            position += 1
            if position % _RECORDS_IN_A_ROW == 0:
                await asyncio.sleep(0)
        if not position:
            raise SubmissionError("body.empty")

    async def _write(
        self, done: Submitted, records: Sequence[ReceivedRecord], source: Source, *, last: bool = False
    ) -> None:
        if last:
            done.size, done.sha256 = source.size, source.sha256
        portion = Portion(done.submission, records, not done.results, last, done.size, done.sha256)
        done.results += await self._group.write(portion)

    def _decided(self, portion: Portion) -> list[RecordResult]:
        with self._parts.store.read() as connection:
            return decide(find_cards(connection, [portion]), portion, self._parts.checker.comparison)

    def _may_recall(self, client: Client, key: CardKey) -> bool:
        with self._parts.store.read() as connection:
            card = cards_of(connection, [key]).get(key)
        return card is not None and (client.may_speak_for(card.school) or client.may_speak_for(card.manager))
