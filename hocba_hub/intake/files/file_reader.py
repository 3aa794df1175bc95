"""What reads files for the import: split into records by their profile, each checked as one that came by REST."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from hocba_hub.intake.errors import SubmissionError
from hocba_hub.intake.files.file_splitter import FileSplitter
from hocba_hub.intake.files.forms import Form
from hocba_hub.intake.files.pieces import PartBegins, PieceWriter, read_pieces
from hocba_hub.intake.files.spool import Spool
from hocba_hub.intake.parts import IntakeParts
from hocba_hub.intake.profiles import NDJSON_TYPE, XML_TYPE, Profile
from hocba_hub.mappings.document.document import ROWS
from hocba_hub.mappings.records.row_bytes import row_record
from hocba_hub.model.clock import vietnam_day
from hocba_hub.model.problems import finding_from_problem
from hocba_hub.store.access import Client
from hocba_hub.store.decide import ReceivedRecord
from hocba_hub.store.files import File, FileResult, Shown


@dataclass(frozen=True, slots=True)
class Imported:
    """One record of a file after every check."""

    received: ReceivedRecord
    size: int
    """Bytes of it as it was sent."""


class FileReader:
    """Reads the files of a spool; made once for each process."""

    def __init__(self, parts: IntakeParts, spool: Spool, file_records: int) -> None:
        """`file_records` is the most records of a file."""
        self._parts, self._spool, self._file_records = parts, spool, file_records

    def split(self, file: File, client: Client) -> tuple[int, list[Shown]]:
        """Split a file into the spool; how many records there are, and what is to be said of the file itself."""
        target = self._spool.pieces(file.id)
        # Under the lease's own name: whoever was taken over, and does not know it yet, shall not write into it.
        unfinished = target.with_name(f"pieces.{file.lease_id}.part")
        for left in target.parent.glob("pieces.*.part"):
            left.unlink(missing_ok=True)
        with unfinished.open("wb") as written, self._spool.original(file.id).open("rb") as given:
            pieces = PieceWriter(written, most_records=self._file_records)
            try:
                splitter = FileSplitter(self._profile(file, client), pieces, target.parent)
            except SubmissionError as error:
                return 0, [finding_from_problem(error.kind).as_json()]
            splitter.split(given, Form(file.form))
            written.flush()
            os.fsync(written.fileno())
        unfinished.rename(target)
        return pieces.records, splitter.findings

    def is_split(self, file: File) -> bool:
        """Whether the records of the file are there."""
        return file.total is not None and self._spool.pieces(file.id).exists()

    def records(self, file: File, client: Client) -> Iterator[PartBegins | Imported]:
        """The records behind the file's cursor, each after every check, and the zip's entries that they stand in.

        Raises:
            SubmissionError: the profile is no more.
        """
        with self._spool.pieces(file.id).open("rb") as pieces:
            position = file.position
            profile = self._profile(file, client)
            for piece in read_pieces(pieces, file.form, skip=position):
                if isinstance(piece, PartBegins):
                    yield piece
                    continue
                if self._parts.mappings.current() is not profile.mappings:  # somebody activated a version meanwhile
                    profile = self._profile(file, client)
                form = Form(piece.form)
                record = row_record(piece.raw, piece.columns) if form.source_format == ROWS else None
                sent = profile.sent(piece.raw, NDJSON_TYPE if form is Form.NDJSON else XML_TYPE, record)
                received = self._parts.checker.check(
                    position, sent, profile.mappings, tells_unchecked=file.tells_unchecked
                )
                yield Imported(received, len(piece.raw))
                position += 1

    def mark(self, file: File, client: Client, results: Iterable[FileResult]) -> None:
        """Write the sender's workbook with what was found in it; nothing for files that are no workbooks."""
        from hocba_hub.intake.files.findings_workbook import mark_file  # noqa: PLC0415 - openpyxl takes long to load

        try:
            source = self._profile(file, client).source
        except SubmissionError:
            return
        if source is not None and source.format == ROWS:
            about = [(str(one.get("part", "")), one) for one in file.findings]
            found = ((result.part or "", one) for result in results for one in result.findings)
            target = self._spool.workbook(file.id)
            mark_file(self._spool.original(file.id), Form(file.form), source, chain(about, found), target)

    def _profile(self, file: File, client: Client) -> Profile:
        return self._parts.profile(self._parts.mappings.current(), client, vietnam_day(file.created_at), file.profile)
