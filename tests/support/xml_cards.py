"""Cards written in the XML form that the published XSD describes."""

from __future__ import annotations

from typing import Any

from lxml import etree

from hocba_hub.model.card import ReportCard
from hocba_hub.model.xml_form import NAMESPACE, ROOTS


def canonical_xml(card: ReportCard) -> bytes:
    """The card in the XML form that the published XSD describes: UTF-8, no white space between elements.

    Every card that was read has one: reading refuses the characters that XML 1.0 cannot hold (section 2.2).
    """
    root = etree.Element(f"{{{NAMESPACE}}}{ROOTS[card.kind]}", nsmap={None: NAMESPACE})  # type: ignore[dict-item] # None: the default one
    _fill(root, card.model_dump(by_alias=True, exclude_none=True))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _fill(element: etree._Element, part: dict[str, Any]) -> None:
    for name, value in part.items():
        for item in value if isinstance(value, tuple) else (value,):
            child = etree.SubElement(element, f"{{{NAMESPACE}}}{name}")
            match item:
                case dict():
                    _fill(child, item)
                case bool():
                    child.text = "true" if item else "false"
                case _:
                    child.text = str(item)
