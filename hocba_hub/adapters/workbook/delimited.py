"""CSV files as one sheet of rows, streamed: UTF-8 (or UTF-16 with its mark), parted by comma, semicolon or tab."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.records.rows import Sheet, SourceError
from hocba_hub.mappings.records.sheet_rows import cell_place
from hocba_hub.mappings.yaml_reading import finding
from hocba_hub.model.findings import FindingKind

_LONGEST_LINE = 1 << 20
_MOST_LINES = 1_000
"""Lines of one row: texts in quotes may hold line breaks."""
_LOOK = 1 << 16


def csv_sheet(file: BinaryIO, name: str) -> Sheet:
    """The sheet of a CSV file, under a name of the caller's; blank cells are nothing."""
    return Sheet(name, _CsvRows(file, name))


@dataclass(slots=True)
class _CsvRows:
    file: BinaryIO
    name: str
    number: int = 0
    """Rows given."""
    lines: int = 0
    """Lines taken for the row at hand."""

    def __iter__(self) -> Iterator[list[str]]:
        self.file.seek(0)
        head = self.file.read(_LOOK)
        self.file.seek(0)
        encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
        text = io.TextIOWrapper(self.file, encoding, newline="")
        self.number = self.lines = 0
        try:
            first = head.decode(encoding, "ignore").splitlines()[:10]
            for row in csv.reader(self._lines(text), delimiter=_delimiter(first)):
                yield row
                self.number += 1
                self.lines = 0
        except UnicodeDecodeError as error:
            raise self._wrong(kinds.NOT_TEXT) from error
        except csv.Error as error:
            raise self._wrong(kinds.DAMAGED) from error
        finally:
            text.detach()

    def _wrong(self, kind: FindingKind, expected: str = "") -> SourceError:
        return SourceError(finding(kind, cell_place(self.name, "", self.number + 1), expected, part=self.name))

    def _lines(self, text: io.TextIOWrapper) -> Iterator[str]:
        while line := text.readline(_LONGEST_LINE):
            self.lines += 1
            if len(line) == _LONGEST_LINE or self.lines > _MOST_LINES:
                raise self._wrong(kinds.TOO_LARGE, "1 MB")
            yield line


def _delimiter(lines: list[str]) -> str:
    """What parts the cells: the sign that is there most often. Excel writes `;` where the comma is a decimal one."""
    return max(",;\t", key=lambda sign: sum(line.count(sign) for line in lines))
