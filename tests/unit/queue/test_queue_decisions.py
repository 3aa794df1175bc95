"""Error classes, waits, and the protection of the destination: pure decisions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hocba_hub.adapters.destination import Breaker, Destination, Limits, Retry, Title
from hocba_hub.adapters.protocol import Outcome, Stage
from hocba_hub.model.delivery import Meaning
from hocba_hub.queue.breaker import next_breaker_state
from hocba_hub.queue.code_meanings import meaning_of
from hocba_hub.queue.retry import step, wait_seconds
from hocba_hub.store.lease import Kind
from hocba_hub.store.settle import BreakerState, gravest

CODES = {"OK": Meaning.ACKNOWLEDGED, "NO": Meaning.REFUSED, "http-401": Meaning.PRECONDITION}


def outcome(stage: Stage, code: str, retry_after: float | None = None) -> Outcome:
    return Outcome(1, stage, code, retry_after=retry_after)


@pytest.mark.parametrize(
    ("stage", "code", "kind", "meaning"),
    [
        (Stage.ANSWERED, "OK", Kind.SEND, Meaning.ACKNOWLEDGED),
        (Stage.ANSWERED, "NO", Kind.SEND, Meaning.REFUSED),
        (Stage.ANSWERED, "http-401", Kind.SEND, Meaning.PRECONDITION),
        (Stage.ANSWERED, "http-503", Kind.SEND, Meaning.TRANSIENT),
        (Stage.ANSWERED, "never heard of", Kind.SEND, Meaning.TRANSIENT),
        (Stage.ANSWERED, "absent", Kind.LOOKUP, Meaning.ABSENT),
        (Stage.NOT_SENT, "connection-refused", Kind.SEND, Meaning.TRANSIENT),
        (Stage.NOT_SENT, "missing-precondition", Kind.SEND, Meaning.PRECONDITION),
        (Stage.NO_ANSWER, "timeout", Kind.SEND, Meaning.UNKNOWN_OUTCOME),
        (Stage.NO_ANSWER, "timeout", Kind.LOOKUP, Meaning.TRANSIENT),
        (Stage.NO_ANSWER, "timeout", Kind.POLL, Meaning.TRANSIENT),
    ],
)
def test_what_an_outcome_means(stage: Stage, code: str, kind: Kind, meaning: Meaning):
    assert meaning_of(outcome(stage, code), kind, CODES) is meaning


@given(
    st.sampled_from([Stage.NOT_SENT, Stage.NO_ANSWER]), st.sampled_from(["OK", "NO", "x"]), st.sampled_from(list(Kind))
)
def test_only_an_answer_can_be_a_verdict(stage: Stage, code: str, kind: Kind):
    assert meaning_of(outcome(stage, code), kind, CODES) not in {Meaning.ACKNOWLEDGED, Meaning.REFUSED}


def test_waits_follow_the_schedule_then_repeat():
    retry = Retry()
    assert [wait_seconds(retry, n) for n in range(1, 9)] == [10, 60, 300, 900, 3600, 10_800, 10_800, 10_800]


@given(st.integers(1, 50), st.floats(-1, 1))
def test_jitter_stays_in_its_share(attempt: int, jitter: float):
    planned = wait_seconds(Retry(), attempt)
    assert 0.8 * planned <= wait_seconds(Retry(), attempt, jitter=jitter) <= 1.2 * planned


@pytest.mark.parametrize(("asked", "waited"), [(0, 0), (5, 5), (86_400, 21_600), (-3, 0)])
def test_the_destinations_wait_wins_within_bounds(asked: float, waited: float):
    assert wait_seconds(Retry(), 3, jitter=1, retry_after=asked) == waited


def test_the_last_step_repeats():
    assert [step((1.0, 5.0), n) for n in (1, 2, 3, 9)] == [1, 5, 5, 5]


PEER = Destination(
    name="peer", title=Title(vi="", en=""), adapter="x", address="x", breaker=Breaker(failures=3, open_seconds=30),
    limits=Limits(concurrency=8, answer_seconds=30),
)  # fmt: skip
FRESH = BreakerState(0, None, None, 0)
BAD = [outcome(Stage.NOT_SENT, "connection-refused")]
GOOD = [outcome(Stage.ANSWERED, "OK")]


def after(standing: BreakerState, *calls: list[Outcome], seconds: float = 0.1) -> BreakerState:
    for call in calls:
        standing = next_breaker_state(standing, call, PEER, now=1_000, seconds=seconds)
    return standing


def test_the_breaker_opens_after_failures_in_a_row_only():
    assert after(FRESH, BAD, BAD).open_until is None
    assert after(FRESH, BAD, BAD, BAD).open_until == 31_000
    assert after(FRESH, BAD, BAD, GOOD, BAD).open_until is None


def test_a_failed_probe_opens_it_again_and_a_good_one_closes_it():
    opened = after(FRESH, BAD, BAD, BAD)
    assert after(opened, BAD).open_until == 31_000
    assert after(opened, GOOD) == FRESH


def test_one_refused_record_among_others_is_no_failure_of_the_destination():
    mixed = [outcome(Stage.ANSWERED, "NO"), outcome(Stage.NO_ANSWER, "not-in-answer")]
    assert after(FRESH, mixed, mixed, mixed).failures == 0


def test_retry_after_holds_the_whole_destination():
    asked = [outcome(Stage.ANSWERED, "http-429", retry_after=7)]
    assert after(FRESH, asked).open_until == 8_000


def test_overload_halves_the_cap_to_one_at_least_and_ten_good_calls_raise_it():
    busy = [outcome(Stage.ANSWERED, "http-503")]
    assert [after(FRESH, *[busy] * n).cap for n in (1, 2, 3, 9)] == [4, 2, 1, 1]
    low = after(FRESH, busy, busy)
    assert (after(low, *[GOOD] * 9).cap, after(low, *[GOOD] * 10).cap) == (2, 3)
    assert after(low, *[GOOD] * 60) == FRESH


def test_a_slow_destination_is_asked_less():
    assert after(FRESH, GOOD, seconds=16).cap == 4
    assert after(FRESH, GOOD, seconds=14).cap is None


def test_an_attempt_is_filed_under_what_most_needs_an_eye():
    assert gravest([Meaning.ACKNOWLEDGED, Meaning.REFUSED, Meaning.TRANSIENT]) is Meaning.TRANSIENT
    assert gravest([]) is Meaning.ACKNOWLEDGED
