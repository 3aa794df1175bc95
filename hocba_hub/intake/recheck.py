"""Records that waited for the meaning of a code, read again: those that are right now are accepted without a resend."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, groupby
from typing import NamedTuple

from sqlalchemy import Connection

from hocba_hub.intake.errors import SubmissionError
from hocba_hub.intake.group_commit import commit
from hocba_hub.intake.parts import IntakeParts
from hocba_hub.mappings.library.mapping_set import MappingSet
from hocba_hub.model.clock import vietnam_day
from hocba_hub.model.findings import Finding, Severity
from hocba_hub.model.ids import uuid7
from hocba_hub.model.keys import CardKey
from hocba_hub.store import read_again
from hocba_hub.store.accept import CardRaceError, accept
from hocba_hub.store.access import Client, client_in_force
from hocba_hub.store.decide import Portion, ReceivedRecord, Submission, cards_of
from hocba_hub.store.unmapped_codes import Waiting, ready, take

_BATCH = 100
"""Records that are read again and accepted in one commit."""
_MOST_TOLD = 20
"""Cards of which it is told why they are still not right."""


@dataclass(frozen=True, slots=True)
class Rechecked:
    """What became of the records."""

    accepted: int = 0
    rejected: int = 0
    left: int = 0
    """Records that are still to be read again; counted up to a batch."""
    still: tuple[StillRejected, ...] = ()
    """Why records are still rejected, of the first ones."""


class StillRejected(NamedTuple):
    """A card against which something still stands."""

    key: CardKey
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class _Again:
    """A record that was read again."""

    waiting: Waiting
    client: Client
    media_type: str
    received: ReceivedRecord


@dataclass(frozen=True, slots=True)
class Recheck:
    """Reads waiting records again, with the parts of a process that takes cards."""

    parts: IntakeParts

    def run(self, *, now: int, most: int = 1_000) -> Rechecked:
        """Read records again whose codes were filled, at most about `most`; the caller rings if any was accepted.

        Each batch is a submission of the client's, made by the hub: its time, its findings and its cards are seen
        there.
        """
        done = Rechecked()
        mappings, store = self.parts.mappings.newest(), self.parts.store
        while True:
            with store.read() as connection:
                batch = ready(connection, _BATCH)
                clients = {one.client_id: client_in_force(connection, one.client_id) for one in batch}
            if not batch or done.accepted + done.rejected >= most:
                return replace(done, left=len(batch))
            read = (self._read(one, clients[one.client_id], mappings, now) for one in batch)
            again = [one for one in read if one is not None]
            decided = commit(store, partial(_accepted, batch, again, self.parts, now))
            still = (*done.still, *decided.still)[:_MOST_TOLD]
            done = Rechecked(done.accepted + decided.accepted, done.rejected + decided.rejected, still=still)

    def _read(self, waiting: Waiting, client: Client | None, mappings: MappingSet, now: int) -> _Again | None:
        """The record by what is in force now; None if its client, or what it is sent in, is no more."""
        if client is None:
            return None
        try:
            profile = self.parts.profile(mappings, client, vietnam_day(now), waiting.mapping)
        except SubmissionError:
            return None
        sent = profile.sent(waiting.original, "")
        return _Again(waiting, client, sent.media_type, self.parts.checker.check(0, sent, mappings))


def _accepted(
    batch: Sequence[Waiting],
    again: Sequence[_Again],
    parts: IntakeParts,
    now: int,
    connection: Connection,
) -> Rechecked:
    before = cards_of(connection, sorted({one.waiting.key for one in again}), lock=True)
    taken = {one.place for one in take(connection, batch)}
    mine = sorted((one for one in again if one.waiting.place in taken), key=_sender)
    groups = [list(group) for _, group in groupby(mine, key=_sender)]
    portions = [_portion(group, now) for group in groups]
    results = accept(connection, portions, parts.destinations, parts.checker.comparison, now)
    found = list(zip(chain.from_iterable(groups), chain.from_iterable(results), strict=True))
    for one, result in found:
        card = before.get(one.waiting.key)
        if result.status == "accepted" and result.version != (card.version if card else 0) + 1:
            raise CardRaceError("A newer record of the card came at the same moment.")
    submissions = chain.from_iterable([portion.submission.id] * len(portion.records) for portion in portions)
    read_again.note(
        connection,
        {
            read_again.Place(one.waiting.submission_id, one.waiting.position): read_again.Place(into, result.position)
            for (one, result), into in zip(found, submissions, strict=True)
        },
    )
    still = tuple(
        StillRejected(one.waiting.key, [each for each in result.findings if each.kind.severity is Severity.ERROR])
        for one, result in found
        if result.status == "rejected"
    )
    return Rechecked(len(found) - len(still), len(still), still=still[:_MOST_TOLD])


def _sender(one: _Again) -> tuple[int, str]:
    return one.client.id, one.media_type


def _portion(group: Sequence[_Again], now: int) -> Portion:
    submission = Submission(uuid7(), group[0].client, now, group[0].media_type)
    body = b"\n".join(one.waiting.original for one in group)
    records = [replace(one.received, position=position) for position, one in enumerate(group)]
    return Portion(submission, records, size=len(body), sha256=hashlib.sha256(body).hexdigest())
