"""The records of a SOAP request, each with the bytes in which it came."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator
from xml.sax.saxutils import quoteattr

from lxml import etree

from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.api.soap.attachments import Attached
from hocba_hub.api.soap.contract import MESSAGES
from hocba_hub.intake.profiles import JSON_TYPE, XML_TYPE
from hocba_hub.intake.source import SentRecord
from hocba_hub.model.safe_xml import XmlLimits
from hocba_hub.model.xml_reading import read_xml_card, read_xml_document
from hocba_hub.settings import Settings

_DOCUMENT = f"{{{MESSAGES}}}document"
_RECORDS = f"{{{MESSAGES}}}records"
_BOM = b"\xef\xbb\xbf"


class EnvelopeSource:
    """The records of `SubmitReportCards` or `ValidateReportCards`; see `Source`.

    Raises:
        ProblemError: there are too many, or one that is too large.
    """

    def __init__(  # noqa: PLR0917 - the parts of one request
        self,
        operation: etree._Element,
        content: bytes,
        attached: Attached,
        settings: Settings,
        media_type: str,
        size: int,
        sha256: str,
    ) -> None:
        """`content` are the envelope's bytes, `size` and `sha256` those of the whole request."""
        self.media_type, self.size, self.sha256 = media_type, size, sha256
        self._limits = XmlLimits(bytes=settings.record_bytes, text=settings.record_bytes, may_point_outside=False)
        elements = [record[0] for record in operation.iterchildren(_RECORDS)]
        if len(elements) > settings.submission_records:
            raise ProblemError("body.too-many-records", limit_records=settings.submission_records)
        written = Written(content, [element for element in elements if element.tag != _DOCUMENT])
        self._records: list[tuple[bytes, etree._Element | None]] = []
        self.in_xml: set[int] = set()
        """Positions of the records that came in XML."""
        for position, element in enumerate(elements):
            if element.tag != _DOCUMENT:
                raw, card, is_xml = written.bytes_of(element), element, True
            else:
                raw = attached[element] if element in attached else base64.b64decode(element.text or "")
                card, is_xml = None, raw.removeprefix(_BOM).lstrip()[:1] == b"<"
            if len(raw) > settings.record_bytes:
                raise ProblemError("body.record-too-large", limit_bytes=settings.record_bytes)
            if is_xml:
                self.in_xml.add(position)
            self._records.append((raw, card))

    async def records(self) -> AsyncIterator[SentRecord]:
        """The records in their order."""
        for position, (raw, card) in enumerate(self._records):
            if card is not None:
                yield SentRecord(raw, XML_TYPE, read_xml_card(card))
            elif position in self.in_xml:
                yield SentRecord(raw, XML_TYPE, read_xml_document(raw, self._limits))
            else:
                yield SentRecord(raw, JSON_TYPE)


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
