"""`hocba-hub locks` and `windows`, as an operator types them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hocba_hub.cli import locks as command
from hocba_hub.store.engine import Store
from tests.support.command_line import Run, cells
from tests.support.rig import PACKAGED


def test_data_are_locked_and_unlocked_by_two_people(run: Run, store: Store, monkeypatch: pytest.MonkeyPatch):
    added = run("locks", "add", "--school", "S1", "--year", "2025-2026", "--grade", "5", "--reason", "complete")
    [row] = [row for row in cells(added.stdout) if "S1" in row]
    assert row[1:4] == ["S1", "2025-2026", "5"]
    again = run("locks", "add", "--school", "S1", "--year", "2025-2026", "--grade", "5", "--reason", "again", code=1)
    assert "is in force" in again.output
    assert "all" in run("locks", "add", "--school", "*", "--year", "2024-2025", "--reason", "complete").stdout
    assert "Another person has to run this" in run("locks", "unlock", row[0], "--reason", "a wrong mark").stdout
    assert "another operator has to" in run("locks", "unlock", row[0], "--reason", "a wrong mark", code=1).output
    monkeypatch.setattr(command, "actor", lambda: "os:minh")
    assert "Unlocked" in run("locks", "unlock", row[0], "--reason", "I saw it").stdout
    assert "S1" not in run("locks", "list", "--year", "2025-2026").stdout
    assert "ended by os:minh" in run("locks", "list", "--school", "S1", "--ended").stdout
    assert "no lock" in run("locks", "unlock", "99", "--reason", "why", code=1).output


def test_windows_are_shown(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert "nothing" in run("windows").stdout
    folder = tmp_path / "destinations"
    folder.mkdir()
    text = (PACKAGED / "province.yaml").read_text(encoding="utf-8")
    text += 'windows: [{opens: "05-15", closes: "07-10", levels: [primary]}]\n'
    text += 'maintenance: [{cron: "0 0 * * *", hours: 24}]\n'
    (folder / "province.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("HOCBA_DESTINATIONS_DIR", str(folder))
    file = tmp_path / "windows.yaml"
    file.write_text(
        'late: refuse\nwindows: [{closes: "06-30"}, {closes: "08-15", school_years: [2024-2025]}]', encoding="utf-8"
    )
    monkeypatch.setenv("HOCBA_WINDOWS_FILE", str(file))
    shown = run("windows").stdout
    rows = cells(shown)
    assert ["schools to the hub", "all", "2024-2025", "08-15", "new cards are refused"] in rows
    assert ["province", "primary", "all", "05-15", "07-10", "waits for the next one"] in rows
    assert "province is being maintained until" in shown
    file.write_text("late: perhaps", encoding="utf-8")
    assert "late: Input should be" in run("windows", code=1).output


def test_a_destination_that_is_maintained_says_so(
    run: Run, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    text = (PACKAGED / "province.yaml").read_text(encoding="utf-8") + 'maintenance: [{cron: "0 0 * * *", hours: 24}]\n'
    (tmp_path / "province.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("HOCBA_DESTINATIONS_DIR", str(tmp_path))
    assert "being maintained until" in run("destinations", "list").stdout
