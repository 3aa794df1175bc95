"""Reading XML that somebody else wrote: no DTD, no entities, no network; bounded size, depth, attributes and text.

What bounds memory is looked at before the parser sees anything, with searches that run at the speed of memory. A
document type declaration is refused there too, and so is every encoding in which it could hide from that look.
libxml2's own limits (depth 256, text nodes of 10 MB, names of 50,000 bytes) stay on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from lxml import etree

from hocba_hub.model.errors import HubError

_DECLARED = re.compile(rb"<\?xml[^>]*?\sencoding\s*=\s*[\"']([A-Za-z0-9._:-]+)[\"']")
_ASCII_COMPATIBLE = frozenset({b"utf-8", b"utf8", b"us-ascii", b"ascii"})
_BOM = b"\xef\xbb\xbf"
_XINCLUDE = b"http://www.w3.org/2001/XInclude"
_HINT = b"chemaLocation"
_SCHEMA_HINT = re.compile(rb"[\s:](?:schemaLocation|noNamespaceSchemaLocation)\s*=")
_QUOTES_PER_TAG = 4
_QUOTES_SPARE = 50_000


class XmlDefect(StrEnum):
    """Why a document is not read."""

    TOO_LARGE = "too-large"
    ENCODING = "encoding"
    DTD = "dtd"
    TOO_MANY_TAGS = "too-many-tags"
    TOO_MANY_ATTRIBUTES = "too-many-attributes"
    LONG_ATTRIBUTE = "long-attribute"
    LONG_TEXT = "long-text"
    OUTSIDE = "outside"
    MALFORMED = "malformed"


_TEXTS: Mapping[XmlDefect, tuple[str, str]] = {
    XmlDefect.TOO_LARGE: ("Tài liệu XML quá lớn.", "The XML document is too large."),
    XmlDefect.ENCODING: (
        "Phải là XML bằng UTF-8, không có ký tự NUL.",
        "Expected XML in UTF-8, without NUL.",
    ),
    XmlDefect.DTD: (
        "Không nhận khai báo DTD (<!DOCTYPE>) và thực thể.",
        "A document type declaration (<!DOCTYPE>) and its entities are not read.",
    ),
    XmlDefect.TOO_MANY_TAGS: ("Quá nhiều thẻ XML.", "There are too many tags."),
    XmlDefect.TOO_MANY_ATTRIBUTES: ("Quá nhiều thuộc tính XML.", "There are too many attributes."),
    XmlDefect.LONG_ATTRIBUTE: ("Có thuộc tính XML quá dài.", "An attribute is too long."),
    XmlDefect.LONG_TEXT: ("Có văn bản hoặc thẻ XML quá dài.", "A text or a tag is too long."),
    XmlDefect.OUTSIDE: (
        "Không nhận XInclude và xsi:schemaLocation: hệ thống không đọc gì ngoài tài liệu.",
        "XInclude and xsi:schemaLocation are not taken: nothing outside of the document is read.",
    ),
    XmlDefect.MALFORMED: (
        "XML sai cú pháp tại dòng {line}, cột {column}.",
        "Not well-formed: line {line}, column {column}.",
    ),
}
"""Defect → what is said of it, in Vietnamese and in English."""


class UnsafeXmlError(HubError):
    """The document is not XML that we read. Says why in both languages, and where, but nothing of the document."""

    def __init__(self, defect: XmlDefect, line: int = 0, column: int = 0) -> None:
        """`line` and `column`, from 1, of `MALFORMED` alone."""
        vi, en = _TEXTS[defect]
        self.message_vi = vi.format(line=line, column=column)
        self.message_en = en.format(line=line, column=column)
        super().__init__(self.message_en)
        self.defect = defect


@dataclass(frozen=True, slots=True)
class XmlLimits:
    """What a document may be at most."""

    bytes: int = 64_000_000
    marks: int = 3_000_000
    """Start and end tags and quotes together: each makes a node of about 100 bytes in memory, or half of one."""
    text: int = 10_000_000
    """Bytes of one text, or of one tag."""
    attribute: int = 8_192
    """Bytes of one attribute's value."""
    may_point_outside: bool = True
    """Whether it may hold XInclude elements and hints where schemas are, which are not followed in any case."""


ANSWER = XmlLimits()
"""For the documents of a peer that we chose to ask."""


def parse_xml(document: bytes, limits: XmlLimits = ANSWER) -> etree._Element:
    """The root element; comments and processing instructions are left out.

    Raises:
        UnsafeXmlError: not well-formed, not UTF-8, has a DTD, or passes a limit.
    """
    if len(document) > limits.bytes:
        raise UnsafeXmlError(XmlDefect.TOO_LARGE)
    text = document.removeprefix(_BOM).lstrip()
    defect = next(_defects(text, limits), None)
    if defect is not None:
        raise UnsafeXmlError(defect)
    try:
        return etree.fromstring(text, _parser())
    except etree.XMLSyntaxError as error:
        raise UnsafeXmlError(XmlDefect.MALFORMED, error.lineno or 1, error.offset or 1) from error


def _defects(text: bytes, limits: XmlLimits) -> Iterator[XmlDefect]:
    """What forbids to parse the document at all; the cheapest look first."""
    declared = _DECLARED.match(text)
    known = declared is None or declared[1].lower() in _ASCII_COMPATIBLE
    if not known or not text.startswith(b"<") or b"\0" in text:
        yield XmlDefect.ENCODING
    if _has_stretch(text, limits.text):
        yield XmlDefect.LONG_TEXT
    if b"<!DOCTYPE" in text:
        yield XmlDefect.DTD
    tags, quotes = text.count(b"<"), text.count(b'"') + text.count(b"'")
    if tags > limits.marks:
        yield XmlDefect.TOO_MANY_TAGS
    # An attribute has two quotes, a text seldom any: cheaper to count than attributes, and bounds them all the same.
    if tags + quotes > limits.marks or quotes > _QUOTES_PER_TAG * tags + _QUOTES_SPARE:
        yield XmlDefect.TOO_MANY_ATTRIBUTES
    if re.search(rb"=\s*(?:\"[^\"<]{%d}|'[^'<]{%d})" % ((limits.attribute + 1,) * 2), text):
        yield XmlDefect.LONG_ATTRIBUTE
    if not limits.may_point_outside and _points_outside(text):
        yield XmlDefect.OUTSIDE


def _points_outside(text: bytes) -> bool:
    return _XINCLUDE in text or (_HINT in text and _SCHEMA_HINT.search(text) is not None)


def _has_stretch(text: bytes, longest: int) -> bool:
    """Whether more than `longest` bytes in a row have no `<` among them; looks at few of the bytes."""
    place, end = 0, len(text)
    while end - place > longest:
        place = text.rfind(b"<", place, place + longest + 1) + 1
        if not place:
            return True
    return False


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
