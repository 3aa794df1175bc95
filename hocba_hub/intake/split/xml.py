"""Splitting an XML document into its records, byte-exact and as it arrives: the elements at one path.

    <r><y>1</y><hs><h id="1"/><h id="2"/></hs></r>   with the path ("hs", "h")
    → b'<r><y>1</y><hs><h id="1"/></hs></r>', b'<r><y>1</y><hs><h id="2"/></hs></r>'

expat tells where in the bytes an element stands; each record is then parsed by `model/safe_xml.py`. A record of a list
becomes a document of its own: the start tags around it, with their namespaces, what stands beside the list, its very
bytes, and the end tags; see `surroundings.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from xml.parsers import expat

from hocba_hub.intake.errors import SubmissionError
from hocba_hub.intake.split.surroundings import MOST_PART, Surroundings
from hocba_hub.intake.split.whole import WholeSplitter
from hocba_hub.model.xml_reading import KINDS as CARD_ROOTS

_SOAP_HEADERS = frozenset(
    f"{uri} Header" for uri in ("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope")
)
"""Of an envelope: its header may hold passwords, and is kept only where rules read it."""
_TAG = re.compile(rb"(?:[^\"'>]|\"[^\"]*\"|'[^']*')*+>")


class XmlSplitter:
    """Splits off the elements at one path of an XML document that comes in pieces."""

    _must_find = True

    def __init__(
        self,
        path: Sequence[str],
        namespaces: Mapping[str, str],
        record_bytes: int = 1_000_000,
        names: Sequence[frozenset[str]] = (),
    ) -> None:
        """`path` begins below the root element; its names have the prefixes that `namespaces` explains.

        `names` are what rules read of the elements on this way, the root first; their attributes are always there.
        """
        self._most = record_bytes
        elements = [frozenset(_full_name(one, namespaces) for one in below if one[0] not in "@#") for below in names]
        self._around = Surroundings(elements, always=True)
        self._part, self._part_begins = "", -1
        self._path = [_full_name(name, namespaces) for name in path]
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.XmlDeclHandler = _check_encoding
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.buffer_text = True
        self._bytes, self._offset = bytearray(), 0
        self._depth = self._matched = 0
        self._begins = -1
        self._has_none = True

    @property
    def held(self) -> int:
        """Bytes that are kept until the record that they belong to ends."""
        return len(self._bytes) + self._around.held

    def feed(self, piece: bytes, *, final: bool = False) -> list[bytes]:
        """The records that end in this piece of the document.

        Raises:
            SubmissionError: the document is broken, or not safe; `profile.records`, there is no such element in it;
                `profile.head-too-large`, `profile.head-late`.
        """
        self._bytes += piece
        try:
            self._parser.Parse(piece, final)
        except (expat.ExpatError, ValueError) as error:
            raise SubmissionError("body.not-xml") from error
        done, self._around.done = self._around.done, []
        self._has_none &= not done
        if final and self._has_none and self._must_find:
            raise SubmissionError("profile.records")
        here = self._parser.CurrentByteIndex
        if self._part_begins >= 0 and here - self._part_begins > MOST_PART:
            self._around.add(
                self._part, bytes(self._bytes[self._part_begins - self._offset :])
            )  # too large, or left out
            self._part_begins = -1
        rest = self._begins if self._begins >= 0 else self._part_begins if self._part_begins >= 0 else here
        del self._bytes[: max(0, rest - self._offset)]
        self._offset = max(self._offset, rest)
        if len(self._bytes) > self._most + len(piece):
            raise SubmissionError("body.record-too-large", f"A record may have {self._most} bytes at most.")
        return done

    def _start(self, name: str, _: object) -> None:
        self._depth += 1
        place = self._depth - 2
        fits = self._matched == self._depth - 1 and (place < 0 or name == self._path[place])
        if self._begins >= 0:
            return
        begins = self._parser.CurrentByteIndex
        if not fits:
            is_beside = self._matched == self._depth - 1
            if is_beside and (name not in _SOAP_HEADERS or self._around.reads(name)):
                self._part, self._part_begins = name, begins
            return
        if place == len(self._path) - 1:
            self._begins = begins
            return
        self._matched = self._depth
        self._enter(begins)

    def _end(self, _: str) -> None:
        if self._begins >= 0 and self._depth == len(self._path) + 1:
            self._around.record(self._element(self._begins))
            self._begins = -1
        elif self._part_begins >= 0 and self._depth == self._matched + 1:
            self._around.add(self._part, self._element(self._part_begins))
            self._part_begins = -1
        elif self._begins < 0 and self._depth == self._matched:
            self._around.end()
        self._depth -= 1
        self._matched = min(self._matched, self._depth)

    def _enter(self, begins: int) -> None:
        """An element begins there that leads to the records."""
        tag = self._tag(begins)
        if tag.endswith(b"/>"):  # nothing is in it
            tag = tag[:-2] + b">"
        self._around.begin(tag, b"", b"", b"</" + _name_in(tag) + b">")

    def _element(self, begins: int) -> bytes:
        """The bytes of the element that begins there and ends here."""
        tag = self._tag(begins)
        if tag.endswith(b"/>"):  # for an element without content expat tells no place of its end
            return tag
        at = self._parser.CurrentByteIndex
        return bytes(self._bytes[begins - self._offset : at - self._offset]) + self._tag(at)

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


class _ChildSplitter(XmlSplitter):
    """Every child of the root element, whatever the root is called: a list of canonical cards."""

    _must_find = False

    def __init__(self, record_bytes: int) -> None:
        super().__init__(("",), {}, record_bytes)

    def _start(self, name: str, _: object) -> None:  # noqa: ARG002 - the signature of expat's handlers
        self._depth += 1
        if self._depth == 1:
            self._matched = 1
            self._enter(self._parser.CurrentByteIndex)
        elif self._depth == 2 and self._begins < 0:  # noqa: PLR2004 - a child of the root
            self._begins = self._parser.CurrentByteIndex


class CardXmlSplitter:
    """Splits canonical cards: the document itself if its root is a card, else every child of its root."""

    def __init__(self, record_bytes: int) -> None:
        self._record_bytes = record_bytes
        self._splitter: WholeSplitter | XmlSplitter | None = None

    @property
    def held(self) -> int:
        """Bytes that are kept until the record that they belong to ends."""
        return 0 if self._splitter is None else self._splitter.held

    def feed(self, piece: bytes, *, final: bool = False) -> list[bytes]:
        """The records that end in this piece of the document, whose first one has the root's start tag.

        Raises:
            SubmissionError: the document is broken, or not safe.
        """
        if self._splitter is None:
            is_card = _root(piece) in CARD_ROOTS
            self._splitter = WholeSplitter(self._record_bytes) if is_card else _ChildSplitter(self._record_bytes)
        return self._splitter.feed(piece, final=final)


def _root(head: bytes) -> str:
    """Tag of the root element, as lxml writes it; empty where the beginning of the document has none."""
    found: list[str] = []
    parser = expat.ParserCreate(namespace_separator="}")

    def start(name: str, _: Any) -> None:  # noqa: ANN401 - expat's attributes
        if not found:
            found.append(name)

    parser.StartElementHandler = start
    with suppress(expat.ExpatError):  # whoever reads it whole says what is wrong
        parser.Parse(head, False)  # noqa: FBT003 - expat's own signature
    return "{" + found[0] if found and "}" in found[0] else ""
