"""Versions of mappings and unmapped codes at the command line, on a real store."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
import pytest

from hocba_hub.intake.active_mappings import ActiveMappings
from hocba_hub.intake.translate import translate
from hocba_hub.mappings.library.mapping_set import shipped_mappings
from hocba_hub.model.ids import uuid7
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.rules.comparing import CardComparison
from hocba_hub.store import audit
from hocba_hub.store.accept import accept
from hocba_hub.store.access import Client, Owner, identify, owners
from hocba_hub.store.decide import Portion, ReceivedRecord, Submission
from hocba_hub.store.engine import Store
from hocba_hub.store.mappings import activations, stored_versions
from hocba_hub.store.search import card
from hocba_hub.store.tables import report_cards
from hocba_hub.store.unmapped_codes import Entry, note
from tests.support.acceptance import submit
from tests.support.command_line import Run, cells
from tests.support.vendor_records import NAME, flat, renamed

REASON = ("--reason", "the vendor renamed a field")


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    path = tmp_path / "new.yaml"
    path.write_text(renamed(), encoding="utf-8")
    return path


def in_force(store: Store) -> list[str]:
    with store.read() as connection:
        return [one.version for one in activations(connection)]


def test_a_version_is_drafted_activated_shown_and_taken_back(run: Run, store: Store, draft: Path):
    run("clients", "add", "north", "--school", "*")
    assert f"{NAME}@1.1.0" in run("mappings", "draft", str(draft), *REASON).output
    assert in_force(store) == []
    run(
        "mappings",
        "activate",
        f"{NAME}@1.1.0",
        "--client",
        "north",
        "--year",
        "2025-2026",
        "--from",
        "2026-06-01",
        *REASON,
    )
    run("mappings", "activate", f"{NAME}@1.0.0", *REASON)
    assert in_force(store) == ["1.1.0", "1.0.0"]
    rows = cells(run("mappings", "active").output)
    assert rows[2][1:6] == [NAME, "1.1.0", "north", "2025-2026", "2026-06-01"]
    assert rows[3][1:7] == [NAME, "1.0.0", "*", "*", "*", "yes"]
    run("mappings", "activate", f"{NAME}@1.0.0", *REASON)
    counting = [row[6] for row in cells(run("mappings", "active").output)[3:5]]
    assert counting == ["no", "yes"]  # the newest of the two for everybody
    run("mappings", "deactivate", NAME, *REASON)
    assert "1.0.0" in run("mappings", "deactivate", NAME, *REASON).output
    run("mappings", "deactivate", NAME, "--id", rows[2][0], *REASON)
    assert in_force(store) == []
    assert "Error: " in run("mappings", "deactivate", NAME, *REASON, code=1).output
    with store.read() as connection:
        assert all(
            entry.actor.startswith("os:") and entry.reason == REASON[1] for entry in audit.entries(connection)[:5]
        )


def test_what_is_wrong_is_said_and_nothing_is_stored(
    run: Run, store: Store, draft: Path, monkeypatch: pytest.MonkeyPatch
):
    draft.write_text(renamed().replace("from: maHocBa, required: true", "apply: [uper]"), encoding="utf-8")
    assert "Line " in run("mappings", "activate", str(draft), *REASON, code=1).output
    monkeypatch.setenv("HOCBA_LANG", "vi")
    assert "Dòng " in run("mappings", "draft", str(draft), *REASON, code=1).output
    for missing in (f"{NAME}@9.9.9", "nobody", "nowhere.yaml"):
        assert run("mappings", "preview", missing, code=1).output
    with store.read() as connection:
        assert stored_versions(connection) == []
    assert "--client" not in run("mappings", "activate", f"{NAME}@1.0.0", "--client", "nobody", *REASON, code=1).output


def test_a_client_is_given_a_profile(run: Run, store: Store):
    key = run("clients", "add", "north", "--school", "*", "--profile", NAME).stdout.strip()
    with store.read() as connection:
        assert identify(connection, key, now=1).profile == NAME
    run("clients", "profile", "north", "report-card")
    with store.read() as connection:
        assert identify(connection, key, now=1).profile is None
    for wrong in ("nobody", "ndc-primary"):
        assert "Error: " in run("clients", "add", "south", "--school", "*", "--profile", wrong, code=1).output
    with store.read() as connection:
        assert [one.name for one in owners(connection, Owner.CLIENT)] == ["north"]


def test_a_client_is_given_a_profile_that_is_in_force_for_it_alone(run: Run, store: Store, tmp_path: Path):
    run("clients", "add", "north", "--school", "*")
    own = tmp_path / "own.yaml"
    own.write_text(renamed().replace(f"mapping: {NAME}", "mapping: north-own"), encoding="utf-8")
    run("mappings", "activate", str(own), "--client", "north", *REASON)
    run("clients", "profile", "north", "north-own")
    with store.read() as connection:
        assert owners(connection, Owner.CLIENT)
    refused = run("clients", "add", "south", "--school", "*", "--profile", "north-own", code=1).output
    assert NAME in refused, "the profiles that it may have are named"


def test_schools_that_nothing_is_known_of_are_told(run: Run, store: Store):
    assert (
        "No card and no other client of 99999999 is known" in run("clients", "add", "a", "--school", "99999999").stderr
    )
    submit(store, ("card", "1"))
    assert "known here" not in run("clients", "add", "b", "--school", "99999999", "--school", "SCHOOL").stderr
    assert "of S8, S9 is known" in run("clients", "schools", "b", *("--school", "S9", "--school", "S8")).stderr
    assert "known here" not in run("clients", "add", "c", "--school", "*").stderr


@pytest.fixture
def waiting(run: Run, store: Store) -> None:
    """A card of the client `north` that only an unknown ethnic group stands against."""
    run("clients", "add", "north", "--school", "*")
    raw = orjson.dumps(flat(1, danToc="Nhóm lạ"))
    made = translate(raw, ActiveMappings(store, shipped_mappings()).current(), NAME)
    reading, key = made.reading(), CardKey(SchoolYear("2025-2026"), CardId("HB-1"))
    record = ReceivedRecord(0, bytes(32), key, reading.school_code, None, reading.findings)
    sent = uuid7()
    portion = Portion(Submission(sent, Client(1, "north", None), 1, "x"), [record])
    with store.write() as connection:
        accept(connection, [portion], [], CardComparison(), 1)
        note(
            connection,
            [Entry(made.unmapped, 1, reading.school_code, sent, 0, key, made.sent(raw, reading.findings))],
            1_780_000_000_000,
        )


@pytest.mark.usefixtures("waiting")
def test_a_code_is_listed_filled_and_taken_back(run: Run, store: Store):
    listed = cells(run("codes", "list").output)[2]
    assert listed[1:8] == ["ethnic-groups", "name → qd121", "Nhóm lạ", "1", "1", "1", "1"]
    assert ["north", flat()["maTruong"], "1"] == cells(run("codes", "show", listed[0]).output)[3][:3]
    assert "Error: " in run("codes", "fill", listed[0], "ZZ", "--source", "a decree", code=1).output
    planned = run("codes", "fill", listed[0], "01", "--dry-run").output
    assert "(name Kinh, gso_census 01)" in planned
    assert "1 cards wait for it: 2025-2026/HB-1" in planned
    assert listed[3] in run("codes", "list").output, "a dry run fills nothing"
    filled = run("codes", "fill", listed[0], "01", "--source", "a decree").output
    assert filled.startswith(planned)
    assert "1 cards accepted" in filled
    with store.read() as connection:
        assert card(connection, CardKey(SchoolYear("2025-2026"), CardId("HB-1"))).card.version == 1
    assert "Nhóm lạ" not in run("codes", "list").output
    number = cells(run("codes", "list", "--filled").output)[2][0]
    assert number == re.search(r"number ([0-9]+)", filled)[1]
    run("codes", "take-back", number, *REASON)
    assert "Nhóm lạ" in run("codes", "list").output
    for command in (("codes", "take-back", number, *REASON), ("codes", "show", "99"), ("codes", "fill", "99", "01")):
        assert "Error: " in run(*command, code=1).output


@pytest.mark.usefixtures("waiting")
def test_a_preview_names_cards_fields_and_codes_and_changes_nothing(run: Run, store: Store, draft: Path):
    text = draft.read_text(encoding="utf-8").replace("noiSinhMoi", "noiSinh")
    draft.write_text(
        text.replace("danToc, table", "danToc, apply: [{replace: {from: Nhóm lạ, to: Kinh}}], table"),
        encoding="utf-8",
    )
    shown = run("mappings", "preview", str(draft)).output
    assert "1 records looked at, 1 change." in shown
    assert "pupil/ethnic_code" in shown
    assert "Start to pass: 1. 2025-2026/HB-1" in shown
    assert "-1 mapping.table.unknown" in shown
    assert "Nhóm lạ" not in shown
    with store.read() as connection:
        assert connection.execute(report_cards.select()).all() == []
