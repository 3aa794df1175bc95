"""Destinations that do not fit are told at the start, with the reason; their cards are held, the others go on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from sqlalchemy import select

from hocba_hub import bootstrap
from hocba_hub.adapters.contracts import MINISTRY_WSDL
from hocba_hub.adapters.destination import Destination, DestinationError, load_destinations
from hocba_hub.adapters.misfit import Misfit
from hocba_hub.adapters.rest.options import RestOptions
from hocba_hub.adapters.soap.contract import Contract
from hocba_hub.adapters.soap.options import SoapOptions
from hocba_hub.adapters.soap.writer import UnwritableError
from hocba_hub.mappings.library.mapping_set import mappings_beside
from hocba_hub.model.clock import system_clock
from hocba_hub.queue.drain import Engine
from hocba_hub.settings import Settings
from hocba_hub.store.access import Role
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import deliveries, delivery_attempts, destinations
from tests.support.acceptance import submit
from tests.support.api_server import running_api
from tests.support.destination_files import LIBRARY, PACKAGED, reasons, written
from tests.support.sandbox_server import outbound_record


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("ministry", {"options": {"binding": "Nowhere"}}, "no binding Nowhere"),
        ("ministry", {"options": {"submit": {"operation": "Nothing"}}}, "no operation Nothing"),
        ("ministry", {"options": {"submit": {"record": "Nobody"}}}, "no element Nobody"),
        ("ministry", {"options": {"submit": {"reference": "Nowhere"}}}, "no element Nowhere"),
        ("ministry", {"options": {"result": {"results": "Nowhere"}}}, "no element Nowhere"),
        ("ministry", {"options": {"verdict": {"version": "Nowhere"}}}, "no element Nowhere"),
        ("ministry", {"options": {"card": {"record_id": "Nowhere"}}}, "GetReportCard has no element Nowhere"),
        ("ministry", {"mappings": {"card": "nobody"}}, "no mapping nobody"),
        ("ministry", {"mappings": {"card": "ndc-learning-results"}}, "makes several records of a card"),
        ("province", {"adapter": "smtp"}, "no adapter smtp"),
        ("province", {"options": {"record_id": "matruong"}}, "which look-ups ask with"),
        ("province", {"options": {"nothing": 1}}, "options not usable: nothing"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_sent(
    tmp_path: Path, name: str, changes: dict[str, Any], said: str
):
    written(tmp_path, name, **changes)
    assert said in reasons(tmp_path)[name]


def test_the_shipped_ones_fit():
    assert reasons(PACKAGED) == {}


def test_its_deliveries_are_held_with_the_reason_and_the_others_go_on(store: Store, tmp_path: Path, caplog):
    written(tmp_path, "ministry", options={"binding": "Nowhere"})
    written(tmp_path, "province", address="http://127.0.0.1:9")
    known = load_destinations(tmp_path)
    mappings = mappings_beside(tmp_path)
    adapter_of = bootstrap.adapters(known, lambda: mappings)  # type: ignore[arg-type]
    assert "no binding Nowhere" in caplog.text
    assert isinstance(adapter_of("ministry"), Misfit)  # type: ignore[arg-type]
    assert not isinstance(adapter_of("province"), Misfit)  # type: ignore[arg-type]
    submit(store, ("a", "1"), now=system_clock(), destinations=("ministry",))
    engine = Engine(store, known, adapter_of, system_clock, "test", 6)  # type: ignore[arg-type]
    engine.drain("ministry", seconds=5, stop=threading.Event())  # type: ignore[arg-type]
    with store.read() as connection:
        assert connection.execute(select(deliveries.c.state, deliveries.c.code)).all() == [
            ("held", "destination-misfit")
        ]
        (detail,) = connection.execute(select(delivery_attempts.c.detail)).scalars()
        assert connection.execute(select(destinations.c.open_until)).scalar_one() is None
    assert "no binding Nowhere" in detail


def test_readyz_the_list_and_the_failures_say_why(store: Store, tmp_path: Path):
    with running_api(store) as api:
        viewer = api.operator_key(Role.VIEWER)
        assert api.get("/readyz").json()["status"] == "ok"
        api.hub.misfits = {"ministry": "no binding Nowhere"}
        ready = api.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")  # cards are taken, and kept
        assert ready.json()["misfits"] == {"ministry": "no binding Nowhere"}
        listed = api.get("/v1/operations/destinations", viewer).json()["destinations"]
        assert [one.get("misfit") for one in listed] == ["no binding Nowhere", None]
        assert api.get("/v1/operations/failures", viewer).json()["misfits"] == {"ministry": "no binding Nowhere"}


def test_an_api_knows_its_misfits_from_its_start(store: Store, caplog):
    wrong = Destination(name="province", title={"vi": "x", "en": "x"}, adapter="smtp", address="x")
    made = bootstrap.hub(Settings(), store, ring=lambda _: None, known={"province": wrong})  # type: ignore[dict-item]
    made.close()
    assert "no adapter smtp" in made.misfits["province"]
    assert "no adapter smtp" in caplog.text


def test_a_mapping_that_a_destination_cannot_send_is_not_activated(store: Store):
    text = (LIBRARY / "ministry_record.yaml").read_text(encoding="utf-8").partition("\nexamples:")[0] + "\n"
    wrong = text.replace("version: 1.0.0", "version: 9.0.0").replace(
        "RecordId: {from: delivery/record_id", "RecordId: {from: card_id"
    )
    assert wrong.count("card_id") > text.count("card_id")
    known = load_destinations(PACKAGED)
    with running_api(store) as api:
        api.hub.destinations = known  # type: ignore[assignment]
        admin = api.operator_key(Role.ADMINISTRATOR)
        url = "/v1/mappings/ministry-record"
        draft = api.post(f"{url}/drafts", admin, json={"document": wrong, "reason": "try it"})
        assert draft.status_code == 201, draft.text
        asked = {"version": "9.0.0", "reason": "try it"}
        answer = api.call("POST", f"{url}/activation", admin, json=asked, headers={"If-Match": "*"})
        assert (answer.status_code, answer.json()["code"]) == (409, "activation.misfit")
        assert "look-ups ask with" in answer.json()["misfits"]["ministry"]


def test_nothing_is_written_as_a_repr_and_no_required_element_is_left_out():
    writer = Contract(MINISTRY_WSDL, "ReportCardsSoap11").writer("SubmitReportCards").below(["Record"])
    right = dict.fromkeys(writer._needed, "x")
    writer.write(right)
    for name in writer._needed:
        with pytest.raises(UnwritableError, match=name):
            writer.write(right | {name: None})
    name = next(iter(writer.children))
    for value in ({"a": 1}, [1], ("a",)):
        with pytest.raises(UnwritableError):
            writer.write(right | {name: value})


def test_a_file_may_not_say_where_it_lies(tmp_path: Path):
    written(tmp_path, "province", folder="/")
    with pytest.raises(DestinationError, match="folder"):
        load_destinations(tmp_path)


@pytest.mark.parametrize("page", ["destinations.md", "destinations.vi.md"])
def test_every_option_is_documented(page: str):
    text = (Path(__file__).parents[3] / "docs" / page).read_text(encoding="utf-8")

    def named(model: type[BaseModel], before: str = "") -> Iterator[str]:
        for name, field in model.model_fields.items():
            inner = next((one for one in get_args(field.annotation) if one is not type(None)), field.annotation)
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from named(inner, f"{before}{name}.")
            elif not field.exclude:
                yield before + name

    options = [f"options.{name}" for model in (RestOptions, SoapOptions) for name in named(model)]
    assert [name for name in [*named(Destination), *options] if f"`{name}`" not in text] == []


@pytest.mark.parametrize(("name", "options"), [("province", {"lookup_path": None}), ("ministry", {"card": None})])
def test_doubt_needs_a_look_up_or_another_way(sandbox, name: str, options: dict[str, None]):
    with pytest.raises(DestinationError, match="is send-again or hold"), sandbox.adapter(name, options=options):
        raise AssertionError
    for policy in ("send-again", "hold"):
        with sandbox.adapter(name, options=options, in_doubt=policy) as adapter:
            [outcome] = adapter.lookup(outbound_record(1)).outcomes
            assert (outcome.code, outcome.detail) == ("missing-precondition", "no look-up")
