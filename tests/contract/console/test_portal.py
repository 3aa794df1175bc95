"""The page of a client: everything of its own, nothing of anybody else's."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import orjson
import pytest
from openpyxl import load_workbook

from hocba_hub.api.console.portal import pages
from hocba_hub.store.access import Owner, Role, revoke_key
from hocba_hub.store.engine import Store
from tests.support.api_server import Api, running_api
from tests.support.console import Person, text_of, token_of
from tests.support.imports import workbook
from tests.support.soap_calls import cards

OPEN = {
    "GET /portal/sign-in", "POST /portal/sign-in", "GET /portal/oidc/start", "GET /portal/oidc/return",
}  # fmt: skip


class World:
    """Two clients, one school each, who have both sent a right and a wrong card."""

    def __init__(self, api: Api) -> None:
        self.api = api
        found: dict[str, dict] = {}
        for body in cards(60):
            card = orjson.loads(body)
            found.setdefault(card["school"]["code"], card)
        self.mine, self.other = list(found.values())[:2]
        self.keys, self.submissions = {}, {}
        for name, card in (("north", self.mine), ("south", self.other)):
            key = self.keys[name] = api.client_key(card["school"]["code"], name=name)
            wrong = {**card, "card_id": f"wrong-{name}", "pupil": {**card["pupil"], "full_name": ""}}
            sent = api.post(
                "/v1/report-cards", key, content=b"\n".join(orjson.dumps(one) for one in (card, wrong)),
                headers={"Content-Type": "application/x-ndjson"},
            ).json()  # fmt: skip
            assert (sent["accepted"], sent["rejected"]) == (1, 1)
            self.submissions[name] = sent["submission_id"]

    def enter(self, name: str = "north", language: str = "vi") -> Person:
        person = Person(self.api.url, language)
        assert person.http.post("/portal/sign-in", data={"key": self.keys[name]}).status_code == 303
        return person


@pytest.fixture
def world(store: Store) -> Iterator[World]:
    with running_api(store) as api:
        yield World(api)


def test_every_page_needs_the_clients_session_and_every_form_its_token(world: World):
    stranger, person = Person(world.api.url), world.enter()
    tried = 0
    for route in pages.router.routes:
        for method in route.methods:
            if f"{method} {route.path}" in OPEN:
                continue
            path = re.sub(r"\{\w+\}", world.submissions["north"], route.path)
            answer = stranger.http.request(method, path)
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/portal/sign-in"), path
            if method == "POST":
                assert person.http.post(path, data={"csrf": "x"}).status_code == 403, path
            tried += 1
    assert tried >= 10


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_page_is_of_the_client_alone(world: World, language: str):
    person, todo, seen = world.enter(language=language), ["/portal"], set()
    while todo:
        path = todo.pop()
        if path in seen or "/language/" in path or "/theme/" in path:
            continue
        seen.add(path)
        answer = person.get(path)
        assert answer.status_code == 200, (path, text_of(answer.text)[:300])
        for others in (world.submissions["south"], "wrong-south", world.other["card_id"], "south"):
            assert others not in answer.text, (path, others)
        assert world.other["school"]["code"] not in answer.text, path
        todo += [one.replace("&amp;", "&") for one in re.findall(r'href="(/portal[^"#]*)"', answer.text)]
    assert f"/portal/submissions/{world.submissions['north']}" in seen
    assert f"/portal/findings?school={world.mine['school']['code']}" in seen
    assert "schema." in person.get("/portal/errors").text
    for path in (
        f"/portal/submissions/{world.submissions['south']}", f"/portal/files/{world.submissions['south']}",
        f"/portal/findings?school={world.other['school']['code']}",
    ):  # fmt: skip
        assert person.get(path).status_code == 404, path
    assert person.get("/console").status_code == 303  # and of the operators' pages, none


def test_the_session_ends_with_the_key_that_opened_it(world: World):
    person = world.enter()
    assert "có hiệu lực" in text_of(person.get("/portal/keys").text)
    with world.api.store.write() as connection:
        key_id = world.keys["north"].split("_")[1]
        revoke_key(connection, Owner.CLIENT, "north", key_id, now=world.api.now)
    assert person.get("/portal").status_code == 303
    for key in (world.keys["north"], "hbc_x", "", world.api.operator_key(Role.ADMINISTRATOR)):
        refused = Person(world.api.url).http.post("/portal/sign-in", data={"key": key})
        assert refused.status_code == 401, key
        assert "Khóa không có hiệu lực" in text_of(refused.text)


def test_a_sample_is_checked_as_if_it_were_sent_and_nothing_is_stored(world: World):
    person = world.enter()
    csrf = token_of(person.get("/portal/validate").text)

    def checked(sample: str | bytes, profile: str = "", name: str = "") -> str:
        fields = {"csrf": csrf, "profile": profile, "sample": "" if name else sample}
        sent = {"file": (name, sample)} if name else {"file": ("", b"")}
        answer = person.http.post("/portal/validate", data=fields, files=sent)
        assert answer.status_code in {200, 422}, text_of(answer.text)[:400]
        return text_of(answer.text)

    before = person.get("/portal/submissions").text
    right = orjson.dumps({**world.mine, "card_id": "another"})
    wrong = orjson.dumps({**world.mine, "card_id": "third", "pupil": {}})
    assert "1 sẽ được nhận, 0 sẽ bị từ chối" in checked(right.decode())
    assert "1 sẽ được nhận, 1 sẽ bị từ chối" in checked(b"\n".join((right, wrong)).decode())
    assert "1 sẽ được nhận, 0 sẽ bị từ chối" in checked(right, name="card.json")
    assert "access.school-not-permitted" in checked(orjson.dumps({**world.other, "card_id": "x"}).decode())
    assert "sẽ bị từ chối" in checked('[{"x": 1}]', "vendor-flat-primary")
    assert "5 sẽ được nhận, 0 sẽ bị từ chối" in checked(workbook(5), "workbook-primary", "Lớp 3A.xlsx")
    book = load_workbook(io.BytesIO(workbook(5)))
    book["Kết quả học tập"]["E5"] = "31/02/2015"
    changed = io.BytesIO()
    book.save(changed)
    assert "4 sẽ được nhận, 1 sẽ bị từ chối" in checked(changed.getvalue(), "workbook-primary", "Lớp 3A.xlsx")
    assert person.get("/portal/submissions").text.count("/portal/submissions/") == before.count("/portal/submissions/")


def test_signing_out_ends_it(world: World):
    person = world.enter()
    csrf = token_of(person.get("/portal").text)
    assert person.http.post("/portal/sign-out", data={"csrf": csrf}).headers["location"] == "/portal/sign-in"
    assert person.get("/portal").status_code == 303
