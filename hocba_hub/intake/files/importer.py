"""Importing files. A job carries only the file's id; the store's row is the truth: its lease and its cursor.

Every portion of records is accepted in one commit with the cursor behind it, under the lease: an import that is
killed anywhere goes on at the next record, and one whose lease was taken over can write nothing. All records of a file
are one submission with the file's id, so that its answers are looked up as those of any other.
"""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection

from hocba_hub.intake.backpressure import Backpressure
from hocba_hub.intake.files.file_reader import FileReader, Imported
from hocba_hub.intake.files.pieces import PartBegins
from hocba_hub.intake.group_commit import PORTION_RECORDS, commit
from hocba_hub.model.clock import Clock
from hocba_hub.model.keys import DestinationName
from hocba_hub.rules.comparing import CardComparison
from hocba_hub.store import files
from hocba_hub.store.accept import accept
from hocba_hub.store.access import Client, client_in_force
from hocba_hub.store.decide import Portion, RecordResult, Submission
from hocba_hub.store.engine import Store, StoreError
from hocba_hub.store.files import File, FileResult
from hocba_hub.store.renewal import Renewal
from hocba_hub.tracing import child_of, span_context, tracer

log = logging.getLogger(__name__)

PORTION_BYTES = 16 << 20
"""Bytes of records that end a portion, whatever their number: it is held in memory."""
MOST_ATTEMPTS = 3
"""Imports of one file that may end without a word, as when it exhausts its process, before it is given up."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_ROOM_MS = 30_000
_GIVE_BACK_TRIES = 30


class LeaseLostError(Exception):
    """Somebody else goes on with this import."""


@dataclass
class Importer:
    """Imports files; any number may run, in any number of processes."""

    store: Store
    reader: FileReader
    destinations: Sequence[DestinationName]
    comparison: CardComparison
    ring: Callable[[DestinationName], None]
    clock: Clock
    holder: str
    lease_seconds: float
    portion_records: int = PORTION_RECORDS
    backpressure: Backpressure | None = None
    """Asked before anything is stored: without room the import waits."""
    used: Callable[[int, int], None] = lambda *_: None
    """Told the client and the records of each file."""
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self, file_id: str, *, seconds: float | None = None, stop: threading.Event | None = None) -> bool:
        """Go on with a file for about `seconds`; False if something is left to do, for anybody.

        True if it is ended, or somebody else is at it.

        Raises:
            StoreError: the store is away; the import goes on when the lease has expired.
        """
        now = self.clock()
        with self.store.write() as connection:
            file = files.lease(connection, file_id, self.holder, now=now, until=now + self._lease_ms)
            client = client_in_force(connection, file.client_id) if file is not None else None
        if file is None or file.lease_id is None:
            return True
        try:
            return self._attempt(file, client, seconds, stop or self._stop)
        except LeaseLostError:
            log.warning("the import of file %s was taken over, or cancelled", file.id)
            return True
        except FileNotFoundError:
            log.error("file %s is not in the spool", file.id)  # noqa: TRY400 - where it was looked for is no news
            code = "file.bytes-missing"
        except StoreError:
            self._give_back(file, stop or self._stop)
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno in _FULL:
                return self._waits(file)
            log.exception("importing file %s failed", file.id)
            code = "hub.fault"  # whoever tries the same again meets the same
        return self._ended(file, code)

    def _attempt(self, file: File, client: Client | None, seconds: float | None, stop: threading.Event) -> bool:
        if file.attempts > MOST_ATTEMPTS:
            log.error("the import of file %s got no further in %d attempts", file.id, MOST_ATTEMPTS)
            return self._ended(file, "file.given-up")
        with (
            tracer().start_as_current_span("import", child_of(span_context(file.trace_parent))),
            Renewal(partial(self._renew, _lease(file)), self.lease_seconds),
        ):
            if client is None:  # whoever sent it may not send any more
                return self._ended(file, "access.key-unknown")
            return self._import(file, client, None if seconds is None else time.monotonic() + seconds, stop)

    def _has_room(self) -> bool:
        if self.backpressure is None:
            return True
        return (self.backpressure.look() if self.backpressure.claim_look() else self.backpressure.problem) is None

    def _import(self, file: File, client: Client, end: float | None, stop: threading.Event) -> bool:
        if not self._has_room():
            return self._waits(file)
        if not self.reader.is_split(file):
            total, found = self.reader.split(file, client)
            self._write(lambda connection: files.note_split(connection, _lease(file), total, found, now=self.clock()))
            self.used(file.client_id, total)
        else:
            total = file.total or 0
        if not total:
            return self._ended(file, "file.no-records")
        for portion, parts in self._portions(file, client, total):
            if not self._has_room():
                return self._waits(file)
            self._accept(file, portion, parts)
            if stop.is_set() or (end is not None and time.monotonic() > end):
                with self.store.write() as connection:
                    files.release(connection, _lease(file))
                return False
        with self.store.read() as connection:
            whole = files.find(connection, file.id)
        try:
            if whole is not None:
                self.reader.mark(whole, client, found_results(self.store, file.id))
        except StoreError:
            raise
        except Exception:
            # The findings are in the results all the same.
            log.exception("the workbook of file %s could not be written", file.id)
        return self._ended(file, None)

    def _portions(self, file: File, client: Client, total: int) -> Iterator[tuple[Portion, dict[int, str]]]:
        """The portions behind the cursor, each with the zip's entries that begin in it."""
        position = file.position
        pending: list[Imported] = []
        size = 0
        parts: dict[int, str] = {}
        begun: str | None = None
        for item in self.reader.records(file, client):
            if isinstance(item, PartBegins):
                begun = item.name
                continue
            if begun is not None:
                parts[position], begun = begun, None
            pending.append(item)
            position += 1
            size += item.size
            if len(pending) == self.portion_records or size >= PORTION_BYTES or position == total:
                yield _portion(file, client, pending, last=position == total), parts
                pending, parts, size = [], {}, 0
        if position != total:
            raise EOFError("The pieces of the file end too early.")

    def _accept(self, file: File, portion: Portion, parts: dict[int, str]) -> None:
        """Accept a portion and move the cursor, in one commit."""
        position = portion.records[-1].position + 1

        def work(connection: Connection) -> list[RecordResult]:
            now = self.clock()
            if not files.advance(connection, _lease(file), position, parts, now=now):
                raise LeaseLostError
            [results] = accept(connection, [portion], self.destinations, self.comparison, now)
            return results

        results = commit(self.store, work)
        if any(result.status == "accepted" for result in results):
            for destination in self.destinations:
                self.ring(destination)

    def _waits(self, file: File) -> bool:
        """True: nobody goes on with it before there may be room again; nothing of it is lost."""
        log.warning("there is no room to import file %s; it waits", file.id)
        with self.store.write() as connection:
            files.release(connection, _lease(file), until=self.clock() + _ROOM_MS)
        return True

    def _give_back(self, file: File, stop: threading.Event) -> None:
        """Give the import back when the store answers again, so that its trouble is not counted against the file."""
        for _ in range(_GIVE_BACK_TRIES):
            try:
                with self.store.write() as connection:
                    files.release(connection, _lease(file))
            except StoreError:
                if stop.wait(1):
                    return
            else:
                return

    def _ended(self, file: File, code: str | None) -> bool:
        """True: the import is over, or somebody else's."""
        with self.store.write() as connection:
            files.finish(connection, _lease(file), code=code, now=self.clock())
        return True

    def _write(self, change: Callable[..., bool]) -> None:
        with self.store.write() as connection:
            if not change(connection):
                raise LeaseLostError

    @property
    def _lease_ms(self) -> int:
        return round(self.lease_seconds * 1000)

    def _renew(self, lease_id: str) -> None:
        with self.store.write() as connection:
            files.renew(connection, lease_id, self.clock() + self._lease_ms)


def found_results(store: Store, file_id: str) -> Iterator[FileResult]:
    """The results of a file that something was found about."""
    after = -1
    while True:
        with store.read() as connection:
            page = files.results(connection, file_id, after=after, only_found=True)
        if not page:
            return
        yield from page
        after = page[-1].position


def _portion(file: File, client: Client, imported: Sequence[Imported], *, last: bool) -> Portion:
    records = [one.received for one in imported]
    submission = Submission(
        file.id,
        client,
        file.created_at,
        _MEDIA_TYPES[file.form],
        reinstates=file.reinstates,
        trace_parent=file.trace_parent,
        tells_unchecked=file.tells_unchecked,
    )
    first = records[0].position == 0
    return Portion(submission, records, first, last, file.bytes or 0, file.sha256 or "")


_MEDIA_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
    "xml": "application/xml",
    "ndjson": "application/x-ndjson",
    "zip": "application/zip",
}


def _lease(file: File) -> str:
    assert file.lease_id is not None  # noqa: S101 - what is imported is leased
    return file.lease_id
