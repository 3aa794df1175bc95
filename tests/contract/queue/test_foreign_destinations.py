"""Cards go to services of other shapes as to any: lost answers are looked up, and nothing is sent twice."""

from __future__ import annotations

import threading
from collections import Counter

import orjson
import pytest
from sqlalchemy import select

from hocba_hub.adapters.destination import load_destination
from hocba_hub.adapters.registry import adapter_for
from hocba_hub.mappings.library.mapping_set import mappings_beside
from hocba_hub.model.delivery import FINAL
from hocba_hub.model.keys import DestinationName
from hocba_hub.queue.drain import Engine
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import deliveries
from tests.support.acceptance import submit
from tests.support.foreign_services import FOREIGN, card_store, node_services, platform
from tests.support.sample_cards import primary_card

CARDS = 12
MINUTE = 60_000


def delivered(store: Store, name: str, environment: dict[str, str]) -> Counter[str]:
    """The states of cards that were accepted for a destination, once it has nothing more to do."""
    text = (FOREIGN / f"{name}.yaml").read_text(encoding="utf-8")
    destination = load_destination(text, environment, origin=name, folder=FOREIGN)
    mappings, now = mappings_beside(FOREIGN), 1_000_000
    adapter = adapter_for(destination, {}, lambda: mappings)
    cards = [(f"card-{number}", orjson.dumps(primary_card(number)).decode()) for number in range(CARDS)]
    submit(store, *cards, now=now, destinations=(name,))
    engine = Engine(
        store, {DestinationName(name): destination}, {DestinationName(name): adapter}.__getitem__, lambda: now, "w", 60
    )
    states: Counter[str] = Counter()
    for _ in range(40):
        now += 5 * MINUTE
        engine.drain(DestinationName(name), seconds=20, stop=threading.Event())
        with store.read() as connection:
            states = Counter(connection.execute(select(deliveries.c.state)).scalars())
        if set(states) <= set(FINAL):
            break
    adapter.close()
    return states


def test_to_a_service_that_takes_one_card_a_call(store: Store):
    with card_store() as service:
        service.lose = 5
        assert delivered(store, "store", {"STORE_URL": service.url}) == {"acknowledged": CARDS}
        assert set(service.received.values()) == {1}
        assert len(service.received) == CARDS


def test_to_a_json_service(store: Store):
    with platform() as service:
        service.lose = 1
        assert delivered(store, "platform", {"PLATFORM_URL": service.url}) == {"acknowledged": CARDS}
        assert set(service.received.values()) == {1}
        assert len(service.received) == CARDS


@pytest.mark.parametrize("name", ["exchange", "registry"])
def test_to_services_of_another_stack(store: Store, name: str):
    with node_services() as services:
        services.control(drop=1)
        assert delivered(store, name, services.environment()) == {"acknowledged": CARDS}
        held = services.held(name)
        assert len(held) == CARDS
        assert {one["received"] for one in held.values()} == {1}
