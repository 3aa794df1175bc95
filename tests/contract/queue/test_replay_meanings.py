"""What "again" means, with real mappings on both stores: foreseen record by record, and then done so."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
import pytest

from hocba_hub.adapters.destination import Destination, Title
from hocba_hub.adapters.protocol import CallResult, MaySend, OutboundRecord, Outcome, Stage, always
from hocba_hub.adapters.translation import NotRepresentableError, Translations
from hocba_hub.intake.active_mappings import ActiveMappings
from hocba_hub.mappings.document.parse import load_document
from hocba_hub.mappings.library.library import Library
from hocba_hub.mappings.library.mapping_set import MappingSet
from hocba_hub.mappings.tables.table_files import shipped_tables
from hocba_hub.model.activation import ActivationScope
from hocba_hub.model.codes import CodeFill
from hocba_hub.model.making import Made
from hocba_hub.model.replays import ReplayMeaning, ReplayPlan, ReplayState
from hocba_hub.queue.drain import Engine
from hocba_hub.queue.dry_run import DryRun, Foreseen
from hocba_hub.store import replays
from hocba_hub.store.code_fills import fill, take_back
from hocba_hub.store.engine import Store
from hocba_hub.store.mappings import activate
from hocba_hub.store.replay_steps import Position, advance
from hocba_hub.store.selection import Selection
from tests.support.acceptance import submit
from tests.support.engine import CODES, PROVINCE, Bench

MAPPING = """mapping: to-province
version: {}
source: {{format: json, schema: primary-delivery}}
target: t
fields:
  id: {{from: delivery/record_id, required: true}}
  name: {}
  group: {{from: pupil/religion, table: {{name: ethnic-groups, from: name, to: qd121}}}}
"""
M = ReplayMeaning


class Mapped(Bench):
    """A bench whose destination gets what its mapping makes, and answers as it is told."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.now = 1_780_000_000_000
        base = MappingSet(Library((load_document(MAPPING.format("1.0.0", "class/name")),), {}), shipped_tables())
        self.live = ActiveMappings(store, base)
        self.destination = Destination(
            name=PROVINCE, title=Title(vi="t", en="t"), adapter="rest", address="x", codes=CODES,
            mappings={"card": "to-province"},
        )  # fmt: skip
        self.translations = Translations(self.destination, self.live.newest, lambda: self.now)
        self.answer = "WRONG"
        self.bodies: list[bytes] = []
        self.peer.send = self.send  # type: ignore[method-assign]
        self.engine = Engine(store, {PROVINCE: self.destination}, lambda _: self.peer, lambda: self.now, "w", 6)

    def send(self, records: Sequence[OutboundRecord], _may_send: MaySend = always) -> CallResult:
        outcomes, made = [], {}
        for record in records:
            try:
                found = self.translations.represent(record)
            except NotRepresentableError as error:
                made[record.delivery_id] = Made(error.mapping)
                outcomes.append(error.outcome(record))
                continue
            made[record.delivery_id] = found.made
            self.bodies.append(orjson.dumps(found.records))
            outcomes.append(Outcome(record.delivery_id, Stage.ANSWERED, self.answer))
        return CallResult(outcomes, made=made)

    def put_in_force(self, version: str, name: str) -> None:
        text = MAPPING.format(version, name).encode()
        with self.store.write() as connection:
            activate(connection, "to-province", version, text, ActivationScope(), actor="a", reason="new", now=self.now)

    def fill(self, value: str) -> int:
        meaning = CodeFill("ethnic-groups", "name", "Nhóm lạ", "qd121", value)
        with self.store.write() as connection:
            return fill(connection, meaning, source="a decree", actor="os:lan", now=self.now).id

    def take_back(self, fill_id: int) -> None:
        with self.store.write() as connection:
            take_back(connection, fill_id, actor="os:lan", reason="wrong", now=self.now)

    def freeze(self, meaning: ReplayMeaning) -> int:
        plan = ReplayPlan(meaning, canary=(), most_failed=1)
        with self.store.write() as connection:
            made = replays.freeze(connection, Selection(code=self.code), plan, actor="a", reason="r", now=self.now)
        return made.replay.id

    @property
    def code(self) -> str:
        return self.row("card-1").code

    def foresee(self, replay_id: int) -> Foreseen:
        run = DryRun({PROVINCE: self.destination}, self.live.newest)
        with self.store.read() as connection:
            found = replays.find(connection, replay_id)
            assert found is not None
            [foreseen] = run.foresee(connection, found)
        return foreseen

    def play(self, replay_id: int) -> tuple[ReplayState, str]:
        """Start it, deliver, and see how it ended and what the delivery's code is."""
        with self.store.write() as connection:
            replays.start(connection, replay_id, actor="a", reason="r", now=self.now)
        for _ in range(3):
            with self.store.write() as connection:
                progress = advance(connection, replay_id, Position(), {PROVINCE: 10}, self.now)
            self.drain(1)
        return progress.state, self.code


CARD = orjson.dumps(
    {"kind": "primary", "class": {"name": "3A"}, "pupil": {"full_name": "Lê Mẫu", "religion": "Nhóm lạ"}}
).decode()


@pytest.fixture
def bench(store: Store) -> Mapped:
    made = Mapped(store)
    made.fill_id = made.fill("01")  # type: ignore[attr-defined]
    submit(store, ("card-1", CARD), now=made.now, destinations=(PROVINCE,))
    made.drain(1)
    assert made.states() == {"refused": 1}
    return made


def test_the_mapping_in_force_counts_and_what_differs_is_foreseen(bench: Mapped):
    bench.put_in_force("1.1.0", "pupil/full_name")
    bench.answer = "OK"
    one = bench.freeze(M.MAPPING_IN_FORCE)
    told = bench.foresee(one)
    assert (told.becomes, told.mapping_before, told.mapping, told.changed) == (
        "sent", "to-province 1.0.0", "to-province 1.1.0", ("name",),
    )  # fmt: skip
    assert "Lê Mẫu" not in str(told)
    assert bench.play(one) == (ReplayState.DONE, "OK")
    assert orjson.loads(bench.bodies[-1])[0]["name"] == "Lê Mẫu"


@pytest.mark.parametrize("meaning", [M.SAME_MAPPING, M.SAME_BYTES])
def test_the_mapping_of_that_day_counts_though_another_is_in_force(bench: Mapped, meaning: ReplayMeaning):
    bench.put_in_force("1.1.0", "pupil/full_name")
    bench.answer = "OK"
    one = bench.freeze(meaning)
    told = bench.foresee(one)
    assert (told.becomes, told.mapping, told.changed) == ("sent", "to-province 1.0.0", ())
    assert bench.play(one) == (ReplayState.DONE, "OK")
    assert bench.bodies[-1] == bench.bodies[0]


def test_a_version_that_is_in_force_no_more_is_found_where_it_is_kept(bench: Mapped):
    bench.put_in_force("1.1.0", "pupil/full_name")
    first = bench.freeze(M.MAPPING_IN_FORCE)
    bench.play(first)
    bench.put_in_force("1.2.0", "class/name")
    bench.answer = "OK"
    one = bench.freeze(M.SAME_BYTES)
    assert bench.foresee(one).mapping == "to-province 1.1.0"
    assert bench.play(one) == (ReplayState.DONE, "OK")
    assert bench.bodies[-1] == bench.bodies[-2] != bench.bodies[0]


def test_with_other_code_tables_the_same_mapping_may_make_another_and_the_same_bytes_are_not_sent(bench: Mapped):
    bench.take_back(bench.fill_id)  # type: ignore[attr-defined]
    bench.fill("02")
    bench.answer = "OK"
    same_bytes = bench.freeze(M.SAME_BYTES)
    told = bench.foresee(same_bytes)
    assert (told.becomes, told.code) == ("held", "bytes-differ")
    sent = len(bench.bodies)
    state, code = bench.play(same_bytes)
    assert (code, len(bench.bodies)) == ("bytes-differ", sent), "nothing went out that was not asked for"
    with bench.store.read() as connection:
        assert [(one.outcome, one.code) for one in replays.counts(connection, same_bytes)] == [
            ("failed", "bytes-differ")
        ]
    assert state is ReplayState.DONE
    one = bench.freeze(M.SAME_MAPPING)
    assert bench.foresee(one).becomes == "sent"
    assert bench.play(one) == (ReplayState.DONE, "OK")
    assert orjson.loads(bench.bodies[-1])[0]["group"] == "02"


def test_what_cannot_be_made_or_moves_on_is_foreseen_too(bench: Mapped):
    bench.take_back(bench.fill_id)  # type: ignore[attr-defined]
    one = bench.freeze(M.MAPPING_IN_FORCE)
    told = bench.foresee(one)
    assert (told.becomes, told.code) == ("held", "not-representable")
    submit(bench.store, ("card-1", CARD.replace("3A", "3B")), now=bench.now, destinations=(PROVINCE,))
    assert bench.foresee(one).becomes == "superseded"
    nobody = DryRun({}, bench.live.newest)
    with bench.store.read() as connection:
        found = replays.find(connection, one)
        assert found is not None
        assert [each.becomes for each in nobody.foresee(connection, found)] == ["superseded"]
