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
from hocba_hub.queue.jobs.reconcile import Reconcile
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import deliveries
from tests.support.acceptance import submit
from tests.support.foreign_services import FOREIGN, card_store, node_services, platform
from tests.support.jobs import run_once
from tests.support.sample_cards import primary_card

CARDS = 12
MINUTE = 60_000


class Hub:
    """Delivers to one destination, under a clock of its own."""

    def __init__(self, store: Store, name: str, environment: dict[str, str]) -> None:
        text = (FOREIGN / f"{name}.yaml").read_text(encoding="utf-8")
        self.store, self.name, self.now = store, DestinationName(name), 1_000_000
        self.destination = load_destination(text, environment, origin=name, folder=FOREIGN)
        mappings = mappings_beside(FOREIGN)
        self.adapter = adapter_for(self.destination, {}, lambda: mappings)

    def accept(self, *cards: tuple[str, str], year: str = "2025-2026") -> None:
        submit(self.store, *cards, now=self.now, destinations=(self.name,), year=year)

    def delivered(self) -> Counter[str]:
        """The states of cards that are accepted, once nothing more is to be done for them."""
        self.accept(*[(f"card-{number}", orjson.dumps(primary_card(number)).decode()) for number in range(CARDS)])
        return self.worked_off()

    def worked_off(self) -> Counter[str]:
        """The states of deliveries once nothing more is to be done for them, or for some time."""
        known, adapters = {self.name: self.destination}, {self.name: self.adapter}
        engine = Engine(self.store, known, adapters.__getitem__, lambda: self.now, "w", 60)
        states: Counter[str] = Counter()
        for _ in range(30):
            self.now += 5 * MINUTE
            engine.drain(self.name, seconds=20, stop=threading.Event())
            with self.store.read() as connection:
                states = Counter(connection.execute(select(deliveries.c.state)).scalars())
            if set(states) <= set(FINAL):
                break
        return states

    def reconciled(self) -> dict[str, int]:
        """What a comparison card by card finds."""
        self.now += MINUTE
        kind = Reconcile({self.name: self.destination}, lambda _: self.adapter)
        run = run_once(self.store, "reconcile", kind, now=self.now, about=self.name)
        assert run.state == "done", run.error
        return {name: count for name, count in run.result.items() if count and name not in {"listed", "all"}}


def test_to_a_service_that_takes_one_card_a_call(store: Store):
    with card_store() as service:
        service.lose = 5
        assert Hub(store, "store", {"STORE_URL": service.url}).delivered() == {"acknowledged": CARDS}
        assert set(service.received.values()) == {1}
        assert len(service.received) == CARDS


def test_where_record_ids_say_no_year_the_card_of_another_year_is_held(store: Store):
    with card_store() as service:
        hub = Hub(store, "store", {"STORE_URL": service.url})
        card = orjson.dumps(primary_card(1)).decode()
        hub.accept(("card-1", card))
        hub.accept(("card-1", card), ("card-2", card), year="2026-2027")
        assert hub.worked_off() == {"acknowledged": 2, "held": 1}
        hub.accept(("card-1", card.replace("28.5", "29")))  # a correction goes on going there
        assert hub.worked_off() == {"acknowledged": 3, "held": 1}
        assert service.versions == {("card-1", "2025-2026"): [1, 2], ("card-2", "2026-2027"): [1]}
        with store.read() as connection:
            held = connection.execute(
                select(deliveries.c.school_year, deliveries.c.code).where(deliveries.c.state == "held")
            ).all()
        assert held == [("2026-2027", "record-id-in-use")]


def test_to_a_json_service_and_back_in_the_comparison(store: Store):
    with platform() as service:
        service.lose = 1
        hub = Hub(store, "platform", {"PLATFORM_URL": service.url})
        assert hub.delivered() == {"acknowledged": CARDS}
        assert set(service.received.values()) == {1}
        assert len(service.received) == CARDS
        assert hub.reconciled() == {"equal": CARDS}
        del service.cards["card-3"]
        assert hub.reconciled() == {"equal": CARDS - 1, "missing": 1}


@pytest.mark.parametrize("name", ["exchange", "registry"])
def test_to_services_of_another_stack(store: Store, name: str):
    with node_services() as services:
        services.control(drop=1)
        hub = Hub(store, name, services.environment())
        assert hub.delivered() == {"acknowledged": CARDS}
        held = services.held(name)
        assert len(held) == CARDS
        assert {one["received"] for one in held.values()} == {1}
        if name == "exchange":  # the registry cannot be listed
            assert hub.reconciled() == {"equal": CARDS}
            services.control(forget=["HB.card-3"])
            assert hub.reconciled() == {"equal": CARDS - 1, "missing": 1}
