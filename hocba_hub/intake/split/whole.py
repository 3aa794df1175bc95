"""A document that is one record by itself: nothing is split, its bytes are kept as they are."""

from __future__ import annotations

from hocba_hub.intake.errors import SubmissionError


class WholeSplitter:
    """Gathers one document; an empty one is no record."""

    def __init__(self, record_bytes: int) -> None:
        self._most = record_bytes
        self._bytes = bytearray()

    @property
    def held(self) -> int:
        """Bytes that came."""
        return len(self._bytes)

    def feed(self, piece: bytes, *, final: bool = False) -> list[bytes]:
        """The document, with its last piece.

        Raises:
            SubmissionError: it is too long.
        """
        self._bytes += piece
        if len(self._bytes) > self._most:
            raise SubmissionError("body.record-too-large")
        return [bytes(self._bytes)] if final and self._bytes.strip() else []
