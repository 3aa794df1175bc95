"""The records of a SOAP request, each with the bytes in which it came."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from itertools import islice
from xml.sax.saxutils import quoteattr

from lxml import etree

from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.soap.asked import Asked
from hocba_hub.api.soap.contract import MESSAGES
from hocba_hub.intake.profiles import JSON_TYPE, XML_TYPE, Profile
from hocba_hub.intake.source import SentRecord
from hocba_hub.intake.split.splitter import split
from hocba_hub.mappings.document.document import JSON, ROWS, XML
from hocba_hub.model.safe_xml import XmlLimits
from hocba_hub.model.xml_reading import read_xml_card, read_xml_document, xpath
from hocba_hub.settings import Settings

_DOCUMENT = f"{{{MESSAGES}}}document"
_RECORDS = f"{{{MESSAGES}}}records"
_BOM = b"\xef\xbb\xbf"


class EnvelopeSource:
    """The records of `SubmitReportCards` or `ValidateReportCards`; see `Source`.

    A card that stands in the request as an element is a canonical one. A `document` is read by the profile, as a body
    of REST is: it may hold one record or a list of them.

    Raises:
        ProblemError: there are too many, one that is too large, or one that the profile does not read.
        SubmissionError: a document is broken.
    """

    def __init__(self, asked: Asked, profile: Profile, settings: Settings) -> None:
        """`asked.content` are the envelope's bytes, `asked.size` and `asked.sha256` those of the whole request."""
        self.size, self.sha256 = asked.size, asked.sha256
        self.media_type = asked.media_type
        self.xpaths: dict[int, Callable[[str], str]] = {}
        """Position of each record that came in XML → how to make an XPath of a finding's place."""
        self._settings, self._profile = settings, profile
        self._limits = XmlLimits(bytes=settings.record_bytes, text=settings.record_bytes, may_point_outside=False)
        self._records = list(islice(self._read(asked), settings.submission_records + 1))
        if len(self._records) > settings.submission_records:
            raise ProblemError("body.too-many-records", limit_records=settings.submission_records)

    async def records(self) -> AsyncIterator[SentRecord]:
        """The records in their order."""
        for record in self._records:
            yield record()

    def _read(self, asked: Asked) -> Iterator[Callable[[], SentRecord]]:
        elements = [record[0] for record in asked.body.iterchildren(_RECORDS)]
        written = Written(asked.content, [element for element in elements if element.tag != _DOCUMENT])
        position = 0
        found: Iterator[tuple[Callable[[], SentRecord], Callable[[str], str] | None]]
        for element in elements:
            if element.tag == _DOCUMENT:
                attached = asked.attached
                raw = attached[element] if element in attached else base64.b64decode(element.text or "")
                found = self._document(raw)
            else:
                if self._profile.document is not None and asked.optional("profile"):
                    raise ProblemError("profile.format")
                raw = written.bytes_of(element)
                found = iter([(partial(self._canonical, raw, element), xpath)])
            if len(raw) > self._settings.record_bytes:
                raise ProblemError("body.record-too-large", limit_bytes=self._settings.record_bytes)
            for record, path in found:
                if path is not None:
                    self.xpaths[position] = path
                yield record
                position += 1

    def _document(self, raw: bytes) -> Iterator[tuple[Callable[[], SentRecord], Callable[[str], str] | None]]:
        """The records of a document, each with how to make an XPath of a place in it."""
        is_xml = raw.removeprefix(_BOM).lstrip()[:1] == b"<"
        source = self._profile.source
        if source is None:
            if is_xml:
                yield partial(self._canonical, raw), xpath
            else:
                yield partial(SentRecord, raw, JSON_TYPE), None
            return
        if source.format == ROWS or is_xml != (source.format == XML):
            raise ProblemError("profile.format")
        self.media_type = self._profile.stored_type(self.media_type)
        splitter = self._profile.splitter(XML if is_xml else JSON)
        for one in split([raw], splitter, self._settings.record_bytes):
            yield partial(self._profile.sent, one, self.media_type), str if is_xml else None

    def _canonical(self, raw: bytes, element: etree._Element | None = None) -> SentRecord:
        read = read_xml_document(raw, self._limits) if element is None else read_xml_card(element)
        return SentRecord(raw, XML_TYPE, read)


class Written:
    """The bytes of the cards in a request, as they stand there; ask for them in their order.

    What an element inherits of namespaces is put into its start tag, so that it is a document by itself. Where the
    request has comments, CDATA sections, processing instructions or cards within cards, the bytes of a card could be
    mistaken; there the cards are written anew.
    """

    def __init__(self, content: bytes, cards: list[etree._Element]) -> None:
        """`cards` are all the cards of the request whose bytes are `content`."""
        self._content = content
        self._place = max(content.find(b"?>"), 0)
        names = {_name(card) for card in cards}
        whole = sum(content.count(b"</" + name) for name in names) == len(cards) == sum(map(self._starts, names))
        self._is_plain = whole and content.find(b"<!") < 0 and content.find(b"<?", self._place) < 0

    def bytes_of(self, card: etree._Element) -> bytes:
        """The bytes of the next card."""
        if not self._is_plain:
            return etree.tostring(card, encoding="utf-8", with_tail=False)
        name = _name(card)
        start = self._content.index(b"<" + name, self._place)
        after_name = start + 1 + len(name)
        end = self._content.index(b">", self._content.index(b"</" + name, after_name)) + 1
        self._place = end
        return b"".join((b"<", name, *self._inherited(card, after_name, end), self._content[after_name:end]))

    def _inherited(self, card: etree._Element, after_name: int, end: int) -> Iterator[bytes]:
        """The namespaces that the card's names use, but its own start tag does not declare."""
        tag = self._content[after_name : self._content.index(b">", after_name)]
        for prefix, uri in card.nsmap.items():
            declared = f"xmlns:{prefix}" if prefix else "xmlns"
            is_used = (
                not prefix or prefix == card.prefix or self._content.find(f"{prefix}:".encode(), after_name, end) > 0
            )
            if is_used and f"{declared}=".encode() not in tag:
                yield f" {declared}={quoteattr(uri)}".encode()

    def _starts(self, name: bytes) -> int:
        return self._content.count(b"<" + name)


def _name(card: etree._Element) -> bytes:
    local = etree.QName(card).localname
    return f"{card.prefix}:{local}".encode() if card.prefix else local.encode()
