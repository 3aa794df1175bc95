"""Verdicts that a destination brings, by REST and by SOAP; and what operators see of them and decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
import zeep
from requests import Session
from sqlalchemy import select, update
from zeep.transports import Transport
from zeep.wsse.username import UsernameToken

from hocba_hub.adapters.destination import Destination, Doubt
from hocba_hub.model.delivery import DeliveryState, Meaning
from hocba_hub.model.keys import RecordIds
from hocba_hub.store.access import Role, add_client
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import deliveries
from tests.support import soap_calls as soap
from tests.support.acceptance import submit
from tests.support.api_server import Api, running_api

URL, SEEN = "/v1/acknowledgements", "/v1/operations/acknowledgements"
CODES = {"ACCEPTED": Meaning.ACKNOWLEDGED, "SCHOOL_UNKNOWN": Meaning.REFUSED, "PENDING": Meaning.AWAITING_ACK}


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    with running_api(store) as running:
        known: dict[str, Destination] = running.hub.destinations  # type: ignore[assignment]
        for name, one in known.items():
            known[name] = one.model_copy(update={"codes": CODES})
        submit(store, ("a", "1"), ("b", "1"), now=running.now, destinations=("ministry", "province"))
        with store.write() as connection:  # as a send leaves them
            connection.execute(
                update(deliveries).values(
                    state=DeliveryState.AWAITING_ACK, reference="r", first_attempt_at=running.now, attempts=1,
                    awaiting_since=running.now,
                )
            )  # fmt: skip
        yield running


@pytest.fixture
def ministry(api: Api) -> str:
    with api.store.write() as connection:
        return add_client(connection, "ministry-push", (), now=api.now, destination="ministry").key


def state(api: Api, card: str, destination: str = "ministry") -> str:
    query = select(deliveries.c.state).where(deliveries.c.card_id == card, deliveries.c.destination == destination)
    with api.store.read() as connection:
        return connection.execute(query).scalar_one()


def brought(*verdicts: tuple[str, str]) -> dict[str, object]:
    return {
        "acknowledgements": [
            {"record_id": f"2025-2026/{card}", "version": 1, "code": code} for card, code in verdicts
        ]
    }  # fmt: skip


def receptions(answer: dict[str, Sequence[dict[str, str]]]) -> list[str]:
    return [one["reception"] for one in answer["results"]]


def test_a_destination_brings_its_verdicts_by_rest_as_often_as_it_likes(api: Api, ministry: str):
    body = brought(("a", "ACCEPTED"), ("b", "SCHOOL_UNKNOWN"), ("c", "ACCEPTED"), ("a", "PENDING"))
    first = api.post(URL, ministry, json=body)
    assert first.status_code == 200, first.text
    assert receptions(first.json()) == ["settled", "settled", "unknown", "not-a-verdict"]
    assert receptions(api.post(URL, ministry, json=body).json()) == ["repeated", "repeated", "unknown", "not-a-verdict"]
    assert (state(api, "a"), state(api, "b"), state(api, "a", "province")) == (
        "acknowledged",
        "refused",
        "awaiting_ack",
    )
    assert api.rung[-1] == "ministry"


def test_only_a_destination_may_and_only_for_itself(api: Api, ministry: str):
    body = brought(("a", "ACCEPTED"))
    refused = api.post(URL, api.client_key(), json=body)
    assert (refused.status_code, refused.json()["code"]) == (403, "access.not-a-destination")
    assert api.post(URL, json=body).json()["code"] == "access.key-missing"
    assert api.post(URL, api.operator_key(), json=body).json()["code"] == "access.wrong-kind"
    with api.store.write() as connection:
        gone = add_client(connection, "old-push", (), now=api.now, destination="gone").key
    assert api.post(URL, gone, json=body).json()["code"] == "access.not-a-destination"
    assert state(api, "a") == "awaiting_ack"
    sent = api.post("/v1/report-cards", ministry, json={"card_id": "x"})
    assert sent.json()["accepted"] == 0  # it speaks for no school


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"acknowledgements": []},
        {"acknowledgements": [{"record_id": "2025-2026/a", "version": 0, "code": "ACCEPTED"}]},
        {"acknowledgements": [{"record_id": "2025-2026/a", "version": 1, "code": "Nguyễn Văn A"}]},
        {"acknowledgements": [{"record_id": "x\u0000", "version": 1, "code": "ACCEPTED"}]},
    ],
)
def test_what_is_not_by_the_contract_is_told_with_its_place(api: Api, ministry: str, wrong: dict[str, object]):
    refused = api.post(URL, ministry, json=wrong)
    assert refused.status_code == 422
    assert all(error["pointer"] for error in refused.json()["errors"])
    assert "Nguyễn" not in refused.text


def test_a_destination_brings_its_verdicts_by_soap(api: Api, ministry: str):
    transport, token = Transport(session=Session()), UsernameToken("ministry-push", ministry)
    client = zeep.Client(f"{api.url}/soap/v1?wsdl", transport=transport, wsse=token)
    service = client.create_service("{urn:hocba-hub:soap:1}ReportCardsSoap11", f"{api.url}/soap/v1")
    verdicts = [
        {"record_id": "2025-2026/a", "version": 1, "code": "ACCEPTED"},
        {"record_id": "2025-2026/zz", "version": 1, "code": "ACCEPTED"},
    ]
    for expected in (["settled", "unknown"], ["repeated", "unknown"]):
        assert [one.reception for one in service.AcknowledgeReportCards(acknowledgements=verdicts)] == expected
    assert state(api, "a") == "acknowledged"


def test_it_calls_the_cards_as_it_calls_them_and_operators_as_the_hub_does(api: Api, ministry: str):
    known: dict[str, Destination] = api.hub.destinations  # type: ignore[assignment]
    known["ministry"] = known["ministry"].model_copy(update={"record_ids": RecordIds("HB.{card_id}")})
    told = [
        {"record_id": "HB.a", "version": 1, "code": "ACCEPTED", "school_year": "2025-2026"},
        {"record_id": "HB.b", "version": 1, "code": "ACCEPTED"},
        {"record_id": "2025-2026/b", "version": 1, "code": "ACCEPTED"},
        {"record_id": "HB.b", "version": 1, "code": "ACCEPTED", "school_year": "2024-2025"},
    ]
    answer = api.post(URL, ministry, json={"acknowledgements": told})
    assert receptions(answer.json()) == ["settled", "unknown", "unknown", "unknown"]
    asked = {"destination": "ministry", "reason": "their list", **brought(("b", "ACCEPTED"))}
    entered = api.post(f"{SEEN}/enter", api.operator_key(Role.OPERATOR), json=asked)
    assert receptions(entered.json()) == ["settled"], entered.text
    transport, token = Transport(session=Session()), UsernameToken("ministry-push", ministry)
    client = zeep.Client(f"{api.url}/soap/v1?wsdl", transport=transport, wsse=token)
    service = client.create_service("{urn:hocba-hub:soap:1}ReportCardsSoap11", f"{api.url}/soap/v1")
    found = service.AcknowledgeReportCards(acknowledgements=told)
    assert [one.reception for one in found] == ["repeated", "unknown", "unknown", "unknown"]


def test_by_soap_too_only_a_destination_may(api: Api):
    body = (
        f'<AcknowledgeReportCards xmlns="{soap.MESSAGES}"><acknowledgements><record_id>2025-2026/a</record_id>'
        "<version>1</version><code>ACCEPTED</code></acknowledgements></AcknowledgeReportCards>"
    )
    fault = soap.Fault(soap.call(api, soap.envelope(body), api.client_key()))
    assert fault.problem["code"] == "access.not-a-destination"


def test_operators_see_and_decide_contradictions(api: Api, ministry: str):
    api.post(URL, ministry, json=brought(("a", "ACCEPTED"), ("a", "SCHOOL_UNKNOWN"), ("b", "ACCEPTED")))
    viewer, operator = api.operator_key(Role.VIEWER), api.operator_key()
    seen = api.get(f"{SEEN}?undecided=true&destination=ministry", viewer).json()["items"]
    assert [(one["kind"], one["code"], one["verdict"], one["state"]) for one in seen] == [
        ("contradictory", "SCHOOL_UNKNOWN", "refused", "acknowledged")
    ]
    told = {one["destination"]: one for one in api.get(f"{SEEN}/timeliness", viewer).json()["destinations"]}
    assert (told["ministry"]["undecided"], told["province"]["undecided"]) == (1, 0)
    decision = {"decision": "take", "reason": "the Ministry wrote to us"}
    path = f"{SEEN}/{seen[0]['id']}/decide"
    assert api.post(path, viewer, json=decision).json()["code"] == "access.role-too-low"
    decided = api.post(path, operator, json=decision).json()
    assert (decided["state"], decided["decision"], decided["decided_by"]) == ("refused", "take", "operator:operator")
    assert api.post(path, operator, json=decision).json()["code"] == "acknowledgement.decided"
    assert api.post(f"{SEEN}/999/decide", operator, json=decision).status_code == 404
    pages = api.get(f"{SEEN}?limit=2", viewer).json()
    rest = api.get(f"{SEEN}?limit=2&after={pages['next']}", viewer).json()
    assert [one["kind"] for one in pages["items"] + rest["items"]] == ["settled", "contradictory", "settled"]
    assert [one["kind"] for one in api.get(f"{SEEN}?kind=settled", viewer).json()["items"]] == ["settled"] * 2


def test_operators_enter_what_a_destination_said_otherwise(api: Api):
    operator = api.operator_key()
    asked = brought(("a", "ACCEPTED")) | {"destination": "ministry", "reason": "a letter of 3 July"}
    assert api.post(f"{SEEN}/enter", api.operator_key(Role.VIEWER), json=asked).json()["code"] == "access.role-too-low"
    assert receptions(api.post(f"{SEEN}/enter", operator, json=asked).json()) == ["settled"]
    assert api.post(f"{SEEN}/enter", operator, json=asked | {"destination": "nowhere"}).status_code == 404
    with api.store.write() as connection:
        connection.execute(update(deliveries).values(state=DeliveryState.IN_DOUBT))
    act = {"selection": {"destination": "ministry"}, "reason": "they hold none of these"}
    refused = api.post(f"{SEEN}/absent", operator, json=act)
    assert (refused.status_code, refused.json()["code"]) == (422, "selection.not-held")
    known: dict[str, Destination] = api.hub.destinations  # type: ignore[assignment]
    known["ministry"] = known["ministry"].model_copy(update={"in_doubt": Doubt.HOLD})
    assert api.post(f"{SEEN}/absent", operator, json=act | {"dry_run": True}).json()["deliveries"] == 2
    assert api.post(f"{SEEN}/absent", operator, json=act).json()["deliveries"] == 2
    assert (state(api, "a"), state(api, "a", "province")) == ("queued", "in_doubt")
