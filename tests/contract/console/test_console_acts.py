"""What is done on the console's pages is done: each act counted first where the API counts, and in the audit trail."""

from __future__ import annotations

import re
from collections.abc import Iterator

import orjson
import pytest

from hocba_hub.queue.jobs.schedules import planned
from hocba_hub.store import audit
from hocba_hub.store.access import Role
from hocba_hub.store.engine import Store
from tests.support.api_server import Api, running_api
from tests.support.console import Person, add_person, text_of
from tests.support.engine import Bench, answered
from tests.support.imports import workbook
from tests.support.jobs import job_worker
from tests.support.soap_calls import cards
from tests.support.vendor_records import NAME, flat, sent

REASON = "agreed with the department"


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    with running_api(store) as running:
        for name, role in (("hoa", Role.ADMINISTRATOR), ("binh", Role.OPERATOR)):
            add_person(store, name, role, running.now)
        yield running


def entered(api: Api, name: str = "binh") -> Person:
    person = Person(api.url)
    assert person.sign_in(name).status_code == 303
    return person


def acts(api: Api) -> list[str]:
    with api.store.read() as connection:
        return [one.action for one in audit.entries(connection) if one.action != "operator.sign-in"]


def refused(api: Api, number: int = 4) -> list[dict]:
    """Cards that the province has refused."""
    key = api.client_key(name="sender")
    found = [orjson.loads(body) for body in list(cards(30))[:number]]
    for card in found:
        assert api.post("/v1/report-cards", key, content=orjson.dumps(card)).status_code == 202
    bench = Bench(api.store)
    bench.now = api.now
    bench.peer.on_send = answered("WRONG")
    bench.drain(number)
    return found


def test_what_is_done_to_many_deliveries_is_counted_before_it_is_done(api: Api):
    found = refused(api)
    person = entered(api)
    waiting = {"destination": "ministry", "states": ["queued"], "reason": REASON}
    for act, said in (("hurry", "Giục ngay"), ("cancel", "Hủy chuyển")):
        counted = text_of(person.post(f"/console/deliveries/{act}", waiting).text)
        assert "Chưa làm gì. Sẽ làm với 4 bản ghi" in counted
        assert said in counted
        assert acts(api).count(act) == 0
        done = text_of(person.post(f"/console/deliveries/{act}", {**waiting, "sure": "yes"}).text)
        assert "Đã làm với 4 bản ghi" in done
        assert acts(api).count(act) == 1
    note = "Kiểm tra lại mã học sinh, sửa rồi gửi lại."
    back = {"destination": "province", "code": "WRONG", "states": ["refused"], "note": note, "reason": REASON}
    assert "Sẽ trả 4 học bạ" in text_of(person.post("/console/deliveries/return", back).text)
    assert "Đã trả 4 học bạ" in text_of(person.post("/console/deliveries/return", {**back, "sure": "yes"}).text)
    assert "Kiểm tra lại mã học sinh" in person.get(f"/console/findings?school={found[0]['school']['code']}").text
    assert person.post("/console/deliveries/cancel", {"reason": REASON}).status_code == 422  # of everything: nothing


def test_an_unknown_code_is_filled_after_a_look_and_taken_back(api: Api):
    key = api.client_key()
    unknown = flat(1, danToc="Nhóm lạ")
    answer = sent(api, key, [unknown, flat(2)], f"?profile={NAME}").json()
    assert (answer["accepted"], answer["rejected"]) == (1, 1)
    person = entered(api, "hoa")
    page = person.get("/console/unmapped-codes").text
    code = re.search(r'href="(/console/unmapped-codes/\d+)"', page)
    assert code is not None
    assert "Quản trị viên điền được mã này." in text_of(entered(api).get(code[1]).text)
    shown = person.get(code[1]).text
    result = re.search(r'<option value="(01)">[^<]*Kinh', shown)
    assert result is not None
    fields = {"result": result[1], "source": "công văn 12 của phần mềm"}
    looked = text_of(person.post(code[1], fields).text)
    assert "Chưa ghi gì" in looked
    assert "1 học bạ đang chờ sẽ được đọc lại" in looked
    filled = text_of(person.post(code[1], {**fields, "sure": "yes"}).text)
    assert "1 học bạ được nhận ngay" in filled
    table = re.search(r'href="(/console/code-tables/[^"]+)"', person.get(code[1]).text)
    assert table is not None
    fill = re.search(r'action="(/console/code-fills/\d+/take-back)"', person.get(table[1]).text)
    assert fill is not None
    assert person.post(fill[1], {"reason": REASON}).status_code == 303
    assert "/console/code-fills/" not in person.get(table[1]).text


def test_a_job_is_run_paused_and_resumed(api: Api):
    job_worker(api.store, planned(None, api.hub.destinations), {}, clock=lambda: api.now)
    person = entered(api)
    for act, shown in (("pause", "tạm dừng từ"), ("resume", "Lịch"), ("run", "Đã yêu cầu chạy")):
        done = person.post(f"/console/jobs/retention/{act}", {"reason": REASON})
        assert shown in text_of(person.follow(done).text), act
    with person.http.stream("GET", "/console/jobs/retention/live", headers={"Accept": "text/event-stream"}) as live:
        assert live.headers["content-type"].startswith("text/event-stream")
        lines = live.iter_lines()
        assert next(line for line in lines if line.startswith("event:")) == "event: part"
    cancelled = person.follow(person.post("/console/jobs/retention/cancel", {"reason": REASON}))
    assert "Đã hủy lần chạy" in text_of(cancelled.text)


def test_a_file_is_cancelled_and_one_that_failed_is_tried_again(api: Api):
    key, person = api.client_key(), entered(api)
    media_type = {"Content-Type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
    ids = [
        api.post(
            "/v1/files", key, params={"name": f"{n}.xlsx", "profile": "workbook-primary"}, content=workbook(2),
            headers=media_type,
        ).json()["file_id"]
        for n in range(2)
    ]  # fmt: skip
    page = person.get("/console/files").text
    assert all(one in page for one in ids)
    cancelled = person.follow(person.post(f"/console/files/{ids[0]}/cancel", {"reason": REASON}))
    assert "Đã hủy" in text_of(cancelled.text)
    assert person.post(f"/console/files/{ids[0]}/cancel", {"reason": REASON}).status_code == 409
    assert person.post(f"/console/files/{ids[1]}/retry", {"reason": REASON}).status_code == 409  # it has not failed
    assert person.get(f"/console/files/{ids[1]}/workbook").status_code == 409
    operator = api.operator_key()
    assert api.get(f"/v1/operations/files/{ids[1]}", operator).json()["state"] == "waiting"
    listed = api.get("/v1/operations/files", operator, params={"limit": 1}).json()
    assert [one["file_id"] for one in listed["items"]] == [ids[1]]
    older = api.get("/v1/operations/files", operator, params={"after": listed["next"]}).json()
    assert [(one["file_id"], one["state"], one["client"]) for one in older["items"]] == [
        (ids[0], "cancelled", "vendor")
    ]  # fmt: skip
    assert acts(api).count("cancel-file") == 1


def test_a_clients_credentials_are_made_replaced_and_ended(api: Api):
    person = entered(api, "hoa")
    made = person.post("/console/clients", {"name": "north", "schools": "33-TH-0001, 33-TH-0002", "reason": REASON})
    assert "Chưa từng thấy các mã trường này" in text_of(made.text)
    first = re.search(r"hbc_([0-9a-f]{12})_", made.text)
    assert first is not None
    path = "/console/clients/north"
    second = person.post(f"{path}/credentials", {"kind": "key", "replaces": first[1], "reason": REASON})
    assert re.search(r"hbc_[0-9a-f]{12}_[0-9a-f]{64}", second.text)
    certificate = person.post(f"{path}/credentials", {"kind": "certificate", "days": "30", "reason": REASON})
    assert "BEGIN PRIVATE KEY" in certificate.text
    assert "BEGIN CERTIFICATE" in certificate.text
    changed = person.post(path, {"schools": "*", "profile": NAME, "reason": REASON})
    assert "mọi trường" in text_of(person.follow(changed).text)
    assert person.post(path, {"schools": "not a school!", "reason": REASON}).status_code == 422
    assert person.post("/console/clients", {"name": "north", "schools": "*", "reason": REASON}).status_code == 404
    assert person.post(f"{path}/revoke", {"reason": REASON}).status_code == 303
    assert "Đã kết thúc" in text_of(person.get(path).text)
    assert {"client.add", "client.rotate", "client.certificate", "client.change", "client.revoke"} <= set(acts(api))


def test_differences_of_versions_and_submissions_are_told(api: Api):
    key, operator = api.client_key(), api.operator_key()
    card = orjson.loads(next(iter(cards(5))))
    for name in (card["school"]["name"], f"{card['school']['name']} A"):
        body = orjson.dumps({**card, "school": {**card["school"], "name": name}})
        assert api.post("/v1/report-cards", key, content=body).json()["accepted"] == 1
    path = f"/v1/operations/report-cards/{card['school_year']}/{card['card_id']}/differences"
    assert api.get(path, operator, params={"before": 1, "after": 2}).json() == {"places": ["school/name"], "more": 0}
    assert api.get(path, operator, params={"before": 1, "after": 3}).status_code == 404
    story = entered(api).get(f"/console/cards/{card['school_year']}/{card['card_id']}").text
    assert "<code>school/name</code>" in story
    listed = api.get("/v1/operations/submissions", operator, params={"client": "vendor", "limit": 1}).json()
    assert (listed["items"][0]["client"], listed["items"][0]["accepted"]) == ("vendor", 1)
    older = api.get("/v1/operations/submissions", operator, params={"after": listed["next"]}).json()
    assert len(older["items"]) == 1
    assert api.get("/v1/operations/submissions", operator, params={"client": "nobody"}).status_code == 404


def test_a_test_call_says_what_came_of_it(api: Api):
    person = entered(api)
    said = text_of(person.post("/console/destinations/province/test").text)
    assert "province" in said
    called = api.post("/v1/operations/destinations/province/test", api.operator_key()).json()
    assert called["state"] in {"ok", "warning", "error"}
    assert called["says_vi"] in said
