"""Which mapping reads what a client sends, and how a body of it is called: profiles and their media types.

`?profile=NAME` wins, then the media type (`application/vnd.hocba.NAME+json`, or a parameter `profile`), then what the
client is set to send. `report-card` is the canonical card, which needs no mapping.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import NamedTuple

from hocba_hub.api.body import JSON as JSON_TYPES
from hocba_hub.api.body import NDJSON, Body
from hocba_hub.api.context import Hub
from hocba_hub.api.problems import ProblemError
from hocba_hub.api.translation import Translated, translate
from hocba_hub.api.vendor_body import vendor_records
from hocba_hub.mappings.delivery import VIETNAM
from hocba_hub.mappings.document import JSON, XML, Document
from hocba_hub.mappings.library import MappingNotFoundError
from hocba_hub.mappings.schemas import REPORT_CARD
from hocba_hub.mappings.shelf import Shelf
from hocba_hub.store.access import Client

_VENDOR_TYPE = re.compile(r"application/vnd\.hocba\.([a-z][a-z0-9-]{0,60})\+(json|xml|ndjson)")
_PARAMETER = re.compile(r"(?:^|;)\s*profile\s*=\s*\"?([a-z][a-z0-9-]{0,60})\"?\s*(?:;|$)", re.IGNORECASE)
_PLAIN = {"json": "application/json", "xml": "application/xml", "ndjson": "application/x-ndjson"}
XML_TYPES = frozenset({"application/xml", "text/xml"})


class Reader:
    """What reads the records of one call: nothing more than their bytes for canonical cards, a mapping otherwise."""

    def __init__(self, media_type: str, mapping: Mapped | None = None) -> None:
        """`media_type` is a plain one: `application/json`, `application/x-ndjson` or `application/xml`."""
        self._media_type, self._mapping = media_type, mapping
        self.stored_type = media_type
        """Under which media type the records are kept."""
        if mapping is not None:
            self.stored_type = vendor_type(mapping.document.name, mapping.document.source.format)

    def records(self, body: Body) -> AsyncIterator[bytes]:
        """The body's records, each with its very bytes.

        Raises:
            BodyError: the body cannot be read.
        """
        if self._mapping is None:
            return body.records(self._media_type)
        return vendor_records(body, self._mapping.document.source, self._media_type)

    def translated(self, raw: bytes) -> Translated | None:
        """What one of the records became; None for a canonical card."""
        if self._mapping is None:
            return None
        of = self._mapping
        return translate(raw, of.shelf, of.document.name, client=of.client, on=of.day)


class Mapped(NamedTuple):
    """The mapping of a call, with the shelf and the day that it was chosen on."""

    document: Document
    shelf: Shelf
    client: str
    day: date


async def reader_of(hub: Hub, client: Client, content_type: str, asked: str | None) -> Reader:
    """What reads a call with this `Content-Type` and `?profile=`.

    Raises:
        ProblemError: the media type is none of ours, the profile is not there, or it reads something else.
    """
    media_type, named, parameter = _media_type(content_type)
    name = asked or named or parameter or client.profile or REPORT_CARD
    if media_type not in JSON_TYPES | NDJSON | XML_TYPES or (name == REPORT_CARD and media_type in XML_TYPES):
        raise ProblemError("body.media-type")
    if name == REPORT_CARD:
        return Reader(media_type)
    day = datetime.fromtimestamp(hub.clock() / 1000, VIETNAM).date()
    shelf = await hub.shelf.shelf()
    try:
        document = shelf.select(name, client=client.name, on=day)
    except MappingNotFoundError as error:
        raise ProblemError("profile.unknown") from error
    if document.target.schema != REPORT_CARD:
        raise ProblemError("profile.unknown")
    wanted = XML_TYPES if document.source.format == XML else JSON_TYPES | NDJSON
    if document.source.format not in (JSON, XML) or media_type not in wanted:
        raise ProblemError("profile.format")
    return Reader(media_type, Mapped(document, shelf, client.name, day))


def vendor_type(name: str, form: str) -> str:
    """The media type of a record that a mapping reads."""
    return f"application/vnd.hocba.{name}+{form}"


def _media_type(content_type: str) -> tuple[str, str, str]:
    """A plain media type; the profile that the vendor's media type names; the one that its parameter names."""
    plain, _, parameters = content_type.partition(";")
    media_type = plain.strip().lower() or "application/json"
    if named := _VENDOR_TYPE.fullmatch(media_type):
        return _PLAIN[named[2]], named[1], ""
    parameter = _PARAMETER.search(parameters)
    return media_type, "", parameter[1] if parameter else ""
