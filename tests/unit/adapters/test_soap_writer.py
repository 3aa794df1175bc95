"""The body that we write is the body that zeep would write, and fits the contract's XSD."""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import zeep
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from zeep.wsse.username import UsernameToken

from hocba_hub import adapters
from hocba_hub.adapters.contracts import MINISTRY_WSDL, MINISTRY_XSD
from hocba_hub.adapters.destination import DestinationError, load_destinations
from hocba_hub.adapters.soap.contract import Contract, wsdl_document
from hocba_hub.adapters.soap.writer import UnwritableError, Written
from hocba_hub.adapters.translation import Translations
from hocba_hub.mappings.library.mapping_set import shipped_mappings
from hocba_hub.model.keys import Event
from tests.support.foreign_services import FOREIGN
from tests.support.sandbox_server import outbound_record

CONTRACT = Contract(MINISTRY_WSDL, "ReportCardsSoap11")
BODY = CONTRACT.writer("SubmitReportCards")
WRITER = BODY.below(["Record"])
NEEDED = {"RecordId", "Version", "Event", "SchoolYear", "SchoolCode", "MessageId"}
MINISTRY = load_destinations(Path(adapters.__file__).parent / "destinations", {})["ministry"]
TRANSLATIONS = Translations(MINISTRY, shipped_mappings)
SIGNED = b'<hocBa><ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/></hocBa>'
ZEEP = zeep.Client(str(MINISTRY_WSDL))
SCHEMA = etree.XMLSchema(etree.parse(str(MINISTRY_XSD)))
XML_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)


def canonical(element: etree._Element) -> str:
    """Canonical XML 2.0 with prefixes made equal."""
    out = io.StringIO()
    etree.canonicalize(etree.tostring(element).decode(), out=out, rewrite_prefixes=True)
    return out.getvalue()


def one(record) -> Written:
    (values,) = TRANSLATIONS.represent(record).records
    return WRITER.write(values)


def written(records) -> etree._Element:
    return etree.fromstring(b"".join(BODY.write({"Record": [one(record) for record in records]})))


def by_zeep(records) -> etree._Element:
    values = []
    for record in records:
        value = {
            "RecordId": record.key.record_id(),
            "Version": record.version,
            "Event": record.event.value,
            "SchoolYear": record.key.school_year,
            "SchoolCode": record.school,
            "MessageId": record.message_id,
        }
        if record.event is not Event.CANCEL:
            digest = hashlib.sha256(record.canonical).hexdigest()
            value |= {"Sha256": digest, "MediaType": "application/json", "Document": record.canonical}
        values.append(value)
    envelope = ZEEP.create_message(ZEEP.service, "SubmitReportCards", Record=values)
    return envelope.find("{http://schemas.xmlsoap.org/soap/envelope/}Body")[0]


@given(st.lists(st.tuples(XML_TEXT, st.binary(min_size=1, max_size=400), st.integers(1, 9)), min_size=1, max_size=4))
def test_equals_zeeps_serialisation_and_fits_the_schema(cards):
    records = [
        outbound_record(number, version, card_id=card_id, canonical=document, document=b"vendor's own")
        for number, (card_id, document, version) in enumerate(cards)
    ]
    records.append(outbound_record(99, 3, event=Event.CANCEL))
    ours = written(records)
    assert canonical(ours) == canonical(by_zeep(records))
    SCHEMA.assertValid(ours)


def test_a_signed_document_is_embedded_byte_for_byte_anything_else_as_the_canonical_card():
    for document, media_type, expected in (
        (SIGNED, "application/xml", (SIGNED, "application/xml")),
        (SIGNED, "text/xml; charset=utf-8", (SIGNED, "text/xml; charset=utf-8")),
        (SIGNED, "application/json", (b"{}", "application/json")),
        (b"<hocBa/>", "application/xml", (b"{}", "application/json")),
    ):
        record = replace(outbound_record(document=document), document_type=media_type)
        found = {etree.QName(child).localname: child.text for child in written([record])[0]}
        assert (base64.b64decode(found["Document"]), found["MediaType"]) == expected
        assert found["Sha256"] == hashlib.sha256(expected[0]).hexdigest()


def test_a_recall_carries_no_document():
    names = [etree.QName(child).localname for child in written([outbound_record(event=Event.CANCEL)])[0]]
    assert names == ["RecordId", "Version", "Event", "SchoolYear", "SchoolCode", "MessageId"]


def test_markup_in_a_card_id_stays_text():
    assert written([outbound_record(card_id="<x>&\"'\r")])[0][0].text == "2025-2026/<x>&\"'\r"


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\ufffe"])
def test_a_character_that_xml_cannot_hold_is_refused(character):
    with pytest.raises(UnwritableError):
        one(outbound_record(card_id=f"a{character}b"))


@pytest.mark.parametrize("document", ["<a/>", "a&b", "Đ", 7])
def test_a_document_that_is_not_in_base64_is_refused(document):
    with pytest.raises(UnwritableError):
        WRITER.children["Document"].write(document)


@pytest.mark.parametrize(
    ("record", "names", "named"),
    [
        ("Records", NEEDED, "Records"),
        ("Record", {*NEEDED, "Level"}, "Level"),
        ("Record", NEEDED - {"SchoolCode"}, "SchoolCode"),
    ],
)
def test_a_mapping_that_does_not_fit_the_wsdl_is_refused(record, names, named):
    with pytest.raises(DestinationError, match=named):
        BODY.below([record]).check(dict.fromkeys(names, ()))


FOREIGN_REQUESTS: list[tuple[str, str, str, dict[str, Any], dict[str, Any]]] = [
    (
        "store", "Kho12", "Luu",
        {"nguoiGui": {"donVi": "<33>", "truong": "a"}, "maHocBa": "1", "namHoc": "y", "phienBan": 3, "loai": "NEW",
         "noiDung": "e30="},
        {"noiDung": b"{}"},
    ),
    (
        "exchange", "TrucHocBa", "GuiGoi",
        {
            "DauGoi": {"DonVi": "33", "SoLuong": 2, "MaGoi": "g"},
            "NoiDung": {"HocBa": [
                {"@phienban": 1, "@sukien": "NEW", "Ma": "a", "HocSinh": {"MaHocSinh": "1", "HoTen": "Ă & <"},
                 "Diem": [{"@mon": 'T"V\n', "#text": "9"}, {"#text": "8"}]},
                {"@phienban": 2, "@sukien": "CANCEL", "Ma": "b", "HocSinh": {"MaHocSinh": "2", "HoTen": ""}},
            ]},
        },
        {"NoiDung": {"_value_1": [
            {"HocBa": {"phienban": 1, "sukien": "NEW", "Ma": "a", "HocSinh": {"MaHocSinh": "1", "HoTen": "Ă & <"},
                       "Diem": [{"mon": 'T"V\n', "_value_1": "9"}, {"_value_1": "8"}]}},
            {"HocBa": {"phienban": 2, "sukien": "CANCEL", "Ma": "b", "HocSinh": {"MaHocSinh": "2", "HoTen": ""}}},
        ]}},
    ),
    (
        "registry", "Registry", "Submit",
        {"sender": "hub", "cards": {"card": [{"@id": "a", "@revision": 1, "#text": "e30="}]}},
        {"cards": {"card": [{"id": "a", "revision": 1, "_value_1": b"{}"}]}},
    ),
    ("exchange", "TrucHocBa", "KeKhai", {"Loc": {"@tu": "a", "@soDong": 5, "Ma": ["b", "c"]}},
     {"Loc": {"tu": "a", "soDong": 5, "Ma": ["b", "c"]}}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "binding", "operation", "tree", "by_zeep"), FOREIGN_REQUESTS)
def test_requests_of_other_shapes_equal_zeeps_and_fit_the_schema(
    name: str, binding: str, operation: str, tree: dict[str, Any], by_zeep: dict[str, Any]
):
    path = FOREIGN / "contracts" / f"{name}.wsdl"
    contract = Contract(path, binding)
    ours = etree.fromstring(b"".join(contract.writer(operation).write(tree)))
    made = contract.operation(operation).create(**{**tree, **by_zeep}).content
    body = next(one for one in made if one.tag.endswith("}Body"))
    assert canonical(ours) == canonical(body[0])
    if name == "exchange":  # document/literal: the element of the body is the schema's
        found = etree.parse(path).find(".//{*}schema")
        etree.XMLSchema(found).assertValid(ours)


def test_the_frame_is_the_envelope_that_zeep_makes():
    for binding in ("ReportCardsSoap11", "ReportCardsSoap12"):
        contract = Contract(MINISTRY_WSDL, binding)
        token = UsernameToken("u", "p")
        before, after = contract.frame(token)
        ours = etree.fromstring(before + b"<x/>" + after)
        made = contract.operation("GetReportCard").create(RecordId="x").content
        token.apply(made, {})
        zeeps = etree.fromstring(etree.tostring(made))
        namespace = etree.QName(ours).namespace
        assert etree.QName(zeeps).namespace == namespace
        assert [child.tag for child in ours] == [child.tag for child in zeeps]
        assert canonical(ours.find(f"{{{namespace}}}Header")) == canonical(zeeps.find(f"{{{namespace}}}Header"))


def test_the_wsdl_is_parsed_once():
    assert wsdl_document(MINISTRY_WSDL) is wsdl_document(MINISTRY_WSDL)


def test_unknown_bindings_and_operations_are_named():
    with pytest.raises(DestinationError, match="ReportCardsSoap11"):
        Contract(MINISTRY_WSDL, "Nope")
    with pytest.raises(DestinationError, match="Nope"):
        CONTRACT.operation("Nope")
