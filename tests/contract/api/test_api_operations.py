"""What operators do over real HTTP: failures, replay, cancellation, pause and resume, the audit trail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hocba_hub.api.client import status
from hocba_hub.api.http.bounded import MOST_BYTES
from hocba_hub.api.operator import deliveries as operations
from hocba_hub.api.operator import replays, support
from hocba_hub.api.problems import problem_pages
from hocba_hub.store.access import Role
from hocba_hub.store.engine import Store
from tests.support.acceptance import submit
from tests.support.api_server import Api, running_api
from tests.support.engine import Bench, answered, not_sent

REASON = "the province declared the missing schools"


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'hub.db'}"


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    with running_api(
        store, routers=(status.router, operations.router, replays.router, support.router, problem_pages.router)
    ) as running:
        yield running


@pytest.fixture
def failed(api: Api) -> Bench:
    """Three deliveries to the province are refused with WRONG."""
    bench = Bench(api.store)
    bench.now = api.now
    submit(api.store, *[(card, "1") for card in "abc"], now=api.now, destinations=("province",))
    bench.peer.on_send = answered("WRONG")
    bench.drain(1)
    return bench


def test_failures_are_grouped_and_listed(api: Api, failed: Bench):
    key = api.operator_key(Role.VIEWER)
    moment = datetime.fromtimestamp(failed.now / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert api.get("/v1/operations/failures", key).json() == {
        "deliveries": 3,
        "groups": [
            {
                "destination": "province", "state": "refused", "code": "WRONG", "deliveries": 3,
                "oldest_at": moment, "newest_at": moment,
            }
        ],
    }  # fmt: skip
    first = api.get("/v1/operations/failures/deliveries?limit=2&code=WRONG", key).json()
    rest = api.get(f"/v1/operations/failures/deliveries?limit=2&after={first['next']}", key).json()
    assert [item["card_id"] for item in first["items"] + rest["items"]] == ["a", "b", "c"]
    narrowed = api.get(
        "/v1/operations/failures", key, params={"since": "2030-01-01T07:00:00+07:00", "destination": "province"}
    )
    assert narrowed.json() == {"deliveries": 0, "groups": []}
    assert api.get("/v1/operations/failures?state=parked", key).json()["deliveries"] == 0
    assert api.get("/v1/operations/failures?school=ANOTHER", key).json()["deliveries"] == 0


def test_a_cancellation_ends_without_a_ring(api: Api, failed: Bench):
    submit(api.store, ("d", "1"), now=api.now, destinations=("ministry",))
    asked = {"selection": {"destination": "ministry", "states": ["queued"]}, "reason": REASON}
    done = api.post("/v1/operations/cancel", api.operator_key(), json=asked).json()
    assert (done["deliveries"], api.rung) == (1, [])
    assert failed.states() == {"refused": 3, "cancelled": 1}


@pytest.mark.parametrize(
    ("selection", "code"),
    [
        ({}, "selection.empty"),
        ({"destination": "province", "states": ["refused"]}, "selection.refused"),
        ({"destination": "province", "states": ["in_doubt"]}, "selection.state"),
        ({"destination": "PROVINCE"}, "request.invalid"),
        ({"state": "parked"}, "request.invalid"),
        ({"deliveries": [0]}, "request.invalid"),
        ({"deliveries": [2**63]}, "request.invalid"),
        ({"deliveries": list(range(1, 1002))}, "request.invalid"),
        ({"code": "a\x00b"}, "request.invalid"),
        ({"since": "2026-05-31T10:00:00"}, "request.invalid"),
    ],
)
def test_a_selection_that_is_not_right_is_told(api: Api, selection: dict, code: str):
    for starts in (True, False):
        answer = api.post(
            "/v1/operations/replays",
            api.operator_key(name=f"o{starts}"),
            json={"selection": selection, "reason": REASON, "start": starts},
        )
        assert (answer.status_code, answer.json()["code"]) == (422, code)


@pytest.mark.parametrize("reason", ["", "ok", "a\nb", "x" * 501, None, 5])
def test_an_act_needs_a_reason(api: Api, reason: object):
    key = api.operator_key()
    answer = api.post("/v1/operations/destinations/province/pause", key, json={"reason": reason})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/reason")


def test_a_destination_is_paused_and_resumed(api: Api):
    key = api.operator_key()
    paused = api.post("/v1/operations/destinations/province/pause", key, json={"reason": REASON}).json()
    assert (paused["name"], paused["pause_reason"], paused["title_vi"]) == ("province", REASON, "Tỉnh")
    standing = {d["name"]: d for d in api.get("/v1/operations/destinations", key).json()["destinations"]}
    assert standing["province"] == paused
    assert "paused_at" not in standing["ministry"]
    assert standing["ministry"]["depth"]["queued"] == 0
    assert standing["ministry"]["concurrency"] == 4
    resumed = api.post("/v1/operations/destinations/province/resume", key, json={"reason": REASON}).json()
    assert "paused_at" not in resumed
    assert api.rung == ["province"]
    assert [e["action"] for e in api.get("/v1/operations/audit?limit=1", key).json()["items"]] == ["resume"]
    answer = api.post("/v1/operations/destinations/nowhere/pause", key, json={"reason": REASON})
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_the_audit_trail_comes_page_by_page(api: Api):
    key = api.operator_key()
    for what in ("pause", "resume", "pause"):
        api.post(f"/v1/operations/destinations/province/{what}", key, json={"reason": REASON})
    first = api.get("/v1/operations/audit?limit=2", key).json()
    rest = api.get(f"/v1/operations/audit?limit=2&after={first['next']}", key).json()
    assert [e["action"] for e in first["items"] + rest["items"]] == ["pause", "resume", "pause"]


def test_a_body_without_end_is_read_of_nobody_unknown_and_cut_off_of_everybody(api: Api):
    """Announced or not: the framework would read it whole before it looks at the key."""

    def endless() -> Iterator[bytes]:
        for _ in range(3 * MOST_BYTES // 65_536):
            yield b" " * 65_536

    said = {"Content-Type": "application/json"}
    answer = api.post("/v1/operations/replays", content=endless(), headers=said)
    assert (answer.status_code, answer.json()["code"]) == (401, "access.key-missing")
    key = api.operator_key()
    for body in (endless(), b" " * (MOST_BYTES + 1)):
        answer = api.post("/v1/operations/replays", key, content=body, headers=said)
        assert (answer.status_code, answer.json()["code"]) == (413, "body.too-large")


def test_what_waits_is_listed_and_hurried(api: Api):
    bench = Bench(api.store)
    bench.now = api.now
    submit(api.store, ("a", "1"), now=api.now, destinations=("province",))
    bench.peer.on_send = not_sent
    bench.drain(1)
    viewer = api.operator_key(Role.VIEWER)
    (group,) = api.get("/v1/operations/pending", viewer).json()["groups"]
    assert (group["state"], group["code"], group["deliveries"]) == ("queued", "connection-refused", 1)
    (one,) = api.get("/v1/operations/pending/deliveries?state=queued", viewer).json()["items"]
    assert (one["card_id"], one["next_attempt_at"]) == ("a", group["next_attempt_at"])
    assert api.get("/v1/operations/pending?state=in_doubt", viewer).json()["groups"] == []
    assert api.get("/v1/operations/pending?state=held", viewer).status_code == 422
    asked = {"selection": {"destination": "province"}, "reason": REASON}
    assert api.post("/v1/operations/hurry", viewer, json=asked).status_code == 403
    done = api.post("/v1/operations/hurry", api.operator_key(), json=asked).json()
    assert (done["deliveries"], api.rung) == (1, ["province"])
    assert bench.row("a").next_attempt_at == api.now
    assert api.get("/v1/operations/audit", viewer).json()["items"][0]["action"] == "hurry"
