"""A JSON service of another shape, by its destination file alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import yaml

from hocba_hub.adapters.destination import DestinationError, load_destination
from hocba_hub.adapters.protocol import Outbound, OutboundRecord, Stage
from hocba_hub.adapters.registry import adapter_for
from hocba_hub.mappings.library.mapping_set import mappings_beside
from hocba_hub.model.keys import Event
from hocba_hub.model.reconciliation import TheirState
from tests.support.destination_files import merged
from tests.support.foreign_services import FOREIGN, Platform, platform
from tests.support.sandbox_server import outbound_record

MAPPINGS = mappings_beside(FOREIGN)
A = Stage.ANSWERED


@pytest.fixture
def service() -> Iterator[Platform]:
    with platform() as found:
        yield found


@pytest.fixture
def adapter(service: Platform) -> Iterator[Outbound]:
    made = bind({}, service.url)
    yield made
    made.close()


def bind(changes: dict[str, Any], url: str = "http://127.0.0.1:9") -> Outbound:
    document = merged(yaml.safe_load((FOREIGN / "platform.yaml").read_text(encoding="utf-8")), changes)
    text = yaml.safe_dump(document)
    destination = load_destination(text, {"PLATFORM_URL": url}, origin="platform", folder=FOREIGN)
    return adapter_for(destination, {}, lambda: MAPPINGS)


def card(number: int = 1, version: int = 1, *, event: Event = Event.NEW) -> OutboundRecord:
    return outbound_record(number, version, event=event)


def facts(call: Any) -> list[tuple[Stage, str, str | None]]:
    return [(one.stage, one.code, one.reference) for one in sorted(call.outcomes, key=lambda one: one.delivery_id)]


def test_a_batch_and_verdicts_that_come_later(adapter: Outbound, service: Platform):
    cards = [card(1), card(2, 7)]
    assert facts(adapter.send(cards)) == [(A, "TAKEN", "1")] * 2
    (batch,) = service.batches
    assert batch["data"]["cards"][1] == {"card": {"id": "card-2", "year": "2025-2026", "version": 7}, "event": "NEW"}
    assert len(batch["data"]["id"]) == 32
    assert batch["sender"].startswith("hub 20")
    awaited = [replace(one, reference="1") for one in cards]
    service.is_waiting = True
    assert facts(adapter.poll(["1"], awaited)) == [(A, "0", None)] * 2
    service.is_waiting = False
    assert facts(adapter.poll(["1"], awaited)) == [(A, "1", None)] * 2


def test_a_reference_that_is_not_known_is_told(adapter: Outbound):
    assert facts(adapter.poll(["99"], [replace(card(1), reference="99")])) == [(A, "absent", None)]


def test_the_same_batch_has_the_same_id(adapter: Outbound, service: Platform):
    for cards in ([card(1), card(2)], [card(1), card(2)], [card(1)]):
        adapter.send(cards)
    first, again, other = (batch["data"]["id"] for batch in service.batches)
    assert first == again != other


def test_a_look_up_asks_for_the_version_by_its_own_key(adapter: Outbound, service: Platform):
    service.lose = 1
    assert facts(adapter.send([card(1, 3)])) == [(Stage.NO_ANSWER, "connection-lost", None)]
    assert facts(adapter.lookup(card(1, 3))) == [(A, "1", None)]
    assert facts(adapter.lookup(card(1, 4))) == [(A, "404", None)]
    assert service.asked == ["/cards/card-1/2025-2026?version=3", "/cards/card-1/2025-2026?version=4"]


def test_its_inventory_says_the_year_beside_the_record_id(service: Platform):
    adapter = bind({"options": {"inventory_limit": 2}}, service.url)
    adapter.send([card(1), card(2, 7), card(3, 2, event=Event.CANCEL)])
    first = adapter.inventory(None)
    second = adapter.inventory(first.next)
    adapter.close()
    found = {
        one.key.card_id: (one.key.school_year, one.theirs.version, one.theirs.state)
        for one in [*first.entries, *second.entries]
    }
    assert second.next is None
    assert found == {
        "card-1": ("2025-2026", 1, TheirState.HELD),
        "card-2": ("2025-2026", 7, TheirState.HELD),
        "card-3": ("2025-2026", 2, TheirState.RECALLED),
    }


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"options": {"lookup_path": "/cards/{record_id}"}}, "a look-up that is told no version asks for one"),
    ({"options": {"lookup_path": "/cards/{ma}/{version}"}}, r"there is no \{ma\} to fill in"),
    ({"options": {"result_path": None}}, "go together"),
    ({"options": {"result_path": "/results/{number}"}}, r"there is no \{number\} to fill in"),
    ({"options": {"fields": {"data": "1"}}}, "is given twice, or is within another"),
    ({"options": {"batch_field": "."}}, "the batch is the list"),
    ({"options": {"names": {"record_id": None}}}, "record_id is null only where"),
    ({"options": {"inventory": {"school_year": None}}}, "record_ids says no school year"),
    ({"options": {"inventory": {"after": None}}}, "inventory.after and next go together"),
    (
        {"options": {"identity_path": "/identity", "identity": {"after": None, "school_year": "year"}}},
        "identity.after and next go together",
    ),
    ({"options": {"record_id": "id"}}, "is not delivery/record_id"),
    ({"acknowledgement": {"references": 2}}, "asks about one reference"),
    ({"mappings": {"card": "ndc-learning-results"}}, "no verdict that comes later"),
]


@pytest.mark.parametrize(("changes", "said"), REFUSED)
def test_what_does_not_fit(changes: dict[str, Any], said: str):
    with pytest.raises(DestinationError, match=said):
        bind(changes)
