"""The contract: WSDL and schemas as they are published, and requests held against them, with places."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from hocba_hub.api.problems.request_errors import request_error
from hocba_hub.model.publication import xsd
from hocba_hub.model.xml_form import NAMESPACE as CARDS
from hocba_hub.model.xml_form import ROOTS

MESSAGES = "urn:hocba-hub:soap:1"
PROBLEM = "urn:ietf:rfc:7807"
OPERATIONS = (
    "SubmitReportCards",
    "ValidateReportCards",
    "GetSubmissionStatus",
    "GetReportCard",
    "RecallReportCard",
    "AcknowledgeReportCards",
)

_HERE = Path(__file__).parent
_XS = "{http://www.w3.org/2001/XMLSchema}"
_PREFIXES = {MESSAGES: "h:", CARDS: "c:"}
_LOCATION = b"http://localhost:8080/soap/v1"
_STEP = re.compile(r"/(?:[^/\[\]:]+:)?([^/\[\]]+)(?:\[([0-9]+)\])?")
_NAMESPACE = re.compile(r"\{[^}]*\}")
_EXPECTED = re.compile(r"Expected is (?:one of )?\( (.*) \)\.?$")
_LIMIT = re.compile(r"(?:minimum|maximum) value allowed is '([0-9]+)'")
_CODES: Mapping[str, str] = {
    "SCHEMAV_CVC_PATTERN_VALID": "string_pattern_mismatch",
    "SCHEMAV_CVC_MININCLUSIVE_VALID": "greater_than_equal",
    "SCHEMAV_CVC_MAXINCLUSIVE_VALID": "less_than_equal",
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1": "attribute",
    "SCHEMAV_CVC_TYPE_3_1_1": "attribute",
    "SCHEMAV_CVC_COMPLEX_TYPE_2_3": "text",
}
"""libxml2's name of an error → ours."""


def wsdl(address: str) -> bytes:
    """The WSDL, its ports at `address`."""
    return (_HERE / "hocba-hub.wsdl").read_bytes().replace(_LOCATION, escape(address, {'"': "&quot;"}).encode())


@cache
def schema(name: str) -> bytes | None:
    """The XSD that the WSDL imports as `?xsd=name`; None if there is none of that name."""
    match name:
        case "messages" | "problem":
            return (_HERE / f"{name}.xsd").read_bytes()
        case "report-card":
            return xsd()
        case _:
            return None


def request_errors(operation: etree._Element) -> list[dict[str, str]]:
    """Everything in a request that is not by the XSD, the cards apart: those are judged record by record.

    An entry says what was expected where, never what was found; `xpath` uses the prefixes `h` for the messages and
    `c` for the cards, and begins at the operation's element.
    """
    validator = _validator()
    if validator.validate(operation):
        return []
    return list(_errors(operation, validator.error_log))


def _errors(operation: etree._Element, log: Any) -> Iterator[dict[str, str]]:  # noqa: ANN401 - lxml's log
    seen: set[str] = set()
    for entry in log:
        element = _found(operation, entry.path or "")
        place = _xpath(element)
        if place in seen:  # libxml2 says twice that a value is not right: by its facet, and by its type
            continue
        seen.add(place)
        code, expected = _said(entry.type_name, entry.message)
        error = request_error(code, ("body", *_pointer(element)), expected)
        yield error | {"xpath": place}


def _said(kind: str, message: str) -> tuple[str, str]:
    """Our code for an error, and what the schema expects; libxml2's message also quotes the value: never passed on."""
    if kind == "SCHEMAV_ELEMENT_CONTENT":
        match = _EXPECTED.search(message)
        expected = _NAMESPACE.sub("", match[1]).replace("*", ", ".join(ROOTS.values())) if match else ""
        return ("missing" if "Missing child" in message else "element"), expected
    code = _CODES.get(kind, "value")
    limit = _LIMIT.search(message) if code in {"greater_than_equal", "less_than_equal"} else None
    return code, limit[1] or "" if limit else ""


def _found(operation: etree._Element, path: str) -> etree._Element:
    """The element at a path as libxml2 writes it, where `*` stands for elements of a default namespace."""
    element = operation
    for name, position in _STEP.findall(path)[1:]:
        same = [child for child in element if name == "*" or etree.QName(child).localname == name]
        place = int(position or 1) - 1
        if place >= len(same):
            break
        element = same[place]
    return element


def _steps(element: etree._Element) -> list[tuple[etree._Element, int | None]]:
    """The way from the operation's element, each with its place among its like where it has a like."""
    steps: list[tuple[etree._Element, int | None]] = []
    step: etree._Element | None = element
    while step is not None and etree.QName(step).localname != "Body":
        parent = step.getparent()
        same = [] if parent is None else parent.findall(str(step.tag))
        steps.insert(0, (step, same.index(step) if len(same) > 1 else None))
        step = parent
    return steps


def _xpath(element: etree._Element) -> str:
    return "".join(
        f"/{_PREFIXES.get(etree.QName(step).namespace or '', '*:')}{etree.QName(step).localname}"
        + (f"[{place + 1}]" if place is not None else "")
        for step, place in _steps(element)
    )


def _pointer(element: etree._Element) -> Iterator[str | int]:
    for step, place in _steps(element)[1:]:
        yield etree.QName(step).localname
        if place is not None:
            yield place


@cache
def _validator() -> etree.XMLSchema:
    """The published schema of the messages, but for the cards: any element of their namespace will do there."""
    root = etree.fromstring((_HERE / "messages.xsd").read_bytes())
    for imported in root.findall(f"{_XS}import"):
        root.remove(imported)
    for choice in root.iter(f"{_XS}choice"):
        cards = [element for element in choice if element.get("ref")]
        if cards:
            choice.insert(0, etree.Element(f"{_XS}any", namespace=CARDS, processContents="skip"))
            for card in cards:
                choice.remove(card)
    return etree.XMLSchema(root)
