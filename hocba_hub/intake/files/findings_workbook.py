"""The sender's own workbook with its faulty cells coloured and the findings as comments: mended where it is wrong.

A workbook of usual size is kept as it is, but for colours and comments; what an earlier round put there is taken away
first. CSV becomes a workbook of the same rows. What could not be checked is said in a last column, where it was
asked for. Of what is too large to be held, the rows with findings are written,
below the header; their comments say where they stood.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell, MergedCell, WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.utils import column_index_from_string
from openpyxl.worksheet.worksheet import Worksheet

from hocba_hub.adapters.workbook.delimited import csv_sheet
from hocba_hub.adapters.workbook.workbook import Workbook as SourceWorkbook
from hocba_hub.adapters.workbook.workbook import open_workbook
from hocba_hub.intake.files.archive import Archive, Entry
from hocba_hub.intake.files.forms import Form
from hocba_hub.mappings.document.document import Source
from hocba_hub.mappings.records.rows import Sheet, SourceError
from hocba_hub.mappings.records.sheet_rows import cell_place, letter
from hocba_hub.mappings.values.value import MERGED, NO_RESULT
from hocba_hub.model.ids import uuid7

AUTHOR = "hocba-hub"
"""Author of the comments; those of an earlier round are known by it."""
_PLACE = re.compile(r"(?:'((?:[^']|'')*)'|([^!']+))(?:!([A-Z]{0,3})([0-9]{0,7}))?")
_HELD_BYTES = 24 << 20
"""Unpacked size of a workbook that is changed in place: it is held in memory, about ten times larger."""
_HELD_MERGED_CELLS = 50_000
_MOST_CELLS = 20_000
"""Cells of one workbook that are marked."""
_MOST_COMMENTS = 3_000
"""Cells that get a comment; those behind them get the colour alone."""
_MOST_LINES = 12
_COLOURS = {"error": "FFFFC7CE", "warning": "FFFFEB9C"}
"""Severity → colour. What could not be checked is nothing that a clerk could mend: it has no colour."""
_UNCHECKED = "Không kiểm tra được · Not checked"
"""Head of the column that says what could not be checked; found again by it."""
_LAST_COLUMN = 16_384
_OURS = frozenset(_COLOURS.values())
_THEIRS = "\n———\n"
"""Between our part of a comment and what the sender had there."""

Shown = Mapping[str, Any]
"""A finding as the API shows it."""


@dataclass(slots=True)
class _Mark:
    severity: str
    lines: list[str] = field(default_factory=list)

    def text(self, place: str = "") -> str:
        return "\n".join([place, *self.lines] if place else self.lines)


@dataclass(slots=True)
class Marks:
    """What was found in one workbook, by sheet, row and column (from 1)."""

    cells: dict[str, dict[tuple[int, int], _Mark]] = field(default_factory=dict)
    unchecked: dict[str, dict[int, list[str]]] = field(default_factory=dict)
    """What could not be checked, by sheet and row."""
    count: int = 0

    def add(self, said: Shown) -> None:
        """Mark the cell that a finding names; of a row its first cell, of a sheet its first."""
        match = _PLACE.fullmatch(str(said.get("pointer", "")))
        if match is None:
            return
        sheet = (match[1] or "").replace("''", "'") or match[2] or ""
        if said["severity"] not in _COLOURS:
            if self.count < _MOST_CELLS and match[4]:
                lines = self.unchecked.setdefault(sheet, {}).setdefault(int(match[4]), [])
                self.count += not lines
                if len(lines) < _MOST_LINES:
                    lines.append(str(said["message_vi"]))
            return
        here = int(match[4] or 1), column_index_from_string(match[3]) if match[3] else 1
        cells = self.cells.setdefault(sheet, {})
        mark = cells.get(here)
        if mark is None:
            if self.count == _MOST_CELLS:
                return
            self.count += 1
            mark = cells[here] = _Mark(said["severity"])
        if said["severity"] == "error":
            mark.severity = "error"
        line = str(said["message_vi"]) + (f" Học bạ ghi: {said['sent']}." if "sent" in said else "")
        if line not in mark.lines and len(mark.lines) < _MOST_LINES:
            mark.lines.append(line)


def mark_file(original: Path, form: Form, source: Source, said: Iterable[tuple[str, Shown]], target: Path) -> bool:
    """Write the workbook of a file's findings; a zip of workbooks for a zip. False if there is nothing to write.

    `said` are findings, each with the name of the zip's entry that it is about.

    Raises:
        SourceError: the file cannot be read.
    """
    marks: dict[str, Marks] = {}
    for part, one in said:
        marks.setdefault(part, Marks()).add(one)
    marks = {part: found for part, found in marks.items() if found.count}
    if not marks:
        return False
    unfinished = target.with_name(f"findings.{uuid7()}.part")
    with original.open("rb") as file, unfinished.open("w+b") as out:
        if form is Form.ZIP:
            with Archive(file) as archive, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as written:
                for number, entry in enumerate(archive.entries(), 1):
                    if entry.name in marks and entry.form in {Form.XLSX, Form.CSV}:
                        _mark_entry(entry, number, source, marks[entry.name], written, target.parent)
        else:
            _mark(file, form, source, marks[""], out)
    unfinished.rename(target)
    return True


def _mark_entry(  # noqa: PLR0917 - an entry, and where it goes
    entry: Entry, number: int, source: Source, marks: Marks, written: zipfile.ZipFile, folder: Path
) -> None:
    """Names in the zip are ours: a number, and what of the sender's name is harmless everywhere."""
    stem = re.sub(r"[^\w.-]+", "_", entry.name.rpartition("/")[2].rpartition(".")[0])[:80]
    with tempfile.TemporaryFile(dir=folder) as unpacked:
        for chunk in entry.chunks():
            unpacked.write(chunk)
        unpacked.seek(0)
        with written.open(f"{number:05d}-{stem}.xlsx", "w", force_zip64=True) as out:
            _mark(unpacked, entry.form or Form.XLSX, source, marks, cast("BinaryIO", out))


def _mark(file: BinaryIO, form: Form, source: Source, marks: Marks, out: BinaryIO) -> None:
    size = file.seek(0, 2)
    file.seek(0)
    if form is Form.CSV:
        _rewrite([csv_sheet(file, source.sheets[0].sheet)], source, marks, out, whole=size <= _HELD_BYTES)
        return
    with open_workbook(file) as workbook:
        if not _may_be_held(workbook):
            _rewrite(workbook.sheets, source, marks, out, whole=False)
            return
    file.seek(0)
    book = load_workbook(file, keep_links=False)
    left = _MOST_COMMENTS
    for sheet in book.worksheets:
        _clean(sheet)
        cells = marks.cells.get(sheet.title, {})
        for here, mark in cells.items():
            _put(_whole_cell(sheet, *here), mark, mark.text() if left > 0 else "")
            left -= 1
        if unchecked := marks.unchecked.get(sheet.title):
            _add_column(sheet, unchecked, _head(source))
    book.save(out)


def _head(source: Source) -> int:
    """The last row of the sheets' heads."""
    return max(spec.header[1] for spec in source.sheets)


def _add_column(sheet: Worksheet, unchecked: Mapping[int, Sequence[str]], head: int) -> None:
    column = sheet.max_column + 1
    if column > _LAST_COLUMN:
        return
    for row, lines in {head: [_UNCHECKED], **unchecked}.items():
        if row:
            _put_text(_whole_cell(sheet, row, column), lines)


def _put_text(cell: Cell, lines: Sequence[str]) -> None:
    cell.value, cell.data_type, cell.number_format = "\n".join(lines), "s", "@"


def _may_be_held(workbook: SourceWorkbook) -> bool:
    """Whether the workbook is changed in place: openpyxl makes an object of every cell, each merged one too."""
    if sum(map(workbook.package.size, workbook.package.names())) > _HELD_BYTES:
        return False
    try:
        return workbook.merged_cells() <= _HELD_MERGED_CELLS
    except SourceError:
        return False


def _clean(sheet: Worksheet) -> None:
    """Take away what an earlier round put there."""
    # The cells that there are: `iter_rows` would make every one up to the last, seventeen billion at most.
    for cell in list(sheet._cells.values()):  # noqa: SLF001
        comment = cell.comment
        if isinstance(cell, MergedCell) or comment is None or comment.author != AUTHOR:
            continue
        theirs = str(comment.text).partition(_THEIRS)[2]
        cell.comment = Comment(theirs, "") if theirs else None
        if cell.fill.start_color.rgb in _OURS:
            cell.fill = PatternFill()
    last = sheet.max_column
    if any(cell.column == last and cell.value == _UNCHECKED for cell in sheet._cells.values()):  # noqa: SLF001
        sheet.delete_cols(last)


def _whole_cell(sheet: Worksheet, row: int, column: int) -> Cell:
    """The cell, or the one whose value it shares where cells are merged."""
    cell = sheet.cell(row, column)
    if isinstance(cell, MergedCell):
        merged = next(area for area in sheet.merged_cells.ranges if cell.coordinate in area)
        cell = sheet.cell(merged.min_row, merged.min_col)
    return cast("Cell", cell)


def _put(cell: Cell, mark: _Mark, text: str) -> None:
    cell.fill = PatternFill("solid", start_color=_COLOURS[mark.severity])
    if not text:
        return
    theirs = cell.comment
    comment = Comment(text if theirs is None else f"{text}{_THEIRS}{theirs.text}", AUTHOR)
    comment.width, comment.height = 360, 60 + 40 * min(len(mark.lines), 6)
    cell.comment = comment


def _rewrite(sheets: Iterable[Sheet], source: Source, marks: Marks, out: BinaryIO, *, whole: bool) -> None:
    """The rows in a new workbook; unless `whole`, the rows with marks, and those above the cards."""
    book = Workbook(write_only=True)
    head = _head(source)
    left = _MOST_COMMENTS
    for sheet in sheets:
        cells = marks.cells.get(sheet.name, {})
        unchecked = marks.unchecked.get(sheet.name, {})
        if not (cells or unchecked or whole):
            continue
        last = 0
        written = book.create_sheet(re.sub(r"[\[\]:*?/\\]", " ", sheet.name)[:31] or None)
        by_row: dict[int, dict[int, _Mark]] = {}
        for (row, at), one in cells.items():
            by_row.setdefault(row, {})[at] = one
        for number, values in enumerate(_readable(sheet), 1):
            found = by_row.get(number, {})
            if not (whole or found or number in unchecked or number <= head):
                continue
            width = max(len(values), max(found, default=0))
            line: list[Cell | None] = []
            for column in range(1, width + 1):
                value = values[column - 1] if column <= len(values) else None
                mark = found.get(column)
                if mark is None and value in (None, "", MERGED, NO_RESULT):
                    line.append(None)
                    continue
                cell = WriteOnlyCell(written, _written(value))
                if isinstance(value, str):
                    cell.data_type, cell.number_format = "s", "@"  # never a formula, and 01 stays 01
                if mark is not None:
                    place = "" if whole else cell_place(sheet.name, letter(column - 1), number)
                    _put(cell, mark, mark.text(place) if left > 0 else "")
                    left -= 1
                line.append(cell)
            lines = [_UNCHECKED] if unchecked and number == head else unchecked.get(number, [])
            last = max(last, width)
            if lines and last < _LAST_COLUMN:
                cell = WriteOnlyCell(written)
                _put_text(cell, lines)
                line += [*[None] * (last - width), cell]
            written.append(line)
    if not book.worksheets:
        book.create_sheet()
    book.save(out)


def _readable(sheet: Sheet) -> Iterator[Any]:
    """The rows up to where the sheet cannot be read any further."""
    try:
        yield from sheet.rows
    except SourceError:
        return


def _written(value: Any) -> Any:  # noqa: ANN401 - whatever a cell holds
    if value in (None, MERGED, NO_RESULT):
        return None
    return ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value
