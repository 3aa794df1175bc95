"""What only the school can mend goes back to it, on both stores: on its open list, in what its vendor sees, and gone
when the corrected card is accepted."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest

from hocba_hub.sandbox.synthetic import revise
from hocba_hub.store import audit, failures
from hocba_hub.store.access import Role
from hocba_hub.store.engine import Store
from tests.support.acceptance import submit
from tests.support.api_server import Api, running_api
from tests.support.engine import Bench, answered
from tests.support.soap_calls import cards

RETURNS, CARDS = "/v1/operations/returns", "/v1/report-cards"
NOTE = "Kiểm tra lại mã học sinh với cơ sở dữ liệu ngành, sửa rồi gửi lại."
REASON = "only the schools have the codes"


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    with running_api(store) as running:
        yield running


@pytest.fixture
def bench(api: Api) -> Bench:
    made = Bench(api.store)
    made.now = api.now
    return made


def refused(api: Api, bench: Bench, key: str, *bodies: bytes) -> list[tuple[str, str]]:
    """These cards were accepted and refused by the province; year and id of each."""
    for body in bodies:
        assert api.post(CARDS, key, content=body).status_code == 202
    bench.peer.on_send = answered("WRONG")
    bench.now = api.now
    bench.drain(1)
    read = map(orjson.loads, bodies)
    return [(card["school_year"], card["card_id"]) for card in read]


def asked(**more: object) -> dict[str, object]:
    return {"selection": {"destination": "province", "code": "WRONG"}, "note": NOTE, "reason": REASON, **more}


def test_a_returned_card_stands_on_the_open_list_until_its_correction_is_accepted(api: Api, bench: Bench):
    vendor, operator = api.client_key(), api.operator_key(Role.OPERATOR, "lan")
    first, second = cards(2)
    [(year, card_id), _] = refused(api, bench, vendor, first, second)
    planned = api.post(RETURNS, operator, json=asked(dry_run=True)).json()
    assert (planned["cards"], planned["before"], planned["superseded"]) == (2, 0, 0)
    assert api.get("/v1/findings", vendor).json()["items"] == []
    done = api.post(RETURNS, operator, json=asked()).json()
    assert done == planned | {"dry_run": False}
    items = api.get("/v1/findings", vendor).json()["items"]
    assert {item["matter"] for item in items} == {"returned"}
    [finding] = next(item for item in items if item["card_id"] == card_id)["findings"]
    assert (finding["code"], finding["severity"]) == ("destination.returned", "error")
    assert NOTE in finding["message_vi"]
    [told] = api.get(f"{CARDS}/{year}/{card_id}", vendor).json()["returned"]
    assert (told["destination"], told["code"], told["note"], told["is_open"]) == ("province", "WRONG", NOTE, True)
    again = api.post(RETURNS, operator, json=asked()).json()
    assert (again["cards"], again["before"]) == (0, 2)

    assert api.post(CARDS, vendor, content=revise(first, 1)).status_code == 202
    [left] = api.get("/v1/findings", vendor).json()["items"]
    assert left["card_id"] != card_id
    [told] = api.get(f"{CARDS}/{year}/{card_id}", vendor).json()["returned"]
    assert told["is_open"] is False
    listed = api.get(RETURNS, operator).json()["items"]
    assert [one["is_open"] for one in listed] == [True, False]
    assert [one["card_id"] for one in api.get(f"{RETURNS}?open=true", operator).json()["items"]] == [left["card_id"]]
    assert api.get(f"{RETURNS}?school=ANOTHER", operator).json()["items"] == []
    with api.store.read() as connection:
        [group] = failures.listed(connection, api.now)
        entries = [one for one in audit.entries(connection) if one.action == "return-cards"]
    assert (group.standing, group.times) == (1, 2), "of the corrected card nothing is to be mended any more"
    assert (entries[-1].actor, entries[-1].detail["cards"], entries[-1].detail["note"]) == ("operator:lan", 2, NOTE)


def test_what_two_destinations_do_not_take_is_told_of_both(api: Api, bench: Bench):
    vendor, operator = api.client_key(), api.operator_key()
    [(_, card_id)] = refused(api, bench, vendor, cards(1)[0])
    with api.store.write() as connection:
        connection.exec_driver_sql(
            "UPDATE deliveries SET state = 'refused', code = 'ALSO' WHERE destination = 'ministry'"
        )
    api.post(RETURNS, operator, json=asked())
    api.post(RETURNS, operator, json=asked(selection={"destination": "ministry", "code": "ALSO"}))
    [item] = api.get("/v1/findings", vendor).json()["items"]
    assert item["card_id"] == card_id
    said = " ".join(one["message_en"] for one in item["findings"])
    assert "province does not take" in said
    assert "ministry does not take" in said


def test_a_group_is_returned_and_newer_versions_are_left_alone(api: Api, bench: Bench):
    operator = api.operator_key()
    submit(api.store, ("a", "1"), ("b", "1"), now=api.now, destinations=("province",))
    bench.peer.on_send = answered("WRONG")
    bench.drain(1)
    submit(api.store, ("b", "2"), now=api.now, destinations=("ministry",))
    with api.store.read() as connection:
        [group] = failures.listed(connection, api.now)
    done = api.post(RETURNS, operator, json=asked(selection={"group": group.id})).json()
    assert (done["cards"], done["schools"]) == (1, {"SCHOOL": 1}), "the refusal of an old version stands in no group"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"selection": {}}, "selection.empty"),
        ({"selection": {"destination": "province", "states": ["queued"]}}, "selection.state"),
        ({"note": "ngắn"}, "request.invalid"),
        ({"note": "hai\ndòng chữ ở đây"}, "request.invalid"),
        ({"reason": "x"}, "request.invalid"),
    ],
)
def test_what_is_not_right_is_told(api: Api, changed: dict, code: str):
    answer = api.post(RETURNS, api.operator_key(), json=asked(**changed))
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_a_viewer_may_look_and_not_return(api: Api):
    viewer = api.operator_key(Role.VIEWER)
    assert api.get(RETURNS, viewer).status_code == 200
    assert api.post(RETURNS, viewer, json=asked()).status_code == 403
