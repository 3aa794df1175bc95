"""A card's XML form is read as its JSON is, and whatever the published XSD refuses is refused."""

from __future__ import annotations

import copy
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from hocba_hub.model.card import CARD
from hocba_hub.model.publication import xsd
from hocba_hub.model.reading import read_card
from hocba_hub.model.safe_xml import XmlLimits, parse_xml
from hocba_hub.model.xml_form import NAMESPACE
from hocba_hub.model.xml_reading import read_xml_card, read_xml_document, xpath
from hocba_hub.sandbox.synthetic import generate
from tests.support.xml_cards import canonical_xml

CARDS = [card for card in generate(60, 5) if read_card(card).card is not None]
ROOTS = [parse_xml(canonical_xml(CARD.validate_json(card))) for card in CARDS]
SCHEMA = etree.XMLSchema(etree.fromstring(xsd()))
C = f"{{{NAMESPACE}}}"


def mutable(name: str = "secondary_card") -> etree._Element:
    return copy.deepcopy(next(root for root in ROOTS if root.tag == C + name))


def findings(root: etree._Element) -> list[tuple[str, str]]:
    reading = read_xml_card(root)
    assert reading.card is None
    return [(finding.kind.code, finding.pointer) for finding in reading.findings]


def test_every_card_is_the_same_from_xml_and_from_json():
    for card, root in zip(CARDS, ROOTS, strict=True):
        assert read_xml_card(root).canonical == card


def test_white_space_between_elements_and_other_ways_to_write_values_change_nothing():
    root = mutable()
    expected = read_xml_card(root).canonical
    root.find(f"{C}transcribed").text = " 0\n"
    root.find(f"{C}class/{C}grade").text = f" +0{root.find(f'{C}class/{C}grade').text} "
    pretty = etree.tostring(root, pretty_print=True)
    assert read_xml_document(pretty, XmlLimits()).canonical == expected


def test_a_signature_is_kept_apart():
    root = mutable()
    expected = read_xml_card(root).canonical
    signature = etree.SubElement(root, "{http://www.w3.org/2000/09/xmldsig#}Signature", Id="s")
    signature.text = "x"
    assert read_xml_card(root).canonical == expected
    root.find(f"{C}pupil").append(signature)
    assert ("schema.unknown-field", "/pupil/Signature") in findings(root)


def test_what_only_xml_can_get_wrong_is_found_with_its_place():
    root = mutable()
    root[0].set("a", "1")
    root.find(f"{C}pupil").append(root.find(f"{C}pupil")[0])
    root.find(f"{C}year")[1].text = "stray"
    family = root.find(f"{C}family")
    family[:] = []
    family.text = "stray"
    subjects = root.find(f"{C}year")
    subjects.text = "stray"
    found = findings(root)
    assert ("xml.attribute", "/card_id") in found
    assert ("xml.order", "/pupil/full_name") in found
    assert ("xml.text", "/family") in found
    assert ("xml.text", "/year") in found
    assert ("xml.text", "/year/subjects/1") in found


def test_values_are_judged_as_those_of_json():
    root = mutable()
    root.find(f"{C}card_id").text = "no blank"
    root.find(f"{C}class/{C}grade").text = "six"
    root.find(f"{C}school").remove(root.find(f"{C}school/{C}name"))
    root.append(etree.Element(f"{C}colour"))
    etree.SubElement(root.find(f"{C}circular"), f"{C}inside")
    root.insert(1, copy.deepcopy(root[0]))
    found = findings(root)
    assert ("schema.type", "/class/grade") in found
    assert ("schema.missing", "/school/name") in found
    assert ("schema.unknown-field", "/colour") in found
    assert "/circular" in dict(map(reversed, found))
    assert "/card_id" in dict(map(reversed, found))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda root: setattr(root, "tag", C + "card"), "xml.root"),
        (lambda root: setattr(root, "tag", "secondary_card"), "xml.root"),
        (lambda root: setattr(root.find(C + "kind"), "text", "continuing"), "xml.root"),
        (lambda root: setattr(root.find(C + "kind"), "text", ""), "xml.root"),
    ],
)
def test_the_root_and_the_kind_go_together(change, code):
    root = mutable()
    change(root)
    assert code in dict(findings(root))


def test_a_document_that_is_not_read_is_a_finding():
    (finding,) = read_xml_document(b"<!DOCTYPE a []><a/>", XmlLimits()).findings
    shown = finding.as_json()
    assert shown["code"] == "xml.unsafe"
    assert "DOCTYPE" in shown["message_vi"]
    assert "not read" in shown["message_en"]


def test_a_pointer_as_xpath():
    place = xpath("/year/subjects/3/term1")
    assert place == "/*/c:year/c:subjects[4]/c:term1"
    assert xpath("") == "/*"
    (found,) = mutable().getroottree().xpath(place, namespaces={"c": NAMESPACE})
    assert found.tag == f"{C}term1"


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False))
def test_whatever_the_xsd_refuses_is_refused(chance: random.Random):
    root = copy.deepcopy(chance.choice(ROOTS))
    for _ in range(chance.randint(1, 3)):
        element = chance.choice(list(root.iter()))
        parent = element.getparent()
        match chance.randrange(8):
            case 0 if parent is not None:
                parent.remove(element)
            case 1 if parent is not None:
                parent.append(element)
            case 2 if parent is not None:
                parent.insert(chance.randrange(len(parent) + 1), copy.deepcopy(element))
            case 3:
                element.text = chance.choice(["", "x", " ", "0", "true", "2026-01-01", "Đ" * 3000, "1" * 30])
            case 4:
                element.tail = chance.choice(["", " \n", "x"]) if parent is not None else None
            case 5:
                element.set(chance.choice(["a", "{urn:x}a", "{http://www.w3.org/2001/XMLSchema-instance}nil"]), "1")
            case 6:
                element.tag = chance.choice([f"{C}name", "name", f"{C}unknown", "{urn:x}name"])
            case _:
                element.append(copy.deepcopy(chance.choice(list(root))))
    if not SCHEMA.validate(root):
        assert read_xml_card(root).card is None, SCHEMA.error_log
