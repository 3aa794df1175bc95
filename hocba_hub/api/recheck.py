"""Records that waited for the meaning of a code, read again: those that are right now are accepted without a resend."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, groupby

from sqlalchemy import Connection

from hocba_hub.api.judge import Judge
from hocba_hub.api.profiles import vendor_type
from hocba_hub.api.shelf import LiveShelf
from hocba_hub.api.translation import translate
from hocba_hub.mappings.delivery import VIETNAM
from hocba_hub.mappings.library import MappingNotFoundError
from hocba_hub.mappings.shelf import Shelf
from hocba_hub.model.ids import uuid7
from hocba_hub.model.keys import DestinationName
from hocba_hub.store.accept import CardRaceError, Portion, ReceivedRecord, accept, cards_of
from hocba_hub.store.access import Client, client_in_force
from hocba_hub.store.engine import Store
from hocba_hub.store.worklist import Waiting, ready, take

_BATCH = 100
"""Records that are read again and accepted in one commit."""
_RACES = 5


@dataclass(frozen=True, slots=True)
class Rechecked:
    """What became of the records."""

    accepted: int = 0
    rejected: int = 0
    left: int = 0
    """Records that are still to be read again; counted up to a batch."""


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

    store: Store
    live: LiveShelf
    judge: Judge
    destinations: Sequence[DestinationName]

    def run(self, *, now: int, most: int = 1_000) -> Rechecked:
        """Read records again whose codes were filled, at most about `most`; the caller rings if any was accepted.

        Each batch is a submission of the client's, made by the hub: its time, its findings and its cards are seen
        there.
        """
        done = Rechecked()
        shelf = self.live.newest()
        while True:
            with self.store.read() as connection:
                batch = ready(connection, _BATCH)
                clients = {one.client_id: client_in_force(connection, one.client_id) for one in batch}
            if not batch or done.accepted + done.rejected >= most:
                return replace(done, left=len(batch))
            read = (_read(one, clients[one.client_id], shelf, self.judge, now) for one in batch)
            decided = self._decided(batch, [one for one in read if one is not None], now)
            done = Rechecked(done.accepted + decided.accepted, done.rejected + decided.rejected)

    def _decided(self, batch: Sequence[Waiting], again: Sequence[_Again], now: int) -> Rechecked:
        """What was decided in one commit; a batch that meets somebody else's change is done again."""
        races = 0
        while True:
            try:
                with self.store.write() as connection:
                    return _accepted(connection, batch, again, self.destinations, now)
            except CardRaceError:
                races += 1
                if races == _RACES:
                    raise


def _read(waiting: Waiting, client: Client | None, shelf: Shelf, judge: Judge, now: int) -> _Again | None:
    """The record by what is in force now; None if its client, or what it is sent in, is no more."""
    if client is None:
        return None
    day = datetime.fromtimestamp(now / 1000, VIETNAM).date()
    try:
        document = shelf.select(waiting.mapping, client=client.name, on=day)
        translated = translate(waiting.original, shelf, waiting.mapping, client=client.name, on=day)
    except MappingNotFoundError:
        return None
    media_type = vendor_type(document.name, document.source.format)
    received = judge.record(0, waiting.original, media_type, translated)
    return _Again(waiting, client, media_type, received)


def _accepted(
    connection: Connection,
    batch: Sequence[Waiting],
    again: Sequence[_Again],
    destinations: Sequence[DestinationName],
    now: int,
) -> Rechecked:
    before = cards_of(connection, sorted({one.waiting.key for one in again}), lock=True)
    taken = {one.place for one in take(connection, batch)}
    mine = sorted((one for one in again if one.waiting.place in taken), key=_sender)
    groups = [list(group) for _, group in groupby(mine, key=_sender)]
    portions = [_portion(group, now) for group in groups]
    results = accept(connection, portions, destinations, now)
    found = list(zip(chain.from_iterable(groups), chain.from_iterable(results), strict=True))
    for one, result in found:
        card = before.get(one.waiting.key)
        if result.status == "accepted" and result.version != (card.version if card else 0) + 1:
            raise CardRaceError("A newer record of the card came at the same moment.")
    rejected = sum(result.status == "rejected" for _, result in found)
    return Rechecked(accepted=len(found) - rejected, rejected=rejected)


def _sender(one: _Again) -> tuple[int, str]:
    return one.client.id, one.media_type


def _portion(group: Sequence[_Again], now: int) -> Portion:
    client = group[0].client
    body = b"\n".join(one.waiting.original for one in group)
    records = [replace(one.received, position=position) for position, one in enumerate(group)]
    return Portion(
        submission_id=uuid7(),
        client_id=client.id,
        schools=client.schools,
        received_at=now,
        media_type=group[0].media_type,
        atomic=False,
        trace_parent=None,
        records=records,
        first=True,
        last=True,
        size=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
    )
