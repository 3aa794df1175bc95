"""Edits of unsigned cards on both stores: proposed by one, approved by another, a new version like any other."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest
from sqlalchemy import select

from hocba_hub.sandbox.synthetic import revise
from hocba_hub.sandbox.vendors.signed_xml import signed_document
from hocba_hub.store import audit
from hocba_hub.store.access import Role, add_operator
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import deliveries
from tests.support.api_server import NAMES, Api, running_api
from tests.support.soap_calls import cards

EDITS, CARDS = "/v1/operations/edits", "/v1/report-cards"
REASON = "the vendor misspelt it"


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    with running_api(store) as running:
        yield running


@pytest.fixture
def card(api: Api) -> dict:
    body = cards(1)[0]
    assert api.post(CARDS, api.client_key(), content=body).status_code == 202
    return orjson.loads(body)


def seeing(api: Api, role: Role, name: str) -> str:
    """The key of an operator who may see what cards hold of people."""
    with api.store.write() as connection:
        return add_operator(connection, name, role, now=api.now, sees_bodies=True).key


def asked(card: dict, **more: object) -> dict[str, object]:
    changes = [{"place": "issue/place", "value": "Phố Hiến"}]
    key = {"school_year": card["school_year"], "card_id": card["card_id"], "version": 1}
    return {**key, "changes": changes, "reason": REASON, **more}


def test_an_approved_edit_is_a_new_version_that_goes_everywhere(api: Api, card: dict):
    lan, minh = seeing(api, Role.APPROVER, "lan"), seeing(api, Role.APPROVER, "minh")
    proposed = api.post(EDITS, lan, json=asked(card))
    assert proposed.status_code == 201, proposed.text
    edit = proposed.json()
    assert (edit["state"], edit["base_version"], edit["places"]) == ("proposed", 1, ["issue/place"])
    assert edit["changes"] == [{"place": "issue/place", "before": card["issue"]["place"], "after": "Phố Hiến"}]
    path = f"{EDITS}/{edit['id']}"
    own = api.post(f"{path}/approve", lan, json={"reason": REASON})
    assert (own.status_code, own.json()["code"]) == (409, "edit.second")
    made = api.post(f"{path}/approve", minh, json={"reason": "seen"}).json()
    assert (made["state"], made["made_version"], made["decided_by"]) == ("made", 2, "operator:minh")
    assert set(api.rung) >= set(NAMES)
    found = api.get(f"/v1/operations/report-cards/{card['school_year']}/{card['card_id']}", lan).json()
    assert found["version"] == 2
    with api.store.read() as connection:
        rows = connection.execute(select(deliveries.c.version, deliveries.c.state, deliveries.c.destination)).all()
        entries = audit.entries(connection)
    assert sorted(map(tuple, rows)) == sorted(
        [(1, "superseded", name) for name in NAMES] + [(2, "queued", name) for name in NAMES]
    )
    assert [one.action for one in entries] == ["approve-edit", "propose-edit"]
    change = {"place": "issue/place", "before": card["issue"]["place"], "after": "Phố Hiến"}
    assert entries[0].detail["changes"] == [change], "the whole difference"
    assert (entries[0].detail["base_version"], entries[0].detail["made_version"]) == (1, 2)
    again = api.post(f"{path}/approve", minh, json={"reason": "seen"})
    assert (again.status_code, again.json()["code"]) == (409, "edit.decided")


def test_a_card_that_moved_on_is_not_edited(api: Api, card: dict):
    lan, minh = seeing(api, Role.APPROVER, "lan"), seeing(api, Role.APPROVER, "minh")
    edit = api.post(EDITS, lan, json=asked(card)).json()
    other = api.post(EDITS, minh, json=asked(card))
    assert (other.status_code, other.json()["code"], other.json()["by"]) == (409, "edit.open", "operator:lan")
    newer = revise(orjson.dumps(card), 1)
    assert api.post(CARDS, api.client_key(name="another"), content=newer).status_code == 202
    late = api.post(EDITS, minh, json=asked(card))
    assert (late.status_code, late.json()["code"], late.json()["version"]) == (409, "edit.stale", 2)
    stale = api.post(f"{EDITS}/{edit['id']}/approve", minh, json={"reason": "seen"}).json()
    assert (stale["state"], "made_version" in stale) == ("stale", False)
    found = api.get(f"/v1/operations/report-cards/{card['school_year']}/{card['card_id']}", lan).json()
    assert found["version"] == 2, "nothing was made of it, and nothing was overwritten"


def test_signed_bytes_are_never_changed(api: Api):
    vendor, lan = api.client_key(), api.operator_key()
    card = next(one for one in map(orjson.loads, cards(20)) if one["kind"] == "secondary")
    answer = api.post(
        f"{CARDS}?profile=signed-card", vendor, content=signed_document(card),
        headers={"Content-Type": "application/xml"},
    )  # fmt: skip
    assert answer.status_code == 202, answer.text
    refused = api.post(EDITS, lan, json=asked(card))
    assert (refused.status_code, refused.json()["code"]) == (409, "edit.signed")


def test_an_edit_passes_the_checks_of_any_card(api: Api, card: dict):
    lan = api.operator_key()
    wrong = [{"place": "school_year", "value": "2024-2025"}, {"place": "school/code", "value": "1"}]
    for change in (
        *wrong,
        {"place": "issue/nowhere/x", "value": "1"},
        {"place": "year/subjects/99/name", "value": "x"},
    ):
        answer = api.post(EDITS, lan, json=asked(card, changes=[change]))
        assert (answer.status_code, answer.json()["code"], answer.json()["place"]) == (
            422,
            "edit.place",
            change["place"],
        )
    bad = api.post(EDITS, lan, json=asked(card, changes=[{"place": "pupil/gender", "value": "9"}]))
    assert (bad.status_code, bad.json()["code"]) == (422, "edit.not-acceptable")
    assert bad.json()["findings"][0]["pointer"].startswith("/pupil/gender")
    same = api.post(EDITS, lan, json=asked(card, changes=[{"place": "issue/place", "value": card["issue"]["place"]}]))
    assert same.json()["code"] == "edit.nothing"
    unknown = asked(card) | {"card_id": "nobody"}
    assert api.post(EDITS, lan, json=unknown).status_code == 404
    assert api.get(EDITS, lan).json()["items"] == []


def test_an_edit_is_rejected_or_taken_back_and_viewers_see_no_values(api: Api, card: dict):
    lan, viewer = api.operator_key(Role.OPERATOR, "lan"), api.operator_key(Role.VIEWER, "v")
    approver = api.operator_key(Role.APPROVER, "hoa")
    edit = api.post(EDITS, lan, json=asked(card)).json()
    path = f"{EDITS}/{edit['id']}"
    assert api.get(path, viewer).status_code == 403
    listed = api.get(f"{EDITS}?open=true", viewer)
    assert [one["places"] for one in listed.json()["items"]] == [["issue/place"]]
    assert "Phố Hiến" not in listed.text
    for what, body in (("approve", {"reason": REASON}), ("reject", {"reason": REASON})):
        assert api.post(f"{path}/{what}", viewer, json=body).status_code == 403
        assert api.post(f"{EDITS}/99/{what}", approver, json=body).status_code == 404
    assert api.post(EDITS, viewer, json=asked(card)).status_code == 403
    low = api.post(f"{path}/approve", lan, json={"reason": REASON})
    assert (low.status_code, low.json()["required_role"]) == (403, "approver")
    assert [one["after"] for one in edit["changes"]] == ["•••"], "who may not see bodies sees no values either"
    assert api.post(f"{path}/reject", lan, json={"reason": REASON}).json()["state"] == "rejected"
    assert api.get(f"{EDITS}?open=true", viewer).json()["items"] == []
    assert api.get(path, lan).json()["state"] == "rejected"
    assert api.post(EDITS, lan, json=asked(card)).status_code == 201


def test_where_the_settings_say_so_one_operator_is_enough(store: Store):
    with running_api(store, edits_need_second=False) as api:
        body = cards(1)[0]
        assert api.post(CARDS, api.client_key(), content=body).status_code == 202
        lan = api.operator_key(Role.APPROVER)
        edit = api.post(EDITS, lan, json=asked(orjson.loads(body))).json()
        made = api.post(f"{EDITS}/{edit['id']}/approve", lan, json={"reason": REASON}).json()
        assert (made["state"], made["made_version"]) == ("made", 2)
