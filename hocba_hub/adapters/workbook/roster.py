"""Rosters as people keep them: a workbook or CSV with a row for each class, or for each grade.

The first row names the columns, in Vietnamese or English, in any order: school, grade, class, pupils, perhaps level.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import BinaryIO

from hocba_hub.adapters.workbook.delimited import csv_sheet
from hocba_hub.adapters.workbook.file_records import CSV_ENDINGS
from hocba_hub.adapters.workbook.workbook import open_workbook
from hocba_hub.mappings.records.sheet_rows import cell_place, letter
from hocba_hub.mappings.values.value import JsonValue, as_text, without_accents
from hocba_hub.model.deadlines import ExpectedClass
from hocba_hub.model.errors import HubError
from hocba_hub.model.windows import Level, level_of

MOST_CLASSES = 100_000
MOST_PUPILS = 10_000
"""Of one class or grade."""
_LAST_GRADE = 12
_LONGEST_CODE = 40
_NAMES = {
    "school": ("school", "school_code", "ma truong", "truong"),
    "grade": ("grade", "khoi", "khoi lop"),
    "class": ("class", "class_code", "lop", "ma lop"),
    "pupils": ("pupils", "si so", "so hoc sinh"),
    "level": ("level", "cap hoc", "cap"),
}
_NEEDED = ("school", "grade", "pupils")
_LEVELS = {
    "tieu hoc": Level.PRIMARY, "thcs": Level.LOWER_SECONDARY, "thpt": Level.UPPER_SECONDARY, "gdtx": Level.CONTINUING,
    **{str(level): level for level in Level},
}  # fmt: skip


class RosterError(HubError):
    """A roster cannot be read: `code` is `columns`, `number`, `text`, `level` or `too-many`, `place` the cell."""

    def __init__(self, code: str, place: str) -> None:
        super().__init__(f"{place}: {code}")
        self.code, self.place = code, place


def read_roster(file: BinaryIO, name: str) -> list[ExpectedClass]:
    """The classes of a roster; nothing is taken of one that has a fault.

    Raises:
        RosterError: a column is missing, or a cell is not right.
        SourceError: the file cannot be read; its finding says why.
    """
    if name.lower().endswith(CSV_ENDINGS):
        with closing(iter(csv_sheet(file, "*").rows)) as rows:  # type: ignore[type-var]
            return list(_classes("*", rows))
    with open_workbook(file) as workbook:
        return list(_classes(workbook.sheets[0].name, workbook.sheets[0].rows)) if workbook.sheets else []


def _classes(sheet: str, rows: Iterable[Sequence[JsonValue]]) -> Iterator[ExpectedClass]:
    lines = enumerate(rows, 1)
    _, heads = next(lines, (1, ()))
    columns = _columns(sheet, [without_accents(_text(head)) for head in heads])
    for number, cells in lines:
        row = _Row(sheet, number, columns, [_text(cell) for cell in cells])
        if not any(row.texts):
            continue
        if number > MOST_CLASSES:
            raise RosterError("too-many", cell_place(sheet, "A", number))
        grade = row.number("grade", _LAST_GRADE, least=1)
        yield ExpectedClass(
            row.code("school"), row.level(grade), grade, row.code("class", may_be_empty=True),
            row.number("pupils", MOST_PUPILS),
        )  # fmt: skip


def _columns(sheet: str, heads: Sequence[str]) -> dict[str, int]:
    found = {
        name: number for name, known in _NAMES.items() for number, head in enumerate(heads) if head in known
    }  # fmt: skip
    if not all(name in found for name in _NEEDED):
        raise RosterError("columns", cell_place(sheet, "A", 1))
    return found


class _Row:
    def __init__(self, sheet: str, number: int, columns: dict[str, int], texts: list[str]) -> None:
        self._sheet, self._number, self._columns, self.texts = sheet, number, columns, texts

    def _cell(self, name: str) -> str:
        place = self._columns.get(name)
        return "" if place is None or place >= len(self.texts) else self.texts[place]

    def _wrong(self, code: str, name: str) -> RosterError:
        return RosterError(code, cell_place(self._sheet, letter(self._columns[name]), self._number))

    def code(self, name: str, *, may_be_empty: bool = False) -> str:
        found = self._cell(name)
        if (not found and not may_be_empty) or len(found) > _LONGEST_CODE or not found.isprintable():
            raise self._wrong("text", name)
        return found

    def number(self, name: str, most: int, *, least: int = 0) -> int:
        found = self._cell(name)
        if not (found.isascii() and found.isdecimal()) or not least <= int(found) <= most:
            raise self._wrong("number", name)
        return int(found)

    def level(self, grade: int) -> Level:
        """Where nobody says it, that of the grade."""
        said = without_accents(self._cell("level"))
        if not said:
            return level_of("", grade)
        if said not in _LEVELS:
            raise self._wrong("level", "level")
        return _LEVELS[said]


def _text(value: JsonValue) -> str:
    return "" if value is None else as_text(value).strip()
