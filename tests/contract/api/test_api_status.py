"""What a client looks up over real HTTP: its own submissions, the cards and open lists of its schools."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hocba_hub.api.client import status
from hocba_hub.api.operator import deliveries as operations
from hocba_hub.api.operator import support
from hocba_hub.api.problems import problem_pages
from hocba_hub.model.finding_kinds import NOT_ALONE
from hocba_hub.model.findings import Finding
from hocba_hub.model.ids import uuid7
from hocba_hub.store.accept import accept
from hocba_hub.store.access import Client, Role, identify
from hocba_hub.store.bodies import pack
from hocba_hub.store.decide import Portion, ReceivedRecord, Submission
from hocba_hub.store.engine import Store
from tests.support.acceptance import COMPARISON, YEAR, key, received
from tests.support.api_server import NAMES, Api, running_api
from tests.support.engine import Bench, answered

ROUTERS = (status.router, operations.router, support.router, problem_pages.router)


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'hub.db'}"


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    with running_api(store, routers=ROUTERS) as running:
        yield running


def sent(api: Api, client_key: str, *records: ReceivedRecord) -> str:
    """These records as a submission of the key's client; its id."""
    submission_id = uuid7()
    with api.store.write() as connection:
        client = identify(connection, client_key, now=1)
        assert isinstance(client, Client)
        portion = Portion(
            Submission(submission_id, client, api.now, "application/json"), records, size=10, sha256="ab" * 32
        )
        accept(connection, [portion], NAMES, COMPARISON, api.now)
    return submission_id


def rejected(position: int, card: str, school: str) -> ReceivedRecord:
    return ReceivedRecord(position, bytes(32), key(card), school, None, [Finding(NOT_ALONE, "")])


def test_a_submission_is_its_receipt_again(api: Api):
    mine = api.client_key("S1")
    one = sent(api, mine, received(0, "a", "1", school="S1"), rejected(1, "b", "S1"))
    answer = api.get(f"/v1/submissions/{one}", mine).json()
    finding = Finding(NOT_ALONE, "").as_json()
    assert answer == {
        "submission_id": one,
        "state": "partial",
        "received_at": "2026-05-28T20:26:40.000Z",
        "media_type": "application/json",
        "atomic": False,
        "bytes": 10,
        "sha256": "ab" * 32,
        "accepted": 1,
        "rejected": 1,
        "records": [
            {
                "position": 0, "status": "accepted", "sha256": hashlib.sha256(b"1").hexdigest(),
                "record_id": f"{YEAR}/a", "school_year": YEAR, "card_id": "a", "version": 1, "event": "NEW",
            },
            {
                "position": 1, "status": "rejected", "sha256": "00" * 32, "record_id": f"{YEAR}/b",
                "school_year": YEAR, "card_id": "b", "findings": [finding],
            },
        ],
    }  # fmt: skip


def test_the_records_of_a_submission_come_page_by_page(api: Api):
    mine = api.client_key("S1")
    one = sent(api, mine, *[received(n, f"card-{n}", "1", school="S1") for n in range(7)])
    path, seen = f"/v1/submissions/{one}?limit=3", []
    while path:
        page = api.get(path, mine).json()
        seen.append([record["position"] for record in page["records"]])
        path = f"/v1/submissions/{one}?limit=3&after={page['next']}" if "next" in page else ""
    assert seen == [[0, 1, 2], [3, 4, 5], [6]]


def test_another_client_sees_nothing_of_it(api: Api):
    mine, other = api.client_key("S1", name="mine"), api.client_key("S2", name="other")
    one = sent(api, mine, received(0, "a", "1", school="S1"), rejected(1, "b", "S1"))
    paths = (
        f"/v1/submissions/{one}",
        f"/v1/report-cards/{YEAR}/a",
        f"/v1/report-cards/{YEAR}/a/versions/1/document",
        "/v1/findings?school=S1",
    )
    for path in paths:
        assert api.get(path, mine).status_code == 200
        answer = api.get(path, other)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert api.get("/v1/findings", other).json() == {"items": []}


def test_a_card_shows_where_its_versions_stand(api: Api):
    mine = api.client_key("S1")
    sent(api, mine, received(0, "a", "1", school="S1"))
    bench = Bench(api.store)
    bench.now = api.now
    bench.peer.on_send = answered("WRONG", detail="the school is not declared")
    bench.drain(1)
    sent(api, mine, received(0, "a", "2", school="S1"))
    card = api.get(f"/v1/report-cards/{YEAR}/a", mine).json()
    assert (card["record_id"], card["version"], card["recalled"], card["school_code"]) == (f"{YEAR}/a", 2, False, "S1")
    assert [(v["version"], v["event"], v["bytes"]) for v in card["versions"]] == [(2, "UPDATE", 1), (1, "NEW", 1)]
    standing = {(d["destination"], d["version"]): d for d in card["deliveries"]}
    assert {place: d["state"] for place, d in standing.items()} == {
        ("ministry", 1): "superseded",
        ("ministry", 2): "queued",
        ("province", 1): "refused",
        ("province", 2): "queued",
    }
    refused = standing["province", 1]
    assert refused["code"] == "WRONG"
    assert "next_attempt_at" not in refused
    assert "next_attempt_at" in standing["province", 2]
    [attempt] = refused["attempts"]
    assert (attempt["kind"], attempt["meaning"], attempt["detail"]) == (
        "send", "refused", "the school is not declared",
    )  # fmt: skip


def test_a_document_comes_back_byte_for_byte_with_its_digest(api: Api):
    mine = api.client_key("S1")
    record = received(0, "a", "canonical", school="S1")
    original = '{ "họ tên" : "Đỗ Thị Ánh" }'.encode()
    content = record.content
    assert content is not None
    object.__setattr__(content, "original", pack(original))
    object.__setattr__(content, "original_type", "application/x-ndjson")
    record.sha256 = hashlib.sha256(original).digest()
    sent(api, mine, record)
    answer = api.get(f"/v1/report-cards/{YEAR}/a/versions/1/document", mine)
    assert answer.content == original
    assert answer.headers["content-type"] == "application/x-ndjson"
    digest = base64.b64encode(hashlib.sha256(original).digest()).decode()
    assert answer.headers["repr-digest"] == f"sha-256=:{digest}:"
    assert "no-store" in answer.headers["cache-control"]
    assert api.get(f"/v1/report-cards/{YEAR}/a/versions/2/document", mine).status_code == 404


def test_the_open_list_is_that_of_the_clients_schools_and_names_only_its_own_submissions(api: Api):
    mine, other = api.client_key("S1", "S2", name="mine"), api.client_key("S2", name="other")
    one = sent(api, mine, rejected(0, "a", "S1"), rejected(1, "b", "S2"))
    sent(api, other, rejected(0, "c", "S2"))
    items = api.get("/v1/findings", mine).json()["items"]
    assert [(i["school_code"], i["card_id"], i.get("submission_id")) for i in items] == [
        ("S1", "a", one),
        ("S2", "b", one),
        ("S2", "c", None),
    ]
    assert items[0]["findings"] == [Finding(NOT_ALONE, "").as_json()]
    assert [i["card_id"] for i in api.get("/v1/findings?school=S2", other).json()["items"]] == ["b", "c"]
    first = api.get("/v1/findings?limit=2", mine).json()
    rest = api.get(f"/v1/findings?limit=2&after={first['next']}", mine).json()
    assert [i["card_id"] for i in first["items"] + rest["items"]] == ["a", "b", "c"]
    assert "next" not in rest
    sent(api, mine, received(0, "a", "right", school="S1"))
    assert [i["card_id"] for i in api.get("/v1/findings?school=S1", mine).json()["items"]] == []


def test_an_operator_sees_everybodys_but_no_content(api: Api):
    mine, operator = api.client_key("S1"), api.operator_key(Role.VIEWER)
    one = sent(api, mine, received(0, "a", "1", school="S1"), rejected(1, "b", "S1"))
    assert (
        api.get(f"/v1/operations/submissions/{one}", operator).json() == api.get(f"/v1/submissions/{one}", mine).json()
    )
    assert api.get(f"/v1/operations/report-cards/{YEAR}/a", operator).json()["version"] == 1
    assert [i["card_id"] for i in api.get("/v1/operations/findings?school=S1", operator).json()["items"]] == ["b"]
    assert api.get(f"/v1/report-cards/{YEAR}/a/versions/1/document", operator).status_code == 403


@pytest.mark.parametrize("cursor", ["x", "W10", "WzFd", "WyJhIiwiYiIsImMiLDk5OTk5OTk5OTk5OTk5OTk5OTk5XQ", "é"])
def test_a_made_up_cursor_is_told(api: Api, cursor: str):
    answer = api.get("/v1/findings", api.client_key(), params={"after": cursor})
    assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid")
    assert answer.json()["errors"][0]["pointer"] == "/after"
