"""The job that fetches the destinations' code lists, from both simulators, and what becomes of its drafts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from hocba_hub.adapters.destination import Destination
from hocba_hub.intake.active_mappings import ActiveMappings
from hocba_hub.intake.code_lists import effect
from hocba_hub.mappings.library.mapping_set import shipped_mappings
from hocba_hub.model.clock import system_clock
from hocba_hub.model.keys import DestinationName
from hocba_hub.queue.jobs.code_lists import CodeLists
from hocba_hub.sandbox.code_lists import Published
from hocba_hub.store import audit, code_lists
from hocba_hub.store.code_lists import CodeListError, ListState
from hocba_hub.store.engine import Store
from hocba_hub.store.jobs import Run
from hocba_hub.store.tables import unmapped_codes, waiting_codes, waiting_records
from hocba_hub.store.unmapped_codes import ready
from tests.support.jobs import run_once
from tests.support.sandbox_server import SandboxHandle, running_sandbox

NAMES = ("ministry", "province")


@pytest.fixture(scope="module")
def served() -> Iterator[SandboxHandle]:
    with running_sandbox(answer_seconds=5) as handle:
        yield handle


@pytest.fixture
def sandbox(served: SandboxHandle) -> SandboxHandle:
    served.sandbox.reset()
    return served


class Stage:
    def __init__(self, store: Store, sandbox: SandboxHandle, name: str) -> None:
        self.store, self.sandbox, self.name = store, sandbox, name
        self.now = system_clock()
        self.mappings = ActiveMappings(store, shipped_mappings())
        self.station = getattr(sandbox.sandbox, name)

    def publish(self, version: str, *changes: Any) -> None:
        """The list as it is published now, with some lines changed, added, or (None) left out."""
        known = dict(self.station.lists["DANTOC"].items) | dict(changes)
        self.station.lists["DANTOC"] = Published(version, [(c, n) for c, n in known.items() if n is not None])

    def fetch(self, **options: Any) -> Run:
        with self.sandbox.adapter(self.name) as adapter:
            known: Destination = self.sandbox.destination(self.name)
            use = known.code_lists["DANTOC"].model_copy(update=options)
            known = known.model_copy(update={"code_lists": {"DANTOC": use}})
            work = CodeLists({DestinationName(self.name): known}, lambda _: adapter, self.mappings)
            return run_once(self.store, "code-lists", work, now=self.now, about=self.name)

    def newest(self) -> code_lists.StoredList:
        with self.store.read() as connection:
            found = code_lists.newest(connection, self.name, "DANTOC")
        assert found is not None
        return found

    def code_of(self, group: str) -> str | None:
        system = "qd121" if self.name == "ministry" else "gso_census"
        return self.mappings.newest().tables["ethnic-groups"].view("name", system).find(group).value


@pytest.fixture(params=NAMES)
def stage(request: pytest.FixtureRequest, store: Store, sandbox: SandboxHandle) -> Stage:
    return Stage(store, sandbox, request.param)


def test_a_list_as_we_know_it_changes_nothing(stage: Stage):
    assert stage.fetch().result == {"drafts": 1, "activated": 1}
    assert stage.newest().counts == {"added": 0, "renamed": 0, "ended": 0}
    assert stage.fetch().result == {"unchanged": 1}


def test_a_list_that_only_adds_counts_by_itself(stage: Stage):
    stage.publish("2", ("77", "Nhóm mới"))
    assert stage.code_of("nhóm mới") is None
    assert stage.fetch().result == {"drafts": 1, "activated": 1}
    assert stage.code_of("nhóm mới") == "77"
    assert (stage.newest().state, stage.newest().decided_by, stage.newest().version) == (ListState.ACTIVE, "hub", "2")


def test_by_hand_even_additions_wait_for_a_person(stage: Stage):
    stage.publish("2", ("77", "Nhóm mới"))
    assert stage.fetch(activate="by-hand").result == {"drafts": 1}
    assert stage.code_of("Nhóm mới") is None


def test_what_renames_or_ends_waits_for_a_person(stage: Stage):
    known = dict(stage.station.lists["DANTOC"].items)
    code = stage.code_of("Tày")
    stage.publish("2", (code, "Tày, cách gọi mới"), ("77", "Nhóm mới"))
    assert stage.fetch().result == {"drafts": 1}
    draft = stage.newest()
    assert draft.counts == {"added": 1, "renamed": 1, "ended": 0}
    with stage.store.write() as connection:
        planned = effect(connection, stage.mappings.newest(), draft, stage.now)
        code_lists.activate(connection, draft.id, planned.solved, actor="os:lan", reason="their letter", now=stage.now)
    assert stage.code_of("Tày, cách gọi mới") == stage.code_of("Tày") == code
    with stage.store.read() as connection:
        [entry] = audit.entries(connection)
    assert (entry.action, entry.detail["changes"]["renamed"]) == ("activate-code-list", 1)
    with pytest.raises(CodeListError), stage.store.write() as connection:
        code_lists.discard(connection, draft.id, actor="os:lan", reason="no", now=stage.now)
    assert len(known) + 1 == len(draft.items)


def test_a_newer_draft_takes_the_place_of_an_older_one_and_one_is_put_aside(stage: Stage):
    code = stage.code_of("Tày")
    for version in ("2", "3"):
        stage.publish(version, (code, f"Tày {version}"))
        stage.fetch()
    with stage.store.write() as connection:
        states = [one.state for one in code_lists.listed(connection)]
        newest = code_lists.newest(connection, stage.name, "DANTOC")
        assert newest is not None
        code_lists.discard(connection, newest.id, actor="os:lan", reason="a mistake of theirs", now=stage.now)
        assert code_lists.discard(connection, 999, actor="a", reason="r", now=1) is None
    assert states == [ListState.DRAFT, ListState.REPLACED]
    assert stage.fetch().result == {"unchanged": 1}  # what a person put aside does not come back by itself


def test_a_draft_tells_whom_it_helps_and_they_are_read_again(stage: Stage):
    system = "qd121" if stage.name == "ministry" else "gso_census"
    card = {"school_year": "2025-2026", "card_id": "c", "client_id": 1}
    with stage.store.write() as connection:
        code = {
            "code_table": "ethnic-groups", "system": "name", "conditions": "{}", "value": "Nhóm mới",
            "result_system": system, "times": 1, "first_at": 1, "last_at": 1,
        }  # fmt: skip
        code_id = connection.execute(insert(unmapped_codes).values(code).returning(unmapped_codes.c.id)).scalar_one()
        connection.execute(insert(waiting_codes).values(code_id=code_id, **card))
        record = {"submission_id": "s", "position": 0, "mapping": "m", "original": b"", "revision": 0}
        connection.execute(insert(waiting_records).values(**record, **card))
    stage.publish("2", ("77", "Nhóm mới"))
    stage.fetch(activate="by-hand")
    with stage.store.write() as connection:
        planned = effect(connection, stage.mappings.newest(), stage.newest(), stage.now)
        assert (len(planned.diff.added), planned.solved, planned.waiting) == (1, [code_id], 1)
        assert [one.key.card_id for one in _ready(connection)] == []
        code_lists.activate(connection, stage.newest().id, planned.solved, actor="a", reason="r", now=stage.now)
        assert [one.key.card_id for one in _ready(connection)] == ["c"]


def _ready(connection: Any) -> list[Any]:
    connection.execute(update(waiting_records).values(original=b"(\xb5/\xfd \x00\x01\x00\x00"))  # nothing, packed
    assert connection.execute(select(waiting_records)).all()
    return ready(connection, 10)


@pytest.mark.parametrize(
    "items", [[], [("", "Kinh")], [("01", "Kinh"), ("01", "Tày")], [("01", "x" * 600)], [("01", " ")]]
)
def test_a_list_that_cannot_be_trusted_is_not_taken(stage: Stage, items: list[tuple[str, str]]):
    stage.station.lists["DANTOC"] = Published("2", items)
    run = stage.fetch()
    assert (run.state, run.error) == ("failed", "unreadable-answer")
    with stage.store.read() as connection:
        assert code_lists.listed(connection) == []


def test_a_list_that_there_is_not_fails_with_the_destinations_code(stage: Stage):
    del stage.station.lists["DANTOC"]
    assert stage.fetch().error == ("LIST_UNKNOWN" if stage.name == "ministry" else "http-404")


def test_a_wrong_table_is_told(stage: Stage):
    assert stage.fetch(table="nothing").error == "no-table"
