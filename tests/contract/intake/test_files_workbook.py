"""The workbook that goes back: the right cells, in the right colour, with the sender's own things left alone."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill

from hocba_hub.intake.files import findings_workbook
from hocba_hub.intake.files.findings_workbook import AUTHOR, mark_file
from hocba_hub.intake.files.forms import Form, form_of
from hocba_hub.mappings.document.document import SheetSpec, Source
from tests.support.imports import zipped

SOURCE = Source("rows", sheets=(SheetSpec("Học sinh"),))
RED, YELLOW = "FFFFC7CE", "FFFFEB9C"


def found(pointer: str, text: str = "Sai", severity: str = "error", part: str = "") -> tuple[str, dict[str, str]]:
    return part, {"pointer": pointer, "message_vi": text, "severity": severity}


def book_of(*rows: list[object], sheet: str = "Học sinh") -> Workbook:
    book = Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    return book


def saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.fixture
def marked(tmp_path: Path):
    def marked(content: bytes, form: Form, *said: tuple[str, dict[str, str]]) -> bytes | None:
        given, target = tmp_path / "original", tmp_path / "findings"
        given.write_bytes(content)
        return target.read_bytes() if mark_file(given, form, SOURCE, said, target) else None

    return marked


def cells(content: bytes, sheet: str = "Học sinh") -> dict[str, tuple[str, str]]:
    """Coloured cells → colour and comment."""
    return {
        cell.coordinate: (cell.fill.start_color.rgb, cell.comment.text if cell.comment else "")
        for row in load_workbook(io.BytesIO(content))[sheet].iter_rows()
        for cell in row
        if cell.fill.fill_type == "solid"
    }


def test_cells_rows_and_sheets_are_marked_where_they_are(marked):
    book = book_of(["Tên", "Lớp"], ["A", "3A"], ["B", "?"])
    book.create_sheet("O'Neil's")["A1"] = 1
    out = marked(
        saved(book), Form.XLSX,
        found("'Học sinh'!B3", "Lớp sai"), found("'Học sinh'!B3", "Lớp thiếu", "warning"),
        found("'Học sinh'!B3", "Lớp sai"),
        found("'Học sinh'!2", "Cả dòng", "warning"), found("'O''Neil''s'", "Cả trang"),
        found("'Học sinh'!A3", "Chưa xét được", "not_checkable"), found("Nowhere!A1"), found("/json/pointer"),
    )  # fmt: skip
    assert cells(out) == {"A2": (YELLOW, "Cả dòng"), "B3": (RED, "Lớp sai\nLớp thiếu")}
    assert cells(out, "O'Neil's") == {"A1": (RED, "Cả trang")}


def test_what_an_earlier_round_marked_is_cleared_and_the_senders_comment_stays(marked):
    book = book_of(["Tên"], ["A"], ["B"])
    book.active["A2"].comment = Comment("của trường", "Cô Lan")
    book.active["A3"].fill = PatternFill("solid", start_color="FF00FF00")
    first = marked(saved(book), Form.XLSX, found("'Học sinh'!A2", "Sai một"))
    comment = load_workbook(io.BytesIO(first)).active["A2"].comment
    assert (comment.author, comment.text.splitlines()[0], comment.text.splitlines()[-1]) == (
        AUTHOR,
        "Sai một",
        "của trường",
    )
    second = marked(first, Form.XLSX, found("'Học sinh'!A1", "Sai hai"))
    again = load_workbook(io.BytesIO(second)).active
    assert (again["A2"].comment.text, again["A2"].fill.fill_type) == ("của trường", None)
    assert cells(second) == {"A1": (RED, "Sai hai"), "A3": ("FF00FF00", "")}


def test_a_merged_cell_is_marked_where_its_value_is(marked):
    book = book_of(["Tên", None], ["A", "x"])
    book.active.merge_cells("A1:B1")
    assert cells(marked(saved(book), Form.XLSX, found("'Học sinh'!B1"))) == {"A1": (RED, "Sai")}


def test_formulas_and_styles_stay(marked):
    book = book_of(["Tên"], [1], ["=A2+1"])
    book.active["A2"].number_format = "0.00"
    sheet = load_workbook(io.BytesIO(marked(saved(book), Form.XLSX, found("'Học sinh'!A1")))).active
    assert (sheet["A3"].value, sheet["A2"].number_format) == ("=A2+1", "0.00")


def test_csv_becomes_a_workbook_of_texts(marked):
    out = marked("Tên;Mã\n=1+1;007\n".encode(), Form.CSV, found("'Học sinh'!B2", "Mã sai"))
    sheet = load_workbook(io.BytesIO(out))["Học sinh"]
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [["Tên", "Mã"], ["=1+1", "007"]]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} == {"s"}
    assert cells(out) == {"B2": (RED, "Mã sai")}


def test_of_a_large_workbook_the_faulty_rows_come_back(marked, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(findings_workbook, "_HELD_BYTES", 1_000)
    book = book_of(["Tên", "Lớp"], *(["A", number] for number in range(50)))
    out = marked(saved(book), Form.XLSX, found("'Học sinh'!B40", "Sai"))
    sheet = load_workbook(io.BytesIO(out))["Học sinh"]
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [["Tên", "Lớp"], ["A", 38]]
    assert cells(out) == {"B2": (RED, "'Học sinh'!B40\nSai")}


def test_a_zip_comes_back_as_a_zip_of_the_faulty_workbooks_under_harmless_names(marked):
    book = saved(book_of(["Tên"], ["A"]))
    content = zipped({"../x/lớp 1.xlsx": book, "b.xlsx": book, "c.csv": b"T\nA\n"})
    out = marked(
        content, Form.ZIP,
        found("'Học sinh'!A2", "Một", part="../x/lớp 1.xlsx"), found("'Học sinh'!A2", "Ba", part="c.csv"),
    )  # fmt: skip
    with zipfile.ZipFile(io.BytesIO(out)) as archive:
        assert archive.namelist() == ["00001-lớp_1.xlsx", "00003-c.xlsx"]
        assert cells(archive.read("00001-lớp_1.xlsx")) == {"A2": (RED, "Một")}
        assert cells(archive.read("00003-c.xlsx")) == {"A2": (RED, "Ba")}


def test_without_anything_to_mend_nothing_is_written(marked):
    book = saved(book_of(["Tên"]))
    assert marked(book, Form.XLSX) is None
    assert marked(book, Form.XLSX, found("'Học sinh'", severity="not_checkable")) is None


def test_what_could_not_be_checked_is_said_in_a_last_column_that_the_next_round_takes_away(marked):
    said = found("'Học sinh'!B2", "Chưa xét được", "not_checkable"), found("'Học sinh'!A2", "Sai")
    for form, content in (
        (Form.XLSX, saved(book_of(["Tên", "Lớp"], ["A", "3A"], ["B", "3B"]))),
        (Form.CSV, "Tên;Lớp\nA;3A\nB;3B\n".encode()),
    ):
        once = marked(content, form, *said)
        for out in (once, marked(once, Form.XLSX, *said) if form is Form.XLSX else once):
            (rows,) = [list(one.iter_rows(values_only=True)) for one in load_workbook(io.BytesIO(out)).worksheets]
            assert rows[0][2] == "Không kiểm tra được · Not checked"
            assert rows[1][:3] == ("A", "3A", "Chưa xét được")
            assert rows[2][:2] == ("B", "3B")
            assert {value for row in rows for value in row[3:]} <= {None}
    assert len(next(load_workbook(io.BytesIO(marked(once, Form.XLSX, said[1]))).active.iter_rows())) >= 2


@pytest.mark.parametrize(
    ("media_type", "name", "form"),
    [
        ("text/csv; charset=utf-8", "a.xlsx", Form.CSV),
        ("application/octet-stream", "A.B.XLSX", Form.XLSX),
        ("", "lop.ndjson", Form.NDJSON),
        ("application/pdf", "a.pdf", None),
        ("", "", None),
    ],
)
def test_the_form_is_said_by_the_media_type_else_by_the_name(media_type: str, name: str, form: Form | None):
    assert form_of(media_type, name) == form


def test_cells_that_look_like_our_column_are_the_senders_unless_they_stand_last(marked):
    ours = "Không kiểm tra được · Not checked"
    out = marked(saved(book_of([ours, ours, "Lớp"], *[[ours] * 2] * 50)), Form.XLSX, found("'Học sinh'!A2"))
    rows = list(load_workbook(io.BytesIO(out)).active.iter_rows(values_only=True))
    assert rows[0] == (ours, ours, "Lớp")
