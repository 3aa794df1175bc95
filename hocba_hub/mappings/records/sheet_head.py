"""What stands above the table of a sheet: cells, read by their address or by the label that stands before them.

  | A            | B          | C | D       |
1 | SỞ GD&ĐT     |            |   |         |      //A1       → SỞ GD&ĐT
2 | Trường:      | THCS Mẫu   |   |         |      //Trường   → THCS Mẫu       //B2 → THCS Mẫu
3 | Lớp: 6A1     |            |   |         |      //Lớp      → 6A1
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hocba_hub.mappings.records.record import Record
from hocba_hub.mappings.records.sheet_rows import letter
from hocba_hub.mappings.values.cells import CELL_FAULTS
from hocba_hub.mappings.values.value import JsonValue, as_text, clean_text

_ADDRESS = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_MOST_CELLS = 300
_LONGEST = 500
"""Characters of one cell; a longer one is a note, and no fact of the head."""


class SheetHead(dict[str, JsonValue]):
    """The cells above a table, by address; a look-up also finds the value behind a label."""

    @classmethod
    def of(cls, rows: Iterable[Sequence[JsonValue]]) -> SheetHead:
        """The head of a sheet from its first rows, as far as it is of a head's size."""
        return cls(_first(_cells(rows)))

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - of `dict`
        """The value at an address (`B2`), or behind a label (`Trường`)."""
        address, is_within = self._find(name)
        if not is_within:
            return super().get(address, default)
        return clean_text(as_text(self[address]).partition(":")[2])

    def address(self, name: str) -> str:
        """Address of the cell that holds the value behind a label; of an address, itself; "" if there is none."""
        return self._find(name)[0]

    def labels(self) -> dict[str, str]:
        """Address of each cell that holds a value → its label; of a cell that no label stands before, its address."""
        found: dict[str, str] = {}
        used: set[str] = set()
        for address, value in self.items():
            text = as_text(value)
            label, colon, rest = text.partition(":")
            if address in used:
                continue
            if colon and rest.strip() and label.strip():
                found[address] = clean_text(label)
            elif colon and (beside := self._beside(address)):
                found[beside] = clean_text(label)
                used.add(beside)
            else:
                found[address] = address
        return found

    def _find(self, name: str) -> tuple[str, bool]:
        """The address, and whether the value is what follows the label in the same cell."""
        if _ADDRESS.fullmatch(name):
            return (name if name in self else ""), False
        wanted = _folded(name)
        for address, value in self.items():
            if not isinstance(value, str):
                continue
            label, colon, rest = value.partition(":")
            if _folded(label) != wanted:
                continue
            if colon and rest.strip():
                return address, True
            if beside := self._beside(address):
                return beside, False
        return "", False

    def _beside(self, address: str) -> str:
        """The next cell with a value to the right, in the same row."""
        place = _split(address)
        same_row = [other for other in self if _split(other)[1] == place[1] and _split(other)[0] > place[0]]
        return min(same_row, key=_split, default="")


def sheet_head(record: Record) -> SheetHead | None:
    """The cells above the table that a record stands in, if it stands in one."""
    return record.around[0] if record.around is not None and isinstance(record.around[0], SheetHead) else None


def _cells(rows: Iterable[Sequence[JsonValue]]) -> Iterator[tuple[str, JsonValue]]:
    for number, row in enumerate(rows, 1):
        for column, cell in enumerate(row):
            value = clean_text(cell) if isinstance(cell, str) else cell
            if value not in (None, "") and not (isinstance(value, str) and value in CELL_FAULTS):
                yield f"{letter(column)}{number}", value


def _first(cells: Iterable[tuple[str, JsonValue]]) -> Mapping[str, JsonValue]:
    found: dict[str, JsonValue] = {}
    for address, value in cells:
        if len(as_text(value)) <= _LONGEST:
            found[address] = value
        if len(found) == _MOST_CELLS:
            break
    return found


def _folded(label: str) -> str:
    return " ".join(clean_text(label).rstrip(":").casefold().split())


def _split(address: str) -> tuple[int, int]:
    """Column and row as numbers."""
    match = _ADDRESS.fullmatch(address)
    assert match is not None  # noqa: S101 - our own keys
    column = 0
    for character in match[1]:
        column = column * 26 + ord(character) - 64
    return column, int(match[2])
