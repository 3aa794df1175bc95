"""The zip that a workbook is: opened only if nothing in it can fill memory or disk, read in pieces.

Checked before anything is unpacked: the directory's size, the number of entries, their sizes together and each
against what it was packed from, their methods, and that no two of them share bytes. An entry never gives more than the
size it was checked by: the zip reader stops there, and finds that its checksum does not fit. What really comes out of
all of them is counted, since the directory may lie.
"""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO
from xml.parsers import expat

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.records.rows import SourceError
from hocba_hub.mappings.yaml_reading import finding
from hocba_hub.model.findings import FindingKind


@dataclass(frozen=True, slots=True)
class Limits:
    """What a workbook may be at most. Bounds of a sheet are constants of `cells.py` and `parts.py`."""

    entries: int = 5_000
    """Files in the zip."""
    entry_bytes: int = 1 << 30
    """Unpacked size of one of them."""
    all_bytes: int = 3 << 30
    """Unpacked size of all of them."""
    ratio: int = 200
    """Unpacked to packed size of an entry above 10 MB: a full sheet has 10 to 50, a bomb 1,000."""
    sheets: int = 200
    cells: int = 20_000_000
    """Of a sheet, the empty ones before one with a value among them."""
    merges: int = 20_000
    """Merged ranges of a sheet."""
    merged_cells: int = 1_000_000
    """Cells that they cover together."""
    text_bytes: int = 256 << 20
    """Texts that the cells share, which are held in memory."""


LIMITS = Limits()
CHUNK = 1 << 16
_RATIO_FROM = 10 << 20
_READS = 4
"""How often a part may be read: for its merged cells and for its rows, once for the cards and once for the marks."""
_LONGEST_TOKEN = 1 << 20
"""Bytes of one tag, with its attributes."""
_SMALL = 64 << 20
"""Bytes of a part that says what is in the others."""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_LOOK = 1 << 20
_END = struct.Struct("<4s4H2LH")
_END_LOOK = 65_535 + _END.size
_END_64 = 20
BROKEN_ENTRY = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError, ValueError, struct.error,
)  # fmt: skip
"""What the zip reader raises of an entry that is not whole; a place before the file's begin is a ValueError."""
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


def refusal(kind: FindingKind, part: str = "", expected: str = "") -> SourceError:
    """That a file is not read; `part` is the file in the zip, or the sheet."""
    return SourceError(finding(kind, "", expected, part=part))


class Package:
    """The files of a workbook's zip, by their names."""

    def __init__(self, file: BinaryIO, limits: Limits = LIMITS) -> None:
        """Look at the zip's directory; nothing is unpacked.

        Raises:
            SourceError: it is no workbook, or more than the limits allow.
        """
        self.limits = limits
        _look(file)
        _check_end(file, limits)
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error) as error:
            raise refusal(kinds.DAMAGED, "zip") from error
        self._file_bytes = file.seek(0, 2)
        self._left = _READS * min(limits.all_bytes, max(_RATIO_FROM, limits.ratio * self._file_bytes))
        self._entries = {entry.filename.removeprefix("/"): entry for entry in self._zip.infolist()}
        self._check()

    def _check(self) -> None:
        limits = self.limits
        entries = self._zip.infolist()
        if len(entries) > limits.entries:
            raise refusal(kinds.TOO_LARGE, "zip", f"{limits.entries:,}")
        if len(self._entries) < len(entries):
            raise refusal(kinds.DAMAGED, "zip")
        if sum(entry.file_size for entry in entries) > limits.all_bytes:
            raise refusal(kinds.TOO_LARGE, "zip", f"{limits.all_bytes >> 20:,} MB")
        if sum(entry.compress_size for entry in entries) > self._file_bytes:
            raise refusal(kinds.DAMAGED, "zip")
        for name, entry in self._entries.items():
            if entry.flag_bits & 1:
                raise refusal(kinds.ENCRYPTED)
            if entry.compress_type not in _METHODS:
                raise refusal(kinds.DAMAGED, name)
            if entry.file_size > limits.entry_bytes:
                raise refusal(kinds.TOO_LARGE, name, f"{limits.entry_bytes >> 20:,} MB")
            if entry.file_size > max(_RATIO_FROM, limits.ratio * entry.compress_size):
                raise refusal(kinds.TOO_LARGE, name, f"1 : {limits.ratio}")

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def names(self) -> Iterator[str]:
        """The names of all files."""
        yield from self._entries

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of a file, in pieces.

        Raises:
            SourceError: it is not there, is damaged, or is not in UTF-8.
        """
        entry = self._entries.get(name)
        if entry is None:
            raise refusal(kinds.DAMAGED, name)
        try:
            with self._zip.open(entry) as stream:
                chunk = stream.read(CHUNK)
                if chunk.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in chunk[:4]:
                    raise refusal(kinds.DAMAGED, name)
                while chunk:
                    self._left -= len(chunk)
                    if self._left < 0:
                        raise refusal(kinds.TOO_LARGE, name, f"1 : {self.limits.ratio}")
                    yield chunk
                    chunk = stream.read(CHUNK)
        except BROKEN_ENTRY as error:
            raise refusal(kinds.DAMAGED, name) from error

    def size(self, name: str) -> int:
        """Unpacked bytes of a file; 0 if it is not there."""
        entry = self._entries.get(name)
        return entry.file_size if entry else 0

    def close(self) -> None:
        """Let the zip go; the file stays the caller's."""
        self._zip.close()


def xml_parser() -> expat.XMLParserType:
    """A parser of one part: names as `namespace name`, no document type, and so no entities, of any kind."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


class _DoctypeError(Exception):
    pass


def _refuse_doctype(*_: object) -> None:
    raise _DoctypeError


def feed(parser: expat.XMLParserType, package: Package, name: str) -> Iterator[None]:
    """Give a part to its parser piece by piece; the caller takes what the handlers brought after each.

    Raises:
        SourceError: the part is not well-formed, not safe, or not there.
    """
    fed = 0
    try:
        for chunk in package.chunks(name):
            parser.Parse(chunk, False)  # noqa: FBT003 - expat's own signature
            fed += len(chunk)
            if fed - parser.CurrentByteIndex > _LONGEST_TOKEN + CHUNK:
                raise refusal(kinds.TOO_LARGE, name, "1 MB")
            yield
        parser.Parse(b"", True)  # noqa: FBT003 - expat's own signature
        yield
    except expat.ExpatError as error:
        raise refusal(kinds.DAMAGED, f"{name}, {error.lineno}:{error.offset}") from error
    except _DoctypeError as error:
        raise refusal(kinds.UNSAFE, name) from error


def elements(package: Package, name: str, start: Callable[[str, dict[str, str]], Any]) -> None:
    """Call `start` with the local name and the attributes of every element of a small part.

    Raises:
        SourceError: as `feed`.
    """
    if package.size(name) > _SMALL:
        raise refusal(kinds.TOO_LARGE, name, f"{_SMALL >> 20} MB")
    parser = xml_parser()
    parser.StartElementHandler = lambda tag, attributes: start(tag.rpartition(" ")[2], attributes)
    for _ in feed(parser, package, name):
        pass


def _look(file: BinaryIO) -> None:
    """Whether the file begins as a zip does; other office files are told apart for the sender's sake."""
    file.seek(0)
    head = file.read(len(_OLE))
    if head == _OLE:
        encrypted = "EncryptedPackage".encode("utf-16-le") in file.read(_OLE_LOOK) or _tail_has_encryption(file)
        raise refusal(kinds.ENCRYPTED if encrypted else kinds.OLD_WORKBOOK)
    if not head.startswith(b"PK"):
        raise refusal(kinds.NOT_WORKBOOK)


def _tail_has_encryption(file: BinaryIO) -> bool:
    file.seek(max(0, file.seek(0, 2) - _OLE_LOOK))
    return "EncryptedPackage".encode("utf-16-le") in file.read(_OLE_LOOK)


def _check_end(file: BinaryIO, limits: Limits) -> None:
    """Look at the zip's last record, since the zip reader takes the whole directory into memory."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END_LOOK - _END_64))
    tail = file.read(_END_LOOK + _END_64)
    at = tail.rfind(b"PK\5\6")
    if at < 0 or at + _END.size > len(tail):
        raise refusal(kinds.DAMAGED, "zip")
    _, _, _, _, count, directory_bytes, _, _ = _END.unpack_from(tail, at)
    of_64_bits = tail[max(0, at - _END_64) : at].startswith(b"PK\6\7")
    if of_64_bits or count > limits.entries or directory_bytes > 1000 * limits.entries:
        raise refusal(kinds.TOO_LARGE, "zip", f"{limits.entries:,}")
    file.seek(0)
