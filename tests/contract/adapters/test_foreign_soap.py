"""SOAP services of other shapes, by their destination files alone: what they are sent, and what is read of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from hocba_hub.adapters.destination import load_destination
from hocba_hub.adapters.protocol import Outbound, OutboundRecord, Stage
from hocba_hub.adapters.registry import adapter_for
from hocba_hub.mappings.library.mapping_set import mappings_beside
from hocba_hub.model.keys import CardId, CardKey, Event, SchoolYear
from hocba_hub.model.reconciliation import TheirState
from tests.support.foreign_services import FOREIGN, CardStore, NodeServices, card_store, node_services
from tests.support.sample_cards import primary_card
from tests.support.sandbox_server import outbound_record

MAPPINGS = mappings_beside(FOREIGN)
CANONICAL = orjson.dumps(primary_card())


@contextmanager
def bound(name: str, environment: dict[str, str], **changes: Any) -> Iterator[Outbound]:
    text = (FOREIGN / f"{name}.yaml").read_text(encoding="utf-8")
    destination = load_destination(text, environment, origin=name, folder=FOREIGN).model_copy(update=changes)
    adapter = adapter_for(destination, {}, lambda: MAPPINGS)
    try:
        yield adapter
    finally:
        adapter.close()


def card(number: int = 1, version: int = 1, *, event: Event = Event.NEW, year: str = "2025-2026") -> OutboundRecord:
    made = outbound_record(number, version, event=event, canonical=CANONICAL)
    return replace(made, key=CardKey(SchoolYear(year), CardId(f"card-{number}")))


def facts(call: Any) -> list[tuple[Stage, str, str | None]]:
    return [(one.stage, one.code, one.reference) for one in sorted(call.outcomes, key=lambda one: one.delivery_id)]


A = Stage.ANSWERED


@pytest.fixture
def store() -> Iterator[CardStore]:
    with card_store() as service:
        yield service


@pytest.fixture(scope="module")
def services() -> Iterator[NodeServices]:
    with node_services() as found:
        yield found


@pytest.fixture
def exchange(services: NodeServices) -> Iterator[Outbound]:
    services.control()
    with bound("exchange", services.environment()) as adapter:
        yield adapter


@pytest.fixture
def registry(services: NodeServices) -> Iterator[Outbound]:
    services.control()
    with bound("registry", services.environment()) as adapter:
        yield adapter


def test_one_card_a_call_as_rpc_parameters(store: CardStore):
    with bound("store", {"STORE_URL": store.url}) as adapter:
        assert facts(adapter.lookup(card())) == [(A, "404", None)]
        assert facts(adapter.send([card()])) == [(A, "00", None)]
        assert facts(adapter.send([card()])) == [(A, "01", None)]
        assert facts(adapter.lookup(card())) == [(A, "00", None)]
        assert facts(adapter.lookup(card(version=2))) == [(A, "404", None)]
    assert store.versions == {("card-1", "2025-2026"): [1]}
    sent = store.bodies[1]
    assert "<nguoiGui><donVi>hub</donVi><truong>33000123</truong></nguoiGui><maHocBa>card-1</maHocBa>" in sent
    assert "2003/05/soap-envelope" in sent


def test_its_own_code_of_a_fault_is_the_code(store: CardStore):
    store.fault = "QUA_TAI"
    with bound("store", {"STORE_URL": store.url}) as adapter:
        assert facts(adapter.send([card()])) == [(A, "QUA_TAI", None)]
        store.fault = "DA_KHOA"
        assert facts(adapter.lookup(card())) == [(A, "DA_KHOA", None)]


def test_a_lost_answer_is_looked_up_by_its_own_key(store: CardStore):
    store.lose = 1
    with bound("store", {"STORE_URL": store.url}) as adapter:
        assert facts(adapter.send([card()])) == [(Stage.NO_ANSWER, "connection-lost", None)]
        assert facts(adapter.lookup(card())) == [(A, "00", None)]


def test_a_batch_deeper_beside_other_elements_with_verdicts_now_and_later(exchange: Outbound, services: NodeServices):
    services.control(refuse=["HB.card-3", "HB.card-4"])
    cards = [card(number) for number in (1, 2, 3, 4)]
    sent = facts(exchange.send(cards))
    reference = sent[1][2]
    assert reference is not None
    assert sent == [(A, "DAT", reference), (A, "TAKEN", reference), (A, "L12", reference), (A, "TAKEN", reference)]
    polled = exchange.poll([reference], [replace(one, reference=reference) for one in cards])
    assert [code for _, code, _ in facts(polled)] == ["not-in-answer", "DAT", "not-in-answer", "L12"]
    kept = services.held("exchange")["HB.card-1"]
    pupil = primary_card()["pupil"]
    assert kept["content"]["HocSinh"] == {"MaHocSinh": pupil["pupil_code"], "HoTen": pupil["full_name"]}
    marks = kept["content"]["Diem"]
    assert [mark["attributes"]["mon"] for mark in marks] == ["TV", "GDT"]
    assert [mark["$value"] for mark in marks] == ["Tiếng Việt", "Giáo dục thể chất"]


def test_a_record_id_that_look_ups_would_not_find_is_never_sent(tmp_path: Path, store: CardStore):
    """The mapping makes it of the card, so that nobody can see it before there is one."""
    for name in ("contracts", "schemas"):
        (tmp_path / name).symlink_to(FOREIGN / name)
    text = (FOREIGN / "mappings" / "store_card.yaml").read_text(encoding="utf-8")
    wrong = text.replace("{ from: delivery/record_id,", '{ from: [delivery/record_id, pupil/pupil_code], join: "-",')
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "store_card.yaml").write_text(wrong.replace(", schema: delivery", ""), encoding="utf-8")
    mappings = mappings_beside(tmp_path)
    destination = load_destination(
        (FOREIGN / "store.yaml").read_text(encoding="utf-8"), {"STORE_URL": store.url}, folder=tmp_path
    )
    adapter = adapter_for(destination, {}, lambda: mappings)
    (outcome,) = adapter.send([card()]).outcomes
    adapter.close()
    assert (outcome.stage, outcome.code) == (Stage.NOT_SENT, "not-representable")
    assert "look-ups ask with" in outcome.detail
    assert store.received == {}


def test_its_standings_and_its_inventory_go_by_its_own_record_ids(exchange: Outbound, services: NodeServices):
    exchange.send([card(11), card(12, 3), card(13, 2, event=Event.CANCEL)])
    assert facts(exchange.lookup(card(12, 3))) == [(A, "DAT", None)]
    assert facts(exchange.lookup(card(12, 4))) == [(A, "absent", None)]
    assert facts(exchange.lookup(card(99))) == [(A, "absent", None)]
    entries, place, pages = {}, None, 0
    while pages == 0 or place is not None:
        page = exchange.inventory(place)
        entries |= {
            one.key.card_id: (one.key.school_year, one.theirs.version, one.theirs.state) for one in page.entries
        }
        place, pages = page.next, pages + 1
    assert pages > 1
    assert entries["card-12"] == ("2025-2026", 3, TheirState.HELD)
    assert entries["card-13"] == ("2025-2026", 2, TheirState.RECALLED)
    assert exchange.most_keys == 2  # its page has no more lines
    only = exchange.inventory(None, [card(12).key, card(99).key])
    assert [one.key for one in only.entries] == [card(12).key]


def test_a_fault_with_its_code_in_an_attribute(exchange: Outbound, services: NodeServices):
    services.control(fault="L99")
    assert facts(exchange.send([card(21)])) == [(A, "L99", None)]


def test_rpc_batches_whose_verdicts_come_later_without_a_version(registry: Outbound, services: NodeServices):
    cards = [card(1, 4), card(2)]
    sent = facts(registry.send(cards))
    reference = sent[0][2]
    assert reference is not None
    assert sent == [(A, "TAKEN", reference)] * 2
    awaited = [replace(one, reference=reference) for one in cards]
    services.control(waiting=True)
    assert facts(registry.poll([reference], awaited)) == [(A, "waiting", None)] * 2
    services.control()
    polled = registry.poll([reference], awaited)
    assert facts(polled) == [(A, "kept", None)] * 2
    assert polled.unasked == []
    assert facts(registry.lookup(card(1, 4))) == [(A, "kept", None)]
    assert facts(registry.lookup(card(1, 5))) == [(A, "absent", None)]
    assert services.held("registry")["card-1:2025-2026"]["event"] == "hub"


def test_verdicts_that_are_told_of_each_card_alone_are_asked_for_one_by_one(services: NodeServices):
    """What is not there yet is not absent: it may still be on its way, and would be sent twice."""
    services.control()
    text = (FOREIGN / "registry.yaml").read_text(encoding="utf-8")
    options = yaml.safe_load(text)["options"] | {"result": None}
    with bound("registry", services.environment(), options=options) as adapter:
        sent = adapter.send([card(41), card(42)])
        reference = sent.outcomes[0].reference
        assert reference is not None
        polled = adapter.poll([reference], [card(41), card(42), card(43)])
        assert facts(polled) == [(A, "kept", None), (A, "kept", None), (Stage.NO_ANSWER, "not-in-answer", None)]


def test_a_verdict_without_a_version_is_of_no_version_that_was_not_asked_about(
    registry: Outbound, services: NodeServices
):
    """Two versions of one card in one call: an answer without a version says nothing of either."""
    sent = registry.send([card(31)])
    reference = sent.outcomes[0].reference
    assert reference is not None
    both = [card(31), replace(card(31, 2), delivery_id=32)]
    assert [code for _, code, _ in facts(registry.poll([reference], both))] == ["not-in-answer"] * 2
