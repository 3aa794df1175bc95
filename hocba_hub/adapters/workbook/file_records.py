"""One way in for whoever has a file: the cards of a workbook or CSV file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from hocba_hub.adapters.workbook.delimited import csv_sheet
from hocba_hub.adapters.workbook.workbook import open_workbook
from hocba_hub.mappings.document.document import Source
from hocba_hub.mappings.records.record import Record
from hocba_hub.mappings.records.rows import SourceError, row_records
from hocba_hub.model.findings import Finding

CSV_ENDINGS = (".csv", ".tsv", ".txt")


def file_records(file: BinaryIO, name: str, source: Source) -> Iterator[Record | Finding]:
    """The cards of a workbook or CSV file, by a mapping's source; every problem is a finding, none an exception.

    The ending of the `name` says which of both it is. CSV is one sheet: it stands for the mapping's first, whatever
    the file is called.
    """
    try:
        if name.lower().endswith(CSV_ENDINGS):
            yield from row_records([csv_sheet(file, source.sheets[0].sheet)], source)
            return
        with open_workbook(file) as workbook:
            yield from workbook.remarks
            yield from row_records(workbook.sheets, source)
    except SourceError as error:
        yield error.finding
