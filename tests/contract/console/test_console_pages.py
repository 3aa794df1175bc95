"""Every page of the console over a hub in which something of everything has happened, in both languages."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import orjson
import pytest

from hocba_hub.api.console.pages import ROUTERS
from hocba_hub.mappings.values.value import without_accents
from hocba_hub.model.reconciliation import Difference
from hocba_hub.model.terms import TERMS
from hocba_hub.queue.jobs.deadlines import Deadlines
from hocba_hub.queue.jobs.schedules import planned
from hocba_hub.store.access import Role
from hocba_hub.store.engine import Store
from tests.support.api_server import Api, running_api
from tests.support.console import Person, add_person, text_of
from tests.support.engine import Bench, answered
from tests.support.jobs import job_worker, run_once
from tests.support.soap_calls import cards

MOST_BYTES = 200_000


class World:
    """A hub with cards that were refused, rejected and acknowledged, an unknown code, a file, a replay and jobs."""

    def __init__(self, api: Api) -> None:
        self.api = api
        api.client_key("*", name="phần mềm A")
        key = api.client_key(name="vendor")
        self.cards = [orjson.loads(body) for body in list(cards(30))[:12]]
        for card in self.cards:
            assert api.post("/v1/report-cards", key, content=orjson.dumps(card)).status_code == 202
        wrong = {**self.cards[0], "card_id": "wrong-1", "pupil": {**self.cards[0]["pupil"], "full_name": ""}}
        assert api.post("/v1/report-cards", key, content=orjson.dumps(wrong)).json()["rejected"] == 1
        bench = Bench(api.store)
        bench.now = api.now
        bench.peer.on_send = answered("WRONG")
        bench.drain(len(self.cards))
        job_worker(api.store, planned(None, api.hub.destinations), {}, clock=lambda: api.now)
        run_once(api.store, "deadlines", Deadlines(api.hub.destinations), now=api.now)
        add_person(api.store, "hoa", Role.ADMINISTRATOR, api.now, sees_bodies=True)
        add_person(api.store, "binh", Role.OPERATOR, api.now)

    def person(self, name: str = "hoa", language: str = "vi") -> Person:
        made = Person(self.api.url, language)
        assert made.sign_in(name).status_code == 303
        return made


@pytest.fixture
def world(store: Store) -> Iterator[World]:
    with running_api(store) as api:
        yield World(api)


def form_of_path(path: str) -> str:
    """`/console/cards/2025-2026/x` → the route that answers it, as far as it can be told from the path."""
    bare = path.partition("?")[0]
    for router in ROUTERS:
        for route in router.routes:
            if "GET" in route.methods and route.path_regex.match(bare):
                return route.path
    raise AssertionError(path)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_page_that_is_linked_is_there_whole_and_small(world: World, language: str):
    person = world.person(language=language)
    card = world.cards[0]
    todo = ["/console", "/console/account", f"/console/find?q={card['school']['code']}", "/console/find?q=khong-co"]
    seen: dict[str, int] = {}
    done: set[str] = set()
    while todo:
        path = todo.pop(0)
        route = form_of_path(path)
        if path in done or seen.get(route, 0) >= 3 or "/language/" in path or "/theme/" in path:
            continue
        done.add(path)
        seen[route] = seen.get(route, 0) + 1
        answer = person.get(path)
        assert answer.status_code in {200, 303}, (path, text_of(answer.text)[:300])
        assert len(answer.content) < MOST_BYTES, path
        if answer.headers.get("content-type", "").startswith("text/html"):
            page = answer.text
            assert f'<html lang="{language}"' in page or answer.status_code == 303
            assert not re.search(r"<script(?![^>]*src=)|<style| style=| on[a-z]+=", page), path
            assert "None" not in text_of(page), path
            todo += [found.replace("&amp;", "&") for found in re.findall(r'href="(/console[^"#]*)"', page)]
    assert len(seen) >= 28, sorted(seen)


def test_the_two_languages_tell_the_same_in_other_words(world: World):
    vi, en = (text_of(world.person(language=one).get("/console").text) for one in ("vi", "en"))
    assert "Nhóm lỗi đang mở" in vi
    assert "Nhóm lỗi" not in en
    assert "Open failure groups" in en
    assert "WRONG" in vi
    assert "WRONG" in en


def test_another_language_shows_the_same_page_with_its_filters(world: World):
    person = world.person()
    page = person.get("/console/deliveries?state=refused&destination=province").text
    to = html.unescape(re.search(r'href="(/console/language/en[^"]*)"', page)[1])
    shown = person.follow(person.get(to))
    assert "Failed deliveries" in text_of(shown.text)
    assert str(shown.url).endswith("/console/deliveries?state=refused&destination=province")
    counted = person.post("/console/deliveries/hurry", {"destination": "province", "reason": "no page of its own"})
    assert 'href="/console/language/vi?to=/console"' in counted.text


def test_a_school_is_found_without_accents(world: World):
    person = world.person()
    school = world.cards[0]["school"]
    page = text_of(person.get("/console/find", params={"q": without_accents(school["name"])}).text)
    assert school["name"] in page
    assert school["code"] in page


def test_what_failed_is_replayed_from_its_group_after_a_look(world: World):
    person = world.person("binh")
    overview = person.get("/console").text
    group = re.search(r'/console/failure-groups/(\d+)"><code>WRONG', overview)
    assert group is not None
    fields = {
        "group": group[1], "meaning": "mapping-in-force", "canary": "1, 5", "most_failed": "20",
        "reason": "the province has declared the school", "records_per_second": "",
    }  # fmt: skip
    page = person.follow(person.post("/console/replays", fields))
    said = text_of(page.text)
    assert "Đã chọn, chưa gửi gì" in said
    assert "1 → 5 → phần còn lại" in said
    assert "20 %" in said
    replay = str(page.url).partition("/replays/")[2].partition("?")[0]
    twice = person.post("/console/replays", fields)
    assert twice.status_code == 409
    started = person.follow(person.post(f"/console/replays/{replay}/start", {"reason": "looked at the dry run"}))
    assert "Đang gửi" in text_of(started.text) or f"/console/replays/{replay}/live" in started.text
    again = person.post(f"/console/replays/{replay}/start", {"reason": "by mistake once more"})
    assert again.status_code == 409
    ended = person.follow(person.post(f"/console/replays/{replay}/cancel", {"reason": "enough for a test"}))
    assert "Đã hủy" in text_of(ended.text)


def test_two_people_at_one_group_do_not_write_over_each_other(world: World):
    first, second = world.person("hoa"), world.person("binh")
    path = "/console/failure-groups/1"
    revision = re.search(r'name="revision" value="(\d+)"', first.get(path).text)
    assert revision is not None
    fields = {
        "revision": revision[1],
        "state": "watching",
        "owner": "hoa",
        "note": "Đã gọi Sở",
        "reason": "called them",
    }
    assert "Đã gọi Sở" in text_of(first.follow(first.post(path, fields)).text)
    late = second.post(path, {**fields, "owner": "binh", "note": "khác"})
    assert late.status_code == 409
    assert "failure-group.changed" in late.text
    assert "Đã gọi Sở" in text_of(second.get(path).text)


def test_a_destination_is_paused_and_sent_to_again(world: World):
    person = world.person("binh")
    paused = person.follow(person.post("/console/destinations/province/pause", {"reason": "they move their server"}))
    assert "they move their server" in text_of(paused.text)
    assert "tạm dừng" in text_of(person.get("/console").text)
    resumed = person.follow(person.post("/console/destinations/province/resume", {"reason": "they are done"}))
    assert "they move their server" not in text_of(resumed.text)


def test_a_client_is_added_with_a_key_that_works_and_that_is_revoked(world: World):
    person = world.person("hoa")
    made = person.post("/console/clients", {"name": "phần mềm B", "schools": "*", "reason": "the new vendor"})
    key = re.search(r"hbc_[0-9a-f]{12}_[0-9a-f]{64}", made.text)
    assert key is not None
    assert world.api.get("/v1/findings", key[0]).status_code == 200
    page = person.get("/console/clients/phần mềm B").text
    assert key[0] not in page
    path = re.search(r'action="([^"]+/credentials/[0-9a-f]{12}/revoke)"', page)
    assert path is not None
    assert person.post(path[1], {"reason": "a test of revoking"}).status_code == 303
    assert "đã thu hồi" in text_of(person.get("/console/clients/phần mềm B").text)


def test_an_operator_is_added_with_a_password_that_must_be_changed(world: World):
    person = world.person("hoa")
    made = person.post("/console/operators", {"name": "thu", "role": "viewer", "reason": "she is new here"})
    password = re.search(r'<code id="made">([^<]+)</code>', made.text)
    assert password is not None
    new = Person(world.api.url)
    assert new.sign_in("thu", password[1]).status_code == 303
    assert new.get("/console").headers["location"] == "/console/account"
    assert person.post("/console/operators/hoa/revoke", {"reason": "my own account"}).status_code == 409
    assert person.post("/console/operators/thu/revoke", {"reason": "she has left us"}).status_code == 303
    assert new.get("/console/account").status_code == 303


def test_a_mapping_is_tried_drafted_activated_and_taken_back(world: World):
    person = world.person("hoa")
    path = "/console/mappings/vendor-flat-secondary"
    tried = person.post(f"{path}/trial", {"version": "1.0.0", "sample": '[{"x": 1}]'})
    assert "sẽ bị từ chối" in text_of(tried.text)
    page = person.get(path).text
    document = html.unescape(
        re.search(r'<textarea class="tall" id="document"[^>]*>(.*?)</textarea>', page, re.DOTALL)[1]
    )
    version = re.search(r"^version: (.*)$", document, re.MULTILINE)[1]
    newer = document.replace(f"version: {version}", "version: 9.0.0", 1)
    stored = person.post(f"{path}/drafts", {"document": newer.replace("\n", "\r\n"), "reason": "a rehearsal"})
    assert "chưa có hiệu lực" in text_of(person.follow(stored).text)
    assert person.post(f"{path}/preview", {"version": "9.0.0"}).status_code == 200
    state = html.unescape(re.search(r'name="state" value="([^"]*)"', person.get(f"{path}?version=9.0.0").text)[1])
    fields = {"version": "9.0.0", "state": state, "reason": "for the new year"}
    assert "9.0.0" in text_of(person.follow(person.post(f"{path}/activation", fields)).text)
    assert person.post(f"{path}/activation", fields).status_code == 412  # somebody has changed it since that page
    page = person.get(path).text
    activation = re.search(r'name="activation" value="(\d+)"', page)[1]
    state = html.unescape(re.search(r'name="state" value="([^"]*)"', page)[1])
    back = {"activation": activation, "state": state, "reason": "it was too early"}
    assert "quay lại" in text_of(person.follow(person.post(f"{path}/deactivation", back)).text)

    table = person.get(f"{path}/rules.xlsx").content
    fields, sent = {"csrf": person.csrf(), "version": ""}, {"table": ("rules.xlsx", table)}
    reviewed = person.http.post(f"{path}/reviewed", data=fields, files=sent)
    assert "Chưa lưu gì" in text_of(reviewed.text)
    assert "version: 1." in reviewed.text
    refused = person.http.post(f"{path}/reviewed", data=fields, files={"table": ("rules.csv", b"a,b")})
    assert (refused.status_code, "mapping.table-form" in refused.text) == (422, True)


def test_an_error_says_what_happened_what_it_means_and_what_to_do(world: World):
    for language, title in (("vi", "Tham số hoặc nội dung"), ("en", "A parameter or the body is not right")):
        person = world.person(language=language)
        wrong = person.post("/console/destinations/province/pause", {"reason": "x"})
        assert wrong.status_code == 422
        said = text_of(wrong.text)
        assert title in said
        assert "/reason" in said
        assert person.get("/console/cards/2025-2026/none").status_code == 404


def test_each_difference_has_a_name_in_both_languages():
    assert {f"difference.{one}" for one in Difference} <= TERMS.keys()
