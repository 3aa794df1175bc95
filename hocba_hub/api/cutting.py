"""Cutting a file into its records, as its form and its profile's source say; streamed, whatever its size.

What cannot be read further is said of the file; the records before it stand.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO
from xml.parsers import expat

from hocba_hub.adapters.files.archive import Archive
from hocba_hub.adapters.files.forms import Form
from hocba_hub.adapters.files.pieces import FileFullError, PieceWriter
from hocba_hub.adapters.workbook.files import file_records
from hocba_hub.api.json_cutter import BodyError
from hocba_hub.api.problem_kinds import KINDS
from hocba_hub.api.vendor_body import XmlCutter
from hocba_hub.mappings import file_findings as kinds
from hocba_hub.mappings.document import ROWS, Source
from hocba_hub.mappings.row_bytes import row_bytes
from hocba_hub.mappings.rows import RowRecord, SourceError
from hocba_hub.model.findings import Finding, FindingKind, Severity
from hocba_hub.model.xml_reading import KINDS as CARD_ROOTS
from hocba_hub.store.files import MOST_FINDINGS, Shown

_BLANK = b" \t\r\n"
_CHUNK = 1 << 18


@dataclass(slots=True)
class Cutter:
    """Cuts one file."""

    source: Source | None
    """Of the profile's mapping; None for canonical cards."""
    record_bytes: int
    """Most bytes of one record."""
    pieces: PieceWriter
    folder: Path
    """Where a workbook of a zip may be unpacked while it is read."""
    findings: list[Shown] = field(default_factory=list)
    """What is to be said of the file itself."""

    def file(self, file: BinaryIO, form: Form) -> None:
        """Cut a file of any form; as much of it as one file may hold."""
        try:
            self._file(file, form)
        except FileFullError as error:
            self._say(Finding(kinds.FILE_FULL, "", error.expected), "")

    def _file(self, file: BinaryIO, form: Form) -> None:
        if form is not Form.ZIP:
            if not self._is_wanted(form):
                self._say(said_of("profile.format"), "")
            elif form.source_format == ROWS:
                self._rows(file, form, "")
            else:
                self._stream(iter(lambda: file.read(_CHUNK), b""), form, "")
            return
        try:
            with Archive(file) as archive:
                for entry in archive.entries():
                    objection = entry.objection()
                    if objection is not None or entry.form is None:
                        self._say(Finding(objection, "") if objection else None, entry.name)
                        continue
                    self.pieces.part(entry.name, entry.form)
                    self._entry(entry.chunks(), entry.name, entry.form)
        except SourceError as error:
            self._say(error.finding, "")

    def _entry(self, chunks: Iterator[bytes], name: str, form: Form) -> None:
        if not self._is_wanted(form):
            self._say(said_of("profile.format"), name)
            return
        if form.source_format != ROWS:
            self._stream(chunks, form, name)
            return
        with tempfile.TemporaryFile(dir=self.folder) as unpacked:  # a workbook is read at many places of it
            try:
                for chunk in chunks:
                    unpacked.write(chunk)
            except SourceError as error:
                self._say(error.finding, name)
                return
            unpacked.seek(0)
            self._rows(unpacked, form, name)

    def _is_wanted(self, form: Form) -> bool:
        """Whether the profile reads files of this form; canonical cards come as JSON and as XML."""
        if self.source is None:
            return form in {Form.NDJSON, Form.XML}
        return form.source_format == self.source.format

    def _stream(self, chunks: Iterator[bytes], form: Form, part: str) -> None:
        try:
            for record in self._lines(chunks) if form is Form.NDJSON else self._elements(chunks):
                self._check(len(record))
                self.pieces.record(record)
        except BodyError as error:
            self._say(said_of(error.code), part)
        except SourceError as error:
            self._say(error.finding, part)

    def _rows(self, file: BinaryIO, form: Form, part: str) -> None:
        assert self.source is not None  # noqa: S101 - only a mapping reads rows
        known = 0
        for found in file_records(file, form.ending, self.source):
            if isinstance(found, Finding):
                self._say(found, part)
                continue
            assert isinstance(found, RowRecord)  # noqa: S101 - the only records that rows make
            if len(found.letters) != known:
                known = len(found.letters)
                self.pieces.columns(found.letters)
            raw = row_bytes(found)
            if len(raw) > self.record_bytes:
                self._say(said_of("body.record-too-large", found.place(())), part)
                continue
            self.pieces.record(raw)

    def _lines(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        begun = b""
        for chunk in chunks:
            lines = (begun + chunk).split(b"\n")
            begun = lines.pop()
            yield from filter(None, (line.strip(_BLANK) for line in lines))
            self._check(len(begun))
        if record := begun.strip(_BLANK):
            yield record

    def _elements(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        first = next(chunks, b"")
        chunks = chain([first], chunks)
        if self.source is None:
            cutter: XmlCutter | None = None if _root(first) in CARD_ROOTS else _CardCutter(self.record_bytes)
        else:
            records = self.source.records
            cutter = (
                None if records is None else XmlCutter(records.keys or (), self.source.namespaces, self.record_bytes)
            )
        held = bytearray()
        for chunk in chunks:
            if cutter is not None:
                yield from cutter.feed(chunk)
            else:
                held += chunk
                self._check(len(held) - len(chunk))
        if cutter is not None:
            yield from cutter.feed(b"", final=True)
        elif held.strip(_BLANK):
            yield bytes(held)

    def _check(self, size: int) -> None:
        if size > self.record_bytes:
            raise BodyError("body.record-too-large", f"A record may have {self.record_bytes} bytes at most.")

    def _say(self, found: Finding | None, part: str) -> None:
        if found is not None and len(self.findings) < MOST_FINDINGS:
            self.findings.append({**found.as_json(), **({"part": part} if part else {})})


class _CardCutter(XmlCutter):
    """Cuts a list of canonical cards: every child of the root element, whatever the root is called."""

    def __init__(self, record_bytes: int) -> None:
        super().__init__(("",), {}, record_bytes)

    def _start(self, name: str, _: object) -> None:  # noqa: ARG002 - the signature of expat's handlers
        self._depth += 1
        if self._depth == 1:
            self._around.append(self._tag(self._parser.CurrentByteIndex))
        elif self._depth == 2 and self._begins < 0:  # noqa: PLR2004 - a child of the root
            self._begins = self._parser.CurrentByteIndex


def said_of(code: str, place: str = "") -> Finding:
    """The problem of this code, as something that is found of a file."""
    kind = KINDS[code]
    return Finding(FindingKind(code, Severity.ERROR, kind.detail_vi, kind.detail_en), place)


def _root(head: bytes) -> str:
    """Tag of the root element, as lxml writes it; empty where the beginning of the document has none."""
    found: list[str] = []
    parser = expat.ParserCreate(namespace_separator="}")

    def start(name: str, _: Any) -> None:  # noqa: ANN401 - expat's attributes
        if not found:
            found.append(name)

    parser.StartElementHandler = start
    with suppress(expat.ExpatError):  # whoever reads it whole says what is wrong
        parser.Parse(head, False)  # noqa: FBT003 - expat's own signature
    return "{" + found[0] if found and "}" in found[0] else ""
