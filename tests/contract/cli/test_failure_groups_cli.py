"""`hocba-hub failure-groups`, and the same over the API."""

from __future__ import annotations

import pytest

from hocba_hub.api.operator import failure_groups
from hocba_hub.cli.session import now
from hocba_hub.store.access import Role
from hocba_hub.store.engine import Store
from tests.support.acceptance import submit
from tests.support.api_server import running_api
from tests.support.command_line import Run, cells
from tests.support.engine import Bench, answered

REASON = "asked the Ministry's contact"
PATH = "/v1/operations/failure-groups"


@pytest.fixture
def failed(store: Store) -> Bench:
    """Two deliveries refused with WRONG, two unreachable."""
    bench = Bench(store, breaker={"failures": 1000, "open_seconds": 1})
    bench.now = now()
    submit(store, ("a", "1"), ("b", "1"), now=bench.now, destinations=("province",))
    bench.peer.on_send = answered("WRONG")
    bench.drain(0)
    return bench


def test_causes_are_listed_shown_and_changed(run: Run, failed: Bench):
    heads, *_, row = cells(run("failure-groups", "list").stdout)
    assert heads[:5] == ["Group", "Destination", "Stage", "Meaning", "Code"]
    assert row[:5] == ["1", "province", "send", "refused", "WRONG"]
    shown = run("failure-groups", "show", "1").stdout
    for part in ("By the hour", "SCHOOL", "2025-2026/a", "2025-2026/b"):
        assert part in shown
    run("failure-groups", "change", "1", "--state", "watching", "--owner", "lan", "--note", "n1", "--reason", REASON)
    assert "lan" in run("failure-groups", "list", "--state", "watching").stdout
    assert "nothing" in run("failure-groups", "list", "--state", "open").stdout.lower()
    stale = run("failure-groups", "change", "1", "--owner", "x", "--revision", "1", "--reason", REASON, code=1)
    assert "changed the failure group meanwhile" in stale.stderr
    run("failure-groups", "change", "1", "--state", "muted", "--reason", REASON, code=2)
    run("failure-groups", "change", "1", "--until", "2030-01-01", "--reason", REASON, code=2)
    muted = run("failure-groups", "change", "1", "--state", "muted", "--until", "2030-01-01", "--reason", REASON)
    assert "muted until 2030-01-01" in muted.stdout
    for arguments in (("show", "99"), ("change", "99", "--owner", "x", "--reason", REASON)):
        assert "no failure group" in run("failure-groups", *arguments, code=1).stderr


def test_causes_over_the_api(failed: Bench):
    with running_api(failed.store, routers=(failure_groups.router,)) as api:
        viewer, operator = api.operator_key(Role.VIEWER, "v"), api.operator_key(Role.OPERATOR, "o")
        [found] = api.get(PATH, viewer).json()["items"]
        assert (found["code"], found["standing"], found["schools"], found["state"]) == ("WRONG", 2, 1, "open")
        whole = api.get(f"{PATH}/1?days=400", viewer).json()
        assert whole["group"] == found
        assert [one["card_id"] for one in whole["members"]] == ["a", "b"]
        assert (whole["trend"][0]["times"], whole["sources"][0]["school_code"]) == (2, "SCHOOL")
        assert api.get(f"{PATH}?state=resolved&destination=province", viewer).json()["items"] == []
        asked = {"state": "resolved", "reason": REASON, "revision": found["revision"]}
        assert api.post(f"{PATH}/1", viewer, json=asked).status_code == 403
        assert api.post(f"{PATH}/1", operator, json=asked).json()["state"] == "resolved"
        again = api.post(f"{PATH}/1", operator, json=asked)
        assert (again.status_code, again.json()["code"]) == (409, "failure-group.changed")
        for wrong in ({"state": "muted"}, {"muted_until": "2030-01-01T00:00:00Z"}, {"state": "gone"}):
            assert api.post(f"{PATH}/1", operator, json={"reason": REASON, **wrong}).status_code == 422
        assert api.post(f"{PATH}/9", operator, json={"owner": "x", "reason": REASON}).status_code == 404
        assert api.get(f"{PATH}/9", viewer).status_code == 404
        assert api.get(PATH).status_code == 401
        more = api.get(f"{PATH}?limit=1", viewer).json()
        assert "next" not in more
