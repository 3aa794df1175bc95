"""Locked data, and cards that come late: what is accepted, on both stores."""

from __future__ import annotations

import threading

import pytest

from hocba_hub.model.ids import uuid7
from hocba_hub.model.windows import IntakeWindows, Window
from hocba_hub.rules.comparing import CardComparison
from hocba_hub.sandbox.vendor import wait_until
from hocba_hub.store import audit
from hocba_hub.store.accept import accept
from hocba_hub.store.access import Client
from hocba_hub.store.decide import Portion, RecordResult, Submission
from hocba_hub.store.engine import Store
from hocba_hub.store.locks import LockError, Scope, find, listed, lock, unlock
from tests.support.acceptance import COMPARISON, received, submit

NOW = 1_780_000_000_000  # 29 May 2026 in Vietnam
YEAR = "2025-2026"


def locked(store: Store, school: str = "SCHOOL", grade: int = 8, year: str = YEAR) -> int:
    with store.write() as connection:
        return lock(connection, Scope(school, year, grade), actor="os:lan", reason="complete", now=NOW).id


def told(results: list[RecordResult]) -> list[tuple[str, list[str]]]:
    return [(one.status, [finding.kind.code for finding in one.findings]) for one in results]


@pytest.mark.parametrize("scope", [("SCHOOL", 8), ("SCHOOL", 0), ("*", 8), ("*", 0)])
def test_nothing_of_locked_data_changes(store: Store, scope: tuple[str, int]):
    submit(store, ("a", "1"), now=NOW)
    locked(store, *scope)
    assert told(submit(store, ("a", "1"), ("a", "2"), ("b", "1"), now=NOW)) == [
        ("unchanged", []),
        ("rejected", ["lock.locked"]),
        ("rejected", ["lock.locked"]),
    ]
    [finding] = submit(store, ("a", "2"), now=NOW)[0].findings
    assert finding.facts == {"since": "29/05/2026"}


@pytest.mark.parametrize("scope", [("OTHER", 8), ("SCHOOL", 7)])
def test_other_data_change_as_before(store: Store, scope: tuple[str, int]):
    locked(store, *scope)
    locked(store, year="2024-2025")
    assert told(submit(store, ("a", "1"), ("a", "2"), now=NOW)) == [("accepted", []), ("accepted", [])]


def test_two_people_unlock(store: Store):
    lock_id = locked(store)
    with pytest.raises(LockError, match=r"lock\.there"):
        locked(store)
    with store.write() as connection:
        asked = unlock(connection, lock_id, actor="os:lan", reason="a wrong mark", now=NOW + 1)
    assert asked is not None
    assert (asked.unlock_asked_by, asked.unlocked_at) == ("os:lan", None)
    assert told(submit(store, ("a", "1"), now=NOW))[0][0] == "rejected"
    with pytest.raises(LockError, match=r"lock\.same-person"), store.write() as connection:
        unlock(connection, lock_id, actor="os:lan", reason="again", now=NOW + 2)
    with store.write() as connection:
        unlock(connection, lock_id, actor="operator:minh", reason="I saw the paper", now=NOW + 3)
        assert unlock(connection, 999, actor="operator:minh", reason="none", now=NOW + 3) is None
    assert told(submit(store, ("a", "1"), now=NOW)) == [("accepted", [])]
    with pytest.raises(LockError, match=r"lock\.over"), store.write() as connection:
        unlock(connection, lock_id, actor="operator:hoa", reason="late", now=NOW + 4)
    again = locked(store)
    with store.read() as connection:
        assert [one.id for one in listed(connection, school="SCHOOL")] == [again]
        assert [one.id for one in listed(connection, ended=True)] == [again, lock_id]
        assert [entry.action for entry in audit.entries(connection)] == [
            "lock-data", "unlock-data", "ask-to-unlock-data", "lock-data",
        ]  # fmt: skip


def test_whoever_locks_waits_for_what_is_being_accepted(store: Store):
    """A card that is being accepted comes before the lock; the next one finds it."""
    submit(store, ("a", "1"), now=NOW)
    portion = Portion(
        Submission(uuid7(), Client(1, "vendor", None), NOW, "application/json"), [received(0, "a", "2")], size=1
    )
    done = threading.Event()

    def locks() -> None:
        locked(store)
        done.set()

    thread = threading.Thread(target=locks)
    with store.write() as connection:
        [[result]] = accept(connection, [portion], ("province",), COMPARISON, NOW)
        thread.start()
        assert not wait_until(done.is_set, 0.5)
    thread.join(30)
    assert (result.status, done.is_set()) == ("accepted", True)
    assert told(submit(store, ("a", "3"), now=NOW)) == [("rejected", ["lock.locked"])]


@pytest.mark.parametrize(
    ("late", "status", "code"), [("accept", "accepted", "window.late"), ("refuse", "rejected", "window.closed")]
)
def test_a_new_card_that_comes_late_is_told_so(store: Store, late: str, status: str, code: str):
    submit(store, ("a", "1"), now=NOW)
    windows = IntakeWindows.model_validate({"late": late, "windows": [Window(closes="05-15")]})
    portion = Portion(
        Submission(uuid7(), Client(1, "vendor", None), NOW, "application/json"),
        [received(0, "a", "2"), received(1, "b", "1"), received(2, "c", "1", recalled=True)],
        size=1,
    )
    with store.write() as connection:
        [results] = accept(connection, [portion], ("province",), CardComparison(windows=windows), NOW)
    assert told(results) == [("accepted", []), (status, [code]), ("accepted", [])]  # a correction is not late
    assert results[1].findings[0].facts == {"closed": "15/05/2026"}


def test_a_lock_is_found_by_its_id(store: Store):
    lock_id = locked(store, "*", 0)
    with store.write() as connection:
        found = find(connection, lock_id)
    assert found is not None
    assert (found.school_code, found.grade, found.locked_by, found.reason) == ("*", 0, "os:lan", "complete")
