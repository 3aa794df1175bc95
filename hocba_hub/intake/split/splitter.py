"""What splits a document into records, and how pieces of one are fed to it: as they come, or from a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from functools import partial
from typing import Protocol

import anyio.to_thread

from hocba_hub.intake.errors import SubmissionError
from hocba_hub.intake.split.json import JsonSplitter
from hocba_hub.intake.split.lines import LineSplitter
from hocba_hub.intake.split.whole import WholeSplitter
from hocba_hub.intake.split.xml import CardXmlSplitter, XmlSplitter
from hocba_hub.mappings.document.document import XML, Source

_LONG_BYTES = 65_536
"""Splitting more than this takes long enough for other calls to notice."""


class Splitter(Protocol):
    """Splits a document that comes in pieces into its records, each with its very bytes."""

    @property
    def held(self) -> int:
        """How much of the document is kept until more has come."""
        ...

    def feed(self, piece: bytes, *, final: bool = False) -> list[bytes]:
        """The records that end in this piece; the last call has `final`.

        Raises:
            SubmissionError: the document is broken, not safe, or holds a record that is too long.
        """
        ...


def splitter_for(
    source: Source | None,
    record_bytes: int,
    *,
    is_xml: bool,
    has_lines: bool,
    names: Sequence[frozenset[str]] = (),
) -> Splitter:
    """The splitter for documents that a mapping's source describes; None for canonical cards.

    `names` are what the mapping reads of the objects around a record; see `head_names`.
    """
    keys = source.records.names if source is not None and source.records is not None else ()
    if has_lines:
        return LineSplitter(record_bytes, keys)
    if source is None:
        return CardXmlSplitter(record_bytes) if is_xml else JsonSplitter((), record_bytes)
    if source.format != XML:
        return JsonSplitter(keys, record_bytes, names)
    return XmlSplitter(keys, source.namespaces, record_bytes, names) if keys else WholeSplitter(record_bytes)


def split(pieces: Iterable[bytes], splitter: Splitter, record_bytes: int) -> Iterator[bytes]:
    """The records of a document.

    Raises:
        SubmissionError: as for `Splitter.feed`.
    """
    for piece in pieces:
        yield from _within(splitter.feed(piece), record_bytes)
    yield from _within(splitter.feed(b"", final=True), record_bytes)


async def split_stream(
    pieces: AsyncIterator[bytes], splitter: Splitter, record_bytes: int, most_records: int
) -> AsyncIterator[bytes]:
    """The records of a document as it arrives; long pieces are split in a thread, so that other calls get their turn.

    Raises:
        SubmissionError: as for `Splitter.feed`; there are too many records.
    """
    count = 0
    async for found in _batches(pieces, splitter):
        for record in _within(found, record_bytes):
            count += 1
            if count > most_records:
                raise SubmissionError("body.too-many-records")
            yield record


async def _batches(pieces: AsyncIterator[bytes], splitter: Splitter) -> AsyncIterator[list[bytes]]:
    async for piece in pieces:
        yield await _fed(splitter, piece, final=False)
    yield await _fed(splitter, b"", final=True)


async def _fed(splitter: Splitter, piece: bytes, *, final: bool) -> list[bytes]:
    if splitter.held + len(piece) > _LONG_BYTES:
        return await anyio.to_thread.run_sync(partial(splitter.feed, piece, final=final))
    return splitter.feed(piece, final=final)


def _within(records: list[bytes], record_bytes: int) -> list[bytes]:
    for record in records:
        if len(record) > record_bytes:
            raise SubmissionError("body.record-too-large")
    return records
