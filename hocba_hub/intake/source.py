"""What an entrance is: where the records of a submission come from.

An entrance either is a `Source`, whose sender waits for the receipt (REST, SOAP), or it hands a whole file to the
spool (`files/`), whose import goes on behind a cursor after any interruption (uploads, drop folders). Either way a
record becomes a `SentRecord`, and all that follows is the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple, Protocol

from hocba_hub.intake.translate import Translated
from hocba_hub.model.reading import Reading


class SentRecord(NamedTuple):
    """One record as a client sent it, before any check."""

    raw: bytes
    """Its very bytes; they are kept."""
    media_type: str
    """Of these bytes."""
    reading: Reading | None = None
    """What was read of it, where that was done on the way (XML); otherwise it is canonical JSON."""
    translated: Translated | None = None
    """What a vendor's record became."""


class Source(Protocol):
    """The records of one call, in their order."""

    media_type: str
    """Under which the submission is stored."""

    @property
    def size(self) -> int:
        """Bytes of what was read so far; of the whole when `records` has ended."""
        ...

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the same."""
        ...

    def records(self) -> AsyncIterator[SentRecord]:
        """The records, as they arrive; may be called once.

        Raises:
            SubmissionError: what is sent cannot be read any further.
        """
        ...
