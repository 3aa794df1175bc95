"""Workbooks that are broken, or built to break their reader: each is refused with a clear finding, memory bounded."""

import io
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocba_hub.adapters.workbook.file_records import file_records
from hocba_hub.adapters.workbook.package import Limits
from hocba_hub.adapters.workbook.workbook import open_workbook
from hocba_hub.mappings.document.parse import load_document
from hocba_hub.mappings.records.rows import SourceError
from hocba_hub.model.findings import Finding
from tests.support.workbooks import MAIN, number, packed, parts, row, sheet_xml, text, workbook

SOURCE = load_document(
    "mapping: m\nversion: 1.0.0\nsource: {format: rows, sheets: [{sheet: S, key: K}]}\ntarget: t\nfields: {a: K}"
).source
GOOD = row(1, text("A1", "K")) + row(2, text("A2", "H1"))
WHOLE = workbook({"S": sheet_xml(GOOD)}).getvalue()


def said(content):
    """Cards, and the findings as (code, place); every message stands in both languages."""
    file = io.BytesIO(content) if isinstance(content, bytes) else content
    records = list(file_records(file, "x.xlsx", SOURCE))
    found = [record for record in records if isinstance(record, Finding)]
    for one in found:
        shown = one.as_json()
        assert "{" not in shown["message_vi"] + shown["message_en"]
    return len(records) - len(found), [(one.kind.code.removeprefix("mapping.source."), one.pointer) for one in found]


def refused(content, code, place=""):
    assert said(content) == (0, [(code, place)])


def sheet(rows, **more):
    return workbook({"S": sheet_xml(rows, **more)})


def test_the_whole_one_is_right():
    assert said(WHOLE) == (1, [])


@pytest.mark.parametrize(
    "content", [b"", b"P", b"Ma,Ten\nH1,An\n", b"%PDF-1.7", b"<html/>", b"\x1f\x8b\x08" + bytes(40)]
)
def test_not_a_workbook_at_all(content):
    refused(content, "not-workbook")


def test_another_zip_is_no_workbook():
    refused(
        packed({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<x/>"}), "not-workbook"
    )
    files = parts({"S": sheet_xml(GOOD)})
    refused(packed(files | {"xl/workbook.xml": "<document/>"}), "not-workbook")
    refused(packed({name: part for name, part in files.items() if name != "xl/workbook.xml"}), "not-workbook")


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def test_old_encrypted_binary_and_macro_workbooks_are_told_apart():
    refused(OLE + bytes(3000), "old-workbook")
    refused(OLE + bytes(3000) + "EncryptedPackage".encode("utf-16-le") + bytes(100), "encrypted-workbook")
    refused(OLE + bytes(3 << 20) + "EncryptedPackage".encode("utf-16-le") + bytes(100), "encrypted-workbook")
    files = parts({"S": sheet_xml(GOOD)})
    refused(packed(files | {"xl/vbaProject.bin": OLE}), "macros")
    rels = files["_rels/.rels"].replace("xl/workbook.xml", "xl/workbook.bin")
    refused(packed(files | {"_rels/.rels": rels, "xl/workbook.bin": b"\x83\x01"}), "binary-workbook")


def test_links_to_other_files_are_told_and_not_followed():
    cells = '<c r="B2"><f>[1]S!A1</f><v>5</v></c>'
    xml = sheet_xml(row(1, text("A1", "K"), text("B1", "x")) + row(2, text("A2", "H1"), cells))
    file = workbook({"S": xml}, more={"xl/externalLinks/externalLink1.xml": "<externalLink/>"})
    assert said(file) == (1, [("external-links", ""), ("formulas", "S!B2")])


@pytest.mark.parametrize("kept", range(0, len(WHOLE), 97))
def test_a_truncated_file_is_damaged(kept):
    cards, found = said(WHOLE[:kept])
    assert cards == 0
    assert found in ([("damaged", "")], [("not-workbook", "")])


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
@settings(deadline=None, max_examples=300)
def test_a_changed_byte_never_gives_an_exception_or_a_wrong_card(place, byte):
    file = io.BytesIO(WHOLE[:place] + bytes([byte]) + WHOLE[place + 1 :])
    for one in file_records(file, "x.xlsx", SOURCE):
        assert isinstance(one, Finding) or one.node["K"] == "H1"


def test_a_damaged_part_gives_no_card_before_it_is_found():
    """The checksum is that of the whole sheet: without a first look, its cards would be taken before."""
    rows = row(1, text("A1", "K")) + "".join(row(n, text(f"A{n}", f"H{n}")) for n in range(2, 5000))
    file = workbook({"S": sheet_xml(rows)}).getvalue()
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        checksum = struct.pack("<L", archive.getinfo("xl/worksheets/sheet1.xml").CRC)
    refused(file.replace(checksum, b"\1\2\3\4"), "damaged")


def test_a_bomb_of_blanks_is_refused_by_its_ratio():
    refused(sheet(GOOD + " " * (64 << 20)), "too-large")


def test_shared_texts_that_are_a_bomb_are_refused():
    shared = f'<sst xmlns="{MAIN}">' + "<si><t>x</t></si>" * 800_000 + "</sst>"
    refused(packed(parts({"S": sheet_xml(GOOD)}, more={"xl/sharedStrings.xml": shared})), "too-large")


def test_an_entry_that_says_it_is_small_gives_no_more_than_it_says():
    file = sheet(GOOD + " " * (20 << 20)).getvalue()
    real, said_size = struct.pack("<L", len(sheet_xml(GOOD)) + (20 << 20)), struct.pack("<L", 5_000)
    assert file.count(real) == 2
    refused(file.replace(real, said_size), "damaged")


def test_limits_of_the_zip():
    files = parts({"S": sheet_xml(GOOD)})
    many = packed(files | {f"x{n}": "" for n in range(50)})
    for limits in (Limits(entries=20), Limits(all_bytes=500), Limits(entry_bytes=100)):
        with pytest.raises(SourceError) as caught:
            open_workbook(many, limits)
        assert caught.value.finding.kind.code == "mapping.source.too-large"
    with pytest.raises(SourceError, match="too large"):
        open_workbook(
            packed(parts({"S": ""}, more={"xl/sharedStrings.xml": f'<sst xmlns="{MAIN}"><si><t>abc</t></si></sst>'})),
            Limits(text_bytes=2),
        )


def test_a_directory_of_a_million_entries_is_not_read():
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 65_535, 65_535, 50 << 20, 0, 0)
    refused(b"PK\3\4" + bytes(100) + end, "too-large")
    refused(b"PK\3\4" + bytes(100) + b"PK\6\7" + bytes(16) + end, "too-large")


def test_other_packings_and_passwords_of_the_zip():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as archive:
        for name, content in parts({"S": sheet_xml(GOOD)}).items():
            archive.writestr(name, content)
    refused(out, "damaged")
    encrypted = bytearray(WHOLE)
    at = encrypted.find(b"PK\1\2")
    encrypted[at + 8] |= 1
    refused(bytes(encrypted), "encrypted-workbook")


ENTITIES = '<!DOCTYPE a [<!ENTITY e "eeeeeeeeee"><!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;">]>'
OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
CELL = '<row r="1"><c r="A1" t="inlineStr"><is><t>&{};</t></is></c></row>'


@pytest.mark.parametrize(
    "prologue", [ENTITIES, OUTSIDE, '<!DOCTYPE a SYSTEM "http://localhost/x.dtd">', "<!DOCTYPE a>"]
)
def test_document_types_and_entities_are_refused_wherever_they_stand(prologue):
    refused(sheet(CELL.format("x"), prologue=prologue), "unsafe")
    files = parts({"S": sheet_xml(GOOD)}, more={"xl/sharedStrings.xml": prologue + f'<sst xmlns="{MAIN}"/>'})
    refused(packed(files), "unsafe")
    for name in ("_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
        refused(packed(files | {name: prologue + files[name]}), "unsafe")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32-be"])
def test_encodings_in_which_something_could_hide_are_refused(encoding):
    refused(workbook({"S": sheet_xml(GOOD, prologue=ENTITIES).encode(encoding)}), "damaged")


@pytest.mark.parametrize(
    ("rows", "code", "place"),
    [
        (GOOD + "<row", "damaged", ""),
        (GOOD + "<row></c></row>", "damaged", ""),
        (CELL.format("unknown"), "damaged", ""),
        (row(5) + row(3), "damaged", "S!5"),
        (row(1_048_577, number("A1", "1")), "too-large", "S!A0"),
        (row(10**12), "damaged", "S!0"),
        ('<row r="-3"/>', "damaged", "S!0"),
        (row(1, number("CCC1", "1")), "too-large", "S!CCC1"),
        (row(1, number("ABCD1", "1")), "damaged", "S!1"),
        (row(1, number("É1", "1")), "damaged", "S!1"),
        (row(1, '<c r="B1" t="s"><v>9</v></c>'), "damaged", "S!B1"),
        (row(1, '<c r="B1" t="s"><v>x</v></c>'), "damaged", "S!B1"),
        (row(1, '<c r="B1" t="s"><v>-1</v></c>'), "damaged", "S!B1"),
        (row(1, text("A1", "x" * 32_768)), "too-large", "S!1"),
        (f'<row r="1"><c r="A1" x="{"y" * (2 << 20)}"/></row>', "too-large", ""),
    ],
)
def test_sheets_that_no_spreadsheet_writes(rows, code, place):
    found = said(sheet(rows))[1]
    assert [one[0] for one in found] == [code]
    assert found[0][1].startswith(place.partition("!")[0])


def test_what_is_no_number_is_a_text():
    rows = row(1, text("A1", "K")) + "".join(
        row(n, number(f"A{n}", value)) for n, value in enumerate(("nan", "1_0", "1e999", "0x1"), 2)
    )
    with open_workbook(sheet(rows)) as book:
        assert [cells[0] for cells in book.sheets[0].rows] == ["K", "nan", "1_0", "1e999", "0x1"]


def test_merged_cells_that_cover_each_other_are_refused():
    merges = "".join('<mergeCell ref="A1:XFD100"/>' for _ in range(4))
    refused(sheet(GOOD, after=f"<mergeCells>{merges}</mergeCells>"), "damaged")


def test_sheets_far_apart_and_named_alike_are_read():
    rows = row(1, text("A1", "K")) + row(1_048_576, text("A1048576", "H1"))
    assert said(sheet(rows, before='<dimension ref="A1:XFD1048576"/>')) == (1, [])


def test_relations_that_lead_out_of_the_file_lead_nowhere():
    files = parts({"S": sheet_xml(GOOD)})
    for target in ("../../../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "http://localhost/"):
        name = "xl/_rels/workbook.xml.rels"
        refused(packed(files | {name: files[name].replace("worksheets/sheet1.xml", target)}), "damaged")


MEASURE = """
import re, sys
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from hocba_hub.adapters.workbook.file_records import file_records
from hocba_hub.mappings.compile.compiled_mapping import compile_mapping
from hocba_hub.mappings.library.library import shipped_library
from hocba_hub.mappings.document.parse import load_document
from hocba_hub.model.findings import Finding
source = load_document("mapping: m\\nversion: 1.0.0\\nsource: {format: rows, sheets: [{sheet: S}]}\\n"
                       "target: t\\nfields: {a: K}").source
def peak():
    # Not ru_maxrss, which a new process takes over from the one that started it.
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
before = peak()
cards = 0
with open(sys.argv[1], "rb") as file:
    for record in file_records(file, "x.xlsx", source):
        assert not isinstance(record, Finding), record
        cards += 1
assert cards == int(sys.argv[2]), cards
print(peak() - before)
"""


def test_a_long_sheet_takes_no_more_memory_than_a_short_one(tmp_path):
    """Of a sheet of 20 MB, in a process of its own; if its rows were held, they would take 30 MB and more."""
    place = tmp_path / "long.xlsx"
    line = "".join(f'<c t="inlineStr"><is><t>{"Nguyễn Thị Mẫu " * 6}{{}}</t></is></c>' for _ in range(10))
    rows, head = 13_000, f'<worksheet xmlns="{MAIN}"><sheetData><row><c t="inlineStr"><is><t>K</t></is></c></row>'
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in parts({"S": ""}).items():
            if not name.endswith("sheet1.xml"):
                archive.writestr(name, content)
        with archive.open("xl/worksheets/sheet1.xml", "w") as stream:
            stream.write(head.encode())
            for start in range(0, rows, 1000):
                stream.write(
                    "".join(f"<row>{line.format(*[n] * 10)}</row>" for n in range(start, start + 1000)).encode()
                )
            stream.write(b"</sheetData></worksheet>")
    with zipfile.ZipFile(place) as archive:
        assert archive.getinfo("xl/worksheets/sheet1.xml").file_size > 16_000_000
    root = str(Path(__file__).parents[3])
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(place), str(rows), root], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 8_000
