"""One row of a sheet: its place, its values by their columns; and rows that are held until their card comes."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from hocba_hub.mappings.document.document import SheetSpec
from hocba_hub.mappings.values.cells import CELL_FAULTS
from hocba_hub.mappings.values.value import JsonValue, as_text, clean_text

SHEET, ROW, HEAD_CELLS = "@sheet", "@row", "@head"
"""Our own names in a row: a column that is called so is not read."""
_OVERHEAD = 100
"""Bytes of a held row besides its own."""

Key: TypeAlias = tuple[str, ...]
"""The values of the key columns of a row."""


def cell_place(sheet: str, column: str, row: int | str) -> str:
    """`Sheet!B7`, with the sheet's name in quotes where it has to be; `B7` in a CSV file for any sheet (`*`)."""
    if sheet == "*":
        return f"{column}{row}"
    quoted = sheet if sheet.isidentifier() else "'" + sheet.replace("'", "''") + "'"
    return f"{quoted}!{column}{row}"


def letter(column: int) -> str:
    """A column's letter, from 0: A, B, … Z, AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def key_of(row: Mapping[str, JsonValue], columns: Iterable[str]) -> Key:
    """The values of key columns; "" where there is none."""
    values = (row.get(name) for name in columns)
    texts = (clean_text(as_text(value)) if value is not None else "" for value in values)
    return tuple("" if text in CELL_FAULTS else text for text in texts)


class Row(NamedTuple):
    """A row of a sheet."""

    sheet: str
    names: Sequence[str]
    number: int
    cells: Sequence[JsonValue]

    @property
    def place(self) -> str:
        """`Sheet!7`."""
        return cell_place(self.sheet, "", self.number)

    def node(self) -> dict[str, JsonValue]:
        """Its values by their columns, blanks left out."""
        row: dict[str, JsonValue] = {
            name: cell
            for name, cell in zip(self.names, self.cells, strict=False)
            if name and cell is not None and cell != ""
        }
        row[SHEET], row[ROW] = self.sheet, self.number
        return row


@dataclass
class HeldRows:
    """The rows of one kind of other sheet, by their key, until their card comes: packed, for they may be many."""

    spec: SheetSpec
    rows: dict[Key, list[bytes]] = field(default_factory=dict)
    heads: list[tuple[str, Sequence[str]]] = field(default_factory=list)
    """Name and columns of each sheet."""
    used: set[Key] = field(default_factory=set)
    """Keys that a card named, of a sheet that several cards may name."""

    def add(self, key: Key, row: Row) -> int:
        """Hold a row; returns its bytes."""
        if not self.heads or self.heads[-1] != (row.sheet, row.names):
            self.heads.append((row.sheet, row.names))
        packed = zlib.compress(pickle.dumps((len(self.heads) - 1, row.number, tuple(row.cells)), 5), 1)
        self.rows.setdefault(key, []).append(packed)
        return len(packed) + _OVERHEAD

    def of(self, key: Key, card: Mapping[str, JsonValue]) -> list[Row]:
        """The rows that belong to a card."""
        if self.spec.key and not self.spec.of:
            return [self._row(packed) for packed in self.rows.pop(key, ())]
        key = key_of(card, self.spec.of)
        self.used.add(key)
        return [self._row(packed) for packed in self.rows.get(key, ())]

    def _row(self, packed: bytes) -> Row:
        head: int
        head, number, cells = pickle.loads(zlib.decompress(packed))  # noqa: S301 - packed by ourselves, see above
        return Row(*self.heads[head], number, cells)

    def left(self) -> Iterator[Row]:
        """The first row of every key that no card has."""
        return (self._row(rows[0]) for key, rows in self.rows.items() if key not in self.used)
