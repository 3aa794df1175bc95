"""The work list of unmapped codes in the store: counted, kept, filled, taken back, read again; on both engines."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from hocba_hub.model.codes import CodeFill
from hocba_hub.store import audit
from hocba_hub.store.access import add_client
from hocba_hub.store.bodies import pack
from hocba_hub.store.code_fills import fill, fills, take_back
from hocba_hub.store.engine import Store
from hocba_hub.store.mappings import ConfigurationError
from hocba_hub.store.revision import revision
from hocba_hub.store.tables import open_findings, waiting_codes, waiting_records
from hocba_hub.store.unmapped_codes import (
    Entry,
    ListedCode,
    UnmappedCode,
    VendorRecord,
    Waiting,
    listed,
    note,
    one,
    ready,
    take,
)
from tests.support.acceptance import YEAR, key

EDE = UnmappedCode("ethnic-groups", "name", "Ê-đê-x", "qd121")
TOA = UnmappedCode("vendor/mon", "key", "TOA", "value")
MEANING = CodeFill(EDE.table, EDE.system, EDE.value, EDE.result_system, "12", {})


def entry(card: str, *codes: UnmappedCode, school: str | None = "S1", waits: bool = True, **more: object) -> Entry:
    kept = VendorRecord("vendor", pack(f"record {card}".encode()), 0, waits=True) if waits else None
    return replace(Entry(codes, 1, school, "submission", 0, key(card), kept), **more)


def noted(store: Store, *entries: Entry, now: int = 1_000) -> None:
    """Note them, and what the accept function writes beside them for cards that were rejected."""
    with store.write() as c:
        note(c, entries, now)
        for one in entries:
            if one.key is not None and one.school is not None:
                here = (open_findings.c.card_id == one.key.card_id, open_findings.c.client_id == one.client_id)
                c.execute(open_findings.delete().where(*here))
                row = {"school_code": one.school, "school_year": YEAR, "card_id": one.key.card_id, "since": now}
                row |= {"client_id": one.client_id, "last_at": now, "times": 1, "findings": b""}
                c.execute(open_findings.insert().values(**row, submission_id=one.submission_id, position=one.position))


def listing(store: Store, **more: object) -> list[ListedCode]:
    with store.read() as c:
        return listed(c, **more)


def filled(store: Store, meaning: CodeFill = MEANING) -> int:
    with store.write() as c:
        return fill(c, meaning, source="decree 121", actor="os:lan", now=9_000).id


def records_ready(store: Store) -> list[Waiting]:
    with store.read() as c:
        return ready(c, 10)


def test_values_are_counted_with_who_sent_them_and_since_when(store: Store):
    with store.write() as c:
        assert add_client(c, "south", ["*"], now=1).owner_id == 1
        north = add_client(c, "north", ["*"], now=1).owner_id
    noted(store, entry("a", EDE), entry("b", EDE, EDE, TOA, school="S2"), entry("c", EDE, school=None, waits=False))
    noted(store, entry("d", EDE, client_id=north), now=2_000)
    first, second = listing(store)
    assert (first.table, first.system, first.value, first.where) == ("ethnic-groups", "name", "Ê-đê-x", {})
    assert (first.times, first.first_at, first.last_at, first.waiting) == (4, 1_000, 2_000, 3)
    assert (first.clients, first.schools, second.value, second.times) == (2, 2, "TOA", 1)
    [rest] = listing(store, after=first.place)
    assert rest.id == second.id
    with store.read() as c:
        sources = one(c, first.id).sources
        assert {(source.client, source.school, source.times) for source in sources} == {
            ("south", "S1", 1), ("south", "S2", 1), ("south", "", 1), ("north", "S1", 1),
        }  # fmt: skip
        assert one(c, 99) is None


def test_the_same_value_under_other_conditions_is_another_entry(store: Store):
    subject = UnmappedCode("subjects", "name", "Toán x", "code", (("level", "THPT"),))
    noted(store, entry("a", subject, replace(subject, where=(("level", "THCS"),))))
    assert sorted(code.where["level"] for code in listing(store)) == ["THCS", "THPT"]


def test_a_record_is_kept_whole_until_its_code_is_filled(store: Store):
    noted(store, entry("a", EDE), entry("b", TOA))
    assert records_ready(store) == []
    made = filled(store)
    [record] = records_ready(store)
    assert (record.key, record.client_id, record.mapping, record.original) == (key("a"), 1, "vendor", b"record a")
    [left] = listing(store)
    assert left.value == "TOA"
    [done] = listing(store, filled=True)
    assert done.fill_id == made


def test_a_record_is_taken_once(store: Store):
    noted(store, entry("a", EDE))
    filled(store)
    found = records_ready(store)
    with store.write() as c:
        assert take(c, found) == found
    with store.write() as c:
        assert take(c, found) == []
        assert c.execute(select(waiting_codes)).all() == c.execute(select(waiting_records)).all() == []


@pytest.mark.parametrize("accepted", [True, False])
def test_a_record_that_a_later_one_replaced_is_not_read_again(store: Store, accepted: bool):
    noted(store, entry("a", EDE))
    filled(store)
    found = records_ready(store)
    if accepted:
        with store.write() as c:
            c.execute(open_findings.delete())
    else:  # rejected for another reason, in a later submission
        noted(store, entry("a", school="S1", submission_id="later"))
    with store.write() as c:
        assert take(c, found) == []
    assert records_ready(store) == []


def test_the_last_record_of_a_card_is_the_one_that_waits(store: Store):
    noted(store, entry("a", EDE))
    noted(store, entry("a", TOA, submission_id="later"))
    filled(store)
    assert records_ready(store) == []
    assert {code.value: code.waiting for code in listing(store)} == {"TOA": 1}


def test_what_was_read_with_the_fill_and_failed_again_is_not_read_for_ever(store: Store):
    filled(store)
    with store.read() as c:
        now = revision(c)
    kept = VendorRecord("vendor", pack(b"x"), now, waits=True)
    noted(store, entry("a", EDE, kept=kept))
    assert records_ready(store) == []
    noted(store, entry("b", EDE, kept=replace(kept, revision=now - 1)))  # by a process that did not know of the fill
    assert [record.key for record in records_ready(store)] == [key("b")]


def test_a_fill_is_told_and_taken_back(store: Store):
    noted(store, entry("a", EDE))
    days = replace(MEANING, is_new=True, valid_from=date(2026, 7, 1))
    made = filled(store, days)
    with store.read() as c:
        [stored] = fills(c, EDE.table)
        assert (stored.id, stored.fill, stored.source, stored.filled_by) == (made, days, "decree 121", "os:lan")
        assert fills(c, "another") == []
    with pytest.raises(ConfigurationError) as refused:
        filled(store)
    assert refused.value.code == "code.filled"
    with store.write() as c:
        take_back(c, made, actor="os:lan", reason="wrong group", now=9_500)
    assert [code.value for code in listing(store)] == ["Ê-đê-x"]
    with pytest.raises(ConfigurationError) as refused, store.write() as c:
        take_back(c, made, actor="os:lan", reason="wrong group", now=9_600)
    assert refused.value.code == "not-found"
    with store.read() as c:
        told = audit.entries(c)
        assert [(entry.action, entry.reason) for entry in told] == [
            ("code.take-back", "wrong group"), ("code.fill", "decree 121"),
        ]  # fmt: skip
        assert fills(c) == []
    filled(store)
