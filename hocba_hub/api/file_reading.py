"""What reads files for the import: cut into records by their profile, each judged as one that came by REST."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import chain

from hocba_hub.adapters.files.findings_workbook import mark_file
from hocba_hub.adapters.files.forms import Form
from hocba_hub.adapters.files.pieces import PartBegins, Piece, PieceWriter, read_pieces
from hocba_hub.adapters.files.spool import Spool
from hocba_hub.api.cutting import Cutter, said_of
from hocba_hub.api.judge import Judge
from hocba_hub.api.profiles import vendor_type
from hocba_hub.api.shelf import LiveShelf
from hocba_hub.api.translation import translate
from hocba_hub.mappings.delivery import VIETNAM
from hocba_hub.mappings.document import ROWS, Source
from hocba_hub.mappings.library import MappingNotFoundError
from hocba_hub.mappings.row_bytes import row_record
from hocba_hub.mappings.schemas import REPORT_CARD
from hocba_hub.model import catalogue
from hocba_hub.model.findings import Finding
from hocba_hub.model.reading import Reading
from hocba_hub.model.safe_xml import UnsafeXmlError, XmlLimits, parse_xml
from hocba_hub.model.xml_reading import KINDS as CARD_ROOTS
from hocba_hub.model.xml_reading import read_xml_card
from hocba_hub.queue.imports import Imported
from hocba_hub.store.accept import ReceivedRecord
from hocba_hub.store.access import Client
from hocba_hub.store.files import File, FileResult, Shown

_XML, _NDJSON = "application/xml", "application/x-ndjson"


class FileReader:
    """Reads the files of a spool; made once for each process."""

    def __init__(self, spool: Spool, shelf: LiveShelf, judge: Judge, record_bytes: int, file_records: int) -> None:
        """`record_bytes` is the most that one record may have, `file_records` the most records of a file."""
        self._file_records = file_records
        self._spool, self._shelf, self._judge = spool, shelf, judge
        self._limits = XmlLimits(bytes=record_bytes, text=record_bytes, may_point_outside=False)

    def cut(self, file: File, client: Client) -> tuple[int, list[Shown]]:
        """Cut a file into the spool; how many records there are, and what is to be said of the file itself."""
        target = self._spool.pieces(file.id)
        # Under the lease's own name: whoever was taken over, and does not know it yet, shall not write into it.
        unfinished = target.with_name(f"pieces.{file.lease_id}.part")
        for left in target.parent.glob("pieces.*.part"):
            left.unlink(missing_ok=True)
        with unfinished.open("wb") as written, self._spool.original(file.id).open("rb") as given:
            pieces = PieceWriter(written, most_records=self._file_records)
            try:
                source = self._source(file, client)
            except MappingNotFoundError:
                return 0, [said_of("profile.unknown").as_json()]
            cutter = Cutter(source, self._limits.bytes, pieces, target.parent)
            cutter.file(given, Form(file.form))
            written.flush()
            os.fsync(written.fileno())
        unfinished.rename(target)
        return pieces.records, cutter.findings

    def records(self, file: File, client: Client) -> Iterator[PartBegins | Imported]:
        """The records behind the file's cursor, each after every check."""
        with self._spool.pieces(file.id).open("rb") as pieces:
            position = file.position
            for piece in read_pieces(pieces, file.form, skip=position):
                if isinstance(piece, PartBegins):
                    yield piece
                    continue
                yield self._judged(position, piece, file, client)
                position += 1

    def is_cut(self, file: File) -> bool:
        """Whether the records of the file are there."""
        return file.total is not None and self._spool.pieces(file.id).exists()

    def mark(self, file: File, client: Client, results: Iterable[FileResult]) -> None:
        """Write the sender's workbook with what was found in it; nothing for files that are no workbooks."""
        try:
            source = self._source(file, client)
        except MappingNotFoundError:
            return
        if source is not None and source.format == ROWS:
            about = [(str(one.get("part", "")), one) for one in file.findings]
            found = ((result.part or "", one) for result in results for one in result.findings)
            target = self._spool.workbook(file.id)
            mark_file(self._spool.original(file.id), Form(file.form), source, chain(about, found), target)

    def _source(self, file: File, client: Client) -> Source | None:
        if file.profile == REPORT_CARD:
            return None
        shelf = self._shelf.current()
        document = shelf.select(file.profile, client=client.name, on=_day(file))
        if document.target.schema != REPORT_CARD:
            raise MappingNotFoundError(file.profile)
        return document.source

    def _judged(self, position: int, piece: Piece, file: File, client: Client) -> Imported:
        if file.profile == REPORT_CARD:
            return Imported(self._canonical(position, piece), len(piece.raw))
        form = Form(piece.form).source_format or ""
        record = row_record(piece.raw, piece.columns) if form == ROWS else piece.raw
        translated = translate(record, self._shelf.current(), file.profile, client=client.name, on=_day(file))
        received = self._judge.record(position, piece.raw, vendor_type(file.profile, form), translated)
        return Imported(received, len(piece.raw))

    def _canonical(self, position: int, piece: Piece) -> ReceivedRecord:
        if piece.form == Form.NDJSON:
            return self._judge.record(position, piece.raw, _NDJSON)
        try:
            root = parse_xml(piece.raw, self._limits)
            reading = read_xml_card(root if root.tag in CARD_ROOTS or not len(root) else root[0])
        except UnsafeXmlError as error:
            against = Finding(catalogue.XML_UNSAFE, "", facts={"vi": error.message_vi, "en": error.message_en})
            reading = Reading(None, b"", [against], None, None, None)
        return self._judge.read(position, piece.raw, _XML, reading)


def _day(file: File) -> date:
    return datetime.fromtimestamp(file.created_at / 1000, VIETNAM).date()
