"""The records that a file was cut into, one behind the other: a restarted import finds its place without parsing.

Each piece is one byte for its kind, four for its length, and its bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

import orjson

from hocba_hub.model.errors import HubError

_HEAD = struct.Struct(">cI")
_RECORD, _PART, _COLUMNS = b"R", b"P", b"C"

Columns = Mapping[str, Mapping[str, str]]
"""Sheet → column name → letter."""


@dataclass(frozen=True, slots=True)
class PartBegins:
    """The entry of a zip in which the following records stand."""

    name: str
    form: str


@dataclass(frozen=True, slots=True)
class Piece:
    """One record."""

    raw: bytes
    form: str
    """Form of the file, or of the zip's entry, that it stood in."""
    columns: Columns
    """Where its columns stand, for a record of a workbook or CSV file."""


class FileFullError(HubError):
    """The file holds more than one file may; the pieces before are there."""

    def __init__(self, expected: str) -> None:
        super().__init__(f"A file may hold {expected}.")
        self.expected = expected


class PieceWriter:
    """Writes pieces in their order."""

    def __init__(self, file: BinaryIO, *, most_records: int = 200_000, most_bytes: int = 4 << 30) -> None:
        self._file = file
        self._most_records, self._left, self._most_bytes = most_records, most_bytes, most_bytes
        self.records = 0
        """Records so far."""

    def record(self, raw: bytes) -> None:
        """Add a record.

        Raises:
            FileFullError: it is one more than there may be.
        """
        if self.records == self._most_records:
            raise FileFullError(f"{self._most_records:,}")
        self._write(_RECORD, raw)
        self.records += 1

    def part(self, name: str, form: str) -> None:
        """Say that another entry begins."""
        self._write(_PART, orjson.dumps([form, name]))

    def columns(self, columns: Columns) -> None:
        """Say where the columns of the following records stand."""
        self._write(_COLUMNS, orjson.dumps(columns))

    def _write(self, kind: bytes, content: bytes) -> None:
        self._left -= _HEAD.size + len(content)
        if self._left < 0:
            raise FileFullError(f"{self._most_bytes >> 20:,} MB")
        self._file.write(_HEAD.pack(kind, len(content)))
        self._file.write(content)


def read_pieces(file: BinaryIO, form: str, *, skip: int = 0) -> Iterator[PartBegins | Piece]:
    """The pieces behind the first `skip` records; the parts before them too, since the next record may be of the last.

    `form` is that of the whole file.

    Raises:
        EOFError: the last piece is not whole.
    """
    columns: Columns = {}
    while head := file.read(_HEAD.size):
        if len(head) < _HEAD.size:
            raise EOFError
        kind, length = _HEAD.unpack(head)
        if kind == _RECORD and skip:
            file.seek(length, 1)
            skip -= 1
            continue
        content = file.read(length)
        if len(content) < length:
            raise EOFError
        match kind:
            case b"P":
                form, name = orjson.loads(content)
                columns = {}
                if not skip:
                    yield PartBegins(name, form)
            case b"C":
                columns = orjson.loads(content)
            case _:
                yield Piece(content, form, columns)
