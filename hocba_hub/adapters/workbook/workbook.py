"""Open a workbook (.xlsx): its sheets by name, each read only when its rows are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Self

from hocba_hub.adapters.workbook.cells import Book, SheetRows
from hocba_hub.adapters.workbook.merges import find_merges
from hocba_hub.adapters.workbook.package import LIMITS, Limits, Package, refusal
from hocba_hub.adapters.workbook.workbook_parts import SheetPart, Texts, read_contents, read_day_styles, read_texts
from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.records.rows import Sheet
from hocba_hub.mappings.yaml_reading import finding
from hocba_hub.model.findings import Finding

_MACROS = ("vbaProject.bin", "vbaData.xml")


@dataclass(frozen=True, slots=True)
class Workbook:
    """An open workbook; to be closed, or used with `with`. The file stays the caller's."""

    sheets: tuple[Sheet, ...]
    remarks: tuple[Finding, ...]
    """What should be known of it as a whole."""
    package: Package
    parts: tuple[SheetPart, ...]

    def merged_cells(self) -> int:
        """How many cells the merged ranges of all sheets cover.

        Raises:
            SourceError: more than the limits allow.
        """
        merges = (merge for part in self.parts for merge in find_merges(self.package, part))
        return sum((m.last_row - m.first_row + 1) * (m.last - m.first + 1) for m in merges)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.package.close()


def open_workbook(file: BinaryIO, limits: Limits = LIMITS) -> Workbook:
    """The workbook of a file that can be sought in.

    Nothing is run, and nothing outside of the file is opened: of formulas the stored results are taken.

    Raises:
        SourceError: it is no workbook, is damaged, not safe, or more than the limits allow; its finding says which.
    """
    package = Package(file, limits)
    if any(name.endswith(_MACROS) for name in package.names()):
        raise refusal(kinds.MACROS)
    contents = read_contents(package)
    if len(contents.sheets) > limits.sheets:
        raise refusal(kinds.TOO_LARGE, "zip", f"{limits.sheets}")
    texts = read_texts(package, contents.texts) if contents.texts else Texts()
    styles = read_day_styles(package, contents.styles) if contents.styles else frozenset()
    book = Book(package, texts, styles, contents.counts_from_1904)
    sheets = []
    for part in contents.sheets:
        rows = SheetRows(book, part)
        sheets.append(Sheet(part.name, rows, rows.remarks))
    links = any("/externalLinks/" in f"/{name}" for name in package.names())
    return Workbook(
        tuple(sheets), (finding(kinds.EXTERNAL_LINKS, ""),) if links else (), package, tuple(contents.sheets)
    )
