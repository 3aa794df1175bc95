"""Writing the body of a SOAP batch as bytes, by the element names and order of the contract's own schema.

zeep's generic serialisation of a batch costs several times what sending it does. What is written here is the same
canonical XML (a test compares both and validates by the XSD); names, order and namespace come from the WSDL, and a
destination file that does not fit it is refused when the adapter is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from zeep.xsd import ComplexType
from zeep.xsd.types.builtins import Base64Binary

from hocba_hub.adapters.destination import DestinationError
from hocba_hub.mappings.values.value import as_text
from hocba_hub.model.errors import HubError

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class UnwritableError(HubError):
    """A value of this record cannot be written as XML."""


def _text(value: str) -> bytes:
    if _NOT_XML.search(value):
        raise UnwritableError("A value has a character that XML cannot hold.")
    return escape(value, {"\r": "&#13;"}).encode()


def _content(value: object) -> bytes:
    if type(value) is str:
        return _text(value)
    if isinstance(value, dict | list | tuple):
        raise UnwritableError("A value is a list or an object, where the schema has text.")
    return _text(as_text(value))


def _base64(value: object) -> bytes:
    """Base64 as a mapping makes it: there is nothing in it to escape, and looking at each character would cost most."""
    if type(value) is not str or not value.isascii() or "<" in value or "&" in value:
        raise UnwritableError("A document is not in Base64.")
    return value.encode()


class BatchWriter:
    """Writes batches for one operation whose body is a list of records of simple elements.

    `operation` is zeep's description, `record` the name of the repeated element.

    Raises:
        DestinationError: the schema has no such element, or mixes namespaces.
    """

    def __init__(self, operation: Any, record: str) -> None:  # noqa: ANN401 - zeep
        wrapper = operation.input.body
        children = dict(wrapper.type.elements)
        if record not in children:
            raise DestinationError(f"{operation.name} has no element {record}.")
        if needed := [n for n, element in children.items() if n != record and not element.is_optional]:
            raise DestinationError(f"{operation.name} needs {', '.join(needed)} beside {record}; only that is written.")
        known = dict(children[record].type.elements)
        if nested := [n for n, element in known.items() if isinstance(element.type, ComplexType)]:
            raise DestinationError(f"{record}: {', '.join(nested)} hold elements of their own, which are not written.")
        if attributes := [str(n) for n, one in children[record].type.attributes if n and one.required]:
            raise DestinationError(f"{record} needs attributes, which are not written: {', '.join(attributes)}.")
        namespaces = {e.qname.namespace for e in (wrapper, children[record], *known.values())}
        if len(namespaces) != 1:
            raise DestinationError(f"{operation.name} mixes namespaces, which this adapter does not write.")
        name = wrapper.qname.localname
        self._name = f"{record} of {operation.name}"
        self._needed = frozenset(name for name, element in known.items() if not element.is_optional)
        self._head = f'<m:{name} xmlns:m="{escape(str(wrapper.qname.namespace))}">'.encode()
        self._tail = f"</m:{name}>".encode()
        self._record = f"<m:{record}>".encode(), f"</m:{record}>".encode()
        self._fields = {
            n: (f"<m:{n}>".encode(), _base64 if isinstance(e.type, Base64Binary) else _content, f"</m:{n}>".encode())
            for n, e in known.items()
        }

    def check(self, names: Iterable[str]) -> None:
        """Say whether a mapping that makes these elements fits the schema.

        Raises:
            DestinationError: the schema has no such element, or needs one more.
        """
        given = set(names)
        if unknown := sorted(given - set(self._fields)):
            raise DestinationError(f"{self._name} has no elements {', '.join(unknown)}.")
        if missing := sorted(self._needed - given):
            raise DestinationError(f"{self._name} needs elements {', '.join(missing)}.")

    def record(self, values: Mapping[str, Any]) -> bytes:
        """One record's element, in the order of the schema.

        Raises:
            UnwritableError: a value of it cannot be written as XML.
        """
        if missing := [name for name in self._needed if values.get(name) is None]:
            raise UnwritableError(f"{self._name} needs {', '.join(sorted(missing))}.")
        parts = [self._record[0]]
        for name, (before, content, after) in self._fields.items():
            value = values.get(name)
            if value is not None:
                parts += (before, content(value), after)
        parts.append(self._record[1])
        return b"".join(parts)

    def body(self, records: Iterable[bytes]) -> bytes:
        """The body's element around written records."""
        return b"".join((self._head, *records, self._tail))
