"""One card's whole story on both stores: everything on one time line, found by whatever somebody has of it."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update

from hocba_hub.adapters.protocol import Outcome, Stage
from hocba_hub.model.compared_card import personal_number_digest, pupil_code_digest
from hocba_hub.model.editing import Change, EditState
from hocba_hub.model.keys import CardKey
from hocba_hub.store import audit, delivery_acts, edits, returns, story
from hocba_hub.store.acknowledgements import Heard, hear
from hocba_hub.store.delivery_acts import Act
from hocba_hub.store.engine import Store
from hocba_hub.store.selection import Selection
from hocba_hub.store.tables import (
    deliveries,
    identity_results,
    reconcile_differences,
    report_cards,
    submissions,
    transfers,
)
from tests.support.acceptance import YEAR, submit
from tests.support.engine import PROVINCE, Bench, answered, put
from tests.support.replaying import send_again

KEY = CardKey(YEAR, "a")
NOTE = "Sửa mã học sinh rồi gửi lại."
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def bench(store: Store) -> Bench:
    """A card with a long story, and another one beside it."""
    bench = Bench(store)
    bench.now = 1_780_000_000_000
    put(bench, ("a", "1"), ("b", "1"))
    bench.peer.on_send = lambda r: Outcome(r.delivery_id, Stage.ANSWERED, "WRONG", "record 7")
    bench.drain(1)
    bench.now += 1
    submit(store, ("a", "2"), now=bench.now, schools={"ANOTHER"})
    bench.now += 60_000
    send_again(store, Selection(deliveries=(bench.row("a").id,)), now=bench.now)
    bench.drain(1)
    returns.give_back(store, Selection(code="WRONG"), NOTE, actor="os:lan", reason="theirs", now=bench.now + 1)
    bench.now += 60_000
    put(bench, ("a", "2"))
    bench.peer.on_send = answered("TAKEN", reference="batch-9")
    bench.drain(1)
    with store.write() as connection:
        hear(connection, PROVINCE, [Heard(KEY, 2, "OK", "acknowledged")], source="push", now=bench.now + 2)  # type: ignore[arg-type]
        edit = edits.propose(
            connection,
            KEY,
            2,
            b"{}",
            [Change("issue/place", "x", "y")],
            actor="os:lan",
            reason="typo",
            now=bench.now + 3,
        )
        edits.decided(connection, edit, EditState.REJECTED, None, "os:minh", "no", bench.now + 4)
        connection.execute(insert(transfers).values(
            school_year=YEAR, card_id="a", from_school="SCHOOL", to_school="NEW", decided_at=bench.now + 5,
            decided_by="os:lan", reason="moved",
        ))  # fmt: skip
        connection.execute(insert(identity_results).values(
            school_year=YEAR, card_id="a", destination="province", version=2, result="verified",
            told_at=bench.now + 6, school_code="SCHOOL", commune_code="",
        ))  # fmt: skip
        connection.execute(insert(reconcile_differences).values(
            run_id=999, destination="province", kind="missing", school_year=YEAR, card_id="a", school_code="SCHOOL",
            grade=5, class_code="5A", our_version=2, repaired_at=bench.now + 7, repaired_by="os:lan",
        ))  # fmt: skip
        connection.execute(update(report_cards).where(report_cards.c.card_id == "a").values(
            pupil=personal_number_digest("033315000001"), pupil_code=pupil_code_digest("3300000001"),
        ))  # fmt: skip
        connection.execute(update(submissions).values(trace_parent=f"00-{TRACE}-b7ad6b7169203331-01"))
        audit.write(
            connection, at=bench.now + 8, actor="os:lan", action="view-bodies", reason="", detail={"attempt": 1},
            cards=[KEY],
        )  # fmt: skip
        connection.execute(insert(deliveries).values(
            school_year=YEAR, card_id="a", version=2, destination="ministry", event="UPDATE", state="held",
            accepted_at=bench.now, next_attempt_at=bench.now,
        ))  # fmt: skip
    everything = Selection(destination="ministry")
    delivery_acts.execute(store, Act.CANCEL, everything, actor="os:minh", reason="gone", now=bench.now + 9)
    return bench


def told(bench: Bench) -> story.Story:
    with bench.store.read() as connection:
        found = story.story(connection, KEY)
    assert found is not None
    return found


def test_everything_that_happened_is_on_one_time_line(bench: Bench):
    found = told(bench)
    assert (found.school_code, found.version, found.standing) == (
        "SCHOOL",
        2,
        {"province": "acknowledged", "ministry": "cancelled"},
    )
    assert [(one.kind, one.place, one.version, one.code) for one in found.events] == [
        ("received", "vendor", 1, "NEW"),
        ("called", "province", 1, "WRONG"),
        ("rejected", "vendor", None, "access.school-not-permitted"),
        ("frozen", "hub", 1, ""),
        ("sent-again", "province", 1, ""),
        ("called", "province", 1, "WRONG"),
        ("returned", "vendor", 1, "WRONG"),
        ("received", "vendor", 2, "UPDATE"),
        ("called", "province", 2, "TAKEN"),
        ("verdict", "province", 2, "OK"),
        ("edit", "hub", 2, ""),
        ("edit-decided", "hub", None, "rejected"),
        ("transferred", "hub", None, ""),
        ("identity", "province", 2, "verified"),
        ("reconciled", "province", 2, "missing"),
        ("act", "hub", None, "view-bodies"),
        ("act", "hub", None, "cancel"),
    ]
    by_kind = {one.kind: one for one in found.events}
    assert by_kind["received"].facts["trace_parent"].startswith(f"00-{TRACE}")
    assert len(by_kind["received"].facts["sha256"]) == 64
    assert by_kind["rejected"].facts["findings"] == ["access.school-not-permitted"]
    assert (by_kind["called"].facts["call"], by_kind["called"].facts["meaning"]) == ("send", "awaiting_ack")
    assert (by_kind["frozen"].actor, by_kind["frozen"].facts["reason"]) == ("os:lan", "cured")
    assert by_kind["returned"].facts["note"] == NOTE
    assert by_kind["edit"].facts["places"] == ["issue/place"]
    assert by_kind["edit-decided"].actor == "os:minh"
    assert by_kind["transferred"].facts == {"from": "SCHOOL", "to": "NEW", "reason": "moved"}
    with bench.store.read() as connection:
        assert story.story(connection, CardKey(YEAR, "nobody")) is None


@pytest.mark.parametrize(
    "key",
    [
        "2025-2026/a", " 2025-2026/a ", "2025-2026/a/2", "a", "033315000001", "3300000001", "batch-9",
    ],
)  # fmt: skip
def test_it_is_found_by_whatever_somebody_has_of_it(bench: Bench, key: str):
    with bench.store.read() as connection:
        assert story.find(connection, key) == [KEY]


def test_a_submission_a_trace_or_a_school_may_stand_for_several(bench: Bench):
    both = [KEY, CardKey(YEAR, "b")]
    submission = told(bench).events[0].facts["submission"]
    with bench.store.read() as connection:
        assert story.find(connection, submission) == both
        for trace in (TRACE, f"00-{TRACE}-b7ad6b7169203331-01"):
            assert sorted(story.find(connection, trace)) == both
        assert sorted(story.find(connection, "SCHOOL")) == both
        for nothing in (
            "nobody",
            "2025-2026/nobody",
            "f" * 32,
            "0190a000-0000-7000-8000-000000000000",
            "%",
            "2025-2026/",
        ):
            assert story.find(connection, nothing) == []


def test_the_state_there_is_the_newest_versions(bench: Bench):
    put(bench, ("a", "3"))
    assert told(bench).standing == {"province": "queued", "ministry": "cancelled"}
