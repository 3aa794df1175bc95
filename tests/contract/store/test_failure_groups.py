"""Failure groups on both stores: counted with the failure itself, left when it is mended, counted again exactly."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select, update

from hocba_hub.adapters.protocol import Outcome, Stage
from hocba_hub.model.failures import GroupState
from hocba_hub.model.keys import CardKey
from hocba_hub.queue.jobs.failure_groups import FailureGroups
from hocba_hub.store import audit, failures
from hocba_hub.store.acknowledgements import Heard, Reception, hear
from hocba_hub.store.engine import Store
from hocba_hub.store.failures import HOUR_MS, FailureGroup, GroupChangedError
from hocba_hub.store.tables import deliveries, failure_counts, failure_groups, records, report_cards
from tests.support.acceptance import YEAR, submit
from tests.support.engine import PROVINCE, Bench, answered, not_sent, put
from tests.support.jobs import run_once

START = 1_780_000_000_000


@pytest.fixture
def bench(store: Store) -> Bench:
    made = Bench(store, breaker={"failures": 1000, "open_seconds": 1})
    made.now = START
    return made


def groups(bench: Bench, **narrowed: object) -> list[FailureGroup]:
    with bench.store.read() as connection:
        return failures.listed(connection, bench.now, **narrowed)  # type: ignore[arg-type]


def group(bench: Bench, code: str) -> FailureGroup:
    [found] = [one for one in groups(bench) if one.code == code]
    return found


def change(bench: Bench, group_id: int, **changed: object) -> FailureGroup | None:
    with bench.store.write() as connection:
        return failures.change(connection, group_id, actor="os:lan", reason="why", now=bench.now, **changed)  # type: ignore[arg-type]


def refused(bench: Bench, *cards: str, code: str = "WRONG") -> None:
    put(bench, *[(card, "1") for card in cards])
    bench.peer.on_send = lambda r: Outcome(r.delivery_id, Stage.ANSWERED, code, f"record {r.delivery_id} is wrong")
    bench.drain(1)


def test_failures_of_one_cause_are_one_group_that_tells_schools_clients_and_hours(bench: Bench):
    refused(bench, "a", "b", "c")
    with bench.store.write() as connection:
        connection.execute(update(report_cards).where(report_cards.c.card_id == "d").values(school_code="OTHER"))
    first = bench.now
    bench.now += HOUR_MS
    refused(bench, "d")
    found = group(bench, "WRONG")
    assert (found.destination, found.stage, found.error_class, found.detail) == (
        "province", "send", "refused", "record # is wrong",
    )  # fmt: skip
    assert (found.standing, found.times, found.schools, found.clients) == (4, 4, 1, 1)
    assert (found.first_at, found.last_at, found.state) == (first, bench.now, GroupState.OPEN)
    with bench.store.read() as connection:
        assert failures.trend(connection, found.id, since=START) == [
            (failures.hour_of(first), 3), (failures.hour_of(bench.now), 1),
        ]  # fmt: skip
        [source] = failures.sources(connection, found.id)
        members = failures.members(connection, found.id)
    assert (source.school_code, source.client_id, source.times) == ("SCHOOL", 1, 4)
    assert [(one.card_id, one.state, one.school_code) for one in members] == [
        (card, "refused", "SCHOOL") for card in "abcd"
    ]


def test_a_delivery_leaves_its_group_when_it_is_accepted_superseded_or_fails_otherwise(bench: Bench):
    bench.peer.on_send = not_sent
    put(bench, ("a", "1"), ("b", "1"), ("c", "1"))
    bench.drain(1)
    away = group(bench, "unreachable")
    assert (away.standing, away.times) == (3, 3)
    submit(bench.store, ("b", "2"), now=bench.now, destinations=(PROVINCE,))
    assert group(bench, "unreachable").standing == 2
    bench.peer.on_send = lambda r: Outcome(r.delivery_id, Stage.ANSWERED, "OK" if r.key.card_id == "a" else "WRONG")
    bench.drain(600)
    assert (group(bench, "unreachable").standing, group(bench, "WRONG").standing) == (0, 2)
    assert bench.row("a").failure_group_id is None


def test_the_faces_of_an_outage_fold_under_it(bench: Bench):
    put(bench, ("a", "1"), ("b", "1"))
    bench.peer.on_send = lambda r: Outcome(
        r.delivery_id, Stage.NOT_SENT, "connection-refused" if r.key.card_id == "a" else "name-unknown"
    )
    bench.drain(1)
    [root] = groups(bench)
    assert (root.code, root.times, root.standing, root.schools) == ("unreachable", 2, 2, 1)
    under = groups(bench, root_id=root.id)
    assert {(one.code, one.times, one.standing, one.root_id) for one in under} == {
        ("connection-refused", 1, 1, root.id), ("name-unknown", 1, 1, root.id),
    }  # fmt: skip
    with bench.store.read() as connection:
        assert [times for _, times in failures.trend(connection, root.id, since=START)] == [2]
        assert len(failures.members(connection, root.id)) == 2


def test_a_refusal_that_is_brought_stands_in_a_group_too(bench: Bench):
    bench.peer.on_send = answered("TAKEN", reference="r")
    put(bench, ("a", "1"))
    bench.drain(1)
    assert groups(bench) == []
    verdict = Heard(CardKey(YEAR, "a"), 1, "WRONG", "refused")  # type: ignore[arg-type]
    with bench.store.write() as connection:
        assert hear(connection, PROVINCE, [verdict], source="push", now=bench.now) == [Reception.SETTLED]
    assert (group(bench, "WRONG").stage, group(bench, "WRONG").standing) == ("push", 1)


def test_a_rejected_record_stands_in_a_group_until_its_card_is_accepted(bench: Bench):
    submit(bench.store, ("a", "1"), ("b", "1"), schools={"ANOTHER"}, now=bench.now)
    [found] = groups(bench)
    assert (found.destination, found.stage, found.times, found.clients) == ("", "intake", 2, 1)
    assert found.standing == 0, "no school's list has a card of a school that its sender does not speak for"
    submit(bench.store, ("c", "1"), now=bench.now)
    submit(bench.store, ("c", "2"), recalled=True, now=bench.now)
    submit(bench.store, ("c", "3"), now=bench.now)
    recalled = next(one for one in groups(bench) if one.id != found.id)
    assert (recalled.standing, recalled.times) == (1, 1)
    with bench.store.read() as connection:
        [member] = failures.members(connection, recalled.id)
    assert (member.delivery_id, member.card_id, member.state) == (None, "c", "rejected")
    submit(bench.store, ("c", "2"), recalled=True, now=bench.now)
    assert next(one for one in groups(bench) if one.id == recalled.id).standing == 0


def test_people_say_how_a_group_stands_and_it_opens_again_when_it_comes_back(bench: Bench):
    refused(bench, "a")
    one = group(bench, "WRONG")
    watched = change(bench, one.id, state=GroupState.WATCHING, owner="lan", note="asked the Ministry")
    assert (watched.state, watched.owner, watched.revision) == (GroupState.WATCHING, "lan", one.revision + 1)
    with pytest.raises(GroupChangedError):
        change(bench, one.id, owner="minh", revision=one.revision)
    refused(bench, "b")
    assert group(bench, "WRONG").state is GroupState.WATCHING
    change(bench, one.id, state=GroupState.RESOLVED, owner="")
    assert group(bench, "WRONG").owner is None
    assert groups(bench, states=[GroupState.OPEN]) == []
    refused(bench, "c")
    again = group(bench, "WRONG")
    assert (again.state, again.reopened_at) == (GroupState.OPEN, bench.now)
    change(bench, one.id, state=GroupState.MUTED, muted_until=bench.now + HOUR_MS)
    refused(bench, "d")
    assert group(bench, "WRONG").state is GroupState.MUTED
    bench.now += 2 * HOUR_MS
    assert group(bench, "WRONG").state is GroupState.OPEN, "the mute is over"
    assert [one.id for one in groups(bench, states=[GroupState.OPEN])] == [one.id]
    assert change(bench, 999, owner="x") is None
    with bench.store.read() as connection:
        entries = audit.entries(connection)
        assert failures.open_groups(connection, bench.now) == {GroupState.OPEN: 1}
    assert {entry.action for entry in entries} == {"change-failure-group"}
    assert entries[-1].detail["changed"]["owner"] == [None, "lan"]


def test_an_empty_group_is_resolved_and_one_that_is_not_empty_is_not(bench: Bench):
    refused(bench, "a")
    one = group(bench, "WRONG")
    with bench.store.write() as connection:
        assert failures.resolve_empty(connection, [one.id], bench.now) == []
        connection.execute(update(deliveries).values(state="acknowledged"))
        assert failures.resolve_empty(connection, [one.id], bench.now) == [one.id]
    assert group(bench, "WRONG").state is GroupState.RESOLVED


def state_of_it(bench: Bench) -> tuple:
    with bench.store.read() as connection:
        counts = select(failure_counts).order_by(*failure_counts.primary_key.columns)
        sums = select(failure_groups.c.id, failure_groups.c.times).order_by(failure_groups.c.id)
        members = select(deliveries.c.id, deliveries.c.failure_group_id).order_by(deliveries.c.id)
        return tuple(tuple(map(tuple, connection.execute(query))) for query in (counts, sums, members))


def a_history(bench: Bench) -> None:
    refused(bench, "a", "b")
    bench.now += HOUR_MS
    put(bench, ("c", "1"), ("d", "1"))
    bench.peer.on_send = not_sent
    bench.drain(1)
    bench.now += HOUR_MS
    bench.drain(1)
    bench.peer.on_send = answered("TAKEN", reference="r")
    bench.now += HOUR_MS
    put(bench, ("e", "1"))
    bench.drain(1)
    verdict = Heard(CardKey(YEAR, "e"), 1, "WRONG", "refused")  # type: ignore[arg-type]
    with bench.store.write() as connection:
        hear(connection, PROVINCE, [verdict], source="push", now=bench.now)


def test_counting_again_what_is_right_changes_nothing(bench: Bench):
    a_history(bench)
    before = state_of_it(bench)
    run = run_once(bench.store, "failure-groups", FailureGroups(400), now=bench.now)
    assert (run.state, run.result.get("recounted"), run.result.get("placed")) == ("done", 0, 0)
    assert state_of_it(bench) == before


def test_what_was_lost_is_counted_again_exactly(bench: Bench):
    a_history(bench)
    before = state_of_it(bench)
    with bench.store.write() as connection:
        connection.execute(delete(failure_counts))
        connection.execute(update(failure_groups).values(times=0))
        connection.execute(update(deliveries).values(failure_group_id=None))
    run = run_once(bench.store, "failure-groups", FailureGroups(400), now=bench.now)
    assert (run.state, run.result["recounted"] > 0, run.result["placed"] > 0) == ("done", True, True)
    assert state_of_it(bench) == before


def test_rejected_records_are_counted_again_by_the_group_that_they_carry(store: Store):
    bench = Bench(store)
    submit(store, ("a", "1"), ("b", "1"), schools={"ANOTHER"}, now=bench.now)
    with store.read() as connection:
        now = failures.HOUR_MS + max(one.last_at for one in failures.listed(connection, 0))
        assert len(connection.execute(select(records).where(records.c.failure_group_id.is_not(None))).all()) == 2
        [hour] = connection.execute(select(failure_counts.c.hour_at)).scalars()
    with store.write() as connection:
        connection.execute(update(failure_counts).values(times=77))
    run_once(store, "failure-groups", FailureGroups(400), now=max(now, hour + 1))
    with store.read() as connection:
        assert connection.execute(select(failure_counts.c.times)).scalars().all() == [2]
