"""What a destination gets of a version: the mappings that its file names, compiled, chosen by kind and school year."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import orjson

from hocba_hub.adapters.destination import Destination, DestinationError
from hocba_hub.adapters.outbound import OutboundRecord
from hocba_hub.mappings.compile import CompiledMapping, compile_mapping
from hocba_hub.mappings.delivery import envelope_facts
from hocba_hub.mappings.document import Document, DocumentError
from hocba_hub.mappings.library import Library, MappingNotFoundError, load_library, shipped_library
from hocba_hub.mappings.reads import reads
from hocba_hub.mappings.records import JsonRecord
from hocba_hub.mappings.schemas import RECORDS, SchemaUnknownError, load_schema
from hocba_hub.mappings.tables.files import shipped_tables
from hocba_hub.mappings.tables.lookup import Table
from hocba_hub.mappings.targets import TargetField
from hocba_hub.model.errors import HubError
from hocba_hub.model.keys import Event

CANONICAL_TYPE = "application/json"
_MOST_NAMED = 5


class NotRepresentableError(HubError):
    """This version cannot be written as its destination wants it; the message names fields, never values."""


class Formats(NamedTuple):
    """The mappings that there are, and the code tables that they use."""

    library: Library
    tables: Mapping[str, Table]
    schemas: Mapping[str, TargetField] = MappingProxyType({})
    """Schemas besides those that come with the hub."""


@cache
def shipped_formats() -> Formats:
    """Those that come with the hub."""
    return Formats(shipped_library(), shipped_tables())


def formats_beside(folder: Path) -> Formats:
    """Those that come with the hub, with those of the folders `mappings` and `schemas` beside destination files.

    Raises:
        DestinationError: one of them cannot be read.
    """
    shipped, own = shipped_formats(), Library((), {})
    if (folder / "mappings").is_dir():
        own = load_library(folder / "mappings")
    for name, findings in own.wrong.items():
        raise DestinationError(f"mappings/{name}: {findings[0].as_json()['message_en']}")
    schemas: dict[str, TargetField] = {}
    for file in sorted((folder / "schemas").glob("*.*")):
        try:
            schemas[file.stem] = load_schema(file)
        except SchemaUnknownError as error:
            raise DestinationError(f"schemas/{error}") from error
    documents = (*shipped.library.documents, *own.documents)
    return Formats(Library(documents, {}), shipped.tables, schemas)


def mapping_name(destination: Destination, kind: str, *, recall: bool = False) -> str:
    """The mapping that a destination names for a kind of card, or for its recall; empty if there is none."""
    names = cast("Mapping[str, str]", destination.mappings)
    return names.get(f"recall-{kind}" if recall else kind) or names.get("recall" if recall else "card", "")


class Translations:
    """The mappings of one destination; may be used by several threads at once.

    Raises:
        DestinationError: the file names a mapping that is not there.
    """

    def __init__(self, destination: Destination, formats: Formats) -> None:
        self._destination = destination
        self._formats = formats
        self._made: dict[tuple[str, str], CompiledMapping] = {}
        by_kind = not {"card", "recall"}.issuperset(map(str, destination.mappings))
        self._needs_kind = by_kind or any(_reads_card(document) for document in self.documents())

    def versions(self, name: str) -> list[Document]:
        """Every version of a mapping of this destination."""
        found = [document for document in self._formats.library.documents if document.name == name]
        if not found:
            raise DestinationError(f"{self._destination.name}: there is no mapping {name}.")
        return found

    def documents(self) -> Iterable[Document]:
        """Every mapping of this destination, in every version."""
        return (
            document for name in dict.fromkeys(self._destination.mappings.values()) for document in self.versions(name)
        )

    def records(self, record: OutboundRecord) -> list[dict[str, Any]]:
        """The records that this version becomes: one, or several if its mapping makes several.

        Raises:
            NotRepresentableError: the destination has no mapping for this kind of card, or the card does not fit it.
        """
        source: dict[str, Any] = {}
        kind = ""
        if self._needs_kind:
            source, kind = _card(record)
        name = mapping_name(self._destination, kind, recall=record.event is Event.CANCEL)
        if not name:
            raise NotRepresentableError("The destination has no mapping for this kind of card.")
        source["delivery"] = _facts(record)
        made = self._mapping(name, record.key.school_year).translate(JsonRecord(source))
        if not made.complete:
            places = dict.fromkeys(f"{f.kind.code} {f.facts.get('target', '')}".strip() for f in made.findings)
            raise NotRepresentableError("; ".join(list(places)[:_MOST_NAMED]))
        several = made.output.get(RECORDS)
        return several if isinstance(several, list) else [made.output]

    def _mapping(self, name: str, school_year: str) -> CompiledMapping:
        known = self._made.get((name, school_year))
        if known is None:
            try:
                document = self._formats.library.select(name, school_year=school_year)
                known = compile_mapping(document, self._formats.tables)
            except (MappingNotFoundError, DocumentError) as error:
                raise NotRepresentableError(f"No mapping {name} for this school year.") from error
            self._made[name, school_year] = known
        return known


def _reads_card(document: Document) -> bool:
    return any(one.names[:1] != ("delivery",) for one in reads(document.fields))


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


def _facts(record: OutboundRecord) -> dict[str, Any]:
    signed = record.is_signed
    return envelope_facts(record.key, record.version, record.event, record.accepted_at) | {
        "school": record.school or None,
        "document": (record.document if signed else record.canonical) or None,
        "document_type": record.document_type if signed else CANONICAL_TYPE,
        "canonical": record.canonical or None,
        "canonical_type": CANONICAL_TYPE,
        "original": record.document or None,
        "original_type": record.document_type or None,
        "signed": signed,
    }
