"""The shelf of a live process: never older than a second, asked seldom, there while the store is away."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from hocba_hub.intake.active_mappings import ActiveMappings
from hocba_hub.mappings.document.parse import load_document
from hocba_hub.mappings.library.library import Library
from hocba_hub.mappings.library.mapping_set import MappingSet
from hocba_hub.mappings.tables.table_files import shipped_tables
from hocba_hub.model.codes import CodeMeaning
from hocba_hub.store.code_fills import fill
from hocba_hub.store.engine import Store, StoreAwayError
from hocba_hub.store.mappings import Scope, activate

TEXT = "mapping: m\nversion: {}\nsource: {{format: json}}\ntarget: t\nfields: {{v: {{from: x, table: {}}}}}\n"
BASE = MappingSet(Library((load_document(TEXT.format("1.0.0", "gender")),), {}), shipped_tables())


class Watched:
    """A store whose readings are counted, and that can be away."""

    def __init__(self, store: Store) -> None:
        self.store, self.asked, self.away = store, 0, False

    @contextmanager
    def read(self) -> Iterator[Connection]:
        self.asked += 1
        if self.away:
            raise StoreAwayError("away")
        with self.store.read() as connection:
            yield connection


@pytest.fixture
def watched(store: Store) -> Watched:
    return Watched(store)


@pytest.fixture
def clock() -> list[float]:
    return [100.0]


@pytest.fixture
def live(watched: Watched, clock: list[float]) -> ActiveMappings:
    return ActiveMappings(watched, BASE, seconds=lambda: clock[0])


def put(store: Store, version: str, table: str = "gender") -> None:
    with store.write() as connection:
        text = TEXT.format(version, table).encode()
        activate(connection, "m", version, text, Scope(), actor="os:lan", reason="new", now=1)


def chosen(live: ActiveMappings) -> tuple[int, int, int]:
    return live.current().select("m").version


def test_a_change_counts_after_a_second_and_the_store_is_not_asked_before(
    live: ActiveMappings, watched: Watched, clock: list[float]
):
    assert chosen(live) == (1, 0, 0)
    put(watched.store, "1.1.0")
    clock[0] += 0.99
    assert (chosen(live), watched.asked) == ((1, 0, 0), 1)
    clock[0] += 0.02
    assert (chosen(live), watched.asked) == ((1, 1, 0), 2)


def test_nothing_is_made_anew_while_nothing_changes(live: ActiveMappings, clock: list[float]):
    first = live.current()
    clock[0] += 5
    assert live.current() is first
    assert live.newest() is first


def test_while_the_store_is_away_the_last_shelf_is_used(live: ActiveMappings, watched: Watched, clock: list[float]):
    put(watched.store, "1.1.0")
    assert chosen(live) == (1, 1, 0)
    watched.away = True
    clock[0] += 5
    assert chosen(live) == (1, 1, 0)
    with pytest.raises(StoreAwayError):
        ActiveMappings(watched, BASE).current()


def test_a_version_that_cannot_be_used_any_more_is_left_out_and_said(
    live: ActiveMappings, store: Store, caplog: pytest.LogCaptureFixture
):
    put(store, "1.1.0")
    put(store, "1.2.0", table="a-table-that-an-upgrade-took-away")
    with caplog.at_level(logging.ERROR):
        assert chosen(live) == (1, 1, 0)
    assert "m 1.2.0" in caplog.text


def test_fills_are_on_the_shelf(live: ActiveMappings, store: Store):
    table = live.current().tables["ethnic-groups"]
    assert table.view("name", "qd121").find("Nhóm lạ").value is None
    with store.write() as connection:
        fill(
            connection,
            CodeMeaning("ethnic-groups", "name", "Nhóm lạ", "qd121", "01", {}),
            source="a decree",
            actor="os:lan",
            now=1,
        )
    assert live.newest().tables["ethnic-groups"].view("name", "qd121").find("Nhóm lạ").value == "01"
