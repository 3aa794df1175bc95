"""Idempotency keys on both stores: one call runs, the others wait or get its answer."""

from __future__ import annotations

import threading

import pytest

from hocba_hub.store.counters import sums
from hocba_hub.store.engine import Store
from hocba_hub.store.idempotency import (
    Begun,
    Claim,
    ClaimLostError,
    Fresh,
    Running,
    Stored,
    begin,
    finish,
    forget,
    purge,
    renew,
    require,
)

ROUTE = "POST /v1/report-cards"


def begun(store: Store, now: int, *, client: int = 1, route: str = ROUTE, key: str = "k") -> Begun:
    with store.write() as c:
        return begin(c, client, route, key, now, 1_000)


def claimed(store: Store, now: int, *, client: int = 1, route: str = ROUTE, key: str = "k") -> Claim:
    fresh = begun(store, now, client=client, route=route, key=key)
    assert isinstance(fresh, Fresh)
    return fresh.claim


def finished(store: Store, claim: Claim, answer: bytes = b"answer", *, sha256: str = "aa", status: int = 202) -> None:
    with store.write() as c:
        finish(c, claim, body_sha256=sha256, status=status, answer=answer)


def test_the_first_call_runs_the_second_waits_the_third_gets_its_answer(store: Store):
    claim = claimed(store, 0)
    assert begun(store, 500) == Running()
    finished(store, claim, b"\x00the answer\xff" * 1_000)
    assert begun(store, 600) == Stored("aa", 202, b"\x00the answer\xff" * 1_000)
    assert begun(store, 10_000_000) == Stored("aa", 202, b"\x00the answer\xff" * 1_000)
    with store.read() as c:
        assert sums(c)["replays"] == {(): 2}


def test_a_key_belongs_to_one_client_and_one_route(store: Store):
    claimed(store, 0)
    claimed(store, 0, client=2)
    claimed(store, 0, route="POST /v1/files")
    claimed(store, 0, key="K")
    assert begun(store, 0) == Running()


def test_a_call_that_died_is_taken_over_once_its_hold_is_over(store: Store):
    first = claimed(store, 0)
    assert begun(store, 999) == Running()
    second = claimed(store, 1_000)
    assert second.owner != first.owner
    assert begun(store, 1_500) == Running()


def test_of_a_call_that_was_taken_over_nothing_is_accepted_stored_held_or_forgotten(store: Store):
    slow, other = claimed(store, 0), claimed(store, 0, key="other")
    with store.read() as c:
        require(c, [slow, other])
        require(c, [])
    second = claimed(store, 1_000)
    with store.read() as c:
        require(c, [second, other])
        with pytest.raises(ClaimLostError):
            require(c, [other, slow])
    finished(store, slow, b"of the slow one")
    with store.write() as c:
        renew(c, slow, until=99_000)
        forget(c, slow)
    assert begun(store, 1_999) == Running()
    third = claimed(store, 2_000)
    finished(store, third, b"of the one that took over")
    finished(store, second, b"of the slow one", sha256="bb")
    assert begun(store, 3_000) == Stored("aa", 202, b"of the one that took over")


def test_a_forgotten_call_leaves_no_trace_but_an_answer_is_not_forgotten(store: Store):
    claim = claimed(store, 0)
    with store.write() as c:
        forget(c, claim)
    claim = claimed(store, 1)
    finished(store, claim)
    with store.write() as c:
        forget(c, claim)
    assert isinstance(begun(store, 2), Stored)


def test_keys_are_forgotten_by_age(store: Store):
    claimed(store, 0, key="old")
    claimed(store, 100, key="new")
    with store.write() as c:
        assert purge(c, before=100) == 1
    claimed(store, 101, key="old")
    assert begun(store, 101, key="new") == Running()


def test_of_calls_at_once_one_runs(store: Store):
    found: list[Begun] = []
    start = threading.Barrier(8)

    def call() -> None:
        start.wait()
        found.append(begun(store, 0))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(one).__name__ for one in found) == ["Fresh"] + ["Running"] * 7


def test_a_call_that_goes_on_keeps_its_key_and_one_that_is_not_heard_of_loses_it(store: Store):
    """A process that was killed in the middle of a call holds up whoever sends again for seconds, not for minutes."""
    claim = claimed(store, 0)
    with store.write() as c:
        renew(c, claim, until=1_900)
    assert begun(store, 1_500) == Running()
    claim = claimed(store, 1_901)
    finished(store, claim)
    with store.write() as c:
        renew(c, claim, until=99_000)
    assert isinstance(begun(store, 2_000), Stored)
