"""The table of a mapping's rules as a spreadsheet for officials, and back: .xlsx and CSV by one way.

Every cell is text, so that what begins with = is never taken for a formula, and 01 stays 01.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import BinaryIO

from openpyxl import Workbook as Written
from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter

from hocba_hub.adapters.workbook.delimited import csv_sheet
from hocba_hub.adapters.workbook.file_records import CSV_ENDINGS
from hocba_hub.adapters.workbook.workbook import open_workbook
from hocba_hub.adapters.workbook.written import HEAD, text_cell
from hocba_hub.mappings.records.rows import SourceError
from hocba_hub.mappings.records.sheet_rows import cell_place, letter
from hocba_hub.mappings.values.cells import CELL_FAULTS
from hocba_hub.mappings.values.value import JsonValue, as_text
from hocba_hub.mappings.yaml_reading import finding

_SHEET = "Quy tắc ánh xạ"
_WIDTHS = {"target": 34, "alternative": 10, "from": 38, "apply": 30, "table": 30, "example": 30, "note": 40}
_USUAL_WIDTH = 16
_CELL = {"number_format": "@", "alignment": Alignment(wrap_text=True, vertical="top")}
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def write_review(file: BinaryIO, name: str, lines: Sequence[Sequence[str]], titles: Mapping[str, str]) -> None:
    """Write a table, its first line the names of its columns; over them in a workbook stand their `titles`.

    The ending of the `name` says whether it is CSV. There, a text that a spreadsheet would take for a formula gets a
    quote before it, which `read_review` takes away.
    """
    if name.lower().endswith(CSV_ENDINGS):
        text = io.TextIOWrapper(file, "utf-8-sig", newline="")
        csv.writer(text).writerows([_guarded(cell) for cell in line] for line in lines)
        text.detach()
        return
    book = Written(write_only=True)
    sheet = book.create_sheet(_SHEET)
    names, *rules = lines
    for number, column in enumerate(names, 1):
        sheet.column_dimensions[get_column_letter(number)].width = _WIDTHS.get(column, _USUAL_WIDTH)
    sheet.freeze_panes = "B3"
    heads = [titles.get(column, column) for column in names]
    sheet.append([text_cell(sheet, text, **_CELL, **HEAD) for text in heads])
    for line in (names, *rules):
        sheet.append([text_cell(sheet, text, **_CELL) for text in line])
    book.save(file)


def read_review(file: BinaryIO, name: str) -> list[list[str]]:
    """The lines of a table that `write_review` wrote and a person changed, its titles too if it has any.

    Raises:
        SourceError: the file cannot be read; its finding says why.
    """
    if name.lower().endswith(CSV_ENDINGS):
        lines = [[as_text(cell) for cell in row] for row in csv_sheet(file, name).rows]
        return [[_bare(cell) for cell in line] for line in lines]
    with open_workbook(file) as workbook:
        if not workbook.sheets:
            return []
        title = workbook.sheets[0].name
        rows = enumerate(workbook.sheets[0].rows, 1)
        return [[_text(cell, title, column, row) for column, cell in enumerate(cells)] for row, cells in rows]


def _text(value: JsonValue, sheet: str, column: int, row: int) -> str:
    """What a person typed; a formula that gave nothing, or an error, is nothing that could be a rule."""
    text = "" if value is None else as_text(value)
    if text in CELL_FAULTS:
        raise SourceError(finding(CELL_FAULTS[text], cell_place(sheet, letter(column), row), target="-"))
    return text


def _guarded(text: str) -> str:
    return f"'{text}" if text.startswith((*_FORMULA_SIGNS, "'")) else text


def _bare(text: str) -> str:
    return text[1:] if text.startswith("'") and text[1:].startswith((*_FORMULA_SIGNS, "'")) else text
