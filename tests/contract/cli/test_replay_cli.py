"""`hocba-hub replay`, and the same over the API."""

from __future__ import annotations

import getpass
import json

import httpx
import pytest

from hocba_hub.api.operator import replays as router
from hocba_hub.cli.session import now
from hocba_hub.model.replays import ReplayState
from hocba_hub.queue.jobs.replay import Replaying
from hocba_hub.store import audit, replays
from hocba_hub.store.access import Role
from hocba_hub.store.engine import Store
from tests.support.acceptance import submit
from tests.support.api_server import running_api
from tests.support.command_line import Run, cells
from tests.support.engine import PROVINCE, Bench, answered
from tests.support.jobs import job_worker

REASON = "the province declared the schools"
PATH = "/v1/operations/replays"


@pytest.fixture
def failed(store: Store) -> Bench:
    """Three deliveries refused with WRONG."""
    bench = Bench(store)
    bench.now = now()
    submit(store, ("a", "1"), ("b", "1"), ("c", "1"), now=bench.now, destinations=("province",))
    bench.peer.on_send = answered("WRONG")
    bench.drain(0)
    return bench


def freeze(run: Run, *arguments: str, **more: object) -> str:
    return run("replay", "freeze", "--code", "WRONG", "--reason", REASON, *arguments, **more).stdout  # type: ignore[arg-type]


def go_on(bench: Bench, replay_id: int, code: str = "OK") -> None:
    """The job of a replay and its deliveries, as far as they go."""
    work = Replaying({PROVINCE: bench.destination}, lambda _: None, pace_seconds=0, patience=0)
    for _ in range(4):
        bench.now += 100_000
        job_worker(bench.store, {}, {"replay": work}, clock=lambda: bench.now).run(f"replay:{replay_id}")
        bench.peer.on_send = answered(code)
        bench.drain(0)


def test_what_is_frozen_is_told_exactly_and_nothing_goes_out(run: Run, failed: Bench):
    output = freeze(run)
    assert "Replay 1 has claimed" in output
    assert cells(output)[-2:] == [["province", "refused", "WRONG", "3"], ["Total", "3"]]
    assert failed.states() == {"refused": 3}
    with failed.store.read() as c:
        [entry] = audit.entries(c)
    assert (entry.actor, entry.reason, entry.action) == (f"os:{getpass.getuser()}", REASON, "freeze-replay")
    again = run("replay", "freeze", "--code", "WRONG", "--reason", REASON, code=1)
    assert "claimed all that was selected" in again.stderr
    assert f"replay: 1, by: os:{getpass.getuser()}" in again.stderr


def test_it_is_shown_tried_on_paper_started_watched_and_listed(run: Run, failed: Bench):
    freeze(run, "--canary", "1,2")
    assert cells(run("replay", "list").stdout)[-1][:4] == ["1", "frozen", "3", "0"]
    dry = run("replay", "dry-run", "1").stdout
    assert "2025-2026/a" in dry
    lines = [json.loads(line) for line in run("replay", "dry-run", "1", "--ndjson").stdout.splitlines()]
    assert [line["card_id"] for line in lines] == ["a", "b", "c"]
    assert {line["becomes"] for line in lines} == {"held"}, "what tests put in no mapping reads"
    run("replay", "start", "1", "--reason", REASON)
    assert "running" in run("replay", "list", "--open").stdout
    go_on(failed, 1)
    watched = run("replay", "watch", "1").stdout
    assert "done: acknowledged 3" in watched
    assert cells(watched)[-1] == ["Total", "3"]
    shown = run("replay", "show", "1").stdout
    assert cells(shown)[-2:] == [["acknowledged", "3"], ["Total", "3"]]
    assert "2025-2026/b" in run("replay", "show", "1", "--list").stdout
    assert "nothing" in run("replay", "show", "1", "--outcome", "failed").stdout.lower()


def test_it_is_started_at_once_paused_resumed_and_cancelled(run: Run, failed: Bench):
    assert "Replay 1 has begun" in freeze(run, "--start", "--canary", "none", "--rate", "5", "--most-failed", "0.5")
    assert "paused" in run("replay", "pause", "1", "--reason", REASON).stdout
    again = run("replay", "pause", "1", "--reason", REASON, code=1)
    assert "state: paused" in again.stderr
    assert "running" in run("replay", "resume", "1", "--reason", REASON).stdout
    assert "cancelled" in run("replay", "cancel", "1", "--reason", REASON).stdout
    assert failed.states() == {"refused": 3}
    for act in ("start", "show", "watch", "dry-run"):
        arguments = ("--reason", REASON) if act == "start" else ()
        assert "no replay of this id" in run("replay", act, "99", *arguments, code=1).stderr


def test_one_that_stopped_by_itself_says_why(run: Run, failed: Bench):
    freeze(run, "--start", "--group", "1")
    go_on(failed, 1, "WRONG")
    assert "stopped (same-cause, Group 1)" in run("replay", "show", "1").stdout
    assert "stopped (same-cause, Group 1): failed again WRONG 1" in run("replay", "watch", "1").stdout


def test_what_is_left_out_is_told(run: Run, failed: Bench):
    run("replay", "freeze", "--delivery", "1", "--reason", REASON)
    output = freeze(run)
    assert "1 left out: replay 1 of os:" in output
    cancelled = run("replay", "cancel", "2", "--reason", REASON)
    assert "cancelled" in cancelled.stdout
    ids = run("replay", "freeze", "--delivery", "2", "--delivery", "998", "--reason", REASON).stdout
    assert "1 ids are not there" in ids


def test_what_is_not_right_is_told(run: Run, failed: Bench):
    assert "one condition at least" in run("replay", "freeze", "--reason", REASON, code=1).stderr
    refused = ("--destination", "province", "--state", "refused")
    assert "name the code" in run("replay", "freeze", *refused, "--reason", REASON, code=1).stderr
    assert "3 to 500" in run("replay", "freeze", "--code", "WRONG", "--reason", "x", code=2).stderr
    assert "as 1,10,100" in run("replay", "freeze", "--code", "X", "--canary", "0,x", "--reason", REASON, code=2).stderr
    both = ("--code", "WRONG", "--reconciliation", "province")
    assert "not both" in run("replay", "freeze", *both, "--reason", REASON, code=2).stderr
    assert "No delivery matches" in run("replay", "freeze", "--code", "ANOTHER", "--reason", REASON, code=1).stderr
    run("replay", "freeze", "--reconciliation", "province", "--reason", REASON, code=1)
    assert failed.states() == {"refused": 3}


def test_on_a_terminal_it_asks_before_it_begins(run: Run, failed: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hocba_hub.cli.replay.is_asked", lambda: True)
    freeze(run, "--start", typed="n\n", code=1)
    with failed.store.read() as c:
        assert replays.find(c, 1).state is ReplayState.FROZEN  # type: ignore[union-attr]
    run("replay", "cancel", "1", "--reason", REASON)
    freeze(run, "--start", typed="y\n")
    with failed.store.read() as c:
        assert replays.find(c, 2).state is ReplayState.RUNNING  # type: ignore[union-attr]


def test_in_vietnamese(run: Run, failed: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOCBA_LANG", "vi")
    assert "Lần gửi lại số 1 đã giữ" in freeze(run)
    assert "đã chọn" in run("replay", "list").stdout
    assert "Nêu ít nhất một điều kiện" in run("replay", "freeze", "--reason", "đã khai báo", code=1).stderr


def test_the_same_over_the_api(failed: Bench):
    with running_api(failed.store, routers=(router.router,)) as api:
        api.now = failed.now
        viewer, operator = api.operator_key(Role.VIEWER, "v"), api.operator_key(Role.OPERATOR, "lan")
        other = api.operator_key(Role.OPERATOR, "minh")
        asked = {"selection": {"code": "WRONG"}, "reason": REASON}
        assert api.post(PATH, viewer, json=asked).status_code == 403
        frozen = api.post(PATH, operator, json=asked)
        assert frozen.status_code == 201
        told = frozen.json()
        assert told["selected"] == [{"destination": "province", "state": "refused", "code": "WRONG", "deliveries": 3}]
        assert (told["replay"]["state"], told["replay"]["records"], told["held"]) == ("frozen", 3, [])
        one = told["replay"]["id"]
        claimed = api.post(PATH, other, json=asked)
        assert (claimed.status_code, claimed.json()["code"]) == (409, "replay.claimed")
        assert (claimed.json()["replay"], claimed.json()["by"]) == (one, "operator:lan")
        dry = api.get(f"{PATH}/{one}/dry-run?limit=2", viewer).json()
        rest = api.get(f"{PATH}/{one}/dry-run?limit=2&after={dry['next']}", viewer).json()
        assert [each["card_id"] for each in dry["items"] + rest["items"]] == ["a", "b", "c"]
        lines = api.get(f"{PATH}/{one}/dry-run.ndjson", viewer)
        assert lines.headers["content-type"].startswith("application/x-ndjson")
        assert [json.loads(line)["card_id"] for line in lines.text.splitlines()] == ["a", "b", "c"]
        for act in ("pause", "resume"):
            wrong: httpx.Response = api.post(f"{PATH}/{one}/{act}", operator, json={"reason": REASON})
            assert (wrong.status_code, wrong.json()["code"], wrong.json()["state"]) == (409, "replay.state", "frozen")
        for act in ("start", "pause", "resume", "cancel"):
            assert api.post(f"{PATH}/{one}/{act}", viewer, json={"reason": REASON}).status_code == 403
            assert api.post(f"{PATH}/99/{act}", operator, json={"reason": REASON}).status_code == 404
        assert api.post(f"{PATH}/{one}/start", operator, json={"reason": REASON}).json()["state"] == "running"
        go_on(failed, one)
        done = api.get(f"{PATH}/{one}", viewer).json()
        assert (done["state"], done["counts"]) == ("done", [{"outcome": "acknowledged", "code": "", "records": 3}])
        items = api.get(f"{PATH}/{one}/items?outcome=acknowledged&limit=2", viewer).json()
        assert [each["card_id"] for each in items["items"]] == ["a", "b"]
        assert api.get(f"{PATH}?open=true", viewer).json()["items"] == []
        assert [each["id"] for each in api.get(PATH, viewer).json()["items"]] == [one]
        for wrong_body in (
            {"reason": REASON}, {**asked, "reconciliation": {"destination": "province", "kinds": ["missing"]}},
            {**asked, "canary": [0]}, {**asked, "most_failed": 2}, {**asked, "meaning": "x"},
        ):  # fmt: skip
            assert api.post(PATH, operator, json=wrong_body).status_code == 422
        missing = {"reason": REASON, "reconciliation": {"destination": "province", "kinds": ["missing"]}}
        assert api.post(PATH, operator, json=missing).status_code == 404
        assert api.post(PATH, operator, json=asked).json()["code"] == "replay.empty"
        for path in (f"{PATH}/99", f"{PATH}/99/items", f"{PATH}/99/dry-run", f"{PATH}/99/dry-run.ndjson"):
            assert api.get(path, viewer).status_code == 404
