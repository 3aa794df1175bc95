"""Locks and windows over real HTTP; a locked card is refused with words that help."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest

from hocba_hub.adapters.destination import Destination
from hocba_hub.model.windows import Window
from hocba_hub.sandbox.synthetic import revise
from hocba_hub.store.access import Role
from hocba_hub.store.engine import Store
from tests.support.api_server import Api, running_api
from tests.support.soap_calls import cards

LOCKS = "/v1/operations/locks"


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    with running_api(store) as running:
        yield running


def test_a_locked_card_is_neither_corrected_nor_recalled_until_two_operators_unlock(api: Api):
    [card] = cards(1)
    key, lan, minh = api.client_key(), api.operator_key(name="lan"), api.operator_key(name="minh")
    read = orjson.loads(card)
    assert api.post("/v1/report-cards", key, content=card).json()["accepted"] == 1
    asked = {"school": read["school"]["code"], "school_year": read["school_year"], "reason": "complete"}
    assert api.post(LOCKS, api.operator_key(Role.VIEWER), json=asked).json()["code"] == "access.role-too-low"
    made = api.post(LOCKS, lan, json=asked)
    assert (made.status_code, made.json()["grade"]) == (201, 0)
    assert api.post(LOCKS, lan, json=asked).json()["code"] == "lock.there"
    [record] = api.post("/v1/report-cards", key, content=revise(card, 1)).json()["records"]
    assert (record["status"], record["findings"][0]["code"]) == ("rejected", "lock.locked")
    assert "two officers unlock" in record["findings"][0]["message_en"]
    path = f"/v1/report-cards/{read['school_year']}/{read['card_id']}"
    recalled = api.call("DELETE", path, key)
    if recalled.status_code == 405:
        recalled = api.post(f"{path}/recall", key)
    assert "lock.locked" in recalled.text
    unlock = f"{LOCKS}/{made.json()['id']}/unlock"
    why = {"reason": "the school found a wrong mark"}
    assert api.post(unlock, lan, json=why).json()["unlock_asked_by"] == "operator:lan"
    assert api.post(unlock, lan, json=why).json()["code"] == "lock.same-person"
    assert api.post(unlock, minh, json=why).json()["unlocked_by"] == "operator:minh"
    assert api.post(unlock, minh, json=why).json()["code"] == "lock.over"
    assert api.post(f"{LOCKS}/999/unlock", minh, json=why).status_code == 404
    assert api.post("/v1/report-cards", key, content=revise(card, 1)).json()["accepted"] == 1
    assert api.get(LOCKS, lan).json()["items"] == []
    assert len(api.get(f"{LOCKS}?ended=true&school={read['school']['code']}", lan).json()["items"]) == 1


def test_windows_and_maintenance_are_shown(api: Api):
    viewer = api.operator_key(Role.VIEWER)
    assert api.get("/v1/operations/windows", viewer).json() == {"windows": []}
    known: dict[str, Destination] = api.hub.destinations  # type: ignore[assignment]
    known["ministry"] = Destination.model_validate(
        known["ministry"].model_dump()
        | {"windows": [Window(closes="07-10")], "maintenance": [{"cron": "0 0 * * *", "hours": 24}]}
    )
    assert api.get("/v1/operations/windows", viewer).json()["windows"] == [
        {"destination": "ministry", "closes": "07-10", "levels": [], "school_years": [], "outside": "hold"}
    ]
    shown = {one["name"]: one for one in api.get("/v1/operations/destinations", viewer).json()["destinations"]}
    assert shown["ministry"]["maintained_until"]
    assert "maintained_until" not in shown["province"]
