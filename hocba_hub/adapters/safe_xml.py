"""Reading XML that somebody else wrote: no DTD, no entities, no network, bounded size and depth.

libxml2's own limits (depth 256, text nodes of 10 MB, entity amplification) stay on; a document type declaration is
refused before anything is parsed, and so is every encoding in which it could hide from that look.
"""

from __future__ import annotations

import re

from lxml import etree

from hocba_hub.model.errors import HubError

_DECLARED = re.compile(rb"<\?xml[^>]*?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_ASCII_COMPATIBLE = frozenset({b"utf-8", b"utf8", b"us-ascii", b"ascii"})
_BOM = b"\xef\xbb\xbf"


class UnsafeXmlError(HubError):
    """The document is not XML that we read."""


def parse_xml(document: bytes) -> etree._Element:
    """The root element; comments and processing instructions are left out.

    Raises:
        UnsafeXmlError: not well-formed, not UTF-8, has a DTD, or passes libxml2's limits.
    """
    text = document.removeprefix(_BOM).lstrip()
    if not text.startswith(b"<") or b"\0" in text:
        raise UnsafeXmlError("Expected XML in UTF-8.")
    declared = _DECLARED.match(text)
    if declared and declared[1].lower() not in _ASCII_COMPATIBLE:
        raise UnsafeXmlError("Expected XML in UTF-8; another encoding is declared.")
    if b"<!DOCTYPE" in text:
        raise UnsafeXmlError("A document type declaration is not read.")
    try:
        return etree.fromstring(text, _parser())
    except etree.XMLSyntaxError as error:
        raise UnsafeXmlError(f"Not well-formed: line {error.lineno}, column {error.offset}.") from error


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
