"""Reading a request's body: undoing gzip, counting, digesting, and cutting it into records, as it arrives."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from starlette.concurrency import run_in_threadpool

from hocba_hub.api.call import current_call
from hocba_hub.api.json_cutter import BodyError, JsonCutter

NDJSON = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
JSON = frozenset({"application/json"})

_BOMB_GRACE_BYTES = 1_000_000
"""A body below this is never taken for a bomb, however well it packs."""
_SPACE = b" \t\r\n"
_LARGE_BYTES = 16_000_000
_LONG_BYTES = 65_536
"""Cutting more than this takes long enough for other calls to notice."""


class Cutter(Protocol):
    """Cuts a document that comes in pieces into its records."""

    @property
    def held(self) -> int:
        """How much of it is kept until more has come."""
        ...

    def feed(self, piece: bytes, *, final: bool = False) -> list[bytes]:
        """The records that end in this piece."""
        ...


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
            if not chunk:
                continue
            self.size += len(chunk)
            if self.size > self.limits.bytes:
                raise BodyError("body.too-large", f"A body may have {self.limits.bytes} bytes at most.")
            self._digest.update(chunk)
            if self.size > _LARGE_BYTES:
                current_call().is_large = True
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

        NDJSON and JSON arrays are cut as they arrive; a single record is gathered first.

        Raises:
            BodyError: as for `chunks`; a record too long; too many records; an array that is broken.
        """
        count = 0
        cut = self._lines() if media_type in NDJSON else self.cut(JsonCutter((), self.limits.record_bytes))
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

    async def cut(self, cutter: Cutter) -> AsyncIterator[bytes]:
        """The records that a cutter finds; long pieces are cut in a thread, so that other calls get their turn.

        Raises:
            BodyError: as for `chunks`, and what the cutter raises.
        """
        async for chunk in self.chunks():
            for record in await _fed(cutter, chunk, final=False):
                yield record
        for record in await _fed(cutter, b"", final=True):
            yield record


async def _fed(cutter: Cutter, chunk: bytes, *, final: bool) -> list[bytes]:
    if cutter.held + len(chunk) > _LONG_BYTES:
        return await run_in_threadpool(cutter.feed, chunk, final=final)
    return cutter.feed(chunk, final=final)
