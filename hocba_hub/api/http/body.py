"""Reading a request's body: undoing gzip, counting and digesting it as it arrives."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from fastapi import Request

from hocba_hub.api.http.call import current_call
from hocba_hub.api.problems.problem import ProblemError
from hocba_hub.intake.errors import SubmissionError
from hocba_hub.settings import Settings

_BOMB_GRACE_BYTES = 1_000_000
"""A body below this is never taken for a bomb, however well it packs."""
_LARGE_BYTES = 16_000_000


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """What a body may be at most."""

    bytes: int
    record_bytes: int
    records: int
    gzip_ratio: int


class Body:
    """One request's body. Iterate `chunks` once, then `size` and `sha256` are those of the whole."""

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
            SubmissionError: too long, a bomb, or not whole.
        """
        source = self._unpacked() if self._gzip else self._stream
        async for chunk in source:
            if not chunk:
                continue
            self.size += len(chunk)
            if self.size > self.limits.bytes:
                raise SubmissionError("body.too-large", f"A body may have {self.limits.bytes} bytes at most.")
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
                    raise SubmissionError("body.gzip-broken", "The body is not readable as gzip.") from error
                given += len(out)
                if given > _BOMB_GRACE_BYTES and given > taken * self.limits.gzip_ratio:
                    raise SubmissionError(
                        "body.gzip-bomb", f"Gzip may save a factor of {self.limits.gzip_ratio} at most."
                    )
                rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
                if out:
                    yield out
        if taken and not unpacker.eof:
            raise SubmissionError("body.gzip-broken", "The gzip body ends too early.")


def body_of(request: Request, settings: Settings) -> Body:
    """The body of a request, unread.

    Raises:
        ProblemError: its content coding is not supported, or it announces more bytes than a submission may have.
    """
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in {"identity", "gzip"}:
        raise ProblemError("body.content-coding")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > settings.submission_bytes:
        raise ProblemError("body.too-large")  # before a byte of it is read
    limits = BodyLimits(
        settings.submission_bytes, settings.record_bytes, settings.submission_records, settings.gzip_ratio
    )
    return Body(request.stream(), gzip=coding == "gzip", limits=limits)
