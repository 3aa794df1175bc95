"""The mappings and code tables in force, as this process knows them: never older than a second while the store answers.

Whoever translates, checks, delivers or previews asks here, so that an activation or a filled code counts for all.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator

import anyio.to_thread
from sqlalchemy import Connection

from hocba_hub.intake.code_lists import in_force
from hocba_hub.mappings.document.document import Document, DocumentError
from hocba_hub.mappings.document.parse import read_document
from hocba_hub.mappings.library.mapping_set import InForce, MappingSet
from hocba_hub.model.clock import vietnam_day
from hocba_hub.store.code_fills import fills
from hocba_hub.store.code_lists import active
from hocba_hub.store.engine import Store, StoreError
from hocba_hub.store.mappings import activations, document_of
from hocba_hub.store.revision import revision

log = logging.getLogger(__name__)

FRESH_SECONDS = 1.0
"""What was activated counts everywhere after this."""


class ActiveMappings:
    """Gives the mappings in force; makes a new set when the configuration's revision has moved. For any thread."""

    def __init__(self, store: Store, base: MappingSet, *, seconds: Callable[[], float] = time.monotonic) -> None:
        """`base` is what there is without any activation or filled code."""
        self._store, self._base, self._seconds = store, base, seconds
        self._lock = threading.Lock()
        self._known: MappingSet | None = None
        self._asked_at = 0.0
        self._is_asking = False

    def current(self) -> MappingSet:
        """The mappings in force; the last ones that were known, while the store is away.

        Raises:
            StoreError: the store is away, and was never asked before.
        """
        fresh = self._fresh()
        if fresh is not None:
            return fresh
        with self._lock:
            return self._fresh() or self._ask()  # somebody else may have asked meanwhile

    async def awaited(self) -> MappingSet:
        """As `current`; one call waits in a thread while the store is asked, the others take what is known.

        Used from one event loop.
        """
        known = self._fresh() or (self._known if self._is_asking else None)
        if known is not None:
            return known
        self._is_asking = True
        try:
            return await anyio.to_thread.run_sync(self.current)
        finally:
            self._is_asking = False

    def newest(self) -> MappingSet:
        """As `current`, but asks the store whatever is known: for whoever acts on what he sees."""
        with self._lock:
            return self._ask()

    def _ask(self) -> MappingSet:
        now = self._seconds()
        known = self._known = self._newer(self._known)
        self._asked_at = now
        return known

    def _fresh(self) -> MappingSet | None:
        known = self._known
        return known if known is not None and self._seconds() - self._asked_at < FRESH_SECONDS else None

    def _newer(self, known: MappingSet | None) -> MappingSet:
        try:
            with self._store.read() as connection:
                newest = revision(connection)
                if known is not None and known.revision == newest:
                    return known
                return _configured(connection, self._base, newest, self._stored)
        except StoreError:
            if known is None:
                raise
            return known

    def _stored(self, name: str, version: str) -> Document | None:
        """A version that is kept, in force or not."""
        with self._store.read() as connection:
            text = document_of(connection, name, version)
        return None if text is None else read_document(text.decode("utf-8", "surrogateescape"))[0]


def _configured(
    connection: Connection, base: MappingSet, newest: int, stored: Callable[[str, str], Document | None]
) -> MappingSet:
    """The mappings that the store describes at this revision.

    A version that this hub cannot use any more is left out and logged: what was in force before it counts.
    """
    filled = fills(connection)
    filled_codes = [one.fill for one in filled]
    lists = [in_force(one, vietnam_day(one.decided_at or one.fetched_at)) for one in active(connection)]
    bare = base.configured((), filled_codes, newest, lists)
    return base.configured(list(_usable(connection, bare)), filled_codes, newest, lists, stored)


def _usable(connection: Connection, mappings: MappingSet) -> Iterator[InForce]:
    read: dict[tuple[str, str], Document | None] = {}
    for one in activations(connection):
        if (one.name, one.version) not in read:
            read[one.name, one.version] = _document(connection, one.name, one.version, mappings)
        document = read[one.name, one.version]
        if document is not None:
            yield InForce(document, one.scope, one.id)


def _document(connection: Connection, name: str, version: str, mappings: MappingSet) -> Document | None:
    text = document_of(connection, name, version) or b""
    document, _ = read_document(text.decode("utf-8", "surrogateescape"))
    try:
        if document is not None:
            mappings.compiled(document)
            return document
    except DocumentError:
        pass
    log.error("the mapping %s %s cannot be used by this version of the hub", name, version)
    return None
