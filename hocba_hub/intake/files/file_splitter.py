"""Splitting a file into its records, as its form and its profile say; streamed, whatever its size.

What cannot be read further is said of the file; the records before it stand.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from hocba_hub.intake.errors import PROBLEM_KINDS, SubmissionError
from hocba_hub.intake.files.archive import Archive
from hocba_hub.intake.files.forms import Form
from hocba_hub.intake.files.pieces import FileFullError, PieceWriter
from hocba_hub.intake.finding_kinds import FILE_FULL
from hocba_hub.intake.profiles import NDJSON, Profile
from hocba_hub.intake.split.rows import Columns, split_rows
from hocba_hub.intake.split.splitter import split
from hocba_hub.mappings.document.document import ROWS, XML
from hocba_hub.mappings.records.rows import SourceError
from hocba_hub.model.findings import Finding
from hocba_hub.model.problems import finding_from_problem
from hocba_hub.store.files import MOST_FINDINGS, Shown

_CHUNK = 1 << 18


@dataclass(slots=True)
class FileSplitter:
    """Splits one file."""

    profile: Profile
    pieces: PieceWriter
    folder: Path
    """Where a workbook of a zip may be unpacked while it is read."""
    findings: list[Shown] = field(default_factory=list)
    """What is to be said of the file itself."""

    def split(self, file: BinaryIO, form: Form) -> None:
        """Split a file of any form; as much of it as one file may hold."""
        try:
            if form is Form.ZIP:
                self._archive(file)
            elif not self._is_wanted(form):
                self._report(_problem("profile.format"), "")
            elif form.source_format == ROWS:
                self._rows(file, form, "")
            else:
                self._stream(iter(lambda: file.read(_CHUNK), b""), form, "")
        except FileFullError as error:
            self._report(Finding(FILE_FULL, "", error.expected), "")

    def _archive(self, file: BinaryIO) -> None:
        try:
            with Archive(file) as archive:
                for entry in archive.entries():
                    objection = entry.objection()
                    if objection is not None or entry.form is None:
                        self._report(Finding(objection, "") if objection else None, entry.name)
                        continue
                    self.pieces.part(entry.name, entry.form)
                    self._entry(entry.chunks(), entry.name, entry.form)
        except SourceError as error:
            self._report(error.finding, "")

    def _entry(self, chunks: Iterator[bytes], name: str, form: Form) -> None:
        if not self._is_wanted(form):
            self._report(_problem("profile.format"), name)
            return
        if form.source_format != ROWS:
            self._stream(chunks, form, name)
            return
        with tempfile.TemporaryFile(dir=self.folder) as unpacked:  # a workbook is read at many places of it
            try:
                for chunk in chunks:
                    unpacked.write(chunk)
            except SourceError as error:
                self._report(error.finding, name)
                return
            unpacked.seek(0)
            self._rows(unpacked, form, name)

    def _is_wanted(self, form: Form) -> bool:
        """Whether the profile reads files of this form; canonical cards come as JSON and as XML."""
        source = self.profile.source
        return form in {Form.NDJSON, Form.XML} if source is None else form.source_format == source.format

    def _stream(self, chunks: Iterator[bytes], form: Form, part: str) -> None:
        splitter = self.profile.splitter(NDJSON if form is Form.NDJSON else XML)
        try:
            for record in split(chunks, splitter, self.profile.record_bytes):
                self.pieces.record(record)
        except SubmissionError as error:
            self._report(finding_from_problem(error.kind), part)
        except SourceError as error:
            self._report(error.finding, part)

    def _rows(self, file: BinaryIO, form: Form, part: str) -> None:
        assert self.profile.source is not None  # noqa: S101 - only a mapping reads rows
        for found in split_rows(file, form.ending, self.profile.source, self.profile.record_bytes):
            if isinstance(found, Finding):
                self._report(found, part)
            elif isinstance(found, Columns):
                self.pieces.columns(found.letters)
            else:
                self.pieces.record(found)

    def _report(self, found: Finding | None, part: str) -> None:
        if found is not None and len(self.findings) < MOST_FINDINGS:
            self.findings.append({**found.as_json(), **({"part": part} if part else {})})


def _problem(code: str) -> Finding:
    return finding_from_problem(PROBLEM_KINDS[code])
