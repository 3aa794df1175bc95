"""Cutting a vendor's body into records, byte-exact: the list at a place of a JSON document, or elements of an XML one.

XML is cut as it arrives, by expat, which tells where in the bytes an element stands; each record is then parsed by
`model/safe_xml.py`. A record of a list becomes a document of its own: the start tags around it, with their
namespaces, its very bytes, and the end tags.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from xml.parsers import expat

from hocba_hub.api.body import NDJSON, Body
from hocba_hub.api.json_cutter import BodyError, JsonCutter
from hocba_hub.mappings.document import XML, Source

_TAG = re.compile(rb"(?:[^\"'>]|\"[^\"]*\"|'[^']*')*+>")
_BROKEN_JSON = "The body has no list of records in JSON at the place that the profile names."
_BROKEN_XML = "The body is not well-formed XML in UTF-8 without a document type declaration."


async def vendor_records(body: Body, source: Source, media_type: str) -> AsyncIterator[bytes]:
    """The records of a body, as the profile's source says; each line of NDJSON is a record by itself.

    Raises:
        BodyError: as `Body.records`; `body.not-xml` for XML that is broken or not safe; `profile.records`, there is
            nothing at the place that the profile names.
    """
    keys = source.records.keys if source.records is not None else None
    if media_type in NDJSON or (source.format != XML and keys is None):
        async for record in body.records(media_type):
            yield record
        return
    found = (
        _cut_xml(body, source) if source.format == XML else body.cut(JsonCutter(keys or (), body.limits.record_bytes))
    )
    count = 0
    async for record in found:
        count += 1
        if count > body.limits.records:
            raise BodyError("body.too-many-records", f"A body may hold {body.limits.records} records at most.")
        if len(record) > body.limits.record_bytes:
            raise _too_large(body)
        yield record
    if not count:
        raise BodyError("profile.records", _BROKEN_JSON)


async def _cut_xml(body: Body, source: Source) -> AsyncIterator[bytes]:
    if source.records is None:  # the document is the record, and its bytes are kept as they are
        whole = bytearray()
        async for chunk in body.chunks():
            whole += chunk
            if len(whole) > body.limits.record_bytes:
                raise _too_large(body)
        yield bytes(whole)
        return
    cutter = XmlCutter(source.records.keys or (), source.namespaces, body.limits.record_bytes)
    async for record in body.cut(cutter):
        yield record


def _too_large(body: Body) -> BodyError:
    return BodyError("body.record-too-large", f"A record may have {body.limits.record_bytes} bytes at most.")


class XmlCutter:
    """Cuts the elements at one path out of an XML document that comes in pieces."""

    def __init__(self, path: Sequence[str], namespaces: Mapping[str, str], record_bytes: int = 1_000_000) -> None:
        """`path` begins below the root element; its names have the prefixes that `namespaces` explains."""
        self._most = record_bytes
        self._path = [_full_name(name, namespaces) for name in path]
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.XmlDeclHandler = _check_encoding
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.buffer_text = True
        self._bytes, self._offset = bytearray(), 0
        self._depth = self._matched = 0
        self._around: list[bytes] = []
        self._begins = -1
        self._done: list[bytes] = []

    @property
    def held(self) -> int:
        """Bytes that are kept until the record that they belong to ends."""
        return len(self._bytes)

    def feed(self, piece: bytes, *, final: bool = False) -> list[bytes]:
        """The records that end in this piece of the document.

        Raises:
            BodyError: the document is broken, or not safe.
        """
        self._bytes += piece
        try:
            self._parser.Parse(piece, final)
        except (expat.ExpatError, ValueError) as error:
            raise BodyError("body.not-xml", _BROKEN_XML) from error
        done, self._done = self._done, []
        rest = self._begins if self._begins >= 0 else self._parser.CurrentByteIndex
        del self._bytes[: max(0, rest - self._offset)]
        self._offset = max(self._offset, rest)
        if self.held > self._most + len(piece):
            raise BodyError("body.record-too-large", f"A record may have {self._most} bytes at most.")
        return done

    def _start(self, name: str, _: object) -> None:
        self._depth += 1
        place = self._depth - 2
        fits = self._matched == self._depth - 1 and (place < 0 or name == self._path[place])
        if self._begins >= 0 or not fits:
            return
        begins = self._parser.CurrentByteIndex
        if place == len(self._path) - 1:
            self._begins = begins
            return
        self._matched = self._depth
        del self._around[place + 1 :]
        self._around.append(self._tag(begins))

    def _end(self, _: str) -> None:
        if self._begins >= 0 and self._depth == len(self._path) + 1:
            record = self._tag(self._begins)
            if not record.endswith(b"/>"):  # for an element without content expat tells no place of its end
                at = self._parser.CurrentByteIndex
                record = bytes(self._bytes[self._begins - self._offset : at - self._offset]) + self._tag(at)
            ends = b"".join(b"</" + _name_in(around) + b">" for around in reversed(self._around))
            self._done.append(b"".join(self._around) + record + ends)
            self._begins = -1
        self._depth -= 1
        self._matched = min(self._matched, self._depth)

    def _tag(self, begins: int) -> bytes:
        """The tag that begins there; a `>` within quotes does not end it."""
        tag = _TAG.match(self._bytes, begins - self._offset)
        if tag is None:
            raise ValueError
        return bytes(tag[0])


def _name_in(tag: bytes) -> bytes:
    return tag[1:].rstrip(b">").split(None, 1)[0].split(b"/", 1)[0]


def _full_name(name: str, namespaces: Mapping[str, str]) -> str:
    """A name as paths have it → as expat tells it."""
    if name.startswith("{"):
        uri, _, local = name[1:].rpartition("}")
    else:
        prefix, _, local = name.rpartition(":")
        uri = namespaces.get(prefix, "")
    return f"{uri} {local}" if uri else local


def _check_encoding(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding is not None and encoding.lower() not in {"utf-8", "utf8", "us-ascii", "ascii"}:
        raise ValueError(encoding)


def _refuse_doctype(*_: object) -> None:
    raise ValueError
