"""What stands above the records of a document: read by one syntax in JSON, XML and sheets, counted and checked."""

import json

import pytest

from hocba_hub.mappings.check.check import check
from hocba_hub.mappings.check.example_runs import coverage
from hocba_hub.mappings.check.source_fields import head_names
from hocba_hub.mappings.compile.compiled_mapping import compile_mapping
from hocba_hub.mappings.compile.trace import Tracer
from hocba_hub.mappings.document.parse import load_document
from hocba_hub.mappings.records.record import json_records, parse_xml, xml_records
from hocba_hub.mappings.records.rows import Sheet, row_records
from hocba_hub.mappings.records.sheet_head import SheetHead


def mapping(source, fields, example=None):
    text = f"mapping: m\nversion: 1.0.0\nsource: {source}\ntarget: t\nfields: {fields}\n"
    if example is not None:
        text += f"examples: [{{input: {json.dumps(example, ensure_ascii=False)}, findings: []}}]\n"
    return load_document(text)


def made(document, records):
    compiled = compile_mapping(document, {})
    return [compiled.translate(one) for one in records]


NESTED = {
    "namHoc": "2025-2026",
    "truong": {"ma": "33000123"},
    "lop": [
        {"ten": "6A1", "hs": [{"id": "1", "diem": [{"m": "T"}, {"m": "V"}]}]},
        {"ten": "6A2", "hs": [{"id": "2"}], "gv": "An"},
    ],
}
FIELDS = """
  id: id
  year: //namHoc
  school: {from: //truong/ma, apply: [{pad: 10}]}
  room: ../ten
  teacher: {from: ../gv, required: true}
  up: {at: //truong, fields: {code: ma, year: ../namHoc}}
  rows: {each: diem, fields: {m: m, year: //namHoc, room: ../../ten, id: ../id, own: /id}}
  when: [{value: x, when: {//namHoc: 2025-2026}}]
"""


def test_json_paths_go_up_from_the_record_and_down_from_the_document():
    document = mapping("{format: json, records: lop/hs}", FIELDS)
    first, second = made(document, json_records(NESTED, document.source))
    assert first.output == {
        "id": "1",
        "year": "2025-2026",
        "school": "0033000123",
        "room": "6A1",
        "up": {"code": "33000123", "year": "2025-2026"},
        "rows": [{"m": m, "year": "2025-2026", "room": "6A1", "id": "1", "own": "1"} for m in "TV"],
        "when": "x",
    }
    assert [(one.kind.code, one.pointer) for one in first.findings] == [("mapping.value.missing", "//lop/gv")]
    assert (second.output["room"], second.output["teacher"], second.findings) == ("6A2", "An", ())


def test_a_finding_of_the_card_is_traced_to_the_head():
    document = mapping("{format: json, records: lop/hs}", FIELDS)
    record = next(json_records(NESTED, document.source))
    places = Tracer(document, {}).places(record, ["/year", "/room", "/rows/1/year", "/rows/1/m", "/up/code"])
    wanted = {"/year": "//namHoc", "/room": "//lop/ten", "/rows/1/year": "//namHoc", "/rows/1/m": "/diem/1/m"}
    assert places.items() >= {**wanted, "/up/code": "//truong/ma"}.items()


def test_a_record_by_itself_has_nothing_around_it():
    document = mapping("{format: json, records: lop/hs}", FIELDS)
    [one] = made(document, json_records([{"id": "1", "namHoc": "its own"}], document.source))
    assert one.output == {"id": "1"}
    assert [found.pointer for found in one.findings] == ["//gv"]


def test_xml_paths_reach_elements_and_attributes_around_the_record():
    rooms = "<lop ten='6A1'><hs id='7'/></lop><lop ten='6A2'><hs id='8'/></lop>"
    text = f"<so nam='2025-2026'><truong><ma>1</ma></truong>{rooms}</so>"
    fields = "{id: '@id', year: //@nam, school: //truong/ma, room: ../@ten, no: {from: //khong, required: true}}"
    document = mapping("{format: xml, records: lop/hs}", fields)
    first, second = made(document, xml_records(parse_xml(text), document.source))
    assert first.output == {"id": "7", "year": "2025-2026", "school": "1", "room": "6A1"}
    assert second.output["room"] == "6A2"
    assert [one.pointer for one in first.findings] == ["//khong"]


GRID = [
    ["SỞ GIÁO DỤC VÀ ĐÀO TẠO", None, None],
    ["Trường :", None, "THCS Mẫu"],
    ["Lớp: 6A1", "Năm học", "2025-2026"],
    [None, None, None],
    ["Mã", "Tên", "Điểm"],
    ["1", "An", "8"],
]
ROWS = "{format: rows, sheets: [{sheet: L*, header: 5, key: Mã}]}"


def test_cells_above_a_table_are_read_by_label_or_address():
    fields = """
  id: Mã
  school: //trường
  room: {from: //Lớp, required: true}
  year: "//'Năm học'"
  title: //A1
  whole: //A3
  no: {from: //Không có, required: true}
  far: {from: //Z9, required: true}
  bad: {from: //C2, apply: [number], required: true}"""
    document = mapping(ROWS, fields)
    [one] = made(document, row_records([Sheet("Lop", GRID)], document.source))
    assert one.output == {
        "id": "1",
        "school": "THCS Mẫu",
        "room": "6A1",
        "year": "2025-2026",
        "title": "SỞ GIÁO DỤC VÀ ĐÀO TẠO",
        "whole": "Lớp: 6A1",
    }
    assert [found.pointer for found in one.findings] == ["//Không có", "//Z9", "Lop!C2"]


def test_the_head_of_a_sheet_is_found_where_its_header_is():
    document = mapping("{format: rows, sheets: [{sheet: L, key: Mã}]}", "{id: Mã, room: //Lớp}")
    [one] = made(document, row_records([Sheet("L", GRID)], document.source))
    assert one.output == {"id": "1", "room": "6A1"}


def test_labels_name_the_cell_that_they_stand_before():
    assert SheetHead.of(GRID[:4]).labels() == {
        "A1": "A1",
        "C2": "Trường",
        "A3": "Lớp",
        "B3": "B3",
        "C3": "C3",
    }


def codes(document, sample=()):
    found = check(document, {}, sample=sample)
    return [(one.kind.code, str(one.facts.get("given", one.expected))) for one in found]


def test_the_rows_of_a_card_are_always_there():
    source = "{format: rows, sheets: [{sheet: L, key: Mã, as: dong}]}"
    document = mapping(source, "{id: Mã, marks: {each: dong, fields: {code: Môn, mark: Điểm}}}")
    sheet = Sheet("L", [["Mã", "Môn"], ["1", "Toán"], ["1", "Văn"]])
    assert codes(document, [*row_records([sheet], document.source)]) == [
        ("mapping.check.no-examples", ""),
        ("mapping.check.source-unseen", "Điểm"),
    ]


def test_the_check_counts_the_head_and_knows_which_paths_reach_nothing():
    document = mapping("{format: json, records: lop/hs}", "{id: id, year: //namhoc, room: ../ten}", NESTED)
    assert codes(document) == [
        ("mapping.check.source-unread", "//namHoc"),
        ("mapping.check.source-unread", "//truong/ma"),
        ("mapping.check.source-unread", "diem/m"),
        ("mapping.check.source-unread", "//lop/gv"),
        ("mapping.check.source-unseen", "//namhoc"),
    ]
    assert next(one.facts["hint"] for one in check(document, {}) if "unseen" in one.kind.code) == " (//namHoc?)"
    assert coverage(document, {}, None).source_read == ("//lop/ten", "id")


def test_the_check_counts_cells_above_a_table_once_however_they_are_read():
    document = mapping(
        f"{ROWS[:-1]}, unread: //A1}}",
        "{id: Mã, n: Tên, p: Điểm, a: //C2, b: //lớp, c: //Năm học, d: //B3}",
        {"Lop": GRID},
    )
    assert codes(document) == []
    unread = mapping(ROWS, "{id: Mã, n: Tên, p: Điểm, a: //Trườn}", {"Lop": GRID})
    assert ("mapping.check.source-unread", "//Trường") in codes(unread)
    assert ("mapping.check.source-unseen", "//Trườn") in codes(unread)


@pytest.mark.parametrize(
    ("source", "path", "reason"),
    [
        ("{format: json, records: ds}", "../../x", "nothing is above the document's root"),
        ("{format: json}", "//x", "this source has nothing above its records"),
        ("{format: json}", "../x", "this source has nothing above its records"),
        ("{format: json, records: ds}", "{b: {at: //t, fields: {c: /x}}}", "nothing is above the document's root"),
    ],
)
def test_a_path_that_can_reach_nothing_is_an_error(source, path, reason):
    assert codes(mapping(source, path if path[0] == "{" else f"{{a: {path}}}"))[0] == ("mapping.document.path", reason)


@pytest.mark.parametrize("records", ["a[0]", "'*'", "a[x=1]/b", "../a", "/a", "."])
def test_records_are_named_by_names_alone(records):
    with pytest.raises(Exception, match="names that lead down"):
        mapping(f"{{format: json, records: {json.dumps(records)}}}", "{a: b}")


def test_what_is_read_of_each_object_around():
    document = mapping("{format: json, records: lop/hs}", FIELDS)
    assert head_names(document.fields, document.source) == ({"namHoc", "truong"}, {"ten", "gv"})
    assert head_names({}, mapping("{format: json}", "{a: b}").source) == ()
