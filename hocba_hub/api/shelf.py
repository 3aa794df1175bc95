"""The mappings and code tables in force, as this process knows them: never older than a second while the store answers.

The command line reads the store through it too, so that there is one way from rows to compiled mappings.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from hocba_hub.adapters.translation import Formats, shipped_formats
from hocba_hub.mappings.document import Document, DocumentError
from hocba_hub.mappings.overlay import Fill
from hocba_hub.mappings.parse import read_document
from hocba_hub.mappings.shelf import InForce, Shelf
from hocba_hub.store.code_fills import fills
from hocba_hub.store.engine import Store, StoreError
from hocba_hub.store.mappings import activations, document_of
from hocba_hub.store.revision import revision

log = logging.getLogger(__name__)

FRESH_SECONDS = 1.0
"""What was activated counts everywhere after this."""


class LiveShelf:
    """Gives the shelf in force; makes a new one when the configuration's revision has moved. For any thread."""

    def __init__(
        self, store: Store, formats: Formats | None = None, *, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        """`formats` are what there is without any activation; by default what comes with the hub."""
        self._store, self._seconds = store, seconds
        self._formats = formats
        self._lock = threading.Lock()
        self._shelf: Shelf | None = None
        self._asked_at = 0.0

    def current(self) -> Shelf:
        """The shelf in force; the last one that was known, while the store is away.

        Raises:
            StoreError: the store is away, and was never asked before.
        """
        known = self._shelf
        if known is not None and self._seconds() - self._asked_at < FRESH_SECONDS:
            return known
        return self.newest()

    def newest(self) -> Shelf:
        """As `current`, but asks the store whatever is known: for whoever acts on what he sees."""
        with self._lock:
            now = self._seconds()
            self._shelf = self._newer(self._shelf)
            self._asked_at = now
            return self._shelf

    async def shelf(self) -> Shelf:
        """As `current`; waits in a thread where the store has to be asked."""
        known = self._shelf
        if known is not None and self._seconds() - self._asked_at < FRESH_SECONDS:
            return known
        return await run_in_threadpool(self.current)

    def _newer(self, known: Shelf | None) -> Shelf:
        try:
            with self._store.read() as connection:
                newest = revision(connection)
                if known is not None and known.revision == newest:
                    return known
                return shelf_in(connection, self._formats or shipped_formats(), newest)
        except StoreError:
            if known is None:
                raise
            return known


def shelf_in(connection: Connection, formats: Formats, newest: int) -> Shelf:
    """The shelf that the store describes at this revision.

    A version that this hub cannot use any more is left out and logged: what was in force before it counts.
    """
    filled = [Fill(**asdict(one.meaning)) for one in fills(connection)]
    bare = Shelf(formats.library, formats.tables, (), filled, newest)
    return Shelf(formats.library, formats.tables, list(_usable(connection, bare)), filled, newest)


def _usable(connection: Connection, shelf: Shelf) -> Iterator[InForce]:
    read: dict[tuple[str, str], Document | None] = {}
    for one in activations(connection):
        if (one.name, one.version) not in read:
            read[one.name, one.version] = _document(connection, one.name, one.version, shelf)
        document = read[one.name, one.version]
        if document is not None:
            yield InForce(document, **asdict(one.scope))


def _document(connection: Connection, name: str, version: str, shelf: Shelf) -> Document | None:
    text = document_of(connection, name, version) or b""
    document, _ = read_document(text.decode("utf-8", "surrogateescape"))
    try:
        if document is not None:
            shelf.compiled(document)
            return document
    except DocumentError:
        pass
    log.error("the mapping %s %s cannot be used by this version of the hub", name, version)
    return None
