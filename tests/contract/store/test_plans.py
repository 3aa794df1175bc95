"""Every query that a person or a client can set off finds its rows by an index: no time grows with the cards."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, update

from hocba_hub.model.delivery import DeliveryState, Meaning
from hocba_hub.model.failures import Cause
from hocba_hub.model.identity import IdentityEntry, IdentityResult
from hocba_hub.model.keys import CardId, CardKey, DestinationName, Event, SchoolYear, Version
from hocba_hub.model.reconciliation import Difference
from hocba_hub.model.replays import ItemOutcome, ReplayPlan
from hocba_hub.store import (
    acknowledgements,
    audit,
    control,
    failure_recount,
    failures,
    idempotency,
    identity,
    jobs,
    locks,
    reconciliation,
    replays,
    returns,
    search,
    sessions,
    story,
    tables,
    transfers,
)
from hocba_hub.store.access import Client
from hocba_hub.store.acknowledgements import AckKind, Heard
from hocba_hub.store.decide import Portion, Submission, find_cards
from hocba_hub.store.delivery_acts import Act, execute, preview
from hocba_hub.store.delivery_lists import delivery_groups, listed_deliveries
from hocba_hub.store.destination_health import acks_overdue, held_for, stuck
from hocba_hub.store.engine import Store
from hocba_hub.store.lease import Allowance, Kind, Lease, LeasedDelivery, due, lease, of_other_years
from hocba_hub.store.repair import Chosen, plan
from hocba_hub.store.replay_steps import Position, advance
from hocba_hub.store.schema import upgrade
from hocba_hub.store.schools import classes_of
from hocba_hub.store.selection import PENDING, Selection
from tests.support.acceptance import received
from tests.support.full_store import fill

PROVINCE = DestinationName("province")
KEY = CardKey(SchoolYear("2025-2026"), CardId("card-5"))
PLACE = ("S5", "2025-2026", "card-1", 1, "record")
LATER = 10**9
M = IdentityResult.MISMATCH
GROWING = {
    "report_cards", "versions", "deliveries", "attempts", "delivery_attempts", "submissions", "records",
    "open_findings", "audit", "idempotency_keys", "acknowledgements", "job_runs", "reconcile_entries",
    "reconcile_differences", "reconcile_counts", "identity_results", "transfers", "data_locks", "failure_groups",
    "failure_counts", "replays", "replay_items", "returned_cards", "edits",
    "audit_cards",
}  # fmt: skip
CAUSE = Cause("province", "send", "transient", "E7", "", "")
LEASE = Lease(
    7, PROVINCE, Kind.SEND, "w", 1, sent=False,
    deliveries=[
        LeasedDelivery(n, CardKey(SchoolYear("2025-2026"), CardId(f"card-{n}")), Version(1), Event.NEW,
                       DeliveryState.LEASED, 0, 0, 1, None, None)
        for n in range(200)
    ],
)  # fmt: skip
PORTION = Portion(
    Submission("new", Client(1, "vendor", None), 1, "application/json"),
    [received(n, f"card-{n}", "x", school=f"S{n}") for n in range(15)],
)
FEW = {"ix_deliveries_failed", "ix_replays_open"}
"""Indexes of what failed or is open: reading all of one is reading little."""

Query = Callable[[Connection], Any]


def a_step(connection: Connection, replay_id: int) -> None:
    """One step of a replay that has some of its records on the way."""
    connection.execute(update(tables.replays).where(tables.replays.c.id == replay_id).values(state="running"))
    connection.execute(insert(tables.job_runs).values(
        key=f"replay:{replay_id}", kind="replay", asked_by="a", started_at=1, state="running", result={},
        leased_until=0, attempts=0, takeovers=0,
    ))  # fmt: skip
    assert advance(connection, replay_id, Position(), {"province": 200}, LATER).ended


QUERIES: dict[str, Query] = {
    "a submission": lambda c: search.submission(c, "sub-7", client_id=3, after=2),
    "a card": lambda c: search.card(c, KEY),
    "a document": lambda c: search.document(c, KEY, 1),
    "a school's open list": lambda c: search.open_list(c, schools=["S5"], school_year="2025-2026", after=PLACE),
    "the open list of some schools": lambda c: search.open_list(c, schools=["S5", "S7", "S99"], after=PLACE),
    "the open list of many schools": lambda c: search.open_list(c, schools=[f"S{n}" for n in range(150)]),
    "the whole open list": lambda c: search.open_list(c, after=PLACE),
    "failures": lambda c: delivery_groups(c, Selection()),
    "failures since": lambda c: delivery_groups(c, Selection(destination="province", since=100, until=LATER)),
    "failures of a school": lambda c: delivery_groups(c, Selection(school="S7")),
    "failed deliveries": lambda c: listed_deliveries(c, Selection(), after=("province", "refused", "E1", 5, 5)),
    "failed deliveries of a code": lambda c: listed_deliveries(c, Selection(destination="province", code="E1")),
    "failed deliveries of a school": lambda c: listed_deliveries(c, Selection(school="S7")),
    "failed deliveries, the newest first": lambda c: listed_deliveries(
        c, Selection(destination="province"), after=("province", "refused", "E1", 5, 5), newest_first=True
    ),
    "submissions": lambda c: search.submissions_listed(c, before="sub-7"),
    "submissions of a client": lambda c: search.submissions_listed(c, client_id=3, before="sub-7"),
    "the bodies of two versions": lambda c: search.canonical_bodies(c, KEY, (1, 2)),
    "what failed of a client": lambda c: failures.of_client(c, 3, since=LATER),
    "classes of cards": lambda c: classes_of(c, [KEY]),
    "the session of a token": lambda c: sessions.session_of(c, "x", LATER, idle_ms=1, most_ms=1),
    "replays": lambda c: replays.listed(c, before=100),
    "replays that have not ended": lambda c: replays.listed(c, open_only=True),
    "what became of a replay's records": lambda c: replays.counts(c, 7),
    "a replay's records": lambda c: replays.items(c, 7, after=5, limit=10),
    "a replay's failed records": lambda c: replays.items(c, 7, outcome=ItemOutcome.FAILED, limit=10),
    "what a replay has still to send": lambda c: replays.candidates(c, 490, after=5, limit=10),
    "what waits": lambda c: delivery_groups(c, Selection(destination="province"), PENDING),
    "what waits, one by one": lambda c: listed_deliveries(c, Selection(destination="province"), PENDING, limit=10),
    "a cancellation preview": lambda c: preview(
        c,
        Act.CANCEL,
        Selection(
            destination="province",
            states=frozenset({DeliveryState.QUEUED, DeliveryState.IN_DOUBT, DeliveryState.AWAITING_ACK}),
        ),
    ),
    "destinations_health": lambda c: control.overview(c, [PROVINCE], LATER),
    "deliveries that are stuck": lambda c: stuck(c, PROVINCE, LATER),
    "what deliveries are held for": lambda c: held_for(c, PROVINCE),
    "differences that nobody repaired": lambda c: reconciliation.open_differences(c, "province", 10_000),
    "acknowledgements overdue": lambda c: acks_overdue(c, PROVINCE, LATER),
    "overdue verdicts to look up": lambda c: acknowledgements.overdue_ids(
        c, PROVINCE, since=0, before=LATER, limit=100
    ),
    "contradictory verdicts": lambda c: acknowledgements.listed(c, destination="province", undecided=True),
    "unusual verdicts": lambda c: acknowledgements.listed(c, kind=AckKind.LATE, before=100),
    "undecided verdicts": lambda c: acknowledgements.undecided(c, PROVINCE),
    "the runs of a job": lambda c: jobs.history(c, "retention", before=100),
    "every job": jobs.listed,
    "the last run that was done": lambda c: jobs.last_done(c, "retention", before=100),
    "jobs that are due": lambda c: jobs.due(c, LATER),
    "what a reconciliation counted": lambda c: reconciliation.counts(c, 7, by=("school_code",)),
    "what a reconciliation counted of a school": lambda c: reconciliation.counts(
        c, 7, by=("school_code", "class_code"), school="S7"
    ),
    "what differs": lambda c: reconciliation.differences(c, 7, after=100),
    "what is missing": lambda c: reconciliation.differences(c, 7, kind=Difference.MISSING, after=100),
    "what differs of a school": lambda c: reconciliation.differences(c, 7, school="S7", after=100),
    "what is looked at again": lambda c: reconciliation.suspects(c, 7, 100, 200),
    "a plan of repair": lambda c: plan(c, Chosen(7, {Difference.MISSING}, "S7")),
    "identity results of a commune": lambda c: identity.counts(c, "ministry", by="school", commune="00007"),
    "identity results of a school": lambda c: identity.counts(c, "ministry", by="school", school="S7"),
    "cards with a mismatch": lambda c: identity.cards_with(c, "ministry", M, after=("S7", "2025-2026", "card-9")),
    "cards with a mismatch of a commune": lambda c: identity.cards_with(c, "ministry", M, commune="00007"),
    "cards with a mismatch of a school": lambda c: identity.cards_with(c, "ministry", M, school="S7"),
    "transfers": lambda c: transfers.listed(c, before=100),
    "transfers of a school": lambda c: transfers.listed(c, school="S7"),
    "transfers of a card": lambda c: transfers.listed(c, key=KEY),
    "locks of a school": lambda c: locks.listed(c, school="S7", school_year="2025-2026"),
    "locks on cards": lambda c: locks.locked(c, ["S1", "S7"]),
    "cards of a card id": lambda c: story.find(c, "card-5"),
    "cards of a pupil": lambda c: story.find(c, "3300000001"),
    "cards of a school": lambda c: story.find(c, "S7"),
    "cards of a reference": lambda c: story.find(c, "ref-7"),
    "cards of a submission": lambda c: story.find(c, "0190a000-0000-7000-8000-000000000000"),
    "cards of a trace": lambda c: story.find(c, "0af7651916cd43dd8448eb211c80319c"),
    "a card's story": lambda c: story.story(c, KEY),
    "cards that were returned": lambda c: returns.listed(c, school="S7", before=100),
    "failure groups": lambda c: failures.listed(c, LATER, after=(LATER, 5), limit=20),
    "a failure group": lambda c: failures.find(c, 7, LATER),
    "a group's hours": lambda c: failures.trend(c, 7, since=0),
    "a group's schools and clients": lambda c: failures.sources(c, 7),
    "what stands in a group": lambda c: failures.members(c, 7, limit=20),
    "the audit trail": lambda c: audit.entries(c, before=100),
    "cards of a portion, the pupils' others, classes": lambda c: find_cards(c, [PORTION]),
    "what is due": lambda c: due(c, PROVINCE, LATER),
    "cards of other years with the same id": lambda c: of_other_years(c, LEASE),
}
WRITES: dict[str, Query] = {
    "verdicts that are brought": lambda c: acknowledgements.hear(
        c, PROVINCE, [Heard(KEY, Version(1), "OK", Meaning.ACKNOWLEDGED)], source="push", now=LATER
    ),
    "a page that is compared": lambda c: reconciliation.compare_page(c, 7, "ministry", KEY, 50),
    "identity results that are told": lambda c: identity.keep(
        c, "ministry", [IdentityEntry(KEY, Version(1), IdentityResult.VERIFIED)], {}, LATER
    ),
    "a failure that is counted": lambda c: failures.record(
        c, [failures.Failed(CAUSE, "S7", 1, 5), failures.Failed(CAUSE._replace(code="timeout"), "S7", 1, 5)], LATER
    ),
    "records that are chosen for a replay": lambda c: replays.freeze(
        c, Selection(code="E1", destination="province"), ReplayPlan(), actor="a", reason="r", now=LATER
    ),
    "records of a group that are chosen": lambda c: replays.freeze(
        c, Selection(group=7, states=frozenset({DeliveryState.REFUSED})), ReplayPlan(), actor="a", reason="r", now=LATER
    ),
    "differences that are chosen": lambda c: replays.freeze(
        c, replays.Differences(7, frozenset({Difference.MISSING}), "S6"), ReplayPlan(), actor="a", reason="r", now=LATER
    ),
    "a step of a replay": lambda c: a_step(c, 480),
    "a replay that is cancelled": lambda c: (
        c.execute(update(tables.replays).where(tables.replays.c.id == 490).values(state="frozen")),
        replays.cancel(c, 490, actor="a", reason="r", now=LATER),
    ),
    "what a return would do": lambda c: returns.preview(c, Selection(group=7)),
    "an hour that is counted again": lambda c: failure_recount.recount_hour(c, 0),
    "deliveries that are put into their groups": lambda c: failure_recount.place_again(c, 100, 50),
    "old runs of jobs": lambda c: jobs.forget_runs(c, before=10),
    "an idempotency key": lambda c: idempotency.begin(c, 1, "r", "k5", 0, 1),
    "old keys": lambda c: idempotency.purge(c, before=10),
} | {
    f"a lease to {kind}": lambda c, kind=kind: lease(
        c, Allowance(PROVINCE, 4, 200, 10**6, None), kind, holder="w", now=LATER, until=LATER + 1
    )
    for kind in Kind
}


@pytest.fixture(scope="module")
def filled_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A filled SQLite store, to be copied."""
    path = tmp_path_factory.mktemp("filled") / "hub.db"
    store = Store(f"sqlite:///{path}")
    upgrade(store)
    fill(store)
    store.close()
    return path


@pytest.fixture(scope="module", params=["sqlite", "sqlite-analysed", "postgresql"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    if request.param == "postgresql":
        store = Store(request.getfixturevalue("postgres").create_database("filled"))
        upgrade(store)
        fill(store)
    else:
        path = tmp_path_factory.mktemp("filled") / "hub.db"
        shutil.copy(request.getfixturevalue("filled_file"), path)
        store = Store(f"sqlite:///{path}")
    if request.param != "sqlite":
        with store.write() as connection:
            connection.exec_driver_sql("ANALYZE")
    yield store
    store.close()


@contextmanager
def statements(store: Store) -> Iterator[list[tuple[str, Any]]]:
    """Every statement that is run meanwhile, with its parameters."""
    seen: list[tuple[str, Any]] = []

    def note(_connection, _cursor, statement, parameters, _context, many):  # the event's own signature
        seen.append((statement, parameters[0] if many else parameters))

    engines = {store._reading, store._writing}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


def scans(store: Store, seen: list[tuple[str, Any]]) -> list[str]:
    """The lines of the plans that read a growing table from end to end."""
    found = []
    explain = "EXPLAIN QUERY PLAN " if store.is_sqlite else "EXPLAIN "
    for statement, parameters in seen:
        if not statement.startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            continue
        with store.read() as connection:
            lines = [row[-1].strip() for row in connection.exec_driver_sql(explain + statement, parameters)]
        found += [line for line in lines if _reads_all(line.replace("->", "").split())]
    return found


def _reads_all(words: list[str]) -> bool:
    """Whether a line of a plan does; reading all of the index of failures is reading what failed, not what there is."""
    if words[0] == "SCAN":
        return words[1] in GROWING and not FEW & set(words)
    return words[:2] == ["Seq", "Scan"] and words[3] in GROWING


@pytest.mark.parametrize("name", QUERIES)
def test_a_look_up_uses_an_index(filled: Store, name: str):
    with statements(filled) as seen, filled.read() as connection:
        QUERIES[name](connection)
    assert seen
    assert scans(filled, seen) == []


@pytest.mark.parametrize("name", WRITES)
def test_a_change_uses_an_index(filled: Store, name: str):
    with statements(filled) as seen, filled._writing.connect() as connection:
        WRITES[name](connection)
        connection.rollback()
    assert seen
    assert scans(filled, seen) == []


def test_a_cancellation_uses_an_index(filled: Store):
    with statements(filled) as seen:
        result = execute(
            filled, Act.CANCEL, Selection(destination="province", school="S8"), actor="a", reason="r", now=LATER
        )
    assert result.deliveries > 0
    assert scans(filled, seen) == []


def test_the_check_sees_a_scan(filled: Store):
    with statements(filled) as seen, filled.read() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM deliveries WHERE taken = 'x'")
    assert len(scans(filled, seen)) == 1
