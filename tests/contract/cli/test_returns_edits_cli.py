"""`hocba-hub returns` and `hocba-hub edits`."""

from __future__ import annotations

import orjson
import pytest

from hocba_hub.bootstrap import intake
from hocba_hub.cli.session import now
from hocba_hub.intake.editing import Editing
from hocba_hub.intake.source import SentRecord
from hocba_hub.model.ids import uuid7
from hocba_hub.settings import Settings
from hocba_hub.store.accept import accept
from hocba_hub.store.access import Client
from hocba_hub.store.decide import Portion, Submission
from hocba_hub.store.engine import Store
from tests.support.acceptance import COMPARISON, submit
from tests.support.command_line import Run, cells
from tests.support.engine import Bench, answered
from tests.support.soap_calls import cards

REASON = ("--reason", "only the school can mend it")
NOTE = "Kiểm tra lại mã học sinh, sửa rồi gửi lại."


@pytest.fixture
def failed(store: Store) -> Bench:
    bench = Bench(store)
    bench.now = now()
    submit(store, ("a", "1"), ("b", "1"), now=bench.now, destinations=("province",))
    bench.peer.on_send = answered("WRONG")
    bench.drain(0)
    return bench


def test_cards_are_returned_and_listed(run: Run, failed: Bench, monkeypatch: pytest.MonkeyPatch):
    chosen = ("returns", "add", "--group", "1", "--note", NOTE)
    assert cells(run(*chosen, "--dry-run").stdout)[-1] == ["Total", "2"]
    assert "Returned" in run(*chosen, *REASON).stdout
    assert "2 left alone: returned before" in run(*chosen, *REASON).stdout
    listed = run("returns", "list", "--open").stdout
    assert NOTE in listed
    assert "waits for the school" in listed
    submit(failed.store, ("a", "2"), now=failed.now, destinations=("province",))
    assert "has a newer version" in run("returns", "list", "--school", "SCHOOL").stdout
    assert "10 to 500" in run("returns", "add", "--group", "1", "--note", "ngắn", *REASON, code=2).stderr
    assert "one condition at least" in run("returns", "add", "--note", NOTE, *REASON, code=1).stderr
    monkeypatch.setattr("hocba_hub.cli.session.is_asked", lambda: True)
    refused = run("returns", "add", "--code", "WRONG", "--note", NOTE, *REASON, typed="n\n", code=1)
    assert "Would be returned" in refused.stdout


def test_edits_are_proposed_shown_approved_and_rejected(run: Run, store: Store):
    body = cards(1)[0]
    card = orjson.loads(body)
    parts = intake(Settings(), store)
    received = parts.checker.check(0, SentRecord(body, "application/json"), parts.mappings.newest())
    portion = Portion(Submission(uuid7(), Client(1, "vendor", None), now(), "application/json"), [received], size=1)
    with store.write() as connection:
        accept(connection, [portion], ["province"], COMPARISON, now())
    record = f"{card['school_year']}/{card['card_id']}"
    chosen = ("edits", "propose", record, "--version", "1", "--set", "issue/place=Phố Hiến")
    proposed = run(*chosen, *REASON).stdout
    assert "Phố Hiến" in proposed
    assert "proposed" in run("edits", "list", "--open").stdout
    assert "does not approve it" in run("edits", "approve", "1", *REASON, code=1).stderr
    assert card["issue"]["place"] in run("edits", "show", "1").stdout
    assert "rejected" in run("edits", "reject", "1", *REASON).stdout
    run(*chosen, *REASON)
    made = Editing(parts, needs_second=True).approve(2, "os:another", "seen", now())
    assert made is not None
    assert made.made_version == 2
    assert "made" in run("edits", "list").stdout
    stale = run(*chosen, *REASON, code=1).stderr
    assert "version: 2" in stale
    for wrong in ("issue/place", "=x", "issue={}"):
        run("edits", "propose", record, "--version", "2", "--set", wrong, *REASON, code=2)
    assert "no such card" in run("edits", "propose", "2025-2026/x", *chosen[3:], *REASON, code=1).stderr
    run("edits", "propose", "nothing", *chosen[3:], *REASON, code=2)
    for act in ("show", "approve", "reject"):
        arguments = () if act == "show" else REASON
        assert "no edit of this id" in run("edits", act, "99", *arguments, code=1).stderr
