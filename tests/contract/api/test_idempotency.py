"""Idempotency keys on both stores: one call runs, the others wait or get its answer."""

from __future__ import annotations

import threading

from hocba_hub.store.counters import sums
from hocba_hub.store.engine import Store
from hocba_hub.store.idempotency import Begun, Fresh, Running, Stored, begin, finish, forget, purge, renew

ROUTE = "POST /v1/report-cards"


def begun(store: Store, now: int, *, client: int = 1, route: str = ROUTE, key: str = "k") -> Begun:
    with store.write() as c:
        return begin(c, client, route, key, now, 1_000)


def finished(store: Store, answer: bytes = b"answer", *, sha256: str = "aa", status: int = 202) -> None:
    with store.write() as c:
        finish(c, 1, ROUTE, "k", body_sha256=sha256, status=status, answer=answer)


def test_the_first_call_runs_the_second_waits_the_third_gets_its_answer(store: Store):
    assert begun(store, 0) == Fresh()
    assert begun(store, 500) == Running()
    finished(store, b"\x00the answer\xff" * 1_000)
    assert begun(store, 600) == Stored("aa", 202, b"\x00the answer\xff" * 1_000)
    assert begun(store, 10_000_000) == Stored("aa", 202, b"\x00the answer\xff" * 1_000)
    with store.read() as c:
        assert sums(c)["replays"] == {(): 2}


def test_a_key_belongs_to_one_client_and_one_route(store: Store):
    assert begun(store, 0) == Fresh()
    assert begun(store, 0, client=2) == Fresh()
    assert begun(store, 0, route="POST /v1/files") == Fresh()
    assert begun(store, 0, key="K") == Fresh()
    assert begun(store, 0) == Running()


def test_a_call_that_died_is_taken_over_once_its_lock_is_over(store: Store):
    assert begun(store, 0) == Fresh()
    assert begun(store, 999) == Running()
    assert begun(store, 1_000) == Fresh()
    assert begun(store, 1_500) == Running()


def test_the_first_answer_stays(store: Store):
    begun(store, 0)
    begun(store, 1_000)
    finished(store, b"of the one that took over")
    finished(store, b"of the slow one", sha256="bb")
    assert begun(store, 2_000) == Stored("aa", 202, b"of the one that took over")


def test_a_forgotten_call_leaves_no_trace_but_an_answer_is_not_forgotten(store: Store):
    begun(store, 0)
    with store.write() as c:
        forget(c, 1, ROUTE, "k")
    assert begun(store, 1) == Fresh()
    finished(store)
    with store.write() as c:
        forget(c, 1, ROUTE, "k")
    assert isinstance(begun(store, 2), Stored)


def test_keys_are_forgotten_by_age(store: Store):
    begun(store, 0, key="old")
    begun(store, 100, key="new")
    with store.write() as c:
        assert purge(c, before=100) == 1
    assert begun(store, 101, key="old") == Fresh()
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
    assert begun(store, 0) == Fresh()
    with store.write() as c:
        renew(c, 1, ROUTE, "k", until=1_900)
    assert begun(store, 1_500) == Running()
    assert begun(store, 1_901) == Fresh()
    finished(store)
    with store.write() as c:
        renew(c, 1, ROUTE, "k", until=99_000)
    assert isinstance(begun(store, 2_000), Stored)
