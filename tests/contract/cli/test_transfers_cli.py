"""`hocba-hub transfers`, as an operator types it."""

from __future__ import annotations

from hocba_hub.cli.session import now
from hocba_hub.store.engine import Store
from tests.support.acceptance import submit
from tests.support.command_line import Run, cells


def test_the_right_to_correct_is_passed_on(run: Run, store: Store):
    submit(store, ("a", "1"), ("b", "1"), now=now())
    made = run("transfers", "add", "2025-2026/a", "2025-2026/b", "--to", "S2", "--reason", "moved")
    assert len([row for row in cells(made.stdout) if row[2:4] == ["SCHOOL", "S2"]]) == 2
    assert "2025-2026/a" in run("transfers", "list", "--school", "S2").stdout
    assert "nothing" in run("transfers", "list", "--school", "S9").stdout
    unknown = run("transfers", "add", "2025-2026/a", "2025-2026/zz", "--to", "S3", "--reason", "moved", code=1)
    assert "2025-2026/zz. Nothing was decided" in unknown.output
    assert "write SCHOOL_YEAR/CARD_ID" in run("transfers", "add", "a", "--to", "S3", "--reason", "moved", code=2).output
