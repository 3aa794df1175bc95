"""`hocba-hub codes lists`, and the same over the API."""

from __future__ import annotations

import time

from hocba_hub.cli.session import now
from hocba_hub.store import code_lists
from hocba_hub.store.access import Role
from hocba_hub.store.code_lists import Target
from hocba_hub.store.engine import Store
from tests.support.api_server import running_api
from tests.support.command_line import Run, cells

TARGET = Target("ethnic-groups", "qd121", "name")


def fetched(store: Store, version: str, *items: tuple[str, str]) -> int:
    counts = {"added": len(items), "renamed": 0, "ended": 0}
    with store.write() as connection:
        return code_lists.add(
            connection, "ministry", "DANTOC", TARGET, version=version, items=items, counts=counts, now=now()
        ).id


def test_a_draft_is_shown_activated_or_put_aside(run: Run, store: Store):
    first = str(fetched(store, "2", ("77", "Nhóm mới")))
    shown = run("codes", "lists", "show", first).stdout
    assert ["added", "77", "Nhóm mới"] in cells(shown)
    assert "0 unmapped codes become known" in shown
    assert any(row[0] == "ended" for row in cells(shown))  # all others would end
    assert "It counts" in run("codes", "lists", "activate", first, "--reason", "their letter").stdout
    assert "Only a draft" in run("codes", "lists", "activate", first, "--reason", "again", code=1).output
    second = str(fetched(store, "3", ("78", "Nhóm khác")))
    assert "put aside" in run("codes", "lists", "discard", second, "--reason", "a mistake").stdout
    assert [row[0] for row in cells(run("codes", "lists", "list").stdout)[2:]] == [second, first]
    for act in ("show", "activate", "discard"):
        reason = () if act == "show" else ("--reason", "why")
        assert "no version" in run("codes", "lists", act, "99", *reason, code=1).output


def test_the_same_over_the_api(store: Store):
    with running_api(store) as api:
        api.now = time.time_ns() // 1_000_000
        list_id = fetched(store, "2", ("77", "Nhóm mới"))
        viewer, admin = api.operator_key(Role.VIEWER), api.operator_key(Role.ADMINISTRATOR)
        path = f"/v1/operations/code-lists/{list_id}"
        detail = api.get(path, viewer).json()
        assert (detail["added"], detail["state"]) == ([{"code": "77", "name": "Nhóm mới"}], "draft")
        why = {"reason": "their letter"}
        assert api.post(f"{path}/activate", api.operator_key(), json=why).json()["code"] == "access.role-too-low"
        assert api.post(f"{path}/activate", admin, json=why).json()["state"] == "active"
        assert api.post(f"{path}/discard", admin, json=why).json()["code"] == "code-list.not-draft"
        assert [one["id"] for one in api.get("/v1/operations/code-lists", viewer).json()["items"]] == [list_id]
        for missing in (api.get(f"{path}9", viewer), api.post(f"{path}9/activate", admin, json=why)):
            assert missing.status_code == 404
