"""Processes tell that they are alive, and the API which HTTP statuses it has answered."""

from __future__ import annotations

import pytest

from hocba_hub.model.clock import system_clock
from hocba_hub.monitoring import presence
from hocba_hub.monitoring.presence import Presence
from hocba_hub.sandbox.vendor import wait_until
from hocba_hub.store import processes
from hocba_hub.store.counters import Counters, sums
from hocba_hub.store.engine import Store, StoreAwayError
from tests.support.api_server import running_api


def told(store: Store) -> dict[str, float]:
    with store.read() as connection:
        return {labels[0]: total for labels, total in sums(connection).get("http_responses", {}).items()}


def answers(statuses: dict[int, int]) -> Counters:
    counted = Counters()
    for status, amount in statuses.items():
        counted.add("http_responses", str(status), amount=amount)
    return counted


def test_who_is_not_heard_of_is_taken_for_dead_and_starts_stay_counted(store: Store):
    now = 1_000_000
    with store.write() as connection:
        processes.begin(connection, "a", "worker", now)
        processes.begin(connection, "b", "worker", now)
        processes.begin(connection, "c", "api", now)
        processes.seen(connection, "b", now + 20_000, answers({200: 3, 503: 1}))
        processes.seen(connection, "c", now + 20_000, answers({200: 1}), ends=True)
        none = {"importer": 0, "jobs": 0, "scheduler": 0}
        assert processes.alive(connection, now + 20_000) == {"worker": 2, "api": 0, **none}
        assert processes.alive(connection, now + 40_000) == {"worker": 1, "api": 0, **none}
        assert processes.forget(connection, before=now + 10_000) == 1
        counted = sums(connection)
    assert counted["process_starts"] == {("worker",): 2, ("api",): 1}
    assert told(store) == {"200": 4, "503": 1}


def test_an_api_counts_its_answers_and_its_end(store: Store, store_url: str):
    with running_api(Store(store_url)) as api:
        api.hub.presence = Presence(api.store, "a", "api", system_clock)
        assert [api.get(path).status_code for path in ("/v1/findings", "/nowhere", "/livez")] == [401, 404, 200]
        with store.read() as connection:
            assert processes.alive(connection, system_clock())["api"] == 1
    assert told(store) == {"401": 1, "404": 1, "200": 1}
    with store.read() as connection:
        assert processes.alive(connection, system_clock())["api"] == 0


def test_what_could_not_be_told_is_told_later(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(presence, "_SECONDS", 0.05)
    away = True
    seen = processes.seen

    def sometimes(*given: object, **more: object) -> None:
        if away:
            raise StoreAwayError("away")
        seen(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(processes, "seen", sometimes)
    with Presence(store, "a", "api", lambda: 1) as running:
        running.answered(503, "client", 0.1, None)
        assert not wait_until(lambda: bool(told(store)), 0.3, every=0.05)
        away = False
        assert wait_until(lambda: told(store) == {"503": 1}, 5, every=0.05)
