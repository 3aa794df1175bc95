"""Splitting a workbook or CSV file: a record is the rows of one card, kept as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO, NamedTuple

from hocba_hub.adapters.workbook.file_records import file_records
from hocba_hub.intake.errors import PROBLEM_KINDS
from hocba_hub.mappings.document.document import Source
from hocba_hub.mappings.records.row_bytes import row_bytes
from hocba_hub.mappings.records.rows import RowRecord
from hocba_hub.model.findings import Finding
from hocba_hub.model.problems import finding_from_problem


class Columns(NamedTuple):
    """Where the columns of the following records stand."""

    letters: Mapping[str, Mapping[str, str]]
    """Sheet → column name → letter."""


def split_rows(file: BinaryIO, ending: str, source: Source, record_bytes: int) -> Iterator[bytes | Columns | Finding]:
    """The records of a file whose name has this ending, and what is found of the file; nothing is raised."""
    sheets = 0
    for found in file_records(file, ending, source):
        if isinstance(found, Finding):
            yield found
            continue
        assert isinstance(found, RowRecord)  # noqa: S101 - the only records that rows make
        if len(found.letters) != sheets:
            sheets = len(found.letters)
            yield Columns(found.letters)
        raw = row_bytes(found)
        if len(raw) > record_bytes:
            yield finding_from_problem(PROBLEM_KINDS["body.record-too-large"], found.place(()))
        else:
            yield raw
