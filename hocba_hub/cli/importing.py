"""What `watch` and `files import` have in common: a file of this machine is imported in a client's name."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from hocba_hub.api.file_results import findings_name, result_lines
from hocba_hub.cli.session import now
from hocba_hub.intake.files.archive import shown_name
from hocba_hub.intake.files.forms import Form
from hocba_hub.intake.files.importer import Importer
from hocba_hub.intake.files.spool import Spool
from hocba_hub.mappings.schemas import REPORT_CARD
from hocba_hub.settings import Settings
from hocba_hub.store import files
from hocba_hub.store.access import Client
from hocba_hub.store.engine import Store
from hocba_hub.store.files import File, FileState

_SLICE_SECONDS = 3.0
"""Between two tellings of how far an import is."""
_WAIT_SECONDS = 0.5
"""Until the next look, while a worker is at the file."""


@dataclass(frozen=True)
class LocalImport:
    """Imports files of this machine for one client."""

    store: Store
    spool: Spool
    importer: Importer
    client: Client
    profile: str | None = None
    tells_unchecked: bool = False

    def enter(self, path: Path, name: str, form: Form, *, file_id: str | None = None) -> File:
        """Enter a file and copy it into the spool; goes on with one that was entered before under the same id."""
        with self.store.write() as connection:
            known = None if file_id is None else files.find(connection, file_id)
            if known is None:
                profile = self.profile or self.client.profile or REPORT_CARD
                file_id = files.create(
                    connection, self.client.id, name=shown_name(name), form=form, profile=profile, now=now(),
                    file_id=file_id, tells_unchecked=self.tells_unchecked,
                )  # fmt: skip
        assert file_id is not None  # noqa: S101 - given, or made above
        if known is None or known.state == FileState.RECEIVING:
            self.spool.take(file_id, path)
            size, sha256 = self.spool.original(file_id).stat().st_size, self.spool.sha256(file_id)
            with self.store.write() as connection:
                files.complete(connection, file_id, size=size, sha256=sha256, now=now())
        return self._file(file_id)

    def run(self, file: File, stop: threading.Event, told: Callable[[File], None] = lambda _: None) -> File | None:
        """Import until the file is ended, whoever does it; None if it was stopped before. `told` hears how far it is.

        Raises:
            StoreError: the store is away.
        """
        while file.state == FileState.WAITING:
            if stop.is_set():
                return None
            moved = file.position
            self.importer.run(file.id, seconds=_SLICE_SECONDS, stop=stop)
            file = self._file(file.id)
            told(file)
            if file.state == FileState.WAITING and file.position == moved:
                stop.wait(_WAIT_SECONDS)
        return file

    def write_result(self, file: File, target: Path) -> None:
        """Write the results as NDJSON."""
        with whole_file(target) as path, path.open("wb") as out:
            out.writelines(result_lines(self.store, file, self.spool))

    def write_workbook(self, file: File, folder: Path, name: str) -> Path | None:
        """Write the workbook of the findings beside a file of this name; None if there is none."""
        source = self.spool.workbook(file.id)
        if not source.exists():
            return None
        target = folder / findings_name(name, Form.ZIP if file.form == Form.ZIP else Form.XLSX)
        with whole_file(target) as path:
            shutil.copyfile(source, path)
        return target

    def _file(self, file_id: str) -> File:
        with self.store.read() as connection:
            found = files.find(connection, file_id)
        assert found is not None  # noqa: S101 - entered before
        return found


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """A path to write to; what is written stands at `target` when the block ends, whole and synced, or not at all."""
    unfinished = target.with_name(f".{target.name}.part")
    try:
        yield unfinished
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        unfinished.replace(target)
    finally:
        with suppress(FileNotFoundError):
            unfinished.unlink()


@contextmanager
def local_import(
    settings: Settings, client: str, profile: str | None, *, tells_unchecked: bool = False
) -> Iterator[LocalImport]:
    """What imports for the client of this name.

    Raises:
        AccessError: there is no such client.
        StoreError: the store cannot be used.
    """
    from hocba_hub.bootstrap import importer, open_store
    from hocba_hub.queue.doorbell import Doorbell
    from hocba_hub.store.access import client_named

    store = open_store(settings)
    try:
        with store.read() as connection:
            known = client_named(connection, client)
        made = importer(settings, store, Doorbell(settings.redis_url))
        yield LocalImport(store, Spool(settings.files_folder), made, known, profile, tells_unchecked)
    finally:
        store.close()
