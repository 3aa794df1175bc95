"""Reading a request's body: undoing gzip, counting, digesting, and cutting it into records, as it arrives."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from hocba_hub.model.errors import HubError

NDJSON = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
JSON = frozenset({"application/json"})

_BOMB_GRACE_BYTES = 1_000_000
"""A body below this is never taken for a bomb, however well it packs."""
_SPACE = b" \t\r\n"


class BodyError(HubError):
    """The body cannot be read; `code` is that of the problem that says so."""

    def __init__(self, code: str, message: str) -> None:
        """`code` is a problem code, `message` English text without any of the body."""
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """What a body may be at most."""

    bytes: int
    record_bytes: int
    records: int
    gzip_ratio: int


class Body:
    """One request's body. Iterate `chunks` or `records` once, then `size` and `sha256` are those of the whole."""

    def __init__(self, stream: AsyncIterator[bytes], *, gzip: bool, limits: BodyLimits) -> None:
        """`stream` yields the bytes as they come from the network."""
        self._stream, self._gzip, self.limits = stream, gzip, limits
        self._digest = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of what was read so far, after gzip was undone."""
        return self._digest.hexdigest()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body's bytes after gzip was undone.

        Raises:
            BodyError: too long, a bomb, or not whole.
        """
        source = self._unpacked() if self._gzip else self._stream
        async for chunk in source:
            self.size += len(chunk)
            if self.size > self.limits.bytes:
                raise BodyError("body.too-large", f"A body may have {self.limits.bytes} bytes at most.")
            self._digest.update(chunk)
            yield chunk

    async def _unpacked(self) -> AsyncIterator[bytes]:
        unpacker = zlib.decompressobj(wbits=31)
        taken = given = 0
        async for chunk in self._stream:
            taken += len(chunk)
            rest = chunk
            while rest:
                if unpacker.eof:  # gzip files may be joined (RFC 1952 section 2.2)
                    unpacker = zlib.decompressobj(wbits=31)
                try:
                    out = unpacker.decompress(rest, 262_144)
                except zlib.error as error:
                    raise BodyError("body.gzip-broken", "The body is not readable as gzip.") from error
                given += len(out)
                if given > _BOMB_GRACE_BYTES and given > taken * self.limits.gzip_ratio:
                    raise BodyError("body.gzip-bomb", f"Gzip may save a factor of {self.limits.gzip_ratio} at most.")
                rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
                if out:
                    yield out
        if taken and not unpacker.eof:
            raise BodyError("body.gzip-broken", "The gzip body ends too early.")

    async def records(self, media_type: str) -> AsyncIterator[bytes]:
        """The records, each exactly as it stands in the body.

        NDJSON is cut as it arrives; a JSON array, or a single record, is gathered first.

        Raises:
            BodyError: as for `chunks`; a record too long; too many records; an array that is broken.
        """
        count = 0
        cut = self._lines() if media_type in NDJSON else self._elements()
        async for record in cut:
            count += 1
            if count > self.limits.records:
                raise BodyError("body.too-many-records", f"A body may hold {self.limits.records} records at most.")
            if len(record) > self.limits.record_bytes:
                raise BodyError("body.record-too-large", f"A record may have {self.limits.record_bytes} bytes at most.")
            yield record

    async def _lines(self) -> AsyncIterator[bytes]:
        begun = b""
        async for chunk in self.chunks():
            lines = (begun + chunk).split(b"\n")
            begun = lines.pop()
            for line in lines:
                if record := line.strip(_SPACE):
                    yield record
            if len(begun) > self.limits.record_bytes:
                raise BodyError("body.record-too-large", f"A record may have {self.limits.record_bytes} bytes at most.")
        if record := begun.strip(_SPACE):
            yield record

    async def _elements(self) -> AsyncIterator[bytes]:
        whole = b"".join([chunk async for chunk in self.chunks()])
        start = whole.strip(_SPACE)
        if not start.startswith(b"["):
            if start:
                yield start
            return
        for element in elements(start):
            yield element


def elements(array: bytes) -> list[bytes]:
    """The elements of a JSON array, each exactly as it stands there.

    Raises:
        BodyError: it is not one whole array in UTF-8.
    """
    broken = "The body is not a whole JSON array of records in UTF-8."
    try:
        text = array.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BodyError("body.not-json", broken) from error
    decode = json.JSONDecoder().raw_decode
    found: list[bytes] = []
    place = _skip(text, 1)
    if text[place : place + 1] == "]" and _skip(text, place + 1) == len(text):
        return found
    while True:
        try:
            _, end = decode(text, place)
        except (ValueError, RecursionError) as error:
            raise BodyError("body.not-json", broken) from error
        found.append(text[place:end].encode("utf-8"))
        place = _skip(text, end)
        mark = text[place : place + 1]
        place = _skip(text, place + 1)
        if mark == "]" and place == len(text):
            return found
        if mark != ",":
            raise BodyError("body.not-json", broken)


def _skip(text: str, place: int) -> int:
    while text[place : place + 1] in {" ", "\t", "\r", "\n"}:
        place += 1
    return place
