"""Profiles: how what a client sends is read, as canonical cards or by a mapping.

A profile is a mapping's name; `report-card` is the canonical card, which needs none. What a call or file says wins,
then what the client is set to send.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from hocba_hub.intake.errors import UnknownProfileError
from hocba_hub.intake.source import SentRecord
from hocba_hub.intake.split.splitter import Splitter, splitter_for
from hocba_hub.intake.translate import translate
from hocba_hub.mappings.document.document import JSON, XML, Document, Source
from hocba_hub.mappings.library.library import MappingNotFoundError
from hocba_hub.mappings.library.mapping_set import MappingSet
from hocba_hub.mappings.records.record import Record
from hocba_hub.mappings.schemas import REPORT_CARD
from hocba_hub.model.safe_xml import XmlLimits
from hocba_hub.model.xml_reading import read_xml_document
from hocba_hub.store.access import Client

NDJSON = "ndjson"
"""The syntax of lines of JSON; the others are called as mappings call them."""
JSON_TYPE, XML_TYPE, NDJSON_TYPE = "application/json", "application/xml", "application/x-ndjson"
_TYPES = {JSON: JSON_TYPE, XML: XML_TYPE, NDJSON: NDJSON_TYPE}
_SYNTAXES = {
    JSON_TYPE: JSON,
    XML_TYPE: XML,
    "text/xml": XML,
    NDJSON_TYPE: NDJSON,
    "application/ndjson": NDJSON,
    "application/jsonl": NDJSON,
}
_VENDOR_TYPE = re.compile(r"application/vnd\.hocba\.([a-z][a-z0-9-]{0,60})\+(json|xml|ndjson)")
_PARAMETER = re.compile(r"(?:^|;)\s*profile\s*=\s*\"?([a-z][a-z0-9-]{0,60})\"?\s*(?:;|$)", re.IGNORECASE)


class BodyType(NamedTuple):
    """What a `Content-Type` says of a body."""

    media_type: str
    """A plain one."""
    syntax: str | None
    """`json`, `ndjson` or `xml`; None for a media type that is none of ours."""
    profile: str
    """The profile that it names: `application/vnd.hocba.NAME+json`, or a parameter `profile`; empty if none."""


def body_type(content_type: str) -> BodyType:
    """What the header says; nothing is said by an empty one but JSON."""
    plain, _, parameters = content_type.partition(";")
    media_type = plain.strip().lower() or "application/json"
    if named := _VENDOR_TYPE.fullmatch(media_type):
        return BodyType(_TYPES[named[2]], named[2], named[1])
    parameter = _PARAMETER.search(parameters)
    return BodyType(media_type, _SYNTAXES.get(media_type), parameter[1] if parameter else "")


@dataclass(frozen=True, slots=True)
class Profile:
    """How the records of one client are read on one day."""

    name: str
    mappings: MappingSet
    """In force when it was chosen."""
    client: str
    day: date
    """Of Vietnam; the versions of that day count."""
    document: Document | None
    """The mapping's version of that day, whatever the school year; None for canonical cards."""
    record_bytes: int
    """Most bytes of one record."""

    @property
    def source(self) -> Source | None:
        """What the mapping says of documents that hold its records; None for canonical cards."""
        return None if self.document is None else self.document.source

    def stored_type(self, media_type: str) -> str:
        """Under which media type records are kept that came under this one."""
        return media_type if self.document is None else vendor_type(self.name, self.document.source.format)

    def splitter(self, syntax: str) -> Splitter:
        """What splits documents of a syntax (`json`, `ndjson`, `xml`) into records."""
        names = self.mappings.head_names(self.document) if self.document is not None else ()
        is_xml, has_lines = syntax == XML, syntax == NDJSON
        return splitter_for(self.source, self.record_bytes, is_xml=is_xml, has_lines=has_lines, names=names)

    def sent(self, raw: bytes, media_type: str, record: Record | None = None) -> SentRecord:
        """A record of this client, translated if a mapping reads it.

        `media_type` is that of a canonical card; `record` is what the reader of a workbook made of the bytes.
        """
        if self.document is not None:
            of = raw if record is None else record
            translated = translate(of, self.mappings, self.name, client=self.client, on=self.day)
            return SentRecord(raw, self.stored_type(media_type), None, translated)
        if media_type != XML_TYPE:
            return SentRecord(raw, media_type)
        limits = XmlLimits(bytes=self.record_bytes, text=self.record_bytes, may_point_outside=False)
        return SentRecord(raw, media_type, read_xml_document(raw, limits, is_split_off=True))


def choose_profile(
    mappings: MappingSet, client: Client, day: date, *, record_bytes: int, asked: str | None = None
) -> Profile:
    """The profile that a client asks for, else the one that it is set to send.

    Raises:
        UnknownProfileError: it is not there for this client on this day, or makes no report cards.
    """
    name = asked or client.profile or REPORT_CARD
    document: Document | None = None
    if name != REPORT_CARD:
        document = _of_cards(mappings, name, client.name, day)
        if document is None:
            raise UnknownProfileError(profile_names(mappings, client.name, day))
    return Profile(name, mappings, client.name, day, document, record_bytes)


def profile_names(mappings: MappingSet, client: str, day: date) -> list[str]:
    """The profiles that a client may send by on a day, besides canonical cards."""
    return [name for name in mappings.names() if _of_cards(mappings, name, client, day) is not None]


def _of_cards(mappings: MappingSet, name: str, client: str, day: date) -> Document | None:
    """The mapping's version for this client on this day, if there is one and it makes report cards."""
    try:
        document = mappings.select(name, client=client, on=day)
    except MappingNotFoundError:
        return None
    return document if document.target == REPORT_CARD else None


def vendor_type(name: str, form: str) -> str:
    """The media type of a record that a mapping reads."""
    return f"application/vnd.hocba.{name}+{form}"
