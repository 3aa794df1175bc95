"""`make demo`'s command: it ends well only if nothing was lost or doubled, and if somebody was killed at work."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console
from sqlalchemy import update

from hocba_hub.cli import demo as demo_module
from hocba_hub.cli.demo import demo
from hocba_hub.sandbox.oracle import Verdict
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import deliveries

pytestmark = pytest.mark.timeout(240)


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


def test_each_fault_by_itself_makes_the_demo_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Nobody was killed at work, a ledger lacks a card, a reconciliation finds a difference: of one demo, in turns."""
    monkeypatch.setattr(demo_module, "kill_while_delivering", lambda *_: True)
    summary = demo_module._summary
    told: dict[str, bool] = {}

    def summaries(stage: demo_module._Stage, console: Console, seconds: float) -> bool:
        told["none"] = summary(stage, console, seconds)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(stage, "killed", [])
            told["Nobody was killed while it held a lease"] = summary(stage, console, seconds)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(demo_module, "examine", lambda *_: Verdict(lost=["2025-2026/x"]))
            told["Something was lost or doubled!"] = summary(stage, console, seconds)
        store = Store(stage.settings.store_url)
        with store.write() as connection:  # the hub thinks that it sent newer versions than the destinations hold
            connection.execute(update(deliveries).values(version=deliveries.c.version + 1))
        store.close()
        told["A destination holds something else"] = summary(stage, console, seconds)
        return told["A destination holds something else"]

    monkeypatch.setattr(demo_module, "_summary", summaries)
    done = CliRunner().invoke(demo, ["--cards", "60", "--schools", "3", "--home", str(tmp_path / "demo")])
    assert [told.pop("none"), *told.values()] == [True, False, False, False], done.output
    assert [done.output.count(fault) for fault in told] == [1, 1, 1]
    assert done.output.count("Nothing lost, nothing doubled") == 3
    assert done.exit_code == 1
