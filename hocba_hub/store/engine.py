"""Opening the store on SQLite or PostgreSQL, and the two kinds of transaction."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Engine,
    TextClause,
    and_,
    bindparam,
    create_engine,
    event,
    func,
    literal_column,
    make_url,
    or_,
    select,
    text,
)
from sqlalchemy import column as sql_column
from sqlalchemy import types as sql
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError

from hocba_hub.model.errors import HubError
from hocba_hub.model.keys import CardKey

_SQLITE_BUSY_SECONDS = 20.0
_SQLITE_AGAIN_SECONDS = 0.003
"""Between two tries to take SQLite's write lock. SQLite's own wait rests for up to a tenth of a second: it would hardly
ever find the moment between two commits of another process that writes without a pause, and be kept out for seconds."""
_POSTGRESQL_IDLE_SECONDS = 10.0
"""Below the hold of an idempotency key: who takes over from a process that stands still does not wait for its locks."""


_AT_THE_END = "at the end"


def at_the_end(connection: Connection, work: Callable[[Connection, list[Any]], None]) -> list[Any]:
    """The list that `work` is called with right before the writing transaction commits.

    For what takes a lock that others wait for: it is held for the commit alone.
    """
    items: list[Any] = connection.info.setdefault(_AT_THE_END, {}).setdefault(work, [])
    return items


class StoreError(HubError):
    """The store cannot be used."""


class StoreFullError(StoreError):
    """The store's disk is full: nothing was written, try again when there is room."""


class StoreAwayError(StoreError):
    """The store does not answer: nothing is known to be written, try again."""


class Store:
    """One open store: an engine for each kind of transaction, usable from any thread.

    On SQLite every writing transaction takes the write lock at its start (`BEGIN IMMEDIATE`), so that it never
    fails half-way for want of it; each commit is synced to the disk before it returns (`synchronous=FULL`).
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 8,
        busy_seconds: float = _SQLITE_BUSY_SECONDS,
        idle_seconds: float = _POSTGRESQL_IDLE_SECONDS,
    ) -> None:
        """Open the store at an SQLAlchemy URL; `postgresql://` means psycopg 3.

        `busy_seconds` is how long a writing transaction waits for the lock of SQLite. `idle_seconds` is how long
        PostgreSQL waits for the next statement of a transaction before it ends it and gives its locks to others: a
        process that stands still shall not keep all others waiting.

        Raises:
            StoreError: the URL names another database system.
        """
        parsed = make_url(url)
        if parsed.drivername in {"postgresql", "postgres"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if not self.is_sqlite and parsed.get_backend_name() != "postgresql":
            raise StoreError("The store is SQLite (sqlite:///file) or PostgreSQL (postgresql://...).")
        self.url = parsed
        if self.is_sqlite:
            self._writing = _sqlite_engine(parsed, pool_size, 0, _begin_writing(busy_seconds))
            self._reading = _sqlite_engine(parsed, pool_size, busy_seconds, _begin_reading)
        else:
            self._writing = create_engine(
                parsed, pool_size=pool_size, max_overflow=8, pool_pre_ping=False, pool_recycle=1800
            )
            event.listen(self._writing, "connect", _limit_idling(idle_seconds))
            event.listen(self._writing, "after_cursor_execute", _leave_the_pipeline, named=True)
            self._reading = self._writing

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One writing transaction: committed when the block ends, rolled back when it raises.

        Raises:
            StoreFullError: no room on the disk.
            StoreAwayError: the connection was lost, or the lock could not be had in time.
        """
        with _translated(), self._writing.begin() as connection:
            connection.info.pop(_AT_THE_END, None)  # of a transaction that was rolled back
            yield connection
            for work, items in connection.info.pop(_AT_THE_END, {}).items():
                work(connection, items)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One reading transaction: a consistent view that never waits for writers.

        Raises:
            StoreAwayError: the connection was lost.
        """
        with _translated(), self._reading.begin() as connection:
            yield connection

    @property
    def folder(self) -> Path | None:
        """Where SQLite's file lies; None for PostgreSQL."""
        return Path(self.url.database).absolute().parent if self.is_sqlite and self.url.database else None

    def size(self, connection: Connection) -> int:
        """Bytes of the database."""
        if self.is_sqlite:
            pages = connection.execute(text("SELECT page_count FROM pragma_page_count")).scalar_one()
            return int(pages) * int(connection.execute(text("SELECT page_size FROM pragma_page_size")).scalar_one())
        return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())

    def close(self) -> None:
        """Close every pooled connection."""
        self._writing.dispose()
        self._reading.dispose()


def _sqlite_engine(url: URL, pool_size: int, busy_seconds: float, begin: Callable[[Connection], None]) -> Engine:
    """`busy_seconds` is what SQLite itself waits for a lock; `begin` begins a transaction."""
    engine = create_engine(
        url,
        connect_args={"timeout": _SQLITE_BUSY_SECONDS, "check_same_thread": False},
        pool_size=pool_size,
        max_overflow=8,
    )

    @event.listens_for(engine, "connect")
    def _connect(connection: DBAPIConnection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where the "begin" listener says
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "cache_size=-32000",
            "mmap_size=268435456",
            "temp_store=MEMORY",
            "wal_autocheckpoint=4000",
            f"busy_timeout={round(busy_seconds * 1000)}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    event.listen(engine, "begin", begin)
    return engine


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_writing(busy_seconds: float) -> Callable[[Connection], None]:
    def begin(connection: Connection) -> None:
        end = time.monotonic() + busy_seconds
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            except OperationalError as error:
                is_busy = getattr(error.orig, "sqlite_errorname", "").startswith("SQLITE_BUSY")
                if not is_busy or time.monotonic() > end:
                    raise
            else:
                return
            time.sleep(_SQLITE_AGAIN_SECONDS)

    return begin


def _limit_idling(seconds: float) -> Callable[[DBAPIConnection, object], None]:
    def connect(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"SET idle_in_transaction_session_timeout = {round(seconds * 1000)}")
        cursor.close()
        connection.commit()

    return connect


def _leave_the_pipeline(*, conn: Connection, executemany: bool, **_: object) -> None:
    """After several rows in psycopg's pipeline PostgreSQL (18.4) does not begin to count the idle time; now it does."""
    if executemany:
        conn.connection.cursor().execute("SELECT")


@contextmanager
def _translated() -> Iterator[None]:
    """Say "full" and "away" in our own words, so that no caller needs to know the engines' codes."""
    try:
        yield
    except DBAPIError as error:
        cause = error.orig
        code = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None) or ""
        if code in {"53100", "SQLITE_FULL"} or "disk I/O error" in str(cause):
            raise StoreFullError("The store's disk is full.") from error
        if error.connection_invalidated or code[:2] in {"08", "57"} or code in {"SQLITE_BUSY", "40001", "40P01"}:
            raise StoreAwayError("The store does not answer.") from error
        if type(cause).__name__ == "OperationalError":
            raise StoreAwayError("The store does not answer.") from error
        raise


def one_of(connection: Connection, column: ColumnElement[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """`column` is one of `values`, as one parameter, so that the statement's text does not depend on their number."""
    if connection.dialect.name == "sqlite":
        return column.in_(
            select(func.json_each(bindparam(None, json.dumps(list(values)), sql.Text)).table_valued("value"))
        )
    array = bindparam(None, list(values), ARRAY(column.type))
    return column == func.any(array)


def listed(connection: Connection, rows: Sequence[Sequence[str]]) -> Sequence[ColumnElement[str]]:
    """The columns of a table that holds these rows of text, to be joined with: one parameter for each, or for all."""
    width = range(len(rows[0]))
    if connection.dialect.name == "sqlite":
        each = func.json_each(bindparam(None, json.dumps([list(row) for row in rows]), sql.Text)).table_valued("value")
        return [func.json_extract(each.c.value, f"$[{n}]", type_=sql.Text()) for n in width]
    arrays = [bindparam(None, [row[n] for row in rows], ARRAY(sql.Text)) for n in width]
    unnested = func.unnest(*arrays).table_valued(*(sql_column(f"c{n}", sql.Text) for n in width)).render_derived()
    return list(unnested.c)


def in_states(column: ColumnElement[Any], *states: str) -> ColumnElement[bool]:
    """`column` is one of these states, written into the text: only then do the engines use the partial indexes."""
    return column.in_([literal_column(f"'{state}'") for state in states])


def few_values(
    connection: Connection, column: ColumnElement[str], *where: ColumnElement[bool] | TextClause
) -> list[str]:
    """The values of an indexed column that has few, in order: each is one step down the index, however many rows."""
    found, last = [], ""
    while value := connection.execute(select(func.min(column)).where(column > last, *where)).scalar():
        found.append(last := value)
    return found


def one_of_cards(
    connection: Connection, year: ColumnElement[Any], card_id: ColumnElement[Any], cards: Sequence[CardKey]
) -> ColumnElement[bool]:
    """The row's natural key is one of `cards`."""
    by_year: dict[str, list[str]] = {}
    for card in cards:
        by_year.setdefault(card.school_year, []).append(card.card_id)
    return or_(*(and_(year == first, one_of(connection, card_id, ids)) for first, ids in sorted(by_year.items())))
