"""A school year in minutes: both windows, corrections, recalls, transfers, a lock, an outage, a code list, losses.

The shipped destinations, the simulators' ledgers, both stores; time is set by hand. At the end both ledgers hold what
we say, card by card, or the difference is explained.
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime

import orjson
import pytest

from hocba_hub.api.reconciliation import told_to_schools
from hocba_hub.intake.active_mappings import ActiveMappings
from hocba_hub.mappings.library.mapping_set import shipped_mappings
from hocba_hub.model.clock import VIETNAM
from hocba_hub.model.delivery import DeliveryState
from hocba_hub.model.keys import CardId, CardKey, DestinationName, SchoolYear
from hocba_hub.model.reconciliation import Difference
from hocba_hub.model.windows import Window
from hocba_hub.queue.jobs.code_lists import CodeLists
from hocba_hub.queue.jobs.reconcile import Reconcile
from hocba_hub.sandbox.code_lists import Published
from hocba_hub.sandbox.faults import Fault, FaultName
from hocba_hub.sandbox.synthetic import generate, revise
from hocba_hub.store import locks, transfers
from hocba_hub.store.access import Client
from hocba_hub.store.engine import Store
from hocba_hub.store.jobs import Run
from hocba_hub.store.locks import ALL_SCHOOLS, Scope
from hocba_hub.store.repair import Chosen, repair
from tests.support.delivering_hub import HOUR, MINISTRY, PROVINCE, DeliveringHub
from tests.support.jobs import run_once
from tests.support.long_form import LONG
from tests.support.sandbox_server import SandboxHandle, running_sandbox

CARDS = 20_000 if LONG else 240
YEAR = "2025-2026"
NEW_SCHOOL = Client(2, "new-vendor", {"33-NEW"})
DAY = 24 * HOUR


def at(day: str) -> int:
    """A day of 2026 in Vietnam, at noon, in milliseconds."""
    return round(datetime.fromisoformat(f"2026-{day}T12:00:00").replace(tzinfo=VIETNAM).timestamp() * 1000)


def recalled(card: bytes) -> bytes:
    return orjson.dumps(orjson.loads(card) | {"status": "recalled"})


def key_of(card: bytes) -> CardKey:
    document = orjson.loads(card)
    return CardKey(SchoolYear(document["school_year"]), CardId(document["card_id"]))


def reconcile(hub: DeliveringHub, name: DestinationName) -> Run:
    hub.now += HOUR
    work = Reconcile(hub.destinations, hub.adapters.__getitem__)
    run = run_once(hub.store, "reconcile", work, now=hub.now, about=name)
    assert run.state == "done", run.error
    return run


def differing(run: Run) -> dict[str, int]:
    return {kind: cards for kind in Difference if (cards := run.result.get(kind, 0))}


def go_on(hub: DeliveringHub, until: str) -> None:
    hub.run_until(at(until))


@pytest.fixture
def sandbox():
    with running_sandbox(answer_seconds=5) as handle:
        yield handle


@pytest.mark.timeout(900)
def test_a_school_year(store: Store, sandbox: SandboxHandle):
    windows = {
        "province": (Window(opens="05-20", closes="06-30"), Window(opens="07-15", closes="08-15")),
        "ministry": (Window(opens="07-01", closes="07-10"), Window(opens="08-16", closes="08-25")),
    }
    with ExitStack() as stack:
        size = {"batch": {"records": 200}} if LONG else {}
        changes = {name: {"windows": given, **size} for name, given in windows.items()}
        hub = DeliveringHub(store, sandbox, stack, now=at("05-25"), **changes)
        _the_year(hub)


def _the_year(hub: DeliveringHub) -> None:
    cards = list(generate(CARDS, 15, schools=max(6, CARDS // 800)))
    parts = {"corrected": cards[:30], "recalled": cards[30:40], "moved": cards[40:45], "late": cards[-20:]}

    # May and June: the schools send, the province takes; nothing goes to the Ministry before its window.
    for first in range(0, CARDS - 20, 500):
        hub.accept(cards[first : min(first + 500, CARDS - 20)])
    go_on(hub, "06-29")
    assert set(hub.states(PROVINCE)) == {DeliveryState.ACKNOWLEDGED}
    assert set(hub.states(MINISTRY)) == {DeliveryState.HELD}
    assert differing(reconcile(hub, PROVINCE)) == {}

    # July: the first window of the Ministry, which is away over a weekend. The newest of a card goes, once.
    hub.accept([revise(card, 1) for card in parts["corrected"][:10]])
    go_on(hub, "07-04")
    hub.sandbox.play(Fault(name=FaultName.UNAVAILABLE, simulators=("ministry",), retry_after=600))
    hub.accept([recalled(card) for card in parts["recalled"][:5]])
    go_on(hub, "07-06")
    hub.sandbox.play(Fault(name=FaultName.LATE_ACKNOWLEDGEMENT, rate=0.5, seconds=0, polls=2))
    go_on(hub, "07-11")
    assert hub.states(MINISTRY)[DeliveryState.ACKNOWLEDGED] > CARDS * 0.8

    # The data are locked; two people unlock them.
    with hub.store.write() as connection:
        locked = locks.lock(connection, Scope(ALL_SCHOOLS, YEAR, 0), actor="a", reason="r", now=hub.now)
    refused = hub.send([revise(card, 2) for card in parts["corrected"]])
    assert {finding.kind.code for one in refused for finding in one.findings} >= {"lock.locked"}
    with hub.store.write() as connection:
        for person in ("b", "c"):
            locks.unlock(connection, locked.id, actor=person, reason="r", now=hub.now)

    # The second run: corrections, recalls, cards that come late, pupils who move to another school.
    hub.accept([revise(card, 2) for card in parts["corrected"]])
    hub.accept([recalled(card) for card in parts["recalled"][5:]])
    hub.accept(parts["late"])
    with hub.store.write() as connection:
        moved = [key_of(card) for card in parts["moved"]]
        transfers.transfer(connection, moved, "33-NEW", actor="a", reason="r", now=hub.now)
    before = hub.send([revise(card, 3) for card in parts["moved"]], Client(3, "old", set()))
    assert {one.status for one in before} == {"rejected"}
    hub.accept([revise(card, 3) for card in parts["moved"]], NEW_SCHOOL)
    _another_code_list(hub)
    go_on(hub, "08-14")
    assert set(hub.states(PROVINCE)) <= {DeliveryState.ACKNOWLEDGED, DeliveryState.SUPERSEDED}
    go_on(hub, "08-20")
    assert set(hub.states(MINISTRY)) <= {DeliveryState.ACKNOWLEDGED, DeliveryState.SUPERSEDED, DeliveryState.CANCELLED}

    # One card in a hundred is lost there without a word: each is found, sent again, and there.
    ledger = hub.sandbox.ledgers["ministry"]
    held = [row["record_id"] for row in ledger.inventory("", 1_000_000) if row["event"] != "CANCEL"]
    lost = held[:: max(1, 100 if LONG else 20)]
    for record_id in lost:
        ledger.lose(record_id)
    run = reconcile(hub, MINISTRY)
    assert differing(run) == {"missing": len(lost)}
    chosen = Chosen(run.id, {Difference.MISSING})
    done = repair(hub.store, chosen, told_to_schools(MINISTRY), actor="a", reason="r", now=hub.now)
    assert done.sent == {"missing": len(lost)}
    go_on(hub, "08-26")
    for name in (PROVINCE, MINISTRY):
        run = reconcile(hub, name)
        assert differing(run) == {}
        assert run.result["all"] == run.result["equal"] == CARDS
    for name, one in hub.sandbox.ledgers.items():
        newest = {row["record_id"]: row["version"] for row in one.inventory("", 1_000_000)}
        assert {key: newest.get(key) for key in hub.accepted} == hub.accepted, name


def _another_code_list(hub: DeliveringHub) -> None:
    """The Ministry adds an ethnic group: the list counts by itself, since it only adds."""
    station = hub.sandbox.sandbox.ministry
    known = station.lists["DANTOC"]
    station.lists["DANTOC"] = Published("2", [*known.items, ("99", "Dân tộc mới")])
    mappings = ActiveMappings(hub.store, shipped_mappings())
    run = run_once(
        hub.store, "code-lists", CodeLists(hub.destinations, hub.adapters.__getitem__, mappings), now=hub.now,
        about=MINISTRY,
    )  # fmt: skip
    assert (run.state, run.result["activated"]) == ("done", 1)
