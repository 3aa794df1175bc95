"""PostgreSQL databases that tests take turns with: to make one copies a thousand files, to empty one touches a few."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg

from hocba_hub.store.engine import Store
from hocba_hub.store.schema import upgrade
from hocba_hub.store.tables import metadata
from tests.support.servers import PostgresServer

_NAMES = [table.name for table in metadata.sorted_tables]
_ROWS = "SELECT " + ", ".join(f'EXISTS (SELECT FROM "{name}")' for name in _NAMES)
_NUMBERS_ANEW = """
SELECT setval(format('%I.%I', schemaname, sequencename), 1, false) FROM pg_sequences WHERE last_value IS NOT NULL
"""


class Databases:
    """The databases of one server: as many as tests have needed at once."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._free: list[str] = []

    @contextmanager
    def lent(self) -> Iterator[str]:
        """URL of a database at the newest revision and without rows; it is emptied when the block ends."""
        url = self._free.pop() if self._free else self._made()
        yield url
        _empty(url)
        self._free.append(url)

    def _made(self) -> str:
        url = self._server.create_database(f"t_{uuid4().hex}")
        store = Store(url)
        upgrade(store)
        store.close()
        return url


def _empty(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET lock_timeout = '10s'")
        rows = connection.execute(_ROWS).fetchone() or ()
        if filled := [f'"{name}"' for name, has_rows in zip(_NAMES, rows, strict=True) if has_rows]:
            connection.execute(f"TRUNCATE {', '.join(filled)} CASCADE")
        # Also those of tables without rows: what was rolled back has taken numbers.
        connection.execute(_NUMBERS_ANEW)
