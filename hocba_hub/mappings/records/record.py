"""Records of JSON and XML documents as plain trees, each knowing how to name the place of its values.

An element of XML becomes: its text, if it has neither attributes nor child elements; else a dict of its child
elements (a list where a name repeats), its attributes as `@name`, its own text as `#text`. Names carry the prefix
that the mapping gives their namespace; `xsi:nil` is nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from lxml import etree

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.document.document import Source
from hocba_hub.mappings.document.paths import TEXT, Path, Steps, items
from hocba_hub.mappings.values.value import JsonValue, ValueRejected
from hocba_hub.mappings.yaml_reading import pointer_to
from hocba_hub.model.errors import HubError
from hocba_hub.model.findings import Finding

_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


class Record(Protocol):
    """One record of a source."""

    @property
    def node(self) -> JsonValue:
        """The record as a plain tree."""
        ...

    def place(self, steps: Steps) -> str:
        """Where in the source the steps lead: JSON Pointer, XPath or sheet!cell."""
        ...


class JsonRecord(NamedTuple):
    """A record of a parsed JSON document."""

    node: JsonValue
    above: Steps = ()
    """Steps from the document to the record."""

    def place(self, steps: Steps) -> str:
        """JSON Pointer into the document."""
        return pointer_to(*self.above, *steps)


@dataclass(frozen=True, slots=True)
class XmlRecord:
    """A record of an XML document."""

    node: JsonValue
    root: str
    """Name of the document's root element."""
    document: JsonValue
    """The root element as a plain tree."""
    above: Steps = ()

    def place(self, steps: Steps) -> str:
        """XPath into the document, with the mapping's prefixes."""
        node, path = self.document, f"/{self.root}"
        for step in (*self.above, *steps):
            if isinstance(step, int):
                path += f"[{step + 1}]"
                node = node[step] if isinstance(node, list) and -len(node) <= step < len(node) else None
            else:
                path += "/text()" if step == TEXT else f"/{step}"
                node = node.get(step) if isinstance(node, dict) else None
        return path


class XmlError(HubError):
    """A document is not well-formed XML, or not safe; the message says where, never what."""


def parse_xml(text: str) -> etree._Element:
    """The root of a small XML document, such as an example: no DTD, no entities, no network.

    Raises:
        XmlError: it is not well-formed, or has a DTD.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(text.strip().encode(), parser)
    except (etree.XMLSyntaxError, UnicodeEncodeError) as error:
        raise XmlError(f"line {getattr(error, 'lineno', 1)}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise XmlError("DTD")
    return root


def json_records(document: JsonValue, source: Source) -> Iterator[Record | Finding]:
    """The records of a parsed JSON document, or the finding that there are none."""
    if source.records is None:
        records = enumerate(document) if isinstance(document, list) else None
        yield from [JsonRecord(document)] if records is None else (JsonRecord(one, (n,)) for n, one in records)
        return
    yield from _at(document, source.records, JsonRecord, "/" + source.records.text)


def xml_records(root: etree._Element, source: Source) -> Iterator[Record | Finding]:
    """The records of an XML document; paths begin below its root element."""
    names = _Names(source.namespaces)
    document, name = element_node(root, names), names[str(root.tag)]
    if source.records is None:
        yield XmlRecord(document, name, document)
        return
    yield from _at(
        document,
        source.records,
        lambda node, above: XmlRecord(node, name, document, above),
        f"/{name}/{source.records.text}",
    )


def _at(
    document: JsonValue, path: Path, make: Callable[[JsonValue, Steps], Record], expected: str
) -> Iterator[Record | Finding]:
    try:
        hits = items(path)((document, None, (), 1))
    except ValueRejected:
        hits = []
    if not hits:
        yield Finding(kinds.NO_RECORDS, "", expected)
    for steps, node in hits:
        yield make(node, steps)


class _Names(dict[str, str]):
    """Element and attribute names as lxml has them → as paths have them."""

    def __init__(self, namespaces: Mapping[str, str]) -> None:
        super().__init__()
        self.prefixes = {uri: prefix for prefix, uri in namespaces.items()}

    def __missing__(self, tag: str) -> str:
        uri, _, local = tag.removeprefix("{").rpartition("}")
        prefix = self.prefixes.get(uri) if uri else ""
        name = tag if prefix is None else f"{prefix}:{local}" if prefix else local
        self[tag] = name
        return name


def element_node(element: etree._Element, names: Mapping[str, str]) -> JsonValue:
    """An element as a plain tree."""
    attributes = element.items()
    if not attributes and not len(element):
        return element.text or ""
    node: dict[str, JsonValue] = {}
    for attribute, content in attributes:
        if attribute == _NIL and content in ("true", "1"):
            return None
        node["@" + names[str(attribute)]] = content
    text = element.text or ""
    for child in element:
        tag: object = child.tag
        if not isinstance(tag, str):
            text += child.tail or ""
            continue
        name, value = names[tag], element_node(child, names)
        if name not in node:
            node[name] = value
        elif isinstance(node[name], list):
            node[name].append(value)
        else:
            node[name] = [node[name], value]
    if not node:
        return text
    if text and not text.isspace():
        node[TEXT] = text
    return node
