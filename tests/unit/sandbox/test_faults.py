"""Fault scripts: read strictly, played the same way for the same seed."""

from __future__ import annotations

from pathlib import Path

import pytest

from hocba_hub.sandbox.faults import PRESETS, Fault, FaultName, FaultPlayer, FaultScript, FaultScriptError, read_script

F = FaultName


def played(script: FaultScript, calls: int = 300) -> list[str | None]:
    player = FaultPlayer("province", script)
    return [fault.name if (fault := player.call("submit")) else None for _ in range(calls)]


def test_a_script_is_yaml_or_json():
    expected = FaultScript(seed=7, faults=(Fault(name=F.SLOW_ANSWER, rate=0.25, seconds=0.5),))
    assert read_script("seed: 7\nfaults:\n- {name: slow-answer, rate: 0.25, seconds: 0.5}\n") == expected
    assert read_script(b'{"seed": 7, "faults": [{"name": "slow-answer", "rate": 0.25, "seconds": 0.5}]}') == expected
    assert read_script("") == FaultScript()


@pytest.mark.parametrize(
    "text",
    [
        "faults: [{name: no-such-fault}]",
        "faults: [{name: slow-answer, rate: 2}]",
        "faults: [{name: slow-answer, second: 1}]",
        "faults: {",
        "- 1",
        "faults: [{name: record-refused, code: 'Nguyễn Văn A'}]",
    ],
)
def test_what_is_not_a_script_is_refused(text):
    with pytest.raises(FaultScriptError):
        read_script(text)


def test_the_seed_decides_and_nothing_else():
    script = PRESETS["harsh"].model_copy(update={"seed": 5})
    first = played(script)
    assert first == played(script)
    assert first != played(script.model_copy(update={"seed": 6}))
    assert {F.TIMEOUT_AFTER_COMMIT, F.TOO_MANY_REQUESTS, None} <= set(first)


def test_the_rate_is_kept():
    script = FaultScript(faults=(Fault(name=F.SERVER_ERROR, rate=0.2),))
    assert 150 < sum(name is not None for name in played(script, 1000)) < 250


def test_operations_simulators_and_times():
    faults = (
        Fault(name=F.SERVER_ERROR, operations=("poll",)),
        Fault(name=F.SOAP_FAULT, simulators=("ministry",)),
        Fault(name=F.SLOW_ANSWER, times=2),
    )
    assert played(FaultScript(faults=faults), 4) == [F.SLOW_ANSWER, F.SLOW_ANSWER, None, None]


def test_records_are_struck_by_their_id():
    player = FaultPlayer("ministry", FaultScript(faults=(Fault(name=F.RECORD_REFUSED, rate=0.5),)))
    ids = [f"2025-2026/{number}" for number in range(200)]
    struck = {record_id for record_id in ids if player.record(F.RECORD_REFUSED, record_id)}
    assert struck == {record_id for record_id in ids if player.record(F.RECORD_REFUSED, record_id)}
    assert 60 < len(struck) < 140
    assert player.record(F.RECORD_NOT_IN_ANSWER, ids[0]) is None
    assert player.call("submit") is None


def test_another_script_starts_from_its_beginning():
    script = FaultScript(faults=(Fault(name=F.SLOW_ANSWER, times=1),))
    player = FaultPlayer("province", script)
    assert [player.call("submit") is not None for _ in range(2)] == [True, False]
    player.load(script)
    assert [player.call("submit") is not None for _ in range(2)] == [True, False]
    assert dict(player.played) == {F.SLOW_ANSWER: 1}


@pytest.mark.parametrize("page", ["sandbox.md", "sandbox.vi.md"])
def test_the_pages_name_every_fault_and_field_and_their_script_is_read(page: str):
    text = (Path(__file__).parents[3] / "docs" / page).read_text(encoding="utf-8")
    assert {name for name in (*FaultName, *Fault.model_fields) if f"`{name}`" not in text} == set()
    script = read_script(text.partition("```yaml\n")[2].partition("```")[0])
    assert [fault.name for fault in script.faults] == [F.RECORD_REFUSED, F.DROPPED_AFTER_COMMIT]


def test_a_fault_of_records_strikes_only_those_it_names():
    faults = (Fault(name=F.RECORD_REFUSED, schools=("S1",)), Fault(name=F.RECORD_NOT_IN_ANSWER, records=("a",)))
    player = FaultPlayer("province", FaultScript(faults=faults))
    assert [player.record(F.RECORD_REFUSED, "a", school) is not None for school in ("S1", "S2", "")] == [True] + [
        False
    ] * 2
    assert [player.record(F.RECORD_NOT_IN_ANSWER, one) is not None for one in ("a", "b")] == [True, False]
