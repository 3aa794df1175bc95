"""The one table of transitions, and what follows from every meaning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hocba_hub.model.delivery import (
    FINAL,
    TIMED,
    TRANSITIONS,
    UNSENT,
    UNSETTLED,
    DeliveryState,
    Meaning,
    TransitionError,
    check_transition,
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
    assert next_state(state, meaning, window_open=True, newer_exists=False) is after


def test_a_used_up_window_parks():
    assert next_state(S.LEASED, M.TRANSIENT, window_open=False, newer_exists=False) is S.PARKED
    assert next_state(S.LEASED, M.PRECONDITION, window_open=False, newer_exists=False) is S.HELD


@given(st.sampled_from(sorted(UNSETTLED)), st.sampled_from(list(M)), st.booleans(), st.booleans())
def test_every_result_is_in_the_table_and_only_verdicts_end(state: S, meaning: M, window: bool, newer: bool):
    after = next_state(state, meaning, window_open=window, newer_exists=newer)
    if after is not state:
        check_transition(state, after)
    if after in {S.ACKNOWLEDGED, S.REFUSED}:
        assert meaning.value == after.value
    if newer:
        assert after not in UNSENT
    if after is S.SUPERSEDED:
        assert newer


@given(st.sampled_from(sorted(set(S) - UNSETTLED)), st.sampled_from(list(M)))
def test_no_attempt_is_judged_in_a_state_that_nobody_holds(state: S, meaning: M):
    with pytest.raises(TransitionError):
        next_state(state, meaning, window_open=True, newer_exists=False)


def test_a_forbidden_transition_is_named():
    with pytest.raises(TransitionError, match="acknowledged to queued"):
        check_transition(S.ACKNOWLEDGED, S.QUEUED)
