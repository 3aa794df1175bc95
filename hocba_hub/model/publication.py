"""The canonical model as others can use it: a JSON Schema and an XSD, both generated from the pydantic model.

The schemas say all that can be said of each field by itself; what must fit together (grade and level, a subject
twice, a day that exists) is said by the findings `card.*` of the catalogue.
"""

from __future__ import annotations

import json
from typing import Any

from lxml import etree

from hocba_hub.model.card import CARD
from hocba_hub.model.xml_form import NAMESPACE, ROOTS

_XS = "http://www.w3.org/2001/XMLSchema"
_TITLE = "Học bạ số: canonical report card of hocba-hub"
_BASES = {"string": "xs:string", "integer": "xs:int", "boolean": "xs:boolean"}
_FACETS = {
    "minLength": "minLength",
    "maxLength": "maxLength",
    "minimum": "minInclusive",
    "maximum": "maxInclusive",
}
"""JSON Schema keyword → XSD facet."""


def json_schema() -> bytes:
    """The JSON Schema (2020-12) of a report card; each field with `label_vi`, `ndc` and `source`."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": NAMESPACE,
        "title": _TITLE,
        **CARD.json_schema(),
    }
    del schema["discriminator"]  # a keyword of OpenAPI
    return json.dumps(schema, ensure_ascii=False, indent=2).encode() + b"\n"


def xsd() -> bytes:
    """The XSD (1.0) of a report card in its XML form; one root element for each kind of card."""
    definitions = CARD.json_schema()["$defs"]
    root = etree.Element(
        f"{{{_XS}}}schema",
        {"targetNamespace": NAMESPACE, "elementFormDefault": "qualified"},
        nsmap={"xs": _XS, None: NAMESPACE},  # type: ignore[dict-item] # lxml: None is the default namespace
    )
    _documented(root, {"title": _TITLE})
    for name in ROOTS.values():
        _child(root, "element", name=name, type=_type_name(name))
    for name, definition in definitions.items():
        part = _child(root, "complexType", name=name)
        sequence = _child(part, "sequence")
        required = definition.get("required", ())
        for field, facts in definition["properties"].items():
            _element(sequence, field, facts, is_required=field in required)
    return etree.tostring(root, pretty_print=True, xml_declaration=True, encoding="UTF-8")


def _type_name(root: str) -> str:
    return "".join(word.capitalize() for word in root.split("_"))


def _element(sequence: etree._Element, name: str, facts: dict[str, Any], *, is_required: bool) -> None:
    """One field: a list is an element that repeats."""
    shape = next((kind for kind in facts.get("anyOf", ()) if kind.get("type") != "null"), facts)
    element = _child(sequence, "element", name=name)
    if shape.get("type") == "array":
        element.set("minOccurs", str(facts.get("minItems", shape.get("minItems", 0))))
        element.set("maxOccurs", str(shape["maxItems"]))
        shape = shape["items"]
    elif not is_required:
        element.set("minOccurs", "0")
    _documented(element, facts)
    if "$ref" in shape:
        element.set("type", shape["$ref"].rpartition("/")[2])
    else:
        _restricted(element, shape)


def _restricted(element: etree._Element, shape: dict[str, Any]) -> None:
    base = _BASES[shape["type"]]
    values = [shape["const"]] if "const" in shape else shape.get("enum", ())
    facets = [("enumeration", value) for value in values]
    facets += [(facet, shape[keyword]) for keyword, facet in _FACETS.items() if keyword in shape]
    if "pattern" in shape:
        facets.append(("pattern", shape["pattern"].removeprefix("^").removesuffix("$")))
    if not facets:
        element.set("type", base)
        return
    restriction = _child(_child(element, "simpleType"), "restriction", base=base)
    for facet, value in facets:
        _child(restriction, facet, value=str(value))


def _documented(element: etree._Element, facts: dict[str, Any]) -> None:
    annotation = _child(element, "annotation")
    if facts.get("ndc"):
        _child(annotation, "appinfo", source="ndc").text = facts["ndc"]
    if facts.get("source"):
        _child(annotation, "appinfo", source="source").text = facts["source"]
    documentation = _child(annotation, "documentation")
    documentation.set("{http://www.w3.org/XML/1998/namespace}lang", "vi")
    documentation.text = facts["title"]


def _child(parent: etree._Element, tag: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{_XS}}}{tag}", attributes)
