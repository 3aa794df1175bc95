"""Reading a card from its XML form: the element becomes canonical JSON, then the same checks as of JSON.

What the XSD says of each value is said by those checks, in words; what only XML can get wrong is said here: another
root, an order that the schema does not have, attributes, text between elements. Together they refuse whatever the
published XSD refuses (a test compares the two).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

import orjson
from lxml import etree

from hocba_hub.model import finding_kinds as kinds
from hocba_hub.model.card import CARD
from hocba_hub.model.findings import Finding
from hocba_hub.model.reading import Reading, read_card
from hocba_hub.model.safe_xml import UnsafeXmlError, XmlLimits, parse_xml
from hocba_hub.model.xml_form import NAMESPACE, ROOTS

KINDS = {f"{{{NAMESPACE}}}{root}": kind for kind, root in ROOTS.items()}
"""Tag of a card's root element → its kind."""
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
"""May stand in the root of a signed card; it is kept with the card's bytes, and not read."""

_STRAY = etree.XPath("boolean(descendant-or-self::*/@* | descendant-or-self::*[*]/text()[normalize-space()])")
_WHOLE = re.compile(r"[+-]?[0-9]{1,9}")
_SPACE = " \t\r\n"
_TRUTH = {"true": True, "1": True, "false": False, "0": False}
_STEP = re.compile(r"/([0-9]+)(?=/|$)")


@dataclass(frozen=True, slots=True)
class _Field:
    """One element of the XSD."""

    rank: int
    name: str
    is_list: bool
    shape: Literal["string", "integer", "boolean"] | dict[str, _Field]


def read_xml_card(element: etree._Element) -> Reading:
    """Read a canonical card from its root element; all findings at once, whatever it holds."""
    kind = KINDS.get(str(element.tag))
    if kind is None:
        return Reading(None, b"", [Finding(kinds.XML_ROOT, "", ", ".join(ROOTS.values()))], None, None, None)
    against: list[Finding] = []
    values = _part(element, _roots()[kind], "", against)
    if _STRAY(element):
        against += _strays(element, _roots()[kind], "")
    if values.get("kind", kind) != kind:
        against.append(Finding(kinds.XML_ROOT, "/kind", ROOTS[kind]))
    reading = read_card(orjson.dumps(values), keys_are_unique=True)
    if not against:
        return reading
    card, findings = reading.card, [*against, *reading.findings]
    if card is None:
        return replace(reading, findings=findings)
    return Reading(None, b"", findings, card.school_year, card.card_id, card.school.code)


def read_xml_document(document: bytes, limits: XmlLimits, *, is_split_off: bool = False) -> Reading:
    """Read a card from a whole XML document; a document that is not read at all is a finding too.

    A card that was split off a list still has the list's root around it: `is_split_off`.
    """
    try:
        root = parse_xml(document, limits)
    except UnsafeXmlError as error:
        finding = Finding(kinds.XML_UNSAFE, "", facts={"vi": error.message_vi, "en": error.message_en})
        return Reading(None, b"", [finding], None, None, None)
    return read_xml_card(root[0] if is_split_off and root.tag not in KINDS and len(root) else root)


def xpath(pointer: str) -> str:
    """A place in a card, given as JSON Pointer, as an XPath whose prefix `c` is the namespace of the cards."""
    steps = _STEP.sub(lambda step: f"[{int(step[1]) + 1}]", pointer).split("/")[1:]
    return "".join(["/*", *(f"/c:{step}" for step in steps)])


def _part(element: etree._Element, fields: dict[str, _Field], pointer: str, against: list[Finding]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    rank = 0
    for child in element:
        field = fields.get(child.tag)
        if field is None:
            if child.tag != SIGNATURE or pointer:
                name = etree.QName(child).localname
                against.append(Finding(kinds.UNKNOWN_FIELD, f"{pointer}/{name}"))
            continue
        name = field.name
        if field.rank < rank:
            against.append(Finding(kinds.XML_ORDER, f"{pointer}/{name}"))
        rank = field.rank
        shape = field.shape
        value: Any
        if shape.__class__ is dict:
            here = f"{pointer}/{name}/{len(values.get(name, ()))}" if field.is_list else f"{pointer}/{name}"
            value = _part(child, shape, here, against)
        else:
            value = child.text or ""
            if shape != "string" or len(child):
                value = _value(child, value, str(shape))
        if field.is_list:
            values.setdefault(name, []).append(value)
        elif name in values:
            values[name] = [values[name], value]  # two where one is expected: the checks say so
        else:
            values[name] = value
    if not len(element) and (element.text or "").strip(_SPACE):
        against.append(Finding(kinds.XML_TEXT, pointer))
    return values


def _value(element: etree._Element, text: str, shape: str) -> object:
    """The JSON value of an element that holds no text; what is not of the shape is left for the checks to find."""
    if len(element):
        return {}
    text = text.strip(_SPACE)
    if shape == "boolean":
        return _TRUTH.get(text, text)
    return int(text) if _WHOLE.fullmatch(text) else text


def _strays(element: etree._Element, fields: dict[str, _Field], pointer: str) -> Iterator[Finding]:
    """Attributes, and text between elements."""
    seen: dict[str, int] = {}
    if element.keys():
        yield Finding(kinds.XML_ATTRIBUTE, pointer)
    texts = [element.text, *(child.tail for child in element)]
    if len(element) and any(text and text.strip(_SPACE) for text in texts):
        yield Finding(kinds.XML_TEXT, pointer)
    for child in element:
        field = fields.get(str(child.tag))
        if field is not None:
            here = f"{pointer}/{field.name}"
            if field.is_list:
                here += f"/{seen.setdefault(field.name, 0)}"
                seen[field.name] += 1
            yield from _strays(child, field.shape if isinstance(field.shape, dict) else {}, here)


@cache
def _roots() -> dict[str, dict[str, _Field]]:
    """Kind of card → its elements, by tag."""
    definitions = CARD.json_schema()["$defs"]

    @cache
    def part(name: str) -> dict[str, _Field]:
        properties = definitions[name]["properties"].items()
        return {f"{{{NAMESPACE}}}{key}": _field(rank, key, facts) for rank, (key, facts) in enumerate(properties)}

    def _field(rank: int, key: str, facts: dict[str, Any]) -> _Field:
        shape = next((one for one in facts.get("anyOf", ()) if one.get("type") != "null"), facts)
        is_list = shape.get("type") == "array"
        shape = shape["items"] if is_list else shape
        return _Field(rank, key, is_list, part(shape["$ref"].rpartition("/")[2]) if "$ref" in shape else shape["type"])

    return {kind: part("".join(word.capitalize() for word in root.split("_"))) for kind, root in ROOTS.items()}
