"""`hocba-hub acknowledgements`, and the key of a destination."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select, update

from hocba_hub.cli.session import now
from hocba_hub.model.delivery import DeliveryState, Meaning
from hocba_hub.model.keys import CardId, CardKey, DestinationName, SchoolYear, Version
from hocba_hub.store.acknowledgements import Heard, hear
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import deliveries
from tests.support.acceptance import submit
from tests.support.command_line import Run, cells
from tests.support.rig import PACKAGED


def test_contradictions_are_listed_and_decided(run: Run, store: Store):
    submit(store, ("a", "1"), now=now(), destinations=("ministry",))
    key, ministry = CardKey(SchoolYear("2025-2026"), CardId("a")), DestinationName("ministry")
    with store.write() as connection:
        connection.execute(
            update(deliveries).values(state=DeliveryState.AWAITING_ACK, first_attempt_at=now(), awaiting_since=now())
        )
        for code, meaning in (("ACCEPTED", Meaning.ACKNOWLEDGED), ("CONTRADICTED", Meaning.REFUSED)):
            hear(connection, ministry, [Heard(key, Version(1), code, meaning)], source="push", now=now())
    told = cells(run("acknowledgements", "timeliness").stdout)
    assert [row[0] for row in told if row[-1] == "1"] == ["ministry"]
    listed = run("acknowledgements", "list", "--undecided").stdout
    assert "CONTRADICTED" in listed
    assert "contradictory" in listed
    [row] = [row for row in cells(listed) if "CONTRADICTED" in row]
    assert "Choose --keep or --take" in run("acknowledgements", "decide", row[0], "--reason", "why", code=2).output
    assert "kept what stood" in run("acknowledgements", "decide", row[0], "--keep", "--reason", "they rang").stdout
    assert "nothing" in run("acknowledgements", "list", "--undecided").stdout
    again = run("acknowledgements", "decide", row[0], "--take", "--reason", "why not", code=1)
    assert "somebody has decided it" in again.output
    assert "no verdict" in run("acknowledgements", "decide", "99", "--keep", "--reason", "why", code=1).output


def test_a_destination_gets_a_key_of_its_own(run: Run, store: Store):
    assert run("clients", "add", "ministry-push", "--destination", "ministry").stdout.startswith("hbc_")
    assert any(row[:2] == ["ministry-push", "ministry"] for row in cells(run("clients", "list").stdout))
    both = run("clients", "add", "x", "--destination", "ministry", "--school", "S1", code=2)
    assert "speaks for no school" in both.output
    assert "ministry" in run("clients", "add", "y", "--destination", "nowhere", code=2).output
    assert "One school at least" in run("clients", "add", "z", code=1).output
    assert "speaks for no school" in run("clients", "schools", "ministry-push", "--school", "S1", code=1).output


def test_what_a_destination_said_otherwise_is_entered(run: Run, store: Store, tmp_path: Path, monkeypatch):
    folder = tmp_path / "destinations"
    folder.mkdir()
    text = (PACKAGED / "province.yaml").read_text(encoding="utf-8")
    (folder / "province.yaml").write_text(text + "in_doubt: hold\n", encoding="utf-8")
    submit(store, ("a", "1"), ("b", "1"), ("c", "1"), now=now(), destinations=("province",))
    with store.write() as connection:
        connection.execute(
            update(deliveries).values(
                state=DeliveryState.IN_DOUBT, first_attempt_at=now(), code="timeout", settled_at=1
            )
        )
    absent = ("acknowledgements", "absent", "--destination", "province", "--reason", "they rang")
    assert "hold" in run(*absent, "--dry-run", code=1).output  # as shipped, the hub asks by itself
    monkeypatch.setenv("HOCBA_DESTINATIONS_DIR", str(folder))
    entered = run(
        "acknowledgements", "enter", "2025-2026/a/1", "2025-2026/x/1", "nonsense/1", "--destination", "province",
        "--code", "OK", "--reason", "their list",
    ).stdout  # fmt: skip
    assert [row[-1] for row in cells(entered)[2:]] == [
        "brought unasked", "this version was never sent there", "this version was never sent there",
    ]  # fmt: skip
    wrong = ("acknowledgements", "enter", "2025-2026/a", "--destination", "province", "--code", "OK", "--reason", "why")
    assert "write RECORD_ID/VERSION" in run(*wrong, code=2).output
    assert "Would be sent again" in run(*absent, "--dry-run").stdout
    assert "Are sent again" in run(*absent).stdout
    with store.read() as connection:
        states = dict(connection.execute(select(deliveries.c.card_id, deliveries.c.state)).all())
    assert states == {"a": "acknowledged", "b": "queued", "c": "queued"}
