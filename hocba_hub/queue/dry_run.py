"""What a replay would do, record by record, and how what goes out would differ from what went before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection

from hocba_hub.adapters.destination import Destination, DestinationError
from hocba_hub.adapters.protocol import MISFIT, OutboundRecord
from hocba_hub.adapters.translation import NotRepresentableError, Representation, Translations
from hocba_hub.mappings.library.mapping_set import MappingSet
from hocba_hub.model.differing import differing_places
from hocba_hub.model.keys import CardId, CardKey, DestinationName, Event, SchoolCode, SchoolYear, Version
from hocba_hub.model.making import Pin
from hocba_hub.model.replays import ReplayMeaning
from hocba_hub.store.lease import Body, bodies
from hocba_hub.store.replay_steps import CHANGED, NEVER_MADE, last_made
from hocba_hub.store.replays import Candidate, Replay, candidates

_MOST_CHANGED = 50
"""Places that are named of one record."""


class Foreseen(NamedTuple):
    """What would become of one record of a replay."""

    delivery_id: int
    destination: str
    school_code: str
    school_year: str
    card_id: str
    version: int
    becomes: str
    """`sent`, `superseded`, `skipped`, or `held`: it cannot be made as it must be."""
    code: str
    """Why it is skipped or held."""
    mapping_before: str
    """By which it was made last, as `name 1.2.3`; empty if it never was."""
    mapping: str
    """By which it would be made."""
    changed: tuple[str, ...] | None
    """The places, never the values, at which it would differ from what was made before; None where nobody can say."""


class DryRun:
    """Foresees replays; nothing is sent and nothing is written."""

    def __init__(self, destinations: Mapping[DestinationName, Destination], current: Callable[[], MappingSet]) -> None:
        """`current` gives the mappings in force."""
        self._destinations, self._current = destinations, current
        self._translations: dict[str, Translations | None] = {}

    def foresee(self, connection: Connection, replay: Replay, *, after: int = 0, limit: int = 100) -> list[Foreseen]:
        """Some of what it has still to send, by delivery; `after` is the delivery of the last one seen."""
        found = candidates(connection, replay.id, after=after, limit=limit)
        ids = [one.delivery_id for one in found]
        known, before = bodies(connection, ids), last_made(connection, ids)
        return [
            self._foreseen(one, known[one.delivery_id], before.get(one.delivery_id), replay.plan.meaning)
            for one in found
        ]

    def _foreseen(self, one: Candidate, body: Body, before: Pin | None, meaning: ReplayMeaning) -> Foreseen:
        told = Foreseen(
            one.delivery_id, one.destination, body.school, one.school_year, one.card_id, one.version, "sent", "",
            "" if before is None else before.mapping, "", None,
        )  # fmt: skip
        if not one.stands:
            return told._replace(becomes="skipped", code=CHANGED)
        if one.has_newer:
            return told._replace(becomes="superseded")
        if before is None and meaning is not ReplayMeaning.MAPPING_IN_FORCE:
            return told._replace(becomes="skipped", code=NEVER_MADE)
        translations = self._of(one.destination)
        if translations is None:
            return told._replace(becomes="held", code=MISFIT)
        record = _record(one, body)
        try:
            made = translations.represent(_pinned(record, _pin(before, meaning)))
        except NotRepresentableError as error:
            return told._replace(becomes="held", code=error.code, mapping=error.mapping)
        earlier = self._earlier(translations, record, before)
        changed = None if earlier is None else tuple(sorted(differing_places(earlier.records, made.records)))
        return told._replace(mapping=made.mapping, changed=changed and changed[:_MOST_CHANGED])

    @staticmethod
    def _earlier(translations: Translations, record: OutboundRecord, before: Pin | None) -> Representation | None:
        """What was made before, as far as it can be made again."""
        if before is None:
            return None
        try:
            return translations.represent(_pinned(record, Pin(before.mapping)))
        except NotRepresentableError:
            return None

    def _of(self, name: str) -> Translations | None:
        """What translates for a destination; None if there is none that it can be told of."""
        if name not in self._translations:
            destination = self._destinations.get(DestinationName(name))
            try:
                self._translations[name] = None if destination is None else Translations(destination, self._current)
            except DestinationError:
                self._translations[name] = None
        return self._translations[name]


def _pin(before: Pin | None, meaning: ReplayMeaning) -> Pin | None:
    if before is None or meaning is ReplayMeaning.MAPPING_IN_FORCE:
        return None
    return before if meaning is ReplayMeaning.SAME_BYTES else Pin(before.mapping)


def _record(one: Candidate, body: Body) -> OutboundRecord:
    return OutboundRecord(
        delivery_id=one.delivery_id,
        key=CardKey(SchoolYear(one.school_year), CardId(one.card_id)),
        version=Version(one.version),
        event=Event(one.event),
        school=SchoolCode(body.school),
        accepted_at=datetime.fromtimestamp(one.accepted_at / 1000, UTC),
        canonical=body.canonical,
        document=body.document,
        document_type=body.document_type,
    )


def _pinned(record: OutboundRecord, pin: Pin | None) -> OutboundRecord:
    return record if pin is None else replace(record, pin=pin)
