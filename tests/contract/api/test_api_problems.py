"""Every error over real HTTP is a problem document: which one, in which language, and what it does not tell."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter
from starlette.exceptions import HTTPException

from hocba_hub.api.client import report_cards as intake
from hocba_hub.api.client import status
from hocba_hub.api.operator import deliveries as operations
from hocba_hub.api.operator import replays, support
from hocba_hub.api.problems import problem_pages
from hocba_hub.api.problems.problem_kinds import KINDS
from hocba_hub.store.engine import Store, StoreAwayError, StoreFullError
from tests.support.api_server import Api, running_api

router = APIRouter(tags=["faults"])
FAULTS = {
    "full": StoreFullError("The store's disk is full."),
    "away": StoreAwayError("The store does not answer."),
    "unforeseen": ValueError("Nguyễn Văn A, 033212345678"),
    "teapot": HTTPException(418, "short and stout"),
}


@router.get("/fault/{name}")
def fault(name: str) -> None:
    raise FAULTS[name]


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'hub.db'}"


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    of_operators = (operations.router, replays.router, support.router)
    routers = (intake.router, status.router, *of_operators, problem_pages.router, router)
    with running_api(store, routers=routers) as running:
        yield running


def problem(answer) -> dict:
    """The problem, its form checked."""
    found = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert found["status"] == answer.status_code == KINDS[found["code"]].status
    assert found["type"] == f"/problems/{found['code']}"
    assert len(found["trace_id"]) == 32
    assert found["title_vi"] != found["title_en"]
    return found


def test_what_the_framework_refuses_is_a_problem_too(api: Api):
    key = api.operator_key()
    assert problem(api.get("/nowhere"))["code"] == "path-unknown"
    assert problem(api.get("/v1/findings/"))["code"] == "path-unknown"
    answer = api.call("DELETE", "/v1/findings")
    assert (problem(answer)["code"], answer.headers["allow"]) == ("method-not-allowed", "GET")
    assert problem(api.get("/fault/teapot"))["code"] == "request.malformed"
    broken = {"content": b'{"reason": ', "headers": {"Content-Type": "application/json"}}
    assert problem(api.post("/v1/operations/replays", key, **broken))["code"] == "body.not-json"
    not_text = {"content": b'{"reason": "\xff"}', "headers": {"Content-Type": "application/json"}}
    assert problem(api.post("/v1/operations/replays", key, **not_text))["code"] == "request.malformed"
    as_text = {"content": b"{}", "headers": {"Content-Type": "text/plain"}}
    assert problem(api.post("/v1/operations/replays", key, **as_text))["code"] == "request.invalid"


def test_the_language_is_the_callers_and_both_titles_are_always_there(api: Api):
    kind = KINDS["path-unknown"]
    for wanted, language in (
        ("vi", "vi"),
        ("vi-VN,vi;q=0.9,en;q=0.5", "vi"),
        ("en-GB, vi;q=0.8", "en"),
        ("fr, vi;q=0.2, en;q=0.1", "vi"),
        ("fr", "en"),
        ("vi;q=0", "en"),
        ("*", "en"),
        ("", "en"),
    ):
        answer = api.get("/nowhere", headers={"Accept-Language": wanted})
        found = problem(answer)
        assert answer.headers["content-language"] == language
        assert found["title"] == (kind.title_vi if language == "vi" else kind.title_en)
        assert found["detail"] == (kind.detail_vi if language == "vi" else kind.detail_en)
        assert (found["title_vi"], found["title_en"]) == (kind.title_vi, kind.title_en)


def test_the_trace_is_the_callers_or_a_new_one(api: Api):
    trace = "0af7651916cd43dd8448eb211c80319c"
    right = f"00-{trace}-b7ad6b7169203331-01"
    assert problem(api.get("/nowhere", headers={"traceparent": right}))["trace_id"] == trace
    for wrong in ("", "x", right[:-1], f"ff-{trace}-b7ad6b7169203331-01", f"00-{'0' * 32}-b7ad6b7169203331-01"):
        assert problem(api.get("/nowhere", headers={"traceparent": wrong}))["trace_id"] != trace


def test_a_problem_says_where_it_happened_without_the_query(api: Api):
    assert problem(api.get("/không có/đây?name=secret"))["instance"] == "/kh%C3%B4ng%20c%C3%B3/%C4%91%C3%A2y"


def test_a_full_or_absent_store_asks_to_wait(api: Api):
    for name, code in (("full", "hub.store-full"), ("away", "hub.store-away")):
        answer = api.get(f"/fault/{name}")
        assert (problem(answer)["code"], answer.status_code) == (code, 503)
        assert int(answer.headers["retry-after"]) > 0


def test_an_unforeseen_fault_tells_its_trace_and_nothing_else(api: Api, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.ERROR):
        answer = api.get("/fault/unforeseen")
    found = problem(answer)
    assert (found["code"], answer.status_code) == ("hub.fault", 500)
    assert "Nguyễn" not in answer.text
    assert "0332" not in answer.text
    [line] = [record for record in caplog.records if getattr(record, "trace_id", "") == found["trace_id"]]
    assert line.exc_info is not None
    assert "Nguyễn" not in line.getMessage()


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("atomic=perhaps", {"/atomic": "request.bool_parsing"}),
        ("profile=Of+Ours", {"/profile": "request.string_pattern_mismatch"}),
        (
            "reinstate=&profile=a!",
            {"/reinstate": "request.bool_parsing", "/profile": "request.string_pattern_mismatch"},
        ),
    ],
)
def test_a_submission_and_its_trial_take_the_same_options(api: Api, query: str, wrong: dict[str, str]):
    key = api.client_key("*")
    for path in ("/v1/report-cards", "/v1/report-cards/validate"):
        found = problem(api.post(f"{path}?{query}", key, content=b"[1]"))
        assert found["code"] == "request.invalid"
        assert {error["pointer"]: error["code"] for error in found["errors"]} == wrong
        assert {error["in"] for error in found["errors"]} == {"query"}
    assert problem(api.post(f"/v1/report-cards?{query}", content=b"[1]"))["code"] == "access.key-missing"


def test_what_is_wrong_with_a_call_stands_place_by_place_without_the_values(api: Api):
    key = api.operator_key()
    body = {"selection": {"destination": "Bí Mật", "states": ["lost"], "extra": 1}, "reason": "x", "start": "maybe"}
    answer = api.post("/v1/operations/replays", key, json=body)
    errors = {error["pointer"]: error for error in problem(answer)["errors"]}
    assert {pointer: error["code"] for pointer, error in errors.items()} == {
        "/selection/destination": "request.string_pattern_mismatch",
        "/selection/states/0": "request.enum",
        "/selection/extra": "request.extra_forbidden",
        "/reason": "request.string_too_short",
        "/start": "request.bool_type",
    }
    assert {error["in"] for error in errors.values()} == {"body"}
    assert all(error["message_vi"] != error["message_en"] for error in errors.values())
    assert "parked" in errors["/selection/states/0"]["expected"]
    assert errors["/reason"]["expected"] == "3"
    assert "Bí Mật" not in json.dumps(answer.json(), ensure_ascii=False)
    [error] = problem(api.get("/v1/operations/audit?limit=0", key))["errors"]
    assert (error["in"], error["pointer"], error["code"], error["expected"]) == (
        "query", "/limit", "request.greater_than_equal", "1",
    )  # fmt: skip


def test_every_kind_of_problem_has_its_page(api: Api):
    listed = api.get("/problems").json()
    assert [each["code"] for each in listed] == list(KINDS)
    for each in listed:
        assert api.get(each["type"]).json() == each
        page = api.get(each["type"], headers={"Accept": "text/html,*/*"})
        assert page.headers["content-type"].startswith("text/html")
        assert KINDS[each["code"]].title_vi in page.text
    assert problem(api.get("/problems/no-such-kind"))["code"] == "not-found"
