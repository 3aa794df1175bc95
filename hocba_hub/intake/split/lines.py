"""Splitting NDJSON: each line that is not blank is a record, without the blanks around it."""

from __future__ import annotations

from collections.abc import Sequence

from hocba_hub.intake.errors import SubmissionError
from hocba_hub.intake.split.json import alone

_BLANK = b" \t\r\n"


class LineSplitter:
    """Splits a document that comes in pieces into its lines."""

    def __init__(self, record_bytes: int, keys: Sequence[str] = ()) -> None:
        """`keys` lead to the records in a document of another syntax; see `alone`."""
        self._most, self._keys = record_bytes, keys
        self._begun = b""

    @property
    def held(self) -> int:
        """Bytes of the line that has begun."""
        return len(self._begun)

    def feed(self, piece: bytes, *, final: bool = False) -> list[bytes]:
        """The lines that end in this piece.

        Raises:
            SubmissionError: a line is too long.
        """
        lines = (self._begun + piece).split(b"\n")
        self._begun = b"" if final else lines.pop()
        if len(self._begun) > self._most:
            raise SubmissionError("body.record-too-large")
        return [alone(record, self._keys) for line in lines if (record := line.strip(_BLANK))]
