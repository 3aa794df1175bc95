"""What can be looked up: submissions, cards with their fate, open lists; page by page, on both stores."""

from __future__ import annotations

import hashlib

from sqlalchemy import select

from hocba_hub.model.finding_kinds import NOT_ALONE
from hocba_hub.model.findings import Finding
from hocba_hub.model.ids import uuid7
from hocba_hub.store import search
from hocba_hub.store.accept import accept
from hocba_hub.store.access import Client
from hocba_hub.store.bodies import pack
from hocba_hub.store.decide import Content, Portion, ReceivedRecord, Submission
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import submissions
from tests.support.acceptance import COMPARISON, YEAR, compared_card, key, received
from tests.support.engine import Bench, answered, no_answer, put


def accepted(store: Store, records: list[ReceivedRecord], *, client_id: int = 1, schools=None, now: int = 1) -> str:
    submission_id = uuid7()
    portion = Portion(
        Submission(submission_id, Client(client_id, "vendor", schools), now, "application/json"),
        records,
        size=10,
        sha256="ab",
    )
    with store.write() as connection:
        accept(connection, [portion], ("province",), COMPARISON, now)
    return submission_id


def rejected(position: int, card: str, *, school: str = "SCHOOL") -> ReceivedRecord:
    return ReceivedRecord(position, bytes(32), key(card), school, None, [Finding(NOT_ALONE, "")])


def test_a_submission_shows_each_record_in_order_and_by_pages(store: Store):
    sent = [received(n, f"card-{n}", "x") for n in range(5)] + [rejected(5, "card-5")]
    one = accepted(store, sent)
    with store.read() as c:
        first = search.submission(c, one, client_id=1, limit=4)
        second = search.submission(c, one, client_id=1, after=3, limit=4)
        missing = search.submission(c, one, client_id=1, after=99)
    assert (first.submission.id, first.submission.accepted, first.submission.rejected) == (one, 5, 1)
    assert [row.position for row, _ in first.records] == [0, 1, 2, 3]
    assert first.more
    assert [(row.position, row.status, row.event) for row, _ in second.records] == [
        (4, "accepted", "NEW"),
        (5, "rejected", None),
    ]
    assert second.records[1][1] == [Finding(NOT_ALONE, "").as_json()]
    assert not second.more
    assert missing.records == []


def test_only_a_new_version_has_an_event(store: Store):
    accepted(store, [received(0, "a", "1")])
    again = accepted(store, [received(0, "a", "1")])
    changed = accepted(store, [received(0, "a", "2")])
    with store.read() as c:
        [(unchanged, _)] = search.submission(c, again).records
        [(updated, _)] = search.submission(c, changed).records
    assert (unchanged.status, unchanged.version, unchanged.event) == ("unchanged", 1, None)
    assert (updated.status, updated.version, updated.event) == ("accepted", 2, "UPDATE")


def test_a_submission_is_its_clients(store: Store):
    one = accepted(store, [received(0, "a", "1")], client_id=1)
    with store.read() as c:
        assert search.submission(c, one, client_id=2) is None
        assert search.submission(c, one) is not None
        assert search.submission(c, "not-there", client_id=1) is None
        assert c.execute(select(submissions.c.id)).scalars().all() == [one]


def test_a_card_shows_its_versions_deliveries_and_attempts(store: Store):
    bench = Bench(store)
    put(bench, ("a", "1"), ("b", "1"))
    bench.peer.on_send = no_answer
    bench.drain()
    bench.peer.on_lookup = answered("OK")
    bench.drain(2)
    put(bench, ("a", "2"))
    bench.peer.on_send = answered("WRONG")
    bench.drain(1)
    with store.read() as c:
        found = search.card(c, key("a"))
        assert search.card(c, key("c")) is None
    assert (found.card.version, found.card.school_code) == (2, "SCHOOL")
    assert [(v.version, v.event) for v in found.versions] == [(2, "UPDATE"), (1, "NEW")]
    assert [(d.version, d.state, d.code) for d in found.deliveries] == [
        (2, "refused", "WRONG"),
        (1, "acknowledged", "OK"),
    ]
    by_delivery = {d.id: [] for d in found.deliveries}
    for attempt in found.attempts:
        by_delivery[attempt.delivery_id].append((attempt.kind, attempt.code))
    assert list(by_delivery.values()) == [[("send", "WRONG")], [("lookup", "OK"), ("send", "timeout")]]


def test_of_a_card_with_many_versions_the_newest_are_shown(store: Store):
    for n in range(search.MOST_VERSIONS + 5):
        accepted(store, [received(0, "a", str(n))])
    with store.read() as c:
        found = search.card(c, key("a"))
    newest = search.MOST_VERSIONS + 5
    assert [v.version for v in found.versions] == list(range(newest, 5, -1))
    assert {d.version for d in found.deliveries} == {v.version for v in found.versions}


def test_a_document_is_the_very_bytes_that_were_sent(store: Store):
    sent, canonical = b'{ "spaced" : 1 }', b'{"spaced":1}'
    record = ReceivedRecord(
        0, hashlib.sha256(sent).digest(), key("a"), "SCHOOL",
        Content(
            hashlib.sha256(canonical).digest(), pack(canonical), pack(sent), "application/json", len(sent),
            compared_card("a"),
        ),
    )  # fmt: skip
    accepted(store, [record, received(1, "b", "same")])
    with store.read() as c:
        assert search.document(c, key("a"), 1) == search.Document(
            "SCHOOL", None, sent, hashlib.sha256(sent).digest(), "application/json"
        )
        assert search.document(c, key("b"), 1).body == b"same"
        assert search.document(c, key("a"), 2) is None
        assert search.document(c, key("c"), 1) is None


def listed(store: Store, **narrowed: object) -> list[tuple[str, str]]:
    """The whole list, page after page of two."""
    found: list[tuple[str, str]] = []
    after = None
    while True:
        with store.read() as c:
            page = search.open_list(c, after=after, limit=2, **narrowed)
        found += [(entry.school_code, entry.card_id) for entry in page]
        if len(page) < 2:
            return found
        after = page[-1].place


def test_an_open_list_holds_what_is_rejected_until_it_is_accepted(store: Store):
    accepted(store, [rejected(n, f"card-{n}", school=f"S{n % 3}") for n in range(7)])
    assert listed(store) == [
        ("S0", "card-0"), ("S0", "card-3"), ("S0", "card-6"), ("S1", "card-1"), ("S1", "card-4"), ("S2", "card-2"),
        ("S2", "card-5"),
    ]  # fmt: skip
    assert listed(store, schools=["S1"]) == [("S1", "card-1"), ("S1", "card-4")]
    assert listed(store, schools=["S0", "S2"], school_year=YEAR) == [
        ("S0", "card-0"), ("S0", "card-3"), ("S0", "card-6"), ("S2", "card-2"), ("S2", "card-5"),
    ]  # fmt: skip
    assert listed(store, school_year="1999-2000") == []
    assert listed(store, schools=["S9"]) == []
    accepted(store, [received(0, "card-3", "right now", school="S0")])
    assert listed(store, schools=["S0"]) == [("S0", "card-0"), ("S0", "card-6")]


def test_an_open_entry_tells_how_often_and_since_when(store: Store):
    accepted(store, [rejected(0, "a")], now=10)
    last = accepted(store, [rejected(0, "b"), rejected(1, "a")], now=20)
    with store.read() as c:
        entry = search.open_list(c)[0]
    assert (entry.card_id, entry.times, entry.since, entry.last_at) == ("a", 2, 10, 20)
    assert (entry.submission_id, entry.position) == (last, 1)
    assert entry.findings == [Finding(NOT_ALONE, "").as_json()]
