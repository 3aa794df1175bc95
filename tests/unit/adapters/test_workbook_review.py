"""The table of a mapping's rules: what officials open, change and send back."""

import io

import pytest
from openpyxl import load_workbook

from hocba_hub.adapters.workbook.review import read_review, write_review
from hocba_hub.mappings.check.example_runs import example_values
from hocba_hub.mappings.document.diff import diff
from hocba_hub.mappings.document.parse import load_document
from hocba_hub.mappings.document.tabular import HEADER, TITLES_VI, TableFormError, as_table, from_table
from hocba_hub.mappings.library.library import shipped_library
from hocba_hub.mappings.records.rows import SourceError
from hocba_hub.mappings.tables.table_files import shipped_tables

LIBRARY = shipped_library()
DANGEROUS = [
    "=1+1",
    "+84",
    "-",
    "@SUM(A1)",
    "'",
    "'x",
    "'=1",
    "01",
    "1e5",
    "TRUE",
    "",
    "a\nb",
    "\ttab",
    "Đỗ; x,y",
    "#REF",
]
NAMES = ["review.xlsx", "review.csv"]


def written(lines, name):
    file = io.BytesIO()
    write_review(file, name, lines, TITLES_VI)
    return file


def read(lines, name):
    return read_review(written(lines, name), name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("document", LIBRARY.documents, ids=lambda document: document.label)
def test_every_shipped_mapping_comes_back(document, name):
    lines = as_table(document, example_values(document, shipped_tables()))
    assert diff(document, load_document(from_table(document, read(lines, name)))) == []


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_texts_and_never_formulas(name):
    lines = [["target", "from"], *([text, text] for text in DANGEROUS)]
    back = read(lines, name)[-len(DANGEROUS) :]
    assert [[*line, "", ""][:2] for line in back] == lines[1:]


def test_a_workbook_holds_no_formula_and_csv_begins_no_cell_as_one():
    lines = [["target"], *([text] for text in DANGEROUS)]
    sheet = load_workbook(written(lines, "x.xlsx")).active
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}
    for line in written(lines, "x.csv").getvalue().decode("utf-8-sig").splitlines():
        assert line.lstrip('"')[:1] not in {"=", "+", "-", "@", "\t"}


def test_officials_read_it():
    document = LIBRARY.select("vendor-flat-secondary")
    sheet = load_workbook(written(as_table(document), "x.xlsx")).active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0] == tuple(TITLES_VI[name] for name in HEADER)
    assert rows[1] == HEADER
    assert sheet.freeze_panes == "B3"
    assert sheet.column_dimensions["A"].width > 30


def test_a_reviewed_workbook_changes_the_mapping():
    document = LIBRARY.select("workbook-primary")
    file = written(as_table(document), "x.xlsx")
    book = load_workbook(file)
    sheet = book.active
    places = {row[0].value: row for row in sheet.iter_rows(min_row=3)}
    columns = {name: at for at, name in enumerate(HEADER)}
    places["register_number"][columns["required"]].value = True
    places["register_number"][columns["default"]].value = 12
    places["year/homeroom_comment"][columns["note"]].value = "Sở yêu cầu"
    changed = io.BytesIO()
    book.save(changed)
    after = load_document(from_table(document, read_review(changed, "x.xlsx")))
    assert [change.name for change in diff(document, after)] == ["register_number"]
    assert after.given["fields"]["year/homeroom_comment"]["note"] == "Sở yêu cầu"
    rule = after.fields["register_number"][0]
    assert (rule.required, rule.default) == (True, 12)


def test_a_table_without_its_column_names_is_told():
    document = LIBRARY.select("workbook-primary")
    with pytest.raises(TableFormError, match="line 1: expected the columns target"):
        from_table(document, [["target"], ["kind"]])


def test_a_formula_in_a_reviewed_workbook_is_told_at_its_cell():
    document = LIBRARY.select("workbook-primary")
    book = load_workbook(written(as_table(document), "x.xlsx"))
    book.active["C4"] = "=A1"
    file = io.BytesIO()
    book.save(file)
    with pytest.raises(SourceError) as caught:
        read_review(file, "x.xlsx")
    assert caught.value.finding.pointer == "'Quy tắc ánh xạ'!C4"
