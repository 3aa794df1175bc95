"""`make demo`'s command: it ends well only if nothing was lost or doubled, and if somebody was killed at work."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from hocba_hub.cli import demo as demo_module
from hocba_hub.cli.demo import demo
from hocba_hub.sandbox.oracle import Verdict
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import deliveries

pytestmark = pytest.mark.timeout(240)
SMALL = ("--cards", "60", "--schools", "3")


def row(out: str, name: str) -> list[str]:
    """What a table says in the row of this name, a column for each destination."""
    (line,) = [line for line in out.splitlines() if name in line and "│" in line]
    return [cell.strip() for cell in line.split("│")[2:-1]]


def test_the_demo_kills_a_worker_at_work_and_shows_that_nothing_was_lost(tmp_path: Path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOCBA_")}
    command = [sys.executable, "-m", "hocba_hub", "demo", "--cards", "1200", "--home", str(tmp_path / "demo")]
    done = subprocess.run(
        command, env=environment | {"COLUMNS": "120"}, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"killed on the way: worker-\d", done.stdout)
    accepted = int(row(done.stdout, "accepted / ")[0])
    assert accepted + int(row(done.stdout, "rejected / ")[0]) == 1200
    held, refused = row(done.stdout, "acknowledged / "), row(done.stdout, "refused by code / ")
    assert [int(a) + int(b) for a, b in zip(held, refused, strict=True)] == [accepted, accepted]
    assert row(done.stdout, "lost / ") == row(done.stdout, "doubled / ") == ["0", "0"]
    assert row(done.stdout, "cards compared / ") == [str(accepted)] * 2
    equal, refused = row(done.stdout, "equal / "), row(done.stdout, "refused there / ")
    assert [int(a) + int(b) for a, b in zip(equal, refused, strict=True)] == [accepted, accepted]
    assert row(done.stdout, "different / ") == ["0", "0"]


def test_a_demo_that_could_kill_nobody_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hocba_hub.cli.demo.kill_while_delivering", lambda *_: False)
    done = CliRunner().invoke(demo, [*SMALL, "--home", str(tmp_path / "demo")])
    assert done.exit_code == 1, done.output
    assert "Nobody was killed while it held a lease" in done.output
    assert "Nothing lost, nothing doubled" in done.output


def test_a_demo_fails_if_a_ledger_lacks_a_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hocba_hub.cli.demo.kill_while_delivering", lambda *_: True)
    monkeypatch.setattr("hocba_hub.cli.demo.examine", lambda *_: Verdict(lost=["2025-2026/x"]))
    done = CliRunner().invoke(demo, [*SMALL, "--home", str(tmp_path / "demo")])
    assert done.exit_code == 1, done.output
    assert "Something was lost or doubled!" in done.output


def test_a_demo_fails_if_a_reconciliation_finds_a_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hocba_hub.cli.demo.kill_while_delivering", lambda *_: True)
    settled = demo_module._is_settled

    def settled_then_changed(store: Store) -> bool:
        """The hub is made to think that it sent newer versions than the destinations hold."""
        if not settled(store):
            return False
        with store.write() as connection:
            connection.execute(update(deliveries).values(version=deliveries.c.version + 1))
        return True

    monkeypatch.setattr("hocba_hub.cli.demo._is_settled", settled_then_changed)
    done = CliRunner().invoke(demo, [*SMALL, "--home", str(tmp_path / "demo")])
    assert done.exit_code == 1, done.output
    assert "A destination holds something else" in done.output
    assert "Nothing lost, nothing doubled" in done.output
