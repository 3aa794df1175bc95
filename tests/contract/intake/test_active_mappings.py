"""The mappings of a live process: never older than a second, asked seldom, there while the store is away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import orjson
import pytest
from sqlalchemy import Connection

from hocba_hub.adapters.destination import Destination, Title
from hocba_hub.adapters.translation import NotRepresentableError, Translations
from hocba_hub.intake.active_mappings import ActiveMappings
from hocba_hub.mappings.document.parse import load_document
from hocba_hub.mappings.library.library import Library
from hocba_hub.mappings.library.mapping_set import MappingSet
from hocba_hub.mappings.tables.table_files import shipped_tables
from hocba_hub.model.activation import ActivationScope
from hocba_hub.model.codes import CodeFill
from hocba_hub.store.access import add_client
from hocba_hub.store.code_fills import fill
from hocba_hub.store.engine import Store, StoreAwayError
from hocba_hub.store.mappings import activate
from tests.support.sandbox_server import outbound_record

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
        activate(connection, "m", version, text, ActivationScope(), actor="os:lan", reason="new", now=1)


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


def test_of_many_calls_at_once_one_asks_the_store(live: ActiveMappings, watched: Watched, clock: list[float]):
    async def at_once(calls: int) -> set[int]:
        return {id(found) for found in await asyncio.gather(*(live.awaited() for _ in range(calls)))}

    assert len(asyncio.run(at_once(30))) == 1
    assert watched.asked == 1
    clock[0] += 2
    assert len(asyncio.run(at_once(30))) == 1
    assert watched.asked == 2


def test_while_the_store_is_away_the_last_set_is_used(live: ActiveMappings, watched: Watched, clock: list[float]):
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


def test_fills_are_in_the_tables(live: ActiveMappings, store: Store):
    table = live.current().tables["ethnic-groups"]
    assert table.view("name", "qd121").find("Nhóm lạ").value is None
    with store.write() as connection:
        fill(
            connection,
            CodeFill("ethnic-groups", "name", "Nhóm lạ", "qd121", "01", {}),
            source="a decree",
            actor="os:lan",
            now=1,
        )
    assert live.newest().tables["ethnic-groups"].view("name", "qd121").find("Nhóm lạ").value == "01"


TO_PROVINCE = """mapping: to-province
version: {}
source: {{format: json, schema: primary-delivery}}
target: t
fields:
  id: {{from: delivery/record_id, required: true}}
  name: {}
  group: {{from: pupil/religion, table: {{name: ethnic-groups, from: name, to: qd121}}}}
"""


def test_what_a_destination_gets_follows_activations_and_fills(store: Store, clock: list[float]):
    base = MappingSet(Library((load_document(TO_PROVINCE.format("1.0.0", "class/name")),), {}), shipped_tables())
    live = ActiveMappings(store, base, seconds=lambda: clock[0])
    destination = Destination(
        name="province", title=Title(vi="t", en="t"), adapter="rest", address="x", mappings={"card": "to-province"}
    )
    today = [1_780_000_000_000]  # 2026-05-28, 20:26 in Vietnam
    translations = Translations(destination, live.current, lambda: today[0])
    card = {"kind": "primary", "class": {"name": "3A"}, "pupil": {"full_name": "Lê Mẫu", "religion": "Nhóm lạ"}}
    record = outbound_record(canonical=orjson.dumps(card))
    with pytest.raises(NotRepresentableError, match=r"mapping\.table\.unknown group") as refused:
        translations.represent(record)
    assert refused.value.mapping == "to-province 1.0.0"

    meaning = CodeFill("ethnic-groups", "name", "Nhóm lạ", "qd121", "01")
    with store.write() as connection:
        fill(connection, meaning, source="a decree", actor="os:lan", now=1)
    clock[0] += 2
    assert translations.represent(record) == (
        [{"id": "2025-2026/card-1", "name": "3A", "group": "01"}], "to-province 1.0.0",
    )  # fmt: skip

    with store.write() as connection:
        text = TO_PROVINCE.format("1.1.0", "pupil/full_name").encode()
        activate(connection, "to-province", "1.1.0", text, ActivationScope(), actor="os:lan", reason="new", now=2)
    clock[0] += 2
    made = translations.represent(record)
    assert (made.records[0]["name"], made.mapping) == ("Lê Mẫu", "to-province 1.1.0")

    with store.write() as connection:
        text = TO_PROVINCE.format("1.2.0", "class/name").encode()
        add_client(connection, "north", ["*"], now=1)
        one_client = ActivationScope(client="north")
        activate(connection, "to-province", "1.2.0", text, one_client, actor="os:lan", reason="new", now=3)
    clock[0] += 2
    assert translations.represent(record).mapping == "to-province 1.1.0", "a destination is no client"

    with store.write() as connection:
        text = TO_PROVINCE.format("1.3.0", "class/name").encode()
        from_june = ActivationScope(valid_from=date(2026, 6, 1))
        activate(connection, "to-province", "1.3.0", text, from_june, actor="os:lan", reason="new", now=4)
    clock[0] += 2
    assert translations.represent(record).mapping == "to-province 1.1.0", "its days have not begun"
    today[0] += 4 * 86_400_000
    assert translations.represent(record).mapping == "to-province 1.3.0"
