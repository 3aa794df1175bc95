"""Corrections and recalls reach both destinations; after a transfer the new school makes them, and the old one not."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import orjson
import pytest
from sqlalchemy import select

from hocba_hub.sandbox.synthetic import revise
from hocba_hub.store import audit
from hocba_hub.store.access import Role
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import deliveries
from tests.support.api_server import NAMES, Api, running_api
from tests.support.soap_calls import cards

URL, TRANSFERS = "/v1/report-cards", "/v1/operations/transfers"
NEW_SCHOOL = "33-TH-NEW"


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    with running_api(store) as running:
        yield running


@pytest.fixture
def card() -> bytes:
    return cards(1)[0]


def recall(api: Api, card: bytes, key: str) -> httpx.Response:
    read = orjson.loads(card)
    return api.post(f"{URL}/{read['school_year']}/{read['card_id']}/recall", key)


def record(answer: httpx.Response) -> tuple[str, list[str]]:
    [one] = answer.json()["records"]
    return one["status"], [finding["code"] for finding in one.get("findings", ())]


def asked(card: bytes, **more: object) -> dict[str, object]:
    read = orjson.loads(card)
    key = {"school_year": read["school_year"], "card_id": read["card_id"]}
    return {"cards": [key], "to_school": NEW_SCHOOL, "reason": "both schools have confirmed it", **more}


def test_a_correction_and_a_recall_go_to_every_destination_in_order(api: Api, card: bytes):
    key = api.client_key()
    for body in (card, revise(card, 1)):
        assert record(api.post(URL, key, content=body))[0] == "accepted"
    assert recall(api, card, key).is_success
    with api.store.read() as connection:
        rows = connection.execute(
            select(deliveries.c.destination, deliveries.c.version, deliveries.c.event).order_by(deliveries.c.version)
        ).all()
    for name in NAMES:
        assert [(row.version, row.event) for row in rows if row.destination == name][-1] == (3, "CANCEL")
        assert len([row for row in rows if row.destination == name]) == 3


def test_the_right_to_correct_passes_to_the_new_school(api: Api, card: bytes):
    school = orjson.loads(card)["school"]["code"]
    old, new = api.client_key(school, name="old"), api.client_key(NEW_SCHOOL, name="new")
    lan = api.operator_key(name="lan")
    assert record(api.post(URL, old, content=card))[0] == "accepted"
    assert record(api.post(URL, new, content=revise(card, 1))) == ("rejected", ["access.school-not-permitted"])
    read = orjson.loads(card)
    path = f"{URL}/{read['school_year']}/{read['card_id']}"
    assert api.get(path, new).status_code == 404
    assert api.post(TRANSFERS, api.operator_key(Role.VIEWER), json=asked(card)).json()["code"] == "access.role-too-low"
    made = api.post(TRANSFERS, lan, json=asked(card))
    assert (made.status_code, [one["from_school"] for one in made.json()["transfers"]]) == (201, [school])
    assert api.post(TRANSFERS, lan, json=asked(card)).json()["transfers"] == []  # it has the right already

    refused = api.post(URL, old, content=revise(card, 1))
    assert record(refused) == ("rejected", ["access.card-transferred"])
    assert NEW_SCHOOL in refused.json()["records"][0]["findings"][0]["message_vi"]
    assert "access.card-transferred" in recall(api, card, old).text
    assert record(api.post(URL, new, content=revise(card, 1)))[0] == "accepted"
    shown = api.get(path, new).json()
    assert (shown["school_code"], shown["managed_by"], shown["version"]) == (school, NEW_SCHOOL, 2)
    assert api.get(f"{path}/versions/1/document", new).content == card
    assert api.get(path, old).status_code == 200  # it issued it, and may still see it
    assert recall(api, card, new).is_success

    back = api.post(TRANSFERS, lan, json=asked(card, to_school=school))
    assert back.json()["transfers"][0]["from_school"] == NEW_SCHOOL
    reinstated = api.post(f"{URL}?reinstate=true", old, content=revise(card, 2))
    assert record(reinstated)[0] == "accepted"
    listed = api.get(f"{TRANSFERS}?school={NEW_SCHOOL}", lan).json()["items"]
    assert [one["to_school"] for one in listed] == [school, NEW_SCHOOL]
    with api.store.read() as connection:
        acts = [entry for entry in audit.entries(connection) if entry.action == "transfer-cards"]
    assert [entry.detail["to"] for entry in acts] == [school, NEW_SCHOOL, NEW_SCHOOL]


def test_all_cards_of_a_pupil_go_along(api: Api, card: bytes):
    read = orjson.loads(card)
    before = orjson.loads(card)
    before["card_id"] = "another-year"
    start = int(read["school_year"][:4]) - 1
    before["school_year"] = f"{start}-{start + 1}"
    key, lan = api.client_key(), api.operator_key(name="lan")
    api.post(URL, key, content=card)
    accepted = api.post(URL, key, content=orjson.dumps(before)).json()["accepted"]
    moved = api.post(TRANSFERS, lan, json=asked(card, all_of_pupil=True)).json()["transfers"]
    assert len(moved) == 1 + accepted
    unknown = asked(card) | {"cards": [{"school_year": "2025-2026", "card_id": "nobodys"}]}
    assert api.post(TRANSFERS, lan, json=unknown).status_code == 404
