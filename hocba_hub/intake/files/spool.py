"""The spool: a folder with one sub-folder for each file, named by the file's id and by nothing that a sender gave.

Every API and worker process has to see the same folder. What it holds may be made again or be sent again: the truth
is the store's row.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from hocba_hub.model.errors import HubError


class UploadBusyError(HubError):
    """Somebody else is sending this file at this moment."""


class Spool:
    """Where the files of a hub lie while they are imported."""

    def __init__(self, folder: Path) -> None:
        """The folder is made when it is first needed."""
        self._folder = folder

    def original(self, file_id: str) -> Path:
        """The file as it was sent."""
        return self._folder / file_id / "original"

    def pieces(self, file_id: str) -> Path:
        """Its records; there only when all of them are."""
        return self._folder / file_id / "pieces"

    def workbook(self, file_id: str) -> Path:
        """The workbook of its findings; a zip of them for a zip."""
        return self._folder / file_id / "findings"

    def upload(self, file_id: str, offset: int) -> Upload:
        """Write the file from an offset on; what lies behind it is cut off when something is written.

        Raises:
            UploadBusyError: somebody else does it.
            FileNotFoundError: fewer bytes are there than the offset.
        """
        return Upload(self.original(file_id), offset)

    def take(self, file_id: str, source: Path) -> None:
        """Copy a file of this machine into the spool, synced."""
        with source.open("rb") as given, self.upload(file_id, 0) as upload:
            while chunk := given.read(1 << 20):
                upload.write(chunk)
            upload.sync()

    def sha256(self, file_id: str) -> str:
        """Hex SHA-256 of the file."""
        with self.original(file_id).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def free_bytes(self) -> int:
        """Room on the spool's disk."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self._folder).free

    def ids(self) -> Iterator[str]:
        """The files that there is anything of."""
        if self._folder.is_dir():
            with os.scandir(self._folder) as entries:
                yield from (entry.name for entry in entries)

    def remove(self, file_id: str) -> None:
        """Let everything of a file be gone."""
        shutil.rmtree(self._folder / file_id, ignore_errors=True)


class Upload:
    """A file that is being written, by one at a time; to be used with `with`."""

    def __init__(self, path: Path, offset: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise UploadBusyError("The file is being sent by somebody else at this moment.") from error
        if os.fstat(self._file.fileno()).st_size < offset:
            self._file.close()
            raise FileNotFoundError(path)
        self._file.seek(offset)
        self._is_cut = False
        self.size = offset
        """Bytes so far."""
        self._folder = path.parent

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, chunk: bytes) -> None:
        """Add to the end; the first time, what lies behind it is cut off."""
        if not self._is_cut:
            self._file.truncate(self.size)
            self._is_cut = True
        rest = memoryview(chunk)
        while rest:
            rest = rest[self._file.write(rest) :]
        self.size += len(chunk)

    def sync(self) -> None:
        """Return when everything that was written is on the disk."""
        os.fsync(self._file.fileno())
        for folder in (self._folder, self._folder.parent):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
