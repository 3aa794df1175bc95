"""What a destination gets of a version: the mappings that its file names, compiled, chosen by kind and school year."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

import orjson

from hocba_hub.adapters.destination import Destination, DestinationError
from hocba_hub.adapters.places import value_at
from hocba_hub.adapters.protocol import BYTES_DIFFER, NOT_REPRESENTABLE, OutboundRecord, Outcome, Stage
from hocba_hub.mappings.check.source_fields import source_fields
from hocba_hub.mappings.document.document import Document, DocumentError
from hocba_hub.mappings.library.library import MappingNotFoundError
from hocba_hub.mappings.library.mapping_set import MappingSet
from hocba_hub.mappings.records.record import JsonRecord
from hocba_hub.mappings.schemas import RECORDS
from hocba_hub.mappings.schemas.delivery_facts import envelope_facts
from hocba_hub.model.clock import Clock, system_clock, vietnam_day
from hocba_hub.model.errors import HubError
from hocba_hub.model.keys import CardId, CardKey, Event, RecordIds, SchoolYear, Version
from hocba_hub.model.making import Made

CANONICAL_TYPE = "application/json"
_MOST_NAMED = 5
_PROBE = CardKey(SchoolYear("2025-2026"), CardId("probe"))


class NotRepresentableError(HubError):
    """This version cannot be written as its destination wants it; the message names fields, never values."""

    def __init__(self, message: str, mapping: str = "", code: str = NOT_REPRESENTABLE) -> None:
        """`mapping` is the one that it was tried by, as `name 1.2.3`; `code` is that of the outcome."""
        super().__init__(message)
        self.mapping, self.code = mapping, code

    def outcome(self, record: OutboundRecord) -> Outcome:
        """What becomes of the record that it is about."""
        return Outcome(record.delivery_id, Stage.NOT_SENT, self.code, str(self))


def mapping_name(destination: Destination, kind: str, *, recall: bool = False) -> str:
    """The mapping that a destination names for a kind of card, or for its recall; empty if there is none."""
    names = cast("Mapping[str, str]", destination.mappings)
    return names.get(f"recall-{kind}" if recall else kind) or names.get("recall" if recall else "card", "")


def chosen_version(mappings: MappingSet, name: str, school_year: str, now: int) -> Document:
    """The version of a destination's mapping for cards of a school year that are checked or sent now (milliseconds).

    Raises:
        MappingNotFoundError: there is none.
    """
    return mappings.select(name, school_year=school_year, on=vietnam_day(now))


class Representation(NamedTuple):
    """What a version becomes for a destination."""

    records: list[dict[str, Any]]
    """One, or several if its mapping makes several."""
    mapping: str
    """The mapping that made them, as `name 1.2.3`."""

    @property
    def made(self) -> Made:
        """What made them, and the digest of all of them; what is not text or a number counts as its hex."""
        told = orjson.dumps(self.records, default=_as_hex, option=orjson.OPT_SORT_KEYS)
        return Made(self.mapping, hashlib.sha256(told).digest())


class Translations:
    """What one destination gets of a version, by the mappings in force; may be used by several threads at once.

    Raises:
        DestinationError: the file names a mapping that is not there.
    """

    def __init__(
        self, destination: Destination, current: Callable[[], MappingSet], clock: Clock = system_clock
    ) -> None:
        """`current` gives the mappings in force at this moment."""
        self._destination, self._current, self._clock = destination, current, clock
        self._needs: tuple[MappingSet, bool] | None = None
        self._needs_card(current())

    def documents(self) -> Iterable[Document]:
        """Every mapping of this destination, in every version that may be chosen now."""
        return self._documents(self._current())

    def makes_several(self) -> Document | None:
        """A mapping of this destination that makes several records of one version, if there is one."""
        return next((document for document in self.documents() if RECORDS in document.fields), None)

    def check_record_ids(self, field: str) -> None:
        """Do nothing if every mapping makes of a version the record id that look-ups ask with.

        `field` is its place in a record. Several records of one version may each have it with something behind it.

        Raises:
            DestinationError: a mapping makes another one: what is in doubt would be asked for in vain, and sent twice.
        """
        mappings = self._current()
        record_ids = self._destination.record_ids
        probe = record_ids.of(_PROBE)
        facts = envelope_facts(_PROBE, Version(1), Event.NEW, datetime.fromtimestamp(0, UTC), record_ids)
        for document in self._documents(mappings):
            output = mappings.compiled(document).translate(JsonRecord({"delivery": {**facts, "school": "0"}})).output
            several = output.get(RECORDS)
            made = several if isinstance(several, list) else [] if RECORDS in document.fields else [output]
            ids = [str(value_at(one, field)) for one in made]
            if not all(one.startswith(probe) if RECORDS in document.fields else one == probe for one in ids):
                raise DestinationError(f"{document.label}: {field} is not delivery/record_id, which look-ups ask with.")

    def represent(self, record: OutboundRecord) -> Representation:
        """What this version becomes.

        Raises:
            NotRepresentableError: the destination has no mapping for this kind of card, or the card does not fit it.
        """
        mappings = self._current()
        source: dict[str, Any] = {}
        kind = ""
        if self._needs_card(mappings):
            source, kind = _card(record)
        name = mapping_name(self._destination, kind, recall=record.event is Event.CANCEL)
        if not name:
            raise NotRepresentableError("The destination has no mapping for this kind of card.")
        source["delivery"] = _facts(record, self._destination.record_ids)
        try:
            mapping = mappings.compiled(self._version(mappings, name, record))
        except (MappingNotFoundError, DocumentError) as error:
            raise NotRepresentableError(f"No mapping {name} for this school year.") from error
        made = mapping.translate(JsonRecord(source))
        used = mapping.document.label
        if not made.complete:
            places = dict.fromkeys(f"{f.kind.code} {f.facts.get('target', '')}".strip() for f in made.findings)
            raise NotRepresentableError("; ".join(list(places)[:_MOST_NAMED]), used)
        several = made.output.get(RECORDS)
        found = Representation(several if isinstance(several, list) else [made.output], used)
        if record.pin is not None and record.pin.sha256 not in {None, found.made.sha256}:
            raise NotRepresentableError("It would not be what was sent before.", used, BYTES_DIFFER)
        return found

    def _version(self, mappings: MappingSet, name: str, record: OutboundRecord) -> Document:
        """The version of a mapping that makes a record: the one it is pinned to, or the one in force."""
        if record.pin is None:
            return chosen_version(mappings, name, record.key.school_year, self._clock())
        return mappings.of_version(*record.pin.mapping.split(" ", 1))

    def _needs_card(self, mappings: MappingSet) -> bool:
        """Whether its mappings read the card, or are chosen by its kind; most recalls need neither."""
        if self._needs is None or self._needs[0] is not mappings:
            by_kind = not {"card", "recall"}.issuperset(map(str, self._destination.mappings))
            self._needs = (mappings, by_kind or any(_reads_card(one) for one in self._documents(mappings)))
        return self._needs[1]

    def _documents(self, mappings: MappingSet) -> Iterator[Document]:
        for name in dict.fromkeys(self._destination.mappings.values()):
            versions = mappings.versions(name)
            if not versions:
                raise DestinationError(f"{self._destination.name}: there is no mapping {name}.")
            yield from versions


def _as_hex(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(type(value).__name__)


def _reads_card(document: Document) -> bool:
    return any(one.names[:1] != ("delivery",) for one in source_fields(document.fields, document.source))


def _card(record: OutboundRecord) -> tuple[dict[str, Any], str]:
    """The canonical card and its kind; a recall may come without one."""
    if not record.canonical and record.event is Event.CANCEL:
        return {}, ""
    try:
        card = orjson.loads(record.canonical)
    except orjson.JSONDecodeError as error:
        raise NotRepresentableError("The canonical card is not JSON.") from error
    kind = card.get("kind") if isinstance(card, dict) else None
    if not isinstance(kind, str):
        raise NotRepresentableError("The canonical card does not say of which kind it is.")
    return card, kind


def _facts(record: OutboundRecord, record_ids: RecordIds) -> dict[str, Any]:
    signed = record.is_signed
    return envelope_facts(record.key, record.version, record.event, record.accepted_at, record_ids) | {
        "school": record.school or None,
        "document": (record.document if signed else record.canonical) or None,
        "document_type": record.document_type if signed else CANONICAL_TYPE,
        "canonical": record.canonical or None,
        "canonical_type": CANONICAL_TYPE,
        "original": record.document or None,
        "original_type": record.document_type or None,
        "signed": signed,
    }
