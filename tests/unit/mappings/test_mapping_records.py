"""Records of JSON, XML and rows: one tree, and places that a person finds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocba_hub.mappings.compile.compiled_mapping import compile_mapping
from hocba_hub.mappings.document.parse import load_document
from hocba_hub.mappings.records.record import XmlError, json_records, parse_xml, xml_records
from hocba_hub.mappings.records.rows import Sheet, header_names, row_records
from hocba_hub.mappings.records.sheet_rows import letter
from hocba_hub.model.findings import Finding

XML = """<?xml version="1.0" encoding="UTF-8"?>
<ds:DanhSach xmlns:ds="urn:ds" xmlns="urn:hb" xmlns:o="urn:other" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <HocBa ma="H1"><!-- note --><HoTen ngay="2015">An<?pi x?> Bình</HoTen>
    <Diem mon="TOAN"><HK1>8,5</HK1></Diem><Diem mon="VAN"><HK1/><o:X>1</o:X></Diem><Nghi xsi:nil="true"/></HocBa>
  <HocBa ma="H2"><Diem mon="LY"><HK1>khá</HK1></Diem></HocBa>
</ds:DanhSach>"""

DOCUMENT = """mapping: m
version: 1.0.0
source:
  format: xml
  records: hb:HocBa
  namespaces: {hb: urn:hb, o: urn:other}
target: t
fields:
  id: '@ma'
  name: {from: hb:HoTen, required: true}
  born: hb:HoTen/@ngay
  absent: {from: hb:Nghi, default: 0}
  rows: {each: hb:Diem, fields: {code: '@mon', mark: {from: hb:HK1, apply: [decimal]}, x: o:X}}
"""


def translated(text, records):
    document = load_document(text)
    made = compile_mapping(document, {})
    return [one if isinstance(one, Finding) else made.translate(one) for one in records(document.source)]


def test_xml_with_namespaces_attributes_and_places_as_xpath():
    first, second = translated(DOCUMENT, lambda source: xml_records(parse_xml(XML), source))
    assert first.output == {
        "id": "H1",
        "name": "An Bình",
        "born": "2015",
        "absent": 0,
        "rows": [{"code": "TOAN", "mark": "8.5"}, {"code": "VAN", "x": "1"}],
    }
    assert first.findings == ()
    assert [(f.kind.code, f.pointer) for f in second.findings] == [
        ("mapping.value.missing", "/hb:HocBa/hb:HoTen"),
        ("mapping.value.unreadable", "/hb:HocBa/hb:Diem/hb:HK1"),
    ]


def test_the_default_namespace_may_have_no_prefix_and_the_root_may_be_the_record():
    text = (
        DOCUMENT.replace("  records: hb:HocBa\n", "").replace("hb: urn:hb", "'': urn:hb, ds: urn:ds").replace("hb:", "")
    )
    (made,) = translated(text.replace("'@ma'", "HocBa[@ma=H2]/@ma"), lambda s: xml_records(parse_xml(XML), s))
    assert made.output["id"] == "H2"
    assert made.findings[0].pointer == "/ds:DanhSach/HoTen"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<a>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        "<!DOCTYPE a SYSTEM 'file:///etc/hostname'><a/>",
        "<a>\ud800</a>",
        "<a>" * 300 + "</a>" * 300,
    ],
)
def test_xml_that_is_not_safe_or_not_xml(text):
    with pytest.raises(XmlError):
        parse_xml(text)


@pytest.mark.parametrize(
    ("records", "document", "found"),
    [
        ("", {"a": 1}, [({"a": 1}, None)]),
        ("", [{"a": 1}, 2], [({"a": 1}, None), (2, None)]),
        ("ds", [{"ds": [1]}], [({"ds": [1]}, None)]),
        ("ds", {"ds": [{}, {"b": 2}], "n": 1}, [({}, {"n": 1}), ({"b": 2}, {"n": 1})]),
        (
            "ds/hs",
            {"ds": [{"hs": [{}], "l": 1}, 5, {"hs": {"a": 1}}]},
            [({}, {"l": 1}), ({"a": 1}, {})],
        ),
    ],
)
def test_json_records_stand_in_the_objects_around_them(records, document, found):
    source = load_document(_json(f", records: {records}" if records else "")).source
    made = list(json_records(document, source))
    assert [(one.node, one.around and one.around[0]) for one in made] == found
    assert {one.place(("x", 1)) for one in made} == {"/x/1"}


def _json(more: str) -> str:
    return f"mapping: m\nversion: 1.0.0\nsource: {{format: json{more}}}\ntarget: t\nfields: {{a: b}}"


@pytest.mark.parametrize("document", [{}, {"ds": []}, {"ds": "text"}, 3, None, {"ds": None}])
def test_no_records_is_a_finding(document):
    (finding,) = json_records(document, load_document(_json(", records: ds/hs")).source)
    assert finding.kind.code == "mapping.source.no-records"


SHEETS = """mapping: m
version: 1.0.0
source:
  format: rows
  sheets: %s
target: t
fields:
  id: {from: Mã, required: true}
  name: Họ tên
  sheet: '@sheet'
  day: {from: Ngày sinh, apply: [{date: [dd/mm/yyyy, excel]}]}
  rows: {each: diem, fields: {subject: '@sheet', mark: {from: "'Toán > Điểm'", apply: [decimal]}, code: Môn}}
"""


def rows(sheets, workbook):
    return translated(SHEETS % sheets, lambda s: row_records([Sheet(n, iter(g)) for n, g in workbook.items()], s))


def findings(results):
    return [
        (one.kind.code.removeprefix("mapping."), one.pointer)
        for result in results
        for one in ([result] if isinstance(result, Finding) else result.findings)
    ]


def test_one_card_in_one_row_under_three_header_rows_with_merged_and_broken_cells():
    grid = [
        ["BẢNG TỔNG HỢP", None, None, None, None],
        ["Mã", "Họ\n tên", "Toán", None, "Ngày sinh"],
        [None, None, "Mức", "Điểm", None],
        ["H1", "An", "T", 9, 42249],
        [None, "", None, None, None],
        [None, "Bình", "H", 7, "31/02/2015"],
    ]
    first, second = rows("[{sheet: 'danh SÁCH*', header: [2, 3]}]", {"Danh sách 4A": grid})
    assert first.output == {"id": "H1", "name": "An", "sheet": "Danh sách 4A", "day": "2015-09-02"}
    assert findings([second]) == [
        ("value.missing", "'Danh sách 4A'!A6"),
        ("value.unreadable", "'Danh sách 4A'!E6"),
    ]


def test_one_card_over_several_rows():
    grid = [["Mã", "Họ tên", "Môn"], ["H1", "An", "T"], ["H1", None, "V"], ["H2", "Bình", "T"], ["H1", "An", "L"]]
    first, second, again = rows("[{sheet: S, key: Mã, as: diem}]", {"S": grid})
    assert first.output["rows"] == [{"subject": "S", "code": "T"}, {"subject": "S", "code": "V"}]
    assert second.output["id"] == "H2"
    assert findings([again]) == [("source.key-repeated", "S!5")]


def test_one_card_over_several_sheets_in_any_order():
    workbook = {
        "Toán": [["Mã", "Toán"], [None, "Điểm"], ["H2", "7,5"], ["H1", "x"], ["H9", 5]],
        "Hướng dẫn": [["Đọc kỹ"]],
        "DS": [["Mã", "Họ tên"], ["H1", "An"], ["H2", "Bình"]],
    }
    results = rows("[{sheet: DS, key: Mã}, {sheet: Toán, header: [1, 2], key: Mã, as: diem}]", workbook)
    assert results[1].output["rows"] == [{"subject": "Toán", "mark": "7.5"}]
    assert findings(results) == [("value.unreadable", "Toán!B4"), ("source.key-unmatched", "Toán!5")]


@pytest.mark.parametrize(
    ("sheets", "workbook", "expected"),
    [
        ("[{sheet: X}]", {"S": [["Mã"]]}, [("source.sheet-missing", "")]),
        ("[{sheet: S, key: K, as: d}]", {"S": [["Mã"], ["1"]]}, [("source.column-missing", "S!1")]),
        ("[{sheet: S}]", {"S": [["Mã", "Tên", "Mã"], ["1"]]}, [("source.column-twice", "S!C1")]),
        ("[{sheet: S, header: 3}]", {"S": [["Mã"]]}, [("source.column-missing", "S!3")]),
        ("[{sheet: S, key: Mã, as: d}]", {"S": [["Mã", "x"], [None, "1"]]}, [("source.key-missing", "S!A2")]),
        ("[{sheet: S}]", {"S": [["Mã"], ["#REF!"]]}, [("value.cell-error", "S!A2")]),
        ("[{sheet: S}]", {"S": [["Tên"], ["An"]]}, [("value.missing", "S!2")]),
    ],
)
def test_wrong_workbooks_are_findings_with_their_cell(sheets, workbook, expected):
    assert findings(rows(sheets, workbook)) == expected


def test_header_names_join_from_top_to_bottom():
    head = [["STT", "Toán", None, None, "Lớp"], [None, "HK1", None, "HK2", None], [None, "Mức", "Điểm", "Mức", None]]
    assert header_names(head) == ["STT", "Toán > HK1 > Mức", "Toán > HK1 > Điểm", "Toán > HK2 > Mức", "Lớp"]


@given(st.integers(0, 20000))
@settings(deadline=None)
def test_column_letters_count_as_spreadsheets_do(column):
    number = 0
    for sign in letter(column):
        number = number * 26 + ord(sign) - 64
    assert number == column + 1


_CELL = (
    st.none()
    | st.text(max_size=6)
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.dates()
    | st.sampled_from(["Mã", "H1", "Toán"])
)


@given(st.lists(st.lists(_CELL, max_size=5), max_size=6), st.lists(st.lists(_CELL, max_size=5), max_size=6))
@settings(deadline=None)
def test_any_grid_is_records_and_findings(one, other):
    for result in rows(
        "[{sheet: A, key: Mã, as: diem}, {sheet: '*', header: [1, 2], key: [Mã, Toán], as: more}]",
        {"B": other, "A": one},
    ):
        for finding in [result] if isinstance(result, Finding) else result.findings:
            assert finding.as_json()["message_vi"]
