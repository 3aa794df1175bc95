"""What stands in a workbook or CSV file is read as a person sees it; what cannot be read is told by its cell."""

import io
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from hocba_hub.adapters.workbook.delimited import csv_sheet
from hocba_hub.adapters.workbook.file_records import file_records
from hocba_hub.adapters.workbook.workbook import open_workbook
from hocba_hub.mappings.compile.compiled_mapping import compile_mapping
from hocba_hub.mappings.document.parse import load_document
from hocba_hub.mappings.records.rows import SourceError
from hocba_hub.mappings.tables.table_files import shipped_tables
from hocba_hub.model.findings import Finding
from tests.support.workbooks import number, row, sheet_xml, text, workbook

STYLES = """<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
<numFmts><numFmt numFmtId="170" formatCode="dd/mm/yyyy;@"/>
<numFmt numFmtId="171" formatCode="0.0&quot;day&quot;"/>
<numFmt numFmtId="172" formatCode="[$-42A]0.00"/></numFmts>
<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/><xf numFmtId="171"/><xf numFmtId="172"/></cellXfs>
<dxfs><dxf/></dxfs></styleSheet>"""
SHARED = """<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
<si><t>Mã</t></si><si><r><t>Họ </t></r><r><t>tên</t></r><rPh><t>đọc</t></rPh></si>
<si><t xml:space="preserve"> a_x000A_b_x005F_x0041_ </t></si></sst>"""
MAPPING = """mapping: m
version: 1.0.0
source:
  format: rows
  sheets: [{sheet: S, key: Mã}]
target: t
fields:
  id: {from: Mã, required: true}
  mark: {from: Điểm, apply: [{mark: 1}], required: true}
  name: Họ tên
  day: {from: Ngày, apply: [{date: [dd/mm/yyyy, excel]}]}
"""


def rows_of(file):
    with open_workbook(file) as book:
        return {sheet.name: list(sheet.rows) for sheet in book.sheets}


def results(file, name="x.xlsx", mapping=MAPPING):
    """Outputs, and the findings as (code, place)."""
    document = load_document(mapping)
    made = compile_mapping(document, shipped_tables())
    outputs, found = [], []
    for record in file_records(file, name, document.source):
        translation = None if isinstance(record, Finding) else made.translate(record)
        outputs += [] if translation is None else [translation.output]
        found += [record] if translation is None else translation.findings
    return outputs, [(one.kind.code.removeprefix("mapping."), one.pointer) for one in found]


def table(*rows, **options):
    """A workbook with the sheet S and rows of XML below its header."""
    head = row(
        1, *(text(f"{letter}1", name) for letter, name in zip("ABCD", ("Mã", "Điểm", "Họ tên", "Ngày"), strict=True))
    )
    before, after = options.pop("before", ""), options.pop("after", "")
    return workbook({"S": sheet_xml(head + "".join(rows), before=before, after=after)}, **options)


def test_every_kind_of_cell():
    xml = sheet_xml(
        row(
            2,
            '<c r="A2" t="s"><v>0</v></c><c r="B2" t="s"><v>1</v></c><c r="C2" t="s"><v>2</v></c>',
            number("D2", "8.0"),
            number("E2", "7.7000000000000002"),
            '<c r="F2" t="b"><v>1</v></c><c r="G2" t="e"><v>#REF!</v></c><c r="H2" t="str"><f>A1</f><v>kq</v></c>',
            '<c r="I2" t="d"><v>2026-06-20</v></c><c r="K2"/>',
        ),
        before='<dimension ref="A1:XFD1048576"/>',
    )
    shared = {"xl/sharedStrings.xml": SHARED, "xl/styles.xml": STYLES}
    first, second = rows_of(workbook({"S": xml}, more=shared))["S"]
    assert first == []
    assert second == ["Mã", "Họ tên", " a\nb_x0041_ ", 8.0, 7.7, True, "#REF!", "kq", date(2026, 6, 20)]


def test_numbers_are_days_where_their_format_says_so():
    cells = [number(f"{letter}1", "45000", f' s="{style}"') for style, letter in enumerate("ABCDE")]
    cells += [number("F1", "45000.5", ' s="1"'), number("G1", "60", ' s="1"'), number("H1", "59", ' s="1"')]
    got = rows_of(workbook({"S": sheet_xml(row(1, *cells))}, more={"xl/styles.xml": STYLES}))["S"][0]
    day = date(2023, 3, 15)
    noon = datetime(2023, 3, 15, 12)  # noqa: DTZ001 - what a spreadsheet shows has no time zone
    assert got == [45000, day, day, 45000, 45000, noon, 60, date(1900, 2, 28)]


def test_workbooks_that_count_from_1904():
    book = Workbook()
    book.epoch = CALENDAR_MAC_1904
    book.active.append([date(2015, 9, 2)])
    file = io.BytesIO()
    book.save(file)
    assert rows_of(file) == {"Sheet": [[date(2015, 9, 2)]]}


def test_cells_and_rows_without_references_follow_each_other():
    xml = sheet_xml("<row><c><v>1</v></c><c><v>2</v></c></row><row r='4'><c r='C4'><v>3</v></c><c><v>4</v></c></row>")
    assert rows_of(workbook({"S": xml}))["S"] == [[1.0, 2.0], [], [], [None, None, 3.0, 4.0]]


def test_other_prefixes_and_the_strict_namespace_are_the_same():
    strict = sheet_xml(row(1, number("A1", "1"))).replace(
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://purl.oclc.org/ooxml/spreadsheetml/main"
    )
    prefixed = sheet_xml(row(1, number("A1", "1"))).replace("</", "</x:").replace("<", "<x:").replace("<x:/x:", "</x:")
    prefixed = prefixed.replace("xmlns=", "xmlns:x=")
    assert rows_of(workbook({"S": strict, "T": prefixed})) == {"S": [[1.0]], "T": [[1.0]]}


_VALUES = (
    st.none()
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="=_￾￿"), max_size=20)
    | st.integers(-(2**40), 2**40)
    | st.floats(-1e300, 1e300)
    | st.booleans()
    | st.dates(date(1901, 1, 1), date(2100, 1, 1))
)


@given(st.lists(st.lists(_VALUES, max_size=6), max_size=6))
@settings(deadline=None, max_examples=60)
def test_what_another_library_writes_is_read_as_that_library_reads_it(grid):
    book = Workbook()
    for line in grid:
        book.active.append(line)
    file = io.BytesIO()
    book.save(file)
    known = load_workbook(file).active.iter_rows(values_only=True)
    expected = [trimmed(value.date() if isinstance(value, datetime) else value for value in line) for line in known]
    got = [trimmed(line) for line in rows_of(file)["Sheet"]]
    while expected and not expected[-1]:
        expected.pop()
    assert got == expected


def trimmed(line):
    line = [value if value != "" else None for value in line]
    while line and line[-1] is None:
        line.pop()
    return line


def test_a_formula_gives_its_stored_result_with_one_warning_and_none_is_an_error_at_its_cell():
    file = table(
        row(2, text("A2", "H1"), '<c r="B2"><f>ROUND(8.04,1)</f><v>8</v></c>'),
        row(3, text("A3", "H2"), '<c r="B3"><f>ROUND(8.04,1)</f></c>', '<c r="C3" t="str"><f>""</f><v></v></c>'),
        row(4, text("A4", "H3"), '<c r="B4"><f>B2</f><v>9</v></c>'),
    )
    outputs, found = results(file)
    assert outputs == [{"id": "H1", "mark": "8.0"}, {"id": "H2"}, {"id": "H3", "mark": "9.0"}]
    assert found == [("value.formula-without-result", "S!B3"), ("source.formulas", "S!B2")]


def test_a_merged_cell_is_never_guessed():
    file = table(
        row(2, text("A2", "H1"), number("B2", "8"), text("C2", "An")),
        row(3, text("A3", "H2"), number("B3", "7")),
        row(4, text("A4", "H3"), number("B4", "6")),
        after='<mergeCells><mergeCell ref="C2:C3"/><mergeCell ref="D2:D4"/><mergeCell ref="A9:C9"/></mergeCells>',
    )
    outputs, found = results(file)
    assert [output.get("name") for output in outputs] == ["An", None, None]
    assert found == [("value.merged-cell", "S!C3")]


def test_a_merged_key_is_told_at_its_cell():
    file = table(
        row(2, text("A2", "H1"), number("B2", "8")),
        row(3, number("B3", "7")),
        after='<mergeCells><mergeCell ref="A2:A3"/></mergeCells>',
    )
    assert results(file)[1] == [("value.merged-cell", "S!A3")]


def test_a_spreadsheet_error_is_told_at_its_cell():
    file = table(row(2, text("A2", "H1"), '<c r="B2" t="e"><f>X1</f><v>#REF!</v></c>'))
    assert results(file)[1] == [("source.formulas", "S!B2"), ("value.cell-error", "S!B2")]


def test_what_is_hidden_is_read_and_told():
    file = table(
        row(2, text("A2", "H1"), number("B2", "8"), more=' hidden="1"'),
        row(3, text("A3", "H2"), number("B3", "8"), text("C3", "An")),
        before='<cols><col min="2" max="3" hidden="1"/><col min="9" max="16384" hidden="true"/></cols>',
        hidden=["S"],
    )
    outputs, found = results(file)
    assert len(outputs) == 2
    assert found == [("source.hidden-sheet", "S"), ("source.hidden-rows", "S"), ("source.hidden-columns", "S")]


def test_hidden_sheets_that_nobody_reads_are_not_told():
    sheets = {"S": sheet_xml(row(1, text("A1", "Mã"), text("B1", "Điểm"))), "DM": sheet_xml(row(1, text("A1", "x")))}
    assert results(workbook(sheets, hidden=["DM"])) == ([], [])


def test_numbers_as_text_codes_as_numbers_and_days_in_any_form():
    file = table(
        row(2, number("A2", "12"), text("B2", "8,5"), number("D2", "42249")),
        row(3, text("A3", "012"), text("B3", " 7.25 "), text("D3", "02/09/2015")),
        row(4, text("A4", "x"), number("B4", "6"), number("D4", "42249", ' s="1"')),
        row(5, text("A5", " ")),
        "".join(row(n, f'<c r="A{n}" s="1"/>') for n in range(6, 40)),
        more={"xl/styles.xml": STYLES},
    )
    outputs, found = results(file)
    assert outputs == [
        {"id": 12, "mark": "8.5", "day": "2015-09-02"},
        {"id": "012", "mark": "7.25", "day": "2015-09-02"},
        {"id": "x", "mark": "6.0", "day": "2015-09-02"},
    ]
    assert found == [("source.key-missing", "S!A5")]


def test_a_table_that_was_moved_down_is_found_by_its_header():
    lines = [row(5, text("B5", "Điểm"), text("C5", "Mã")), row(6, number("B6", "8"), text("C6", "H1"))]
    file = workbook({"S": sheet_xml(row(1, text("A1", "DANH SÁCH")) + "".join(lines))})
    assert results(file) == ([{"id": "H1", "mark": "8.0"}], [])


def test_a_part_of_the_file_that_is_missing_is_told():
    assert results(workbook({"X": sheet_xml("")}))[1] == [("source.sheet-missing", "")]
    assert results(workbook({"S": sheet_xml(row(1, text("A1", "Tên")))}))[1] == [("source.column-missing", "S!1")]


JOINED = """mapping: m
version: 1.0.0
source:
  format: rows
  sheets:
    - {sheet: S, key: Mã}
    - {sheet: L, key: [Lớp], of: [Mã lớp], as: lớp}
    - {sheet: T, as: trường}
target: t
fields: {id: Mã, class: lớp/Tên, school: "trường[0]/Tên"}
"""


def grid(*lines):
    return sheet_xml(
        "".join(
            row(n, *(text(f"{letter}{n}", value) for letter, value in zip("ABC", line, strict=False)))
            for n, line in enumerate(lines, 1)
        )
    )


def test_several_cards_may_name_one_row_of_another_sheet():
    file = workbook(
        {
            "T": grid(["Tên"], ["Trường Mẫu"]),
            "L": grid(["Lớp", "Tên"], ["L1", "6A"], ["L2", "6B"], ["L1", "6C"], ["L3", "6D"]),
            "S": grid(["Mã", "Mã lớp"], ["H1", "L1"], ["H2", "L1"], ["H3", "L9"], ["H4", "L2"]),
        }
    )
    outputs, found = results(file, mapping=JOINED)
    assert outputs == [
        {"id": "H1", "class": "6A", "school": "Trường Mẫu"},
        {"id": "H2", "class": "6A", "school": "Trường Mẫu"},
        {"id": "H4", "class": "6B", "school": "Trường Mẫu"},
    ]
    assert found == [
        ("source.key-repeated", "L!4"),
        ("source.key-unmatched", "S!B4"),
        ("source.key-unmatched", "L!5"),
    ]


def test_the_columns_that_name_other_rows_have_to_be_there():
    file = workbook({"T": grid(["Tên"]), "L": grid(["Lớp"], ["L1"]), "S": grid(["Mã"], ["H1"])})
    assert results(file, mapping=JOINED) == ([], [("source.column-missing", "S!1")])


def test_a_list_of_plain_values_from_several_columns():
    mapping = MAPPING.replace("  name: Họ tên", "  all: {items: [{'.': Điểm}, {'.': Họ tên}, {'.': Ngày}]}")
    file = table(row(2, text("A2", "H1"), number("B2", "8"), text("D2", "02/09/2015")))
    assert results(file, mapping=mapping)[0][0]["all"] == [8, "02/09/2015"]


CSV = "Mã,Điểm,Họ tên\nH1,8.5,An\nH2,x,\n"


@pytest.mark.parametrize(
    "content",
    [
        CSV.encode(),
        CSV.encode("utf-8-sig"),
        CSV.encode("utf-16"),
        CSV.replace(",", ";").replace("8.5", "8,5").encode(),
        CSV.replace(",", "\t").replace("\n", "\r\n").encode(),
    ],
)
def test_csv_in_every_form(content):
    outputs, found = results(io.BytesIO(content), "danh sách.CSV", MAPPING.replace("[{mark: 1}]", "[decimal]"))
    assert outputs == [{"id": "H1", "mark": "8.5", "name": "An"}, {"id": "H2"}]
    assert found == [("value.unreadable", "S!B3")]


@pytest.mark.parametrize(
    ("content", "code", "place"),
    [
        ("Mã,Điểm\nH1,Đỗ".encode("cp1258", "replace") + b"\xff\xd0\n", "source.not-text", "S!1"),
        (b"M\x00,a\n", "source.column-missing", "S!1"),
        (b"a" * (1 << 20), "source.too-large", "S!1"),
        (b'"' + b"a\n" * 2000, "source.too-large", "S!1"),
        (b'a,"' + b"b" * 200_000 + b'"\n', "source.damaged", "S!1"),
        (b"", "source.column-missing", "S!1"),
    ],
)
def test_csv_that_cannot_be_read_is_a_finding(content, code, place):
    assert results(io.BytesIO(content), "x.csv")[1] == [(code, place)]


def test_csv_leaves_the_file_to_its_caller():
    file = io.BytesIO(CSV.encode())
    assert list(csv_sheet(file, "S").rows) == list(csv_sheet(file, "S").rows)
    assert not file.closed


def test_a_workbook_can_be_read_twice_and_closing_it_leaves_the_file():
    file = table(row(2, text("A2", "H1"), number("B2", "8")))
    assert results(file) == results(file)
    assert not file.closed


def test_an_error_says_where_and_why():
    with pytest.raises(SourceError, match="not an Excel workbook"):
        open_workbook(io.BytesIO(b"abc"))


def test_rows_that_wait_for_their_card_are_held_in_bounded_memory(monkeypatch):
    monkeypatch.setattr("hocba_hub.mappings.records.rows._MOST_HELD", 400)
    lines = [["Lớp", "Tên"], *([f"L{n}", "6A"] for n in range(9))]
    file = workbook({"S": grid(["Mã", "Mã lớp"], ["H1", "L1"]), "L": grid(*lines), "T": grid(["Tên"])})
    assert results(file, mapping=JOINED) == ([], [("source.too-large", "L!4")])


def test_without_the_sheet_of_the_cards_the_rows_of_others_are_not_told_one_by_one():
    file = workbook({"L": grid(["Lớp", "Tên"], ["L1", "6A"])})
    assert results(file, mapping=JOINED) == ([], [("source.sheet-missing", ""), ("source.sheet-missing", "")])
    file = workbook({"L": grid(["Lớp", "Tên"], ["L1", "6A"]), "S": grid(["Tên"]), "T": grid(["Tên"])})
    assert {code for code, _ in results(file, mapping=JOINED)[1]} == {"source.column-missing"}
