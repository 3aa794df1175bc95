"""An operator for a part of the province: what is not his is not there, and what is not told by school is closed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import orjson
import pytest
from sqlalchemy import update

from hocba_hub.api.app import openapi_document
from hocba_hub.store import failures
from hocba_hub.store.access import Role, Scope, add_operator, schools_of
from hocba_hub.store.board import take_snapshot
from hocba_hub.store.engine import Store
from hocba_hub.store.schools import learn_schools
from hocba_hub.store.tables import report_cards
from tests.support.api_server import Api, running_api
from tests.support.engine import Bench, answered
from tests.support.soap_calls import cards

CARDS = "/v1/report-cards"
OPERATIONS = "/v1/operations"
REASON = "only this school"
NOTE = "Kiểm tra lại mã học sinh, sửa rồi gửi lại."
SCOPED = {
    "/failures", "/failures/deliveries", "/pending", "/pending/deliveries", "/findings",
    "/report-cards/{school_year}/{card_id}", "/trace", "/trace/{school_year}/{card_id}/attempts/{attempt_id}",
    "/trace/{school_year}/{card_id}/attempts/{attempt_id}/reveal", "/returns", "/replays", "/replays/{replay_id}",
    "/replays/{replay_id}/items", "/replays/{replay_id}/dry-run", "/replays/{replay_id}/dry-run.ndjson",
    "/replays/{replay_id}/start", "/replays/{replay_id}/pause", "/replays/{replay_id}/resume",
    "/replays/{replay_id}/cancel", "/edits/{edit_id}", "/edits/{edit_id}/approve", "/edits/{edit_id}/reject",
    "/deadlines", "/deadlines/schools", "/schools", "/findings/schools",
    "/report-cards/{school_year}/{card_id}/differences",
}  # fmt: skip
"""What tells by school. A new call is closed to a part of the province until it is named here and tested below."""
OPEN_TO_ALL = {"/edits": "post"}
"""Of these paths only this method."""


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    with running_api(store) as running:
        yield running


class World:
    """Two cards of two schools in two communes, both refused by the province."""

    def __init__(self, api: Api) -> None:
        self.api = api
        vendor = api.client_key()
        for body in cards(60):
            card = orjson.loads(body)
            if not hasattr(self, "mine"):
                self.mine = card
            elif card["school"]["code"] != self.mine["school"]["code"]:
                self.other = card
                break
        for card in (self.mine, self.other):
            assert api.post(CARDS, vendor, content=orjson.dumps(card)).status_code == 202
        bench = Bench(api.store)
        bench.now = api.now
        bench.peer.on_send = answered("WRONG")
        bench.drain(1)
        with api.store.write() as connection:
            for card, commune in ((self.mine, "11953"), (self.other, "12391")):
                mine = report_cards.c.card_id == card["card_id"]
                connection.execute(update(report_cards).where(mine).values(commune_code=commune))
        self.school = self.mine["school"]["code"]

    def key(self, name: str, scope: Scope | None, role: Role = Role.APPROVER) -> str:
        with self.api.store.write() as connection:
            return add_operator(connection, name, role, now=self.api.now, sees_bodies=True, scope=scope).key


@pytest.fixture
def world(api: Api) -> World:
    return World(api)


SCOPES = {"school": lambda w: Scope(schools=frozenset({w.school})), "commune": lambda _: Scope(frozenset({"11953"}))}


@pytest.mark.parametrize("kind", SCOPES)
def test_what_is_told_by_school_is_told_of_his_alone(world: World, kind: str):
    api, mine, other = world.api, world.mine, world.other
    lan = world.key("lan", SCOPES[kind](world))
    whole = world.key("whole", None)
    paths = {card["card_id"]: f"{card['school_year']}/{card['card_id']}" for card in (mine, other)}
    assert api.get(f"{OPERATIONS}/failures", whole).json()["deliveries"] == 2
    assert api.get(f"{OPERATIONS}/failures", lan).json()["deliveries"] == 1
    listed = api.get(f"{OPERATIONS}/failures/deliveries", lan).json()["items"]
    assert [one["card_id"] for one in listed] == [mine["card_id"]]
    pending = api.get(f"{OPERATIONS}/pending/deliveries", lan).json()["items"]
    assert {one["card_id"] for one in pending} == {mine["card_id"]}
    assert api.get(f"{OPERATIONS}/pending", lan).json()["deliveries"] == 1

    assert api.get(f"{OPERATIONS}/report-cards/{paths[mine['card_id']]}", lan).status_code == 200
    assert api.get(f"{OPERATIONS}/report-cards/{paths[other['card_id']]}", lan).status_code == 404
    trace = api.get(f"{OPERATIONS}/trace", lan, params={"key": mine["card_id"]}).json()
    attempt = next(one["facts"]["attempt"] for one in trace["story"]["events"] if one["kind"] == "called")
    assert api.get(f"{OPERATIONS}/trace", lan, params={"key": other["card_id"]}).status_code == 404
    for card, status in ((mine, 404), (other, 404)):  # no bodies were kept of the one, the other is not his
        path = f"{OPERATIONS}/trace/{paths[card['card_id']]}/attempts/{attempt}"
        assert api.get(path, lan).status_code == status
        assert api.post(f"{path}/reveal", lan, json={"reason": REASON}).status_code == status

    selection = {"destination": "province", "code": "WRONG"}
    returned = api.post(
        f"{OPERATIONS}/returns", lan, json={"selection": selection, "note": NOTE, "reason": REASON}
    ).json()
    assert returned["schools"] == {world.school: 1}
    api.post(f"{OPERATIONS}/returns", whole, json={"selection": selection, "note": NOTE, "reason": REASON})
    for path in ("returns", "findings"):
        assert {one["school_code"] for one in api.get(f"{OPERATIONS}/{path}", lan).json()["items"]} == {world.school}
        assert len(api.get(f"{OPERATIONS}/{path}", whole).json()["items"]) == 2
    beyond = api.get(f"{OPERATIONS}/findings", lan, params={"school": other["school"]["code"]})
    assert beyond.status_code == 404

    own = api.post(f"{OPERATIONS}/replays", lan, json={"selection": selection, "reason": REASON}).json()["replay"]
    assert (own["records"], own["selection"]["schools"]) == (1, [world.school])
    rest = api.post(f"{OPERATIONS}/replays", whole, json={"selection": selection, "reason": REASON}).json()["replay"]
    assert rest["records"] == 1
    assert [one["id"] for one in api.get(f"{OPERATIONS}/replays", lan).json()["items"]] == [own["id"]]
    assert len(api.get(f"{OPERATIONS}/replays", whole).json()["items"]) == 2
    for act in ("", "/items", "/dry-run", "/dry-run.ndjson"):
        assert api.get(f"{OPERATIONS}/replays/{own['id']}{act}", lan).status_code == 200
        assert api.get(f"{OPERATIONS}/replays/{rest['id']}{act}", lan).status_code == 404
    for act in ("start", "pause", "resume", "cancel"):
        assert api.post(f"{OPERATIONS}/replays/{rest['id']}/{act}", lan, json={"reason": REASON}).status_code == 404
        assert api.post(f"{OPERATIONS}/replays/{own['id']}/{act}", lan, json={"reason": REASON}).status_code == 200
    missing = {"reconciliation": {"destination": "province", "kinds": ["missing"]}, "reason": REASON}
    assert api.post(f"{OPERATIONS}/replays", lan, json=missing).json()["code"] == "access.scope"


@pytest.mark.parametrize("kind", SCOPES)
def test_the_deadline_board_is_of_his_schools_alone(world: World, kind: str):
    api = world.api
    year = world.mine["school_year"]
    take_snapshot(api.store, year, ["province"], api.now)
    lan, whole = world.key("lan", SCOPES[kind](world)), world.key("whole", None)

    def told(key: str) -> tuple[int, set[str]]:
        found = api.get(f"{OPERATIONS}/deadlines", key, params={"by": "school"}).json()
        places = {one["school_code"] for one in found["places"]}
        return sum(one["counts"]["accepted"] for one in found["levels"]), places

    schools = {world.school, world.other["school"]["code"]}
    assert (told(whole), told(lan)) == ((2, schools), (1, {world.school}))
    for key, known in ((whole, schools), (lan, {world.school})):
        found = api.get(f"{OPERATIONS}/deadlines/schools", key).json()["schools"]
        assert {one["school_code"] for one in found} == known  # both were refused


def test_schools_and_versions_are_told_of_his_alone(world: World):
    with world.api.store.write() as connection:
        assert learn_schools(connection, world.api.now) == 2
    key = world.key("of-school", Scope(schools=frozenset({world.school})))
    everybody = world.key("of-all", None)
    assert len(world.api.get(f"{OPERATIONS}/schools", everybody).json()["schools"]) == 2
    found = world.api.get(f"{OPERATIONS}/schools", key).json()["schools"]
    assert [one["school_code"] for one in found] == [world.school]
    vendor = world.api.client_key(name="second")
    for card in (world.mine, world.other):
        wrong = {**card, "pupil": {**card["pupil"], "full_name": ""}, "card_id": f"{card['card_id'][:30]}-x"}
        assert world.api.post(CARDS, vendor, content=orjson.dumps(wrong)).json()["rejected"] == 1
    counts = world.api.get(f"{OPERATIONS}/findings/schools", key).json()["schools"]
    assert [(one["school"]["school_code"], one["cards"]) for one in counts] == [(world.school, 1)]
    assert len(world.api.get(f"{OPERATIONS}/findings/schools", everybody).json()["schools"]) == 2
    for card, status in ((world.mine, 200), (world.other, 404)):
        path = f"{OPERATIONS}/report-cards/{card['school_year']}/{card['card_id']}/differences"
        assert world.api.get(path, key, params={"before": 1, "after": 1}).status_code == status


def test_edits_are_of_his_cards_alone(world: World):
    api, lan, whole = world.api, world.key("lan", SCOPES["school"](world)), world.key("whole", None)
    made = {}
    for name, card in (("mine", world.mine), ("other", world.other)):
        asked = {
            "school_year": card["school_year"], "card_id": card["card_id"], "version": 1, "reason": REASON,
            "changes": [{"place": "issue/place", "value": "Phố Hiến"}],
        }  # fmt: skip
        if name == "other":
            assert api.post(f"{OPERATIONS}/edits", lan, json=asked).status_code == 404
        made[name] = api.post(f"{OPERATIONS}/edits", whole, json=asked).json()["id"]
    assert api.get(f"{OPERATIONS}/edits/{made['mine']}", lan).status_code == 200
    assert api.get(f"{OPERATIONS}/edits/{made['other']}", lan).status_code == 404
    for act in ("approve", "reject"):
        assert api.post(f"{OPERATIONS}/edits/{made['other']}/{act}", lan, json={"reason": REASON}).status_code == 404
    assert api.post(f"{OPERATIONS}/edits/{made['mine']}/approve", lan, json={"reason": REASON}).status_code == 200


def test_every_other_call_of_operators_is_closed_to_him(world: World):
    lan = world.key("lan", SCOPES["school"](world), Role.ADMINISTRATOR)
    closed = 0
    for path, methods in openapi_document()["paths"].items():
        for method, told in methods.items():
            of_operators = {"operatorKey"} == {name for each in told.get("security", []) for name in each}
            short = path.removeprefix(OPERATIONS)
            if not of_operators or short in SCOPED or OPEN_TO_ALL.get(short) == method:
                continue
            filled = re.sub(r"\{[^}]+\}", "1", path)
            answer = world.api.call(method.upper(), filled, lan)
            assert (answer.status_code, answer.json()["code"]) == (403, "access.scope"), (method, path)
            closed += 1
    assert closed > 40


def test_a_scope_of_a_commune_holds_the_schools_that_are_stored(world: World):
    with world.api.store.read() as connection:
        assert schools_of(connection, None) is None
        assert schools_of(connection, Scope(frozenset({"11953"}))) == {world.school}
        assert schools_of(connection, Scope(frozenset({"99999"}), frozenset({"S"}))) == {"S"}
        assert len(failures.listed(connection, world.api.now)) == 1
