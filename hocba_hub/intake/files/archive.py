"""A zip of files: opened only if nothing in it can fill memory or disk, its entries read one after the other.

Looked at before anything is unpacked: the directory's size, the number of entries, their sizes together and each
against what it was packed from, and that no two of them share bytes. The directory may lie, so what really comes out is
counted, too. Nothing is unpacked twice: a zip within the zip is refused. The names are texts; nothing is ever written
where one of them says.
"""

from __future__ import annotations

import struct
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Self

from hocba_hub.adapters.workbook.package import BROKEN_ENTRY
from hocba_hub.intake import finding_kinds as kinds
from hocba_hub.intake.files.forms import Form, form_of_name
from hocba_hub.mappings.records.rows import SourceError
from hocba_hub.model.findings import Finding, FindingKind


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """What a zip may be at most."""

    entries: int = 20_000
    entry_bytes: int = 2 << 30
    all_bytes: int = 4 << 30
    ratio: int = 200
    """Unpacked to packed size, above 10 MB: report cards in XML have 10 to 40, a bomb 1,000."""
    name_bytes: int = 200
    """Bytes of the directory for each entry, on average."""


LIMITS = ArchiveLimits()
_RATIO_FROM = 10 << 20
_CHUNK = 1 << 18
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_LONGEST_NAME = 200


class Entry:
    """One file of a zip."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, count: Callable[[int], None]) -> None:
        self._archive, self._info, self._count = archive, info, count
        self.name = shown_name(info.filename)
        self.form = form_of_name(info.filename)

    def objection(self) -> FindingKind | None:
        """Why it is not read; None if it is."""
        if self.form is Form.ZIP:
            return kinds.ENTRY_NESTED
        if self.form is None:
            return kinds.ENTRY_UNKNOWN
        if self._info.flag_bits & 1:
            return kinds.ENTRY_ENCRYPTED
        return None if self._info.compress_type in _METHODS else kinds.ENTRY_DAMAGED

    def chunks(self) -> Iterator[bytes]:
        """Its bytes, in pieces.

        Raises:
            SourceError: it is damaged, or the zip has grown beyond its limits.
        """
        try:
            with self._archive.open(self._info) as stream:
                while chunk := stream.read(_CHUNK):
                    self._count(len(chunk))
                    yield chunk
        except BROKEN_ENTRY as error:
            raise SourceError(Finding(kinds.ENTRY_DAMAGED, "")) from error


class Archive:
    """An open zip; to be used with `with`. The file stays the caller's."""

    def __init__(self, file: BinaryIO, limits: ArchiveLimits = LIMITS) -> None:
        """Look at the directory; nothing is unpacked.

        Raises:
            SourceError: it is no zip, or more than the limits allow.
        """
        _check_directory(file, limits)
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error) as error:
            raise SourceError(Finding(kinds.ARCHIVE_DAMAGED, "")) from error
        found = self._zip.infolist()
        if len(found) > limits.entries:
            raise _too_large(f"{limits.entries:,}")
        if sum(entry.file_size for entry in found) > limits.all_bytes:
            raise _too_large(f"{limits.all_bytes >> 20:,} MB")
        for entry in found:
            if entry.file_size > limits.entry_bytes:
                raise _too_large(f"{limits.entry_bytes >> 20:,} MB")
            if entry.file_size > max(_RATIO_FROM, limits.ratio * entry.compress_size):
                raise _too_large(f"1 : {limits.ratio}")
        packed = sum(entry.compress_size for entry in found)
        if sum(entry.file_size for entry in found) > max(_RATIO_FROM, limits.ratio * packed):
            raise _too_large(f"1 : {limits.ratio}")
        size = file.seek(0, 2)
        if packed > size:  # entries that lie over each other
            raise SourceError(Finding(kinds.ARCHIVE_DAMAGED, ""))
        self._left = min(limits.all_bytes, max(_RATIO_FROM, limits.ratio * size))
        self._ratio = limits.ratio

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def entries(self) -> Iterator[Entry]:
        """Its files in the directory's order, without what operating systems add of their own."""
        for info in self._zip.infolist():
            last = info.filename.rpartition("/")[2]
            if not info.is_dir() and not last.startswith(".") and not info.filename.startswith("__MACOSX/"):
                yield Entry(self._zip, info, self._count)

    def _count(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise _too_large(f"1 : {self._ratio}")


def shown_name(name: str) -> str:
    """A sender's name of a file as it may be shown and stored: one line, of bounded length."""
    text = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode())
    return "".join(sign if sign.isprintable() else "?" for sign in text)[:_LONGEST_NAME]


def _too_large(expected: str) -> SourceError:
    return SourceError(Finding(kinds.ARCHIVE_TOO_LARGE, "", expected))


def _check_directory(file: BinaryIO, limits: ArchiveLimits) -> None:
    """Look at the last records, since the zip reader takes the whole directory into memory."""
    damaged = SourceError(Finding(kinds.ARCHIVE_DAMAGED, ""))
    size = file.seek(0, 2)
    file.seek(max(0, size - 65_535 - _END.size - _LOCATOR_64.size))
    tail = file.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or at + _END.size > len(tail):
        raise damaged
    _, _, _, _, count, directory_bytes, _, _ = _END.unpack_from(tail, at)
    if at >= _LOCATOR_64.size and tail.startswith(b"PK\6\7", at - _LOCATOR_64.size):
        _, _, place, _ = _LOCATOR_64.unpack_from(tail, at - _LOCATOR_64.size)
        file.seek(min(place, size))
        record = file.read(_END_64.size)
        if len(record) < _END_64.size or not record.startswith(b"PK\6\6"):
            raise damaged
        *_, count, directory_bytes, _ = _END_64.unpack(record)
    if count > limits.entries or directory_bytes > limits.entries * limits.name_bytes:
        raise _too_large(f"{limits.entries:,}")
    file.seek(0)
