"""Writing the body of a SOAP batch as bytes, by the element names and order of the contract's own schema.

zeep's generic serialisation of a batch costs several times what sending it does. What is written here is the same
canonical XML (a test compares both and validates by the XSD); names, order and namespace come from the WSDL, and a
destination file that does not fit it is refused when the adapter is made.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from hocba_hub.adapters.destination import DestinationError
from hocba_hub.adapters.line import sha256
from hocba_hub.adapters.outbound import OutboundRecord
from hocba_hub.model.errors import HubError
from hocba_hub.model.keys import Event

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class UnwritableError(HubError):
    """A value of this record cannot be written as XML."""


def _text(value: str) -> bytes:
    if _NOT_XML.search(value):
        raise UnwritableError("A value has a character that XML cannot hold.")
    return escape(value, {"\r": "&#13;"}).encode()


def _document(record: OutboundRecord) -> bytes | None:
    return binascii.b2a_base64(record.document, newline=False) if record.event is not Event.CANCEL else None


def _document_sha256(record: OutboundRecord) -> bytes | None:
    return sha256(record.document).encode() if record.event is not Event.CANCEL else None


def _document_type(record: OutboundRecord) -> bytes | None:
    return _text(record.document_type) if record.event is not Event.CANCEL else None


SOURCES: Mapping[str, Callable[[OutboundRecord], bytes | None]] = {
    "record_id": lambda record: _text(record.key.record_id()),
    "version": lambda record: b"%d" % record.version,
    "event": lambda record: record.event.value.encode(),
    "school_year": lambda record: _text(record.key.school_year),
    "card_id": lambda record: _text(record.key.card_id),
    "school": lambda record: _text(record.school),
    "message_id": lambda record: _text(record.message_id),
    "accepted_at": lambda record: record.accepted_at.isoformat(timespec="seconds").encode(),
    "document_sha256": _document_sha256,
    "document_type": _document_type,
    "document": _document,
}
"""Facts of a record by the name a destination file uses, as escaped element content; a recall has no document."""


class BatchWriter:
    """Writes batches for one operation whose body is a list of records of simple elements.

    `operation` is zeep's description, `record` the name of the repeated element, `fields` element name → fact.

    Raises:
        DestinationError: the schema has no such element, or needs one that no fact is given for.
    """

    def __init__(self, operation: Any, record: str, fields: Mapping[str, str]) -> None:  # noqa: ANN401 - zeep
        wrapper = operation.input.body
        children = dict(wrapper.type.elements)
        if record not in children:
            raise DestinationError(f"{operation.name} has no element {record}.")
        known = dict(children[record].type.elements)
        if unknown := sorted(set(fields) - set(known)):
            raise DestinationError(f"{record} of {operation.name} has no elements {', '.join(unknown)}.")
        if missing := sorted(name for name, e in known.items() if not e.is_optional and name not in fields):
            raise DestinationError(f"{record} of {operation.name} needs elements {', '.join(missing)}.")
        if strange := sorted(set(fields.values()) - set(SOURCES)):
            raise DestinationError(f"Unknown facts {', '.join(strange)}; known are: {', '.join(SOURCES)}.")
        namespaces = {e.qname.namespace for e in (wrapper, children[record], *known.values())}
        if len(namespaces) != 1:
            raise DestinationError(f"{operation.name} mixes namespaces, which this adapter does not write.")
        name = wrapper.qname.localname
        self._head = f'<m:{name} xmlns:m="{escape(str(wrapper.qname.namespace))}">'.encode()
        self._tail = f"</m:{name}>".encode()
        self._record = f"<m:{record}>".encode(), f"</m:{record}>".encode()
        self._fields = [(f"<m:{n}>".encode(), SOURCES[fields[n]], f"</m:{n}>".encode()) for n in known if n in fields]

    def record(self, record: OutboundRecord) -> bytes:
        """One record's element.

        Raises:
            UnwritableError: a value of it cannot be written as XML.
        """
        parts = [self._record[0]]
        for before, source, after in self._fields:
            content = source(record)
            if content is not None:
                parts += (before, content, after)
        parts.append(self._record[1])
        return b"".join(parts)

    def body(self, records: Iterable[bytes]) -> bytes:
        """The body's element around written records."""
        return b"".join((self._head, *records, self._tail))
