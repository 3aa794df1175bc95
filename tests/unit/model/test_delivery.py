"""The one table of transitions, and what follows from every meaning."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hocba_hub
from hocba_hub.model.delivery import (
    FINAL,
    TIMED,
    TRANSITIONS,
    UNSENT,
    UNSETTLED,
    DeliveryState,
    Meaning,
    TransitionError,
    enter,
    first_state,
    given_newer,
    next_state,
)

S, M = DeliveryState, Meaning


def test_every_state_is_of_one_sort():
    assert set(S) == FINAL | UNSENT | UNSETTLED
    assert len(FINAL) + len(UNSENT) + len(UNSETTLED) == len(S)
    assert TIMED | {S.LEASED, S.PARKED} == set(S) - FINAL
    assert set(TRANSITIONS) == set(S)


def test_final_states_open_only_by_a_persons_replay():
    assert {state: TRANSITIONS[state] for state in FINAL} == {
        S.ACKNOWLEDGED: frozenset(),
        S.SUPERSEDED: frozenset(),
        S.REFUSED: {S.QUEUED},
        S.CANCELLED: {S.QUEUED},
    }


@pytest.mark.parametrize(
    ("state", "meaning", "after"),
    [
        (S.LEASED, M.ACKNOWLEDGED, S.ACKNOWLEDGED),
        (S.LEASED, M.REFUSED, S.REFUSED),
        (S.LEASED, M.AWAITING_ACK, S.AWAITING_ACK),
        (S.LEASED, M.TRANSIENT, S.QUEUED),
        (S.LEASED, M.UNKNOWN_OUTCOME, S.IN_DOUBT),
        (S.LEASED, M.PRECONDITION, S.HELD),
        (S.LEASED, M.ABSENT, S.IN_DOUBT),
        (S.LEASED, M.RELEASED, S.QUEUED),
        (S.IN_DOUBT, M.ACKNOWLEDGED, S.ACKNOWLEDGED),
        (S.IN_DOUBT, M.REFUSED, S.REFUSED),
        (S.IN_DOUBT, M.AWAITING_ACK, S.AWAITING_ACK),
        (S.IN_DOUBT, M.ABSENT, S.QUEUED),
        (S.IN_DOUBT, M.TRANSIENT, S.IN_DOUBT),
        (S.IN_DOUBT, M.UNKNOWN_OUTCOME, S.IN_DOUBT),
        (S.IN_DOUBT, M.PRECONDITION, S.IN_DOUBT),
        (S.IN_DOUBT, M.RELEASED, S.IN_DOUBT),
        (S.AWAITING_ACK, M.ACKNOWLEDGED, S.ACKNOWLEDGED),
        (S.AWAITING_ACK, M.REFUSED, S.REFUSED),
        (S.AWAITING_ACK, M.AWAITING_ACK, S.AWAITING_ACK),
        (S.AWAITING_ACK, M.ABSENT, S.IN_DOUBT),
        (S.AWAITING_ACK, M.TRANSIENT, S.AWAITING_ACK),
        (S.AWAITING_ACK, M.PRECONDITION, S.AWAITING_ACK),
        (S.AWAITING_ACK, M.RELEASED, S.AWAITING_ACK),
        (S.AWAITING_ACK, M.UNKNOWN_OUTCOME, S.AWAITING_ACK),
    ],
)
def test_what_follows(state: S, meaning: M, after: S):
    assert next_state(state, meaning, window_open=True) is after


def test_a_used_up_window_parks():
    assert next_state(S.LEASED, M.TRANSIENT, window_open=False) is S.PARKED
    assert next_state(S.LEASED, M.PRECONDITION, window_open=False) is S.HELD


@given(st.sampled_from(sorted(UNSETTLED)), st.sampled_from(list(M)), st.booleans(), st.booleans())
def test_every_result_is_in_the_table_and_only_verdicts_end(state: S, meaning: M, window: bool, newer: bool):
    after = next_state(state, meaning, window_open=window)
    if newer:
        after = given_newer(after)
        assert after not in UNSENT
    assert enter(state, after) is after
    if after in {S.ACKNOWLEDGED, S.REFUSED}:
        assert meaning.value == after.value
    if after is S.SUPERSEDED:
        assert newer


def test_a_delivery_begins_queued_or_overtaken():
    assert first_state(is_newest=True) is S.QUEUED
    assert first_state(is_newest=False) is S.SUPERSEDED


@given(st.sampled_from(sorted(set(S) - UNSETTLED)), st.sampled_from(list(M)))
def test_no_attempt_is_judged_in_a_state_that_nobody_holds(state: S, meaning: M):
    with pytest.raises(TransitionError):
        next_state(state, meaning, window_open=True)


def test_a_forbidden_transition_is_named():
    with pytest.raises(TransitionError, match="acknowledged to queued"):
        enter(S.ACKNOWLEDGED, S.QUEUED)


WRITERS = {"enter", "first_state", "decided", "sent_again"}


def states_written(source: str) -> Iterator[tuple[str, bool]]:
    """Each function that writes a delivery's state, and whether what it writes came through the table.

    A state is written by a `state` in the values of an update or in a row of deliveries.
    """
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if "deliveries" not in {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}:
            continue
        through = {
            node.targets[0].id
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Call)
            and getattr(node.value.func, "id", "") in WRITERS
        }
        for value in written_in(function):
            yield function.name, isinstance(value, ast.Name) and value.id in through


def written_in(function: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "values":
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "state")
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "state":
                    yield value


def test_nothing_writes_a_state_that_did_not_come_through_the_table():
    room = Path(hocba_hub.__file__).parent
    found = {
        (path.stem, name): is_right
        for path in sorted(room.rglob("*.py"))
        for name, is_right in states_written(path.read_text(encoding="utf-8"))
    }
    assert set(found) == {
        ("accept", "_write_deliveries"), ("accept", "supersede"), ("lease", "_open"), ("settle", "_write"),
        ("delivery_acts", "take"), ("replay_steps", "_queue"), ("acknowledgements", "_taken"),
        ("acknowledgements", "decide"), ("acknowledgements", "doubt"), ("repair", "_send"),
    }  # fmt: skip
    assert all(found.values()), found


def test_a_state_that_is_written_past_the_table_is_found():
    past = "def f(c):\n  c.execute(update(deliveries).values(state=DeliveryState.QUEUED))\n"
    row = "def f(c):\n  insert_rows(c, deliveries, [{'state': _S.QUEUED}])\n"
    right = "def f(c):\n  after = enter(b, _S.QUEUED)\n  c.execute(update(deliveries).values(state=after))\n"
    assert [list(states_written(one)) for one in (past, row, right)] == [[("f", False)], [("f", False)], [("f", True)]]
