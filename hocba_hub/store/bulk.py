"""Writing rows, on both databases: many in one statement, and what is to happen where a key is taken.

On PostgreSQL a batch goes as one array for each column (`unnest`), which costs a fraction of a statement for each row;
SQLite takes row after row inside the process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, cast

from sqlalchemy import Connection, Table, insert
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: Connection, table: Table) -> postgresql.Insert:
    """An INSERT of the connection's dialect, which can say `on_conflict_do_update` and `…_do_nothing`."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return cast("postgresql.Insert", dialect.insert(table))


def insert_rows(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    unless_there: bool = False,
    adding: str = "",
) -> int:
    """Insert rows that all have the same columns; how many were inserted.

    With `unless_there`, a row whose key is taken is left out instead of failing the statement; with `adding`, its value
    in this column is added to that of the row that is there.
    """
    if not rows:
        return 0
    names = tuple(rows[0])
    if connection.dialect.name == "sqlite":
        statement: Any = sqlite.insert(table).on_conflict_do_nothing() if unless_there else insert(table)
        if adding:
            statement = sqlite.insert(table)
            sums = {adding: table.c[adding] + statement.excluded[adding]}
            statement = statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=sums)
        before = connection.connection.driver_connection.total_changes  # type: ignore[union-attr]
        connection.execute(statement, rows)
        return int(connection.connection.driver_connection.total_changes - before)  # type: ignore[union-attr]
    columns = [[row[name] for row in rows] for name in names]
    sql = _unnest(table, names) + (" ON CONFLICT DO NOTHING" if unless_there else "")
    if adding:
        keys = ", ".join(column.name for column in table.primary_key.columns)
        sql += f" ON CONFLICT ({keys}) DO UPDATE SET {adding} = {table.name}.{adding} + excluded.{adding}"
    return connection.exec_driver_sql(sql, tuple(columns)).rowcount


@cache
def _unnest(table: Table, names: tuple[str, ...]) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    arrays = ", ".join(f"%b::{table.c[name].type.compile(dialect)}[]" for name in names)
    return f"INSERT INTO {table.name} ({', '.join(names)}) SELECT * FROM unnest({arrays})"  # noqa: S608 - our own names
