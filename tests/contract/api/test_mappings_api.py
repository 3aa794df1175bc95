"""What operators do with mappings and code tables over real HTTP, and what it does to the cards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hocba_hub.api.client import report_cards as intake
from hocba_hub.api.client import status
from hocba_hub.api.operator import code_tables, mappings
from hocba_hub.api.operator import deliveries as operations
from hocba_hub.store import audit
from hocba_hub.store.access import Role
from hocba_hub.store.engine import Store
from tests.support.api_server import Api, running_api
from tests.support.vendor_records import NAME, SOURCE, flat, renamed, sent

REASON = "the vendor renamed a field"
URL = f"/v1/mappings/{NAME}"


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    routers = (intake.router, status.router, mappings.router, code_tables.router, operations.router)
    with running_api(store, routers=routers) as running:
        yield running


@pytest.fixture
def admin(api: Api) -> str:
    return api.operator_key(Role.ADMINISTRATOR, "lan")


@pytest.fixture
def vendor(api: Api) -> str:
    return api.client_key()


def posted(api: Api, key: str, act: str, body: dict[str, Any], *, etag: str | None = None) -> Any:
    return api.post(f"{URL}/{act}", key, json=body, headers={"If-Match": etag} if etag else {})


def etag(api: Api, key: str) -> str:
    return api.get(URL, key).headers["ETag"]


def test_what_comes_with_the_hub_is_listed_and_shown(api: Api):
    key = api.operator_key(Role.VIEWER)
    listed = {one["name"]: one for one in api.get("/v1/mappings", key).json()["mappings"]}
    assert listed[NAME]["default_version"] == "1.0.0"
    assert listed[NAME]["target"] == "report-card"
    assert {"ndc-primary", "ministry-record"} <= set(listed)
    shown = api.get(f"{URL}?version=1.0.0", key).json()
    assert shown["versions"] == [{"version": "1.0.0", "shipped": True, "in_force": True}]
    assert (shown["document"], shown["in_force"]) == (SOURCE, [])
    assert api.get("/v1/mappings/nobody", key).json()["code"] == "not-found"
    assert api.get(f"{URL}?version=9.9.9", key).json()["code"] == "not-found"


def test_a_draft_is_stored_previewed_activated_and_taken_back(api: Api, admin: str, vendor: str):
    assert sent(api, vendor, [flat(1), flat(2)], f"?profile={NAME}").json()["accepted"] == 2
    stored = posted(api, admin, "drafts", {"document": renamed(), "reason": REASON})
    assert (stored.status_code, stored.json()["version"]) == (201, "1.1.0")
    seen = posted(api, admin, "preview", {"version": "1.1.0"})
    effect = seen.json()
    assert (effect["records"], effect["changed"], effect["start_passing"]["count"]) == (2, 2, 0)
    assert effect["start_failing"] == {"count": 2, "record_ids": ["2025-2026/HB-1", "2025-2026/HB-2"]}
    assert effect["fields"] == [{"field": "pupil/birthplace/address", "change": "removed", "places": 2}]
    assert effect["findings_more"]["mapping.value.missing"] == 2
    assert flat()["noiSinh"] not in seen.text
    assert posted(api, admin, "preview", {"document": renamed("9.0.0"), "records": 1}).json()["records"] == 1

    done = posted(api, admin, "activation", {"version": "1.1.0", "reason": REASON}, etag=etag(api, admin))
    assert [(one["version"], one["in_force"]) for one in done.json()["versions"]] == [("1.0.0", False), ("1.1.0", True)]
    assert sent(api, vendor, [flat(3)], f"?profile={NAME}").status_code == 422
    back = posted(api, admin, "deactivation", {"reason": "wrong file"}, etag=done.headers["ETag"])
    assert back.json()["default_version"] == "1.0.0"
    assert sent(api, vendor, [flat(3)], f"?profile={NAME}").status_code == 202
    told = api.get("/v1/operations/audit", admin).json()["items"]
    assert [(one["action"], one["actor"]) for one in told] == [
        ("mapping.deactivate", "operator:lan"), ("mapping.activate", "operator:lan"), ("mapping.draft", "operator:lan"),
    ]  # fmt: skip


def test_an_activation_says_which_state_it_is_for(api: Api, admin: str):
    seen = etag(api, admin)
    asked = {"version": "1.0.0", "reason": REASON}
    assert posted(api, admin, "activation", asked).json()["code"] == "precondition.required"
    first = posted(api, admin, "activation", asked, etag=seen)
    assert (first.status_code, first.json()["activations"]) == (200, 1)
    again = posted(api, admin, "activation", asked, etag=seen)
    assert (again.status_code, again.json()["code"]) == (412, "precondition.failed")
    assert posted(api, admin, "deactivation", {"reason": REASON}, etag=seen).status_code == 412
    assert posted(api, admin, "activation", asked, etag="*").status_code == 200
    assert posted(api, admin, "deactivation", {"activation": 99, "reason": REASON}, etag="*").status_code == 404


def test_an_activation_for_one_client_and_year_is_for_no_other(api: Api, admin: str, vendor: str):
    other = api.client_key(name="north")
    posted(api, admin, "drafts", {"document": renamed(), "reason": REASON})
    scope = {"client": "north", "school_year": "2025-2026", "valid_from": "2020-01-01", "valid_to": "2999-12-31"}
    done = posted(api, admin, "activation", {"version": "1.1.0", "reason": REASON, **scope}, etag=etag(api, admin))
    [entry] = done.json()["in_force"]
    assert {name: entry[name] for name in scope} == scope
    assert sent(api, vendor, [flat(1)], f"?profile={NAME}").status_code == 202
    assert sent(api, other, [flat(2)], f"?profile={NAME}").status_code == 422
    wrong = {"version": "1.1.0", "reason": REASON, "client": "nobody"}
    assert posted(api, admin, "activation", wrong, etag="*").json()["code"] == "activation.scope"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("not: a mapping", "mapping.wrong"),
        (SOURCE.replace("card_id: {from: maHocBa, required: true}", "cardid: maHocBa"), "mapping.wrong"),
        (SOURCE.replace("target: report-card", "target: nothing"), "mapping.wrong"),
        (SOURCE.replace(f"mapping: {NAME}", "mapping: another"), "request.invalid"),
    ],
)
def test_a_draft_with_errors_is_not_stored(api: Api, admin: str, text: str, code: str):
    answer = posted(api, admin, "drafts", {"document": text, "reason": REASON})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    if code == "mapping.wrong":
        assert all(one["message_vi"] and one["message_en"] for one in answer.json()["findings"])
        assert answer.json()["findings"]
    assert len(api.get(URL, admin).json()["versions"]) == 1
    assert posted(api, admin, "preview", {"document": text}).status_code == 422


def test_a_text_that_was_activated_stays(api: Api, admin: str):
    posted(api, admin, "activation", {"version": "1.0.0", "reason": REASON}, etag="*")
    answer = posted(api, admin, "drafts", {"document": renamed("1.0.0"), "reason": REASON})
    assert (answer.status_code, answer.json()["code"]) == (409, "mapping.version-taken")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_only_administrators_change_anything(api: Api, role: Role):
    key = api.operator_key(role)
    for act, body in (
        ("drafts", {"document": renamed(), "reason": REASON}),
        ("preview", {"document": renamed()}),
        ("activation", {"version": "1.0.0", "reason": REASON}),
        ("deactivation", {"reason": REASON}),
    ):
        assert posted(api, key, act, body, etag="*").json()["code"] == "access.role-too-low"
    fill = api.post("/v1/unmapped-codes/1/fill", key, json={"result": "01", "source": REASON})
    assert fill.json()["code"] == "access.role-too-low"


def test_code_tables_are_listed_and_read_page_by_page(api: Api):
    key = api.operator_key(Role.VIEWER)
    listed = {(one.get("mapping"), one["name"]): one for one in api.get("/v1/code-tables", key).json()["tables"]}
    assert listed[None, "ethnic-groups"]["systems"] == ["name", "qd121", "gso_census"]
    assert listed[NAME, "mon-hoc"]["rows"] > 10
    first = api.get("/v1/code-tables/ethnic-groups?limit=40", key).json()
    rest = api.get(f"/v1/code-tables/ethnic-groups?limit=40&after={first['next']}", key).json()
    names = [row["values"]["name"][0] for row in first["page"] + rest["page"]]
    assert len(names) == len(set(names)) == first["rows"]
    assert "next" not in rest
    own = api.get(f"/v1/code-tables/mon-hoc?mapping={NAME}", key).json()
    assert {"key": ["TOAN"], "value": ["Toán"]} in [row["values"] for row in own["page"]]
    found = api.get("/v1/code-tables/ethnic-groups?search=ra de", key).json()
    assert [row["values"]["qd121"] for row in found["page"]] == [["12"]]
    assert api.get("/v1/code-tables/ethnic-groups?search=zzz", key).json()["page"] == []
    for missing in ("mon-hoc", "nowhere", "ethnic-groups?mapping=nobody"):
        assert api.get(f"/v1/code-tables/{missing}", key).json()["code"] == "not-found"


def waits(api: Api, vendor: str, number: int = 1, **changes: Any) -> None:
    """A record that its vendor sends, rejected for a code."""
    answer = sent(api, vendor, [flat(number, **changes)], f"?profile={NAME}")
    assert answer.json()["records"][0]["status"] == "rejected"


def test_filling_a_code_accepts_the_cards_that_waited(api: Api, admin: str, vendor: str):
    for number in (1, 2):
        waits(api, vendor, number, danToc="Nhóm lạ")
    waits(api, vendor, 3, danToc="Nhóm lạ", tenLop="")
    [code] = api.get("/v1/unmapped-codes", admin).json()["items"]
    assert (code["table"], code["value"], code["times"], code["waiting"]) == ("ethnic-groups", "Nhóm lạ", 3, 2)
    shown = api.get(f"/v1/unmapped-codes/{code['id']}", admin).json()
    [source] = shown["sources"]
    assert (source["client"], source["school"], source["times"]) == ("vendor", flat()["maTruong"], 3)
    api.rung.clear()
    asked = {"result": "01", "source": "a decree"}
    tried = api.post(f"/v1/unmapped-codes/{code['id']}/fill", admin, json=asked | {"dry_run": True}).json()
    told = {"meaning": {"name": "Kinh", "gso_census": "01"}, "cards": ["2025-2026/HB-1", "2025-2026/HB-2"]}
    assert tried == told | {"dry_run": True, "accepted": 0, "rejected": 0, "waiting": 2}
    assert (api.rung, len(api.get("/v1/unmapped-codes", admin).json()["items"])) == ([], 1)
    filled = api.post(f"/v1/unmapped-codes/{code['id']}/fill", admin, json=asked).json()
    became = {"dry_run": False, "fill_id": filled["fill_id"], "accepted": 2, "rejected": 0, "waiting": 0}
    assert filled == told | became
    assert api.rung == ["ministry", "province"]
    for number in (1, 2):
        card = api.get(f"/v1/report-cards/2025-2026/HB-{number}", vendor).json()
        assert (card["version"], len(card["deliveries"])) == (1, 2)
    assert [one["card_id"] for one in api.get("/v1/findings", vendor).json()["items"]] == ["HB-3"]
    assert sent(api, vendor, [flat(4, danToc="Nhóm lạ")], f"?profile={NAME}").status_code == 202
    assert api.get("/v1/unmapped-codes", admin).json()["items"] == []
    assert api.get("/v1/code-tables/ethnic-groups", admin).json()["fills"][0]["value"] == "Nhóm lạ"

    back = api.post(f"/v1/code-fills/{filled['fill_id']}/take-back", admin, json={"reason": "wrong group"})
    assert back.json()["result"] == "01"
    api.hub.intake.mappings.newest()
    assert sent(api, vendor, [flat(5, danToc="Nhóm lạ")], f"?profile={NAME}").status_code == 422
    again = api.post(f"/v1/code-fills/{filled['fill_id']}/take-back", admin, json={"reason": "wrong group"})
    assert again.status_code == 404
    with api.store.read() as connection:
        assert [entry.action for entry in audit.entries(connection)] == ["code.take-back", "code.fill"]


def test_a_fill_says_why_a_card_is_still_not_right_and_the_submission_shows_the_newest(
    api: Api, admin: str, vendor: str
):
    sent_in = [
        sent(api, vendor, [flat(number, danToc="Nhóm lạ", **more)], f"?profile={NAME}").json()["submission_id"]
        for number, more in ((1, {}), (2, {"danhHieu": "Học sinh Xuất sắc"}))
    ]
    before = [api.get(f"/v1/submissions/{one}", vendor).json()["records"][0] for one in sent_in]
    assert all("read_again" not in one for one in before)
    [code] = api.get("/v1/unmapped-codes", admin).json()["items"]
    asked = {"result": "01", "source": "a decree"}
    filled = api.post(f"/v1/unmapped-codes/{code['id']}/fill", admin, json=asked).json()
    assert (filled["accepted"], filled["rejected"]) == (1, 1)
    [still] = filled["still"]
    assert still["record_id"] == "2025-2026/HB-2"
    assert {(one["code"], one["pointer"]) for one in still["findings"]} == {("secondary.title.excellent", "/danhHieu")}
    assert all("sent" not in one for one in still["findings"])  # operators do not see what a card says
    first, second = (api.get(f"/v1/submissions/{one}", vendor).json()["records"][0] for one in sent_in)
    assert (first["status"], first["findings"][0]["code"]) == ("rejected", "mapping.table.unknown")
    assert (first["read_again"]["status"], first["read_again"]["version"]) == ("accepted", 1)
    assert second["read_again"]["status"] == "rejected"
    assert "secondary.title.excellent" in {one["code"] for one in second["read_again"]["findings"]}
    made = api.get(f"/v1/submissions/{second['read_again']['submission_id']}", vendor).json()
    assert made["records"][second["read_again"]["position"]]["card_id"] == "HB-2"


def test_a_card_that_is_read_again_twice_shows_the_last_time(api: Api, admin: str, vendor: str):
    other = {"diem": [{**flat()["diem"][0], "ma": "LA"}, *flat()["diem"][1:]]}
    submission = sent(api, vendor, [flat(1, danToc="Nhóm lạ", **other)], f"?profile={NAME}").json()["submission_id"]
    codes = {one["value"]: one for one in api.get("/v1/unmapped-codes", admin).json()["items"]}
    answers = {"Nhóm lạ": "01", "LA": "Ngữ văn"}
    assert set(answers) <= set(codes)
    for value in ("Nhóm lạ", "LA"):
        for code in [one for one in codes.values() if one["value"] == value]:
            asked = {"result": answers[value], "source": "a decree"}
            assert api.post(f"/v1/unmapped-codes/{code['id']}/fill", admin, json=asked).status_code == 200
        [record] = api.get(f"/v1/submissions/{submission}", vendor).json()["records"]
        assert record["read_again"]["status"] == ("rejected" if value == "Nhóm lạ" else "accepted")


def test_an_atomic_submission_does_not_wait(api: Api, admin: str, vendor: str):
    body = [flat(1, danToc="Nhóm lạ"), flat(2)]
    assert sent(api, vendor, body, f"?profile={NAME}&atomic=true").status_code == 422
    [code] = api.get("/v1/unmapped-codes", admin).json()["items"]
    assert (code["times"], code["waiting"]) == (1, 0)


def test_a_card_of_another_school_is_counted_and_does_not_wait(api: Api, admin: str):
    other = api.client_key("33-ANOTHER", name="south")
    assert sent(api, other, [flat(1, danToc="Nhóm lạ")], f"?profile={NAME}").status_code in {403, 422}
    [code] = api.get("/v1/unmapped-codes", admin).json()["items"]
    assert (code["times"], code["waiting"]) == (1, 0)


def test_a_card_that_needs_another_code_too_waits_on(api: Api, admin: str, vendor: str):
    subjects = [dict(one) for one in flat()["diem"]]
    next(one for one in subjects if one["ma"] == "TOAN")["ma"] = "TOA"
    waits(api, vendor, 1, danToc="Nhóm lạ", diem=subjects)
    codes = {one["table"]: one["id"] for one in api.get("/v1/unmapped-codes", admin).json()["items"]}
    assert set(codes) == {"ethnic-groups", f"{NAME}/mon-hoc"}
    first = api.post(f"/v1/unmapped-codes/{codes['ethnic-groups']}/fill", admin, json={"result": "01", "source": "abc"})
    assert (first.json()["accepted"], first.json()["rejected"], first.json()["waiting"]) == (0, 1, 0)
    second = api.post(
        f"/v1/unmapped-codes/{codes[f'{NAME}/mon-hoc']}/fill", admin, json={"result": "Toán", "source": "abc"}
    )
    assert second.json()["accepted"] == 1


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"result": "ZZ", "source": "abc"}, "code.result"),
        ({"result": "01"}, "request.invalid"),
        ({"result": "01", "source": "abc", "more": 1}, "request.invalid"),
    ],
)
def test_a_fill_that_the_table_cannot_take_is_refused(api: Api, admin: str, vendor: str, asked: dict, code: str):
    waits(api, vendor, danToc="Nhóm lạ")
    [entry] = api.get("/v1/unmapped-codes", admin).json()["items"]
    assert api.post(f"/v1/unmapped-codes/{entry['id']}/fill", admin, json=asked).json()["code"] == code
    assert api.post("/v1/unmapped-codes/999/fill", admin, json={"result": "01", "source": "abc"}).status_code == 404


def test_a_code_is_filled_once(api: Api, admin: str, vendor: str):
    waits(api, vendor, danToc="Nhóm lạ")
    [entry] = api.get("/v1/unmapped-codes", admin).json()["items"]
    fill = {"result": "99", "new": True, "source": "abc", "valid_from": "2020-01-01"}
    assert api.post(f"/v1/unmapped-codes/{entry['id']}/fill", admin, json=fill).status_code == 200
    assert api.post(f"/v1/unmapped-codes/{entry['id']}/fill", admin, json=fill).json()["code"] == "code.known"
    assert [one["id"] for one in api.get("/v1/unmapped-codes?filled=true", admin).json()["items"]] == [entry["id"]]
