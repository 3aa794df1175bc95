"""Records of JSON and XML documents as plain trees, each knowing how to name the place of its values.

An element of XML becomes: its text, if it has neither attributes nor child elements; else a dict of its child
elements (a list where a name repeats), its attributes as `@name`, its own text as `#text`. Names carry the prefix
that the mapping gives their namespace; `xsi:nil` is nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from lxml import etree

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.document.document import Source
from hocba_hub.mappings.document.paths import HEAD, TEXT, Path, Scope, Steps
from hocba_hub.mappings.values.value import JsonValue
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

    @property
    def around(self) -> Scope | None:
        """The object of its document that the record stands in, without the records; None for a record by itself."""
        ...

    def place(self, steps: Steps) -> str:
        """Where the steps lead: JSON Pointer or XPath within the record, or sheet!cell.

        What stands around the record has a place that begins with `//`, as paths to it do.
        """
        ...


def root_scope(record: Record) -> Scope:
    """What the rules of a mapping begin with."""
    return record.node, record.around, (), 1


class JsonRecord(NamedTuple):
    """A record of a parsed JSON document."""

    node: JsonValue
    around: Scope | None = None

    def place(self, steps: Steps) -> str:
        """JSON Pointer."""
        return HEAD + pointer_to(*steps[1:])[1:] if steps[:1] == (HEAD,) else pointer_to(*steps)


class XmlRecord(NamedTuple):
    """A record of an XML document."""

    node: JsonValue
    name: str
    """Of its element."""
    around: Scope | None = None

    def place(self, steps: Steps) -> str:
        """XPath, with the mapping's prefixes."""
        node, path = self.node, f"/{self.name}"
        if steps[:1] == (HEAD,):
            node, path, steps = _document(self.around), "/", steps[1:]
        for step in steps:
            if isinstance(step, int):
                path += f"[{step + 1}]"
                node = node[step] if isinstance(node, list) and -len(node) <= step < len(node) else None
            else:
                path += "/text()" if step == TEXT else f"/{step}"
                node = node.get(step) if isinstance(node, dict) else None
        return path


def _document(scope: Scope | None) -> JsonValue:
    while scope is not None and scope[1] is not None:
        scope = scope[1]
    return None if scope is None else scope[0]


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
    """The records of a parsed JSON document, or the finding that there are none; those of an array are its elements."""
    if isinstance(document, list):
        yield from map(JsonRecord, document)
    elif source.records is None:
        yield JsonRecord(document)
    else:
        yield from _listed(document, source.records, JsonRecord, HEAD)


def xml_records(root: etree._Element, source: Source) -> Iterator[Record | Finding]:
    """The records of an XML document; paths begin below its root element."""
    names = _Names(source.namespaces)
    document, name = element_node(root, names), names[str(root.tag)]
    if source.records is None:
        yield XmlRecord(document, name)
        return
    element = source.records.names[-1]
    yield from _listed(document, source.records, lambda node, around: XmlRecord(node, element, around), f"/{name}/")


def _listed(
    document: JsonValue, path: Path, make: Callable[[JsonValue, Scope], Record], begin: str
) -> Iterator[Record | Finding]:
    found = False
    for node, around in _under(document, path.names, None, ()):
        found = True
        yield make(node, around)
    if not found:
        yield Finding(kinds.NO_RECORDS, "", begin + path.text.removeprefix("/"))


def _under(
    node: JsonValue, names: Sequence[str], above: Scope | None, steps: Steps
) -> Iterator[tuple[JsonValue, Scope]]:
    """The nodes that the names lead to, lists on the way taken item by item; each with the objects around it."""
    if isinstance(node, list):
        for one in node:
            yield from _under(one, names, above, steps)
        return
    name, *rest = names
    if not isinstance(node, dict) or name not in node:
        return
    around: Scope = ({key: value for key, value in node.items() if key != name}, above, steps, 0)
    child = node[name]
    if rest:
        yield from _under(child, rest, around, (name,))
    else:
        yield from ((one, around) for one in (child if isinstance(child, list) else [child]) if one not in (None, ""))


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


def element_names(namespaces: Mapping[str, str]) -> Mapping[str, str]:
    """Names as lxml has them → as paths have them, with the prefixes of a mapping."""
    return _Names(namespaces)


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
