"""`hocba-hub acknowledgements`, and the key of a destination."""

from __future__ import annotations

from sqlalchemy import update

from hocba_hub.cli.session import now
from hocba_hub.model.delivery import DeliveryState, Meaning
from hocba_hub.model.keys import CardId, CardKey, DestinationName, SchoolYear, Version
from hocba_hub.store.acknowledgements import Heard, hear
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import deliveries
from tests.support.acceptance import submit
from tests.support.command_line import Run, cells


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
