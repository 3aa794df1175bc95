"""Identity results from both simulators on both stores: fetched once, kept with the card, on the open list, counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hocba_hub.adapters.http import CallError
from hocba_hub.adapters.protocol import Outbound
from hocba_hub.model.identity import IdentityResult
from hocba_hub.model.keys import CardId, CardKey, DestinationName, SchoolYear
from hocba_hub.queue.jobs.identity import Identity
from hocba_hub.sandbox.ledger import Arrival
from hocba_hub.store import identity, jobs, search
from hocba_hub.store.engine import Store
from hocba_hub.store.jobs import Planned, Run
from tests.support.acceptance import submit
from tests.support.jobs import job_worker
from tests.support.sandbox_server import SandboxHandle, running_sandbox

R = IdentityResult
NOW = 1_780_000_000_000
OPTIONS: dict[str, dict[str, Any]] = {
    "ministry": {"identity": {"operation": "ListIdentityResults", "lines_per_page": 2}},
    "province": {"identity_path": "/v1/identity-results", "identity_limit": 2},
}


@pytest.fixture(scope="module")
def served() -> Iterator[SandboxHandle]:
    with running_sandbox(answer_seconds=5) as handle:
        yield handle


class Checks:
    """Cards that a destination holds, and the results that it tells of them."""

    def __init__(self, store: Store, sandbox: SandboxHandle, name: str, adapter: Outbound) -> None:
        self.store, self.name, self.adapter = store, DestinationName(name), adapter
        self.ledger, self.key = sandbox.ledgers[name], f"identity:{name}"
        self.destination, self.now = sandbox.destination(name), NOW

    def accepted(self, *cards: str, version: int = 1) -> None:
        content = f'{{"school":{{"commune_code":"11953"}},"version":{version}}}'
        submit(self.store, *[(card, content) for card in cards], now=self.now, destinations=(self.name,))

    def sent(self, *cards: str, version: int = 1) -> None:
        self.accepted(*cards, version=version)
        self.ledger.commit(
            [Arrival(f"2025-2026/{card}", version, "NEW", str(version)) for card in cards], lambda _: None
        )

    def tell(self, **results: str) -> None:
        for card, result in results.items():
            assert self.ledger.check_identity(f"2025-2026/{card}", result)

    def fetch(self, adapter: Outbound | None = None) -> Run:
        worker = job_worker(
            self.store, {self.key: Planned("identity", None)},
            {"identity": Identity({self.name: self.destination}, lambda _: adapter or self.adapter)},
            clock=lambda: self.now,
        )  # fmt: skip
        self.now += 1_000
        with self.store.write() as connection:
            jobs.ask(connection, self.key, "test", self.now)
        worker.run(self.key)
        with self.store.read() as connection:
            return jobs.history(connection, self.key, limit=1)[0]

    def results(self) -> dict[str, tuple[int, str]]:
        with self.store.read() as connection:
            return {
                one.card_id: (one.version, one.result)
                for result in R
                for one in identity.cards_with(connection, self.name, result)
            }

    def open_items(self) -> dict[str, str]:
        with self.store.read() as connection:
            found = search.open_list(connection, schools=None, school_year=None, after=None, limit=100)
        return {one.card_id: one.findings[0]["code"] for one in found if one.matter == "identity"}


@pytest.fixture(params=sorted(OPTIONS))
def checks(request: pytest.FixtureRequest, store: Store, served: SandboxHandle) -> Iterator[Checks]:
    served.sandbox.reset()
    with served.adapter(request.param, options=OPTIONS[request.param]) as adapter:
        yield Checks(store, served, request.param, adapter)


def test_results_are_kept_with_the_card_and_on_its_schools_open_list(checks: Checks):
    checks.sent("a", "b", "c", "d", "e")
    checks.tell(a="verified", b="mismatch", c="not-found", d="verified")
    run = checks.fetch()
    assert (run.state, run.result) == ("done", {"new": 4, "known": 0, "unknown": 0})
    assert checks.results() == {
        "a": (1, "verified"), "b": (1, "mismatch"), "c": (1, "not-found"), "d": (1, "verified")
    }  # fmt: skip
    assert checks.open_items() == {"b": "identity.mismatch", "c": "identity.not-found"}
    with checks.store.read() as connection:
        card = search.card(connection, CardKey(SchoolYear("2025-2026"), CardId("b")))
        assert card is not None
        assert [(one.destination, one.result) for one in card.identity] == [(checks.name, "mismatch")]
        [(place, counted)] = identity.counts(connection, checks.name, by="school").items()
        assert counted == {"verified": 2, "mismatch": 1, "not-found": 1}
        assert place == ("11953", "SCHOOL")


def test_a_run_goes_on_where_the_run_before_it_ended(checks: Checks):
    checks.sent("a", "b", "c")
    checks.tell(a="verified", b="verified", c="mismatch")
    checks.fetch()
    assert checks.fetch().result.get("known", 0) == 0
    checks.tell(c="verified")
    assert checks.fetch().result["new"] == 1
    assert checks.results()["c"] == (1, "verified")
    assert checks.open_items() == {}


def test_a_corrected_card_leaves_the_list_and_a_late_result_of_its_older_version_changes_nothing(checks: Checks):
    checks.sent("a")
    checks.tell(a="mismatch")
    checks.fetch()
    assert set(checks.open_items()) == {"a"}
    checks.accepted("a", version=2)
    assert checks.open_items() == {}
    checks.tell(a="not-found")  # the destination holds version 1 still
    checks.fetch()
    assert checks.results()["a"] == (1, "not-found")
    assert checks.open_items() == {}
    checks.sent("a", version=2)
    checks.tell(a="verified")
    checks.fetch()
    assert checks.results()["a"] == (2, "verified")


def test_what_is_no_card_of_ours_is_counted_and_nothing_else(checks: Checks):
    checks.ledger.commit([Arrival("2025-2026/foreign", 1, "NEW", "x")], lambda _: None)
    checks.tell(foreign="mismatch")
    assert checks.fetch().result["unknown"] == 1
    assert checks.results() == {}


def test_a_destination_that_tells_nothing_has_nothing_to_fetch(checks: Checks, served: SandboxHandle):
    options: dict[str, Any] = {"identity": None} if checks.name == "ministry" else {"identity_path": None}
    with served.adapter(checks.name, options=options) as adapter:
        with pytest.raises(CallError, match="no-identity"):
            adapter.identities(None)
        assert checks.fetch(adapter).state == "done"
