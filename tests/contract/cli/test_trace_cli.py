"""`hocba-hub trace`, and the same over the API."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from hocba_hub.api.operator import story
from hocba_hub.cli.session import now
from hocba_hub.store import audit
from hocba_hub.store.access import Role
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import operators
from tests.support.acceptance import submit
from tests.support.api_server import running_api
from tests.support.command_line import Run
from tests.support.engine import Bench, answered


@pytest.fixture
def bench(store: Store) -> Bench:
    bench = Bench(store)
    bench.now = now()
    submit(store, ("a", "1"), ("b", "1"), now=bench.now, destinations=("province",))
    bench.peer.on_send = answered("WRONG")
    bench.drain(0)
    return bench


@pytest.mark.usefixtures("bench")
def test_a_card_is_traced(run: Run, monkeypatch: pytest.MonkeyPatch):
    output = run("trace", "a").stdout
    for part in ("Card 2025-2026/a of school SCHOOL, version 1.", "received", "called", "WRONG", "meaning refused"):
        assert part in output
    whole = json.loads(run("trace", "2025-2026/a/1", "--json").stdout)
    assert [one["kind"] for one in whole["events"]] == ["received", "called"]
    assert whole["standing"] == {"province": "refused"}
    several = run("trace", "SCHOOL").stdout
    assert "2 cards match" in several
    assert "2025-2026/b" in several
    assert "No card was found" in run("trace", "nobody", code=1).stderr
    monkeypatch.setenv("HOCBA_LANG", "vi")
    assert "gọi nơi nhận" in run("trace", "a").stdout


def test_the_same_over_the_api(bench: Bench):
    with running_api(bench.store, routers=(story.router,)) as api:
        viewer = api.operator_key(Role.VIEWER)
        found = api.get("/v1/operations/trace", viewer, params={"key": "a"}).json()
        assert found["cards"] == [{"school_year": "2025-2026", "card_id": "a"}]
        assert [one["kind"] for one in found["story"]["events"]] == ["received", "called"]
        several = api.get("/v1/operations/trace", viewer, params={"key": "SCHOOL"}).json()
        assert (len(several["cards"]), "story" in several) == (2, False)
        assert api.get("/v1/operations/trace", viewer, params={"key": "nobody"}).status_code == 404
        assert api.get("/v1/operations/trace", viewer, params={"key": "a\nb"}).status_code == 422
        assert api.get("/v1/operations/trace", params={"key": "a"}).status_code == 401
        assert api.get("/v1/operations/trace", api.client_key(), params={"key": "a"}).status_code == 403


def test_who_may_see_bodies_is_said_by_hand_and_in_the_trail(run: Run, store: Store):
    run("operators", "add", "lan", "--role", "approver")
    run("operators", "add", "minh", "--role", "operator", "--sees-bodies")
    assert "may see" in run("operators", "bodies", "lan", "--allow").stdout
    assert "no longer" in run("operators", "bodies", "minh", "--deny").stdout
    with store.read() as connection:
        rows = connection.execute(select(operators.c.name, operators.c.sees_bodies).order_by(operators.c.name)).all()
        actions = [entry.action for entry in audit.entries(connection)]
    assert [tuple(row) for row in rows] == [("lan", True), ("minh", False)]
    assert actions.count("operator.bodies") == 2
    run("operators", "bodies", "nobody", "--allow", code=1)


def test_for_which_part_of_the_province_an_operator_is(run: Run, store: Store):
    run("operators", "add", "lan", "--role", "operator", "--commune", "11953", "--school", "33-TH-0001")
    run("operators", "add", "minh", "--role", "viewer")
    assert "minh is for: 12391." in run("operators", "scope", "minh", "--commune", "12391").stdout
    with store.read() as connection:
        kept = dict(connection.execute(select(operators.c.name, operators.c.scope)).all())
    assert kept == {
        "lan": {"communes": ["11953"], "schools": ["33-TH-0001"]}, "minh": {"communes": ["12391"], "schools": []},
    }  # fmt: skip
    assert "the whole province" in run("operators", "scope", "lan").stdout
    with store.read() as connection:
        assert dict(connection.execute(select(operators.c.name, operators.c.scope)).all())["lan"] is None
        assert [entry.action for entry in audit.entries(connection)].count("operator.scope") == 2
    run("operators", "scope", "nobody", code=1)
