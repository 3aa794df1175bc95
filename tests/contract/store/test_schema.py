"""The migrated schema is the one that the tables describe, on both engines."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Connection, Index, Integer, MetaData, inspect

from hocba_hub.store.engine import Store
from hocba_hub.store.schema import upgrade
from hocba_hub.store.tables import metadata


def differences(connection: Connection, described: MetaData = metadata) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return compare_metadata(context, described)


def test_the_migrations_make_what_the_tables_say(store: Store):
    with store.read() as connection:
        assert differences(connection) == []


def test_the_comparison_sees_what_is_missing(store: Store):
    other = MetaData()
    for table in metadata.sorted_tables:
        table.to_metadata(other)
    other.tables["deliveries"].append_column(Column("forgotten", Integer))
    Index("ix_forgotten", other.tables["versions"].c.school_code)
    with store.read() as connection:
        assert {found[0] for found in differences(connection, other)} == {"add_column", "add_index"}


def test_partial_indexes_have_the_conditions_that_the_tables_say(store: Store):
    """Alembic does not compare these; a query that repeats another condition would scan the whole table."""
    dialect = "sqlite" if store.is_sqlite else "postgresql"
    with store.read() as connection:
        for table in metadata.sorted_tables:
            stored = {index["name"]: index for index in inspect(connection).get_indexes(table.name)}
            for index in table.indexes:
                described = index.dialect_options[dialect]["where"]
                condition = stored[index.name].get("dialect_options", {}).get(f"{dialect}_where")
                assert (described is None) == (condition is None), index.name
                if described is not None and store.is_sqlite:
                    assert str(condition) == str(described)


def test_an_upgrade_changes_nothing_that_is_there(store: Store):
    upgrade(store)
    with store.read() as connection:
        assert differences(connection) == []
