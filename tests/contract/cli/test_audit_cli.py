"""`hocba-hub audit`, and what the database user needs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from hocba_hub.queue.jobs.audit_anchors import AuditAnchors
from hocba_hub.settings import Settings
from hocba_hub.store import audit
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import audit as table
from tests.support.command_line import Run
from tests.support.jobs import run_once


def written(store: Store) -> None:
    for n in range(3):
        with store.write() as connection:
            audit.write(connection, at=n, actor="os:lan", action="pause", reason=f"r{n}", detail={"long": "x" * 200})


def test_the_trail_is_listed_and_verified(run: Run, store: Store, home: Path, monkeypatch: pytest.MonkeyPatch):
    written(store)
    assert "r2" in run("audit", "list").stdout
    lines = [json.loads(line) for line in run("audit", "list", "--json", "--limit", "2").stdout.splitlines()]
    assert [line["reason"] for line in lines] == ["r2", "r1"]
    whole = run("audit", "verify").stdout
    assert "3 rows, 0 anchors." in whole
    assert "whole" in whole
    run_once(store, "audit-anchors", AuditAnchors(Settings().anchors_path), now=1)
    assert (home / "anchors" / "audit.ndjson").exists()
    assert "3 rows, 1 anchors." in run("audit", "verify", "--since", "1970-01-01").stdout
    with store.write() as connection:
        connection.execute(update(table).where(table.c.seq == 2).values(reason="another"))
    assert "Row 2: it was changed" in run("audit", "verify", code=1).stdout
    with store.write() as connection:
        connection.execute(delete(table).where(table.c.seq == 3))
    monkeypatch.setenv("HOCBA_LANG", "vi")
    found = run("audit", "verify", "--anchors", str(home / "anchors" / "audit.ndjson"), code=1).stdout
    assert "Dòng 3: có mốc đã xuất" in found


def test_grants_are_printed_for_a_role(run: Run):
    statements = run("database", "grants", "hub").stdout
    assert "GRANT SELECT, INSERT ON audit TO hub;" in statements
    assert "UPDATE" not in next(line for line in statements.splitlines() if "ON audit" in line and "GRANT" in line)
    run("database", "grants", "x; y", code=1)
