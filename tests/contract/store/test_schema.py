"""The migrated schema is the one that the tables describe, on both engines."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Connection, Index, Integer, MetaData, inspect, select, text

from hocba_hub.model.card import card_key
from hocba_hub.model.compared_card import compared_card
from hocba_hub.model.reading import read_card
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.store.bodies import pack
from hocba_hub.store.decide import cards_of
from hocba_hub.store.engine import Store
from hocba_hub.store.schema import upgrade
from hocba_hub.store.tables import metadata, open_findings


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


def test_cards_that_were_accepted_before_are_compared_as_well(store_url: str):
    """Of a store at revision 0003 nothing is lost, and what is compared is read from the cards themselves."""
    store = Store(store_url)
    raw = next(generate(1, 3))
    card = read_card(raw).card
    assert card is not None
    key = card_key(card)
    with store.write() as connection:
        if not store.is_sqlite:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    upgrade(store, "0003")
    with store.write() as connection:
        values = {"year": key.school_year, "card": key.card_id, "school": card.school.code, "some": b""}
        values["raw"] = pack(raw)
        for statement in (
            (
                "INSERT INTO report_cards (school_year, card_id, school_code, client_id, version, content_sha256,"
                " recalled, changed_at) VALUES (:year, :card, :school, 1, 2, :some, false, 1)"
            ),
            (
                "INSERT INTO versions (school_year, card_id, version, event, accepted_at, submission_id, position,"
                " school_code, content_sha256, original_sha256, original_type, original_bytes, canonical)"
                " VALUES (:year, :card, 2, 'UPDATE', 1, 's', 0, :school, :some, :some, 'application/json', 1, :raw)"
            ),
            (
                "INSERT INTO open_findings (school_code, school_year, card_id, client_id, since, last_at, times,"
                " submission_id, position, findings) VALUES (:school, :year, 'other', 1, 1, 1, 1, 's', 0, :some)"
            ),
        ):
            connection.execute(text(statement), values)
    upgrade(store)
    with store.read() as connection:
        assert differences(connection) == []
        known = compared_card(card)._replace(
            results=0, teacher=0, pupil_code=0, commune=""
        )  # these count from the next version on
        assert cards_of(connection, [key])[key].compared == known
        (open_card,) = connection.execute(select(open_findings)).all()
    assert (open_card.card_id, open_card.matter) == ("other", "record")
    store.close()


def test_every_table_is_told_in_the_architecture():
    told = (Path(__file__).parents[3] / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert [name for name in metadata.tables if f"`{name}`" not in told] == []
