"""Tables that the hub writes into workbooks.

The head stays in sight and is printed on every page. A text is never a formula, whoever it came from: a vendor may well
call a class =1+1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

Sheet: TypeAlias = Any
"""A WriteOnlyWorksheet of openpyxl, whose stubs know less of it than it can."""
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
"""Of a workbook."""
_USUAL_WIDTH = 22
HEAD = {"font": Font(bold=True), "fill": PatternFill("solid", "FFDCE6F1")}
"""How a head looks."""


def write_table(
    book: Workbook,
    title: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[object]],
    widths: Sequence[float] = (),
) -> Sheet:
    """Add a sheet of a head and its rows to a workbook that is only written; `widths` in characters, by column."""
    sheet: Sheet = book.create_sheet(title)
    for number in range(len(heads)):
        width = widths[number] if widths else _USUAL_WIDTH
        sheet.column_dimensions[get_column_letter(number + 1)].width = width
    sheet.freeze_panes = "A2"
    sheet.print_title_rows = "1:1"
    on_one_page(sheet)
    sheet.append([text_cell(sheet, head, alignment=Alignment(wrap_text=True), **HEAD) for head in heads])
    for row in rows:
        sheet.append([text_cell(sheet, value) if isinstance(value, str) else value for value in row])
    return sheet


def text_cell(sheet: Sheet, text: str, **style: object) -> Cell:
    """A cell that holds this text as text, without the characters that a workbook cannot hold."""
    cell: Cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", text))
    cell.data_type = "s"
    for key, value in style.items():
        setattr(cell, key, value)
    return cell


def on_one_page(sheet: Sheet) -> None:
    """Printed, the sheet is as wide as a page."""
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", Worksheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
