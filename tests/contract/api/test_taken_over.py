"""A call that stands still until another one has taken over its idempotency key: nothing of it is accepted any more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import select, text

from hocba_hub.sandbox.synthetic import revise
from hocba_hub.sandbox.vendor import wait_until
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import idempotency_keys, report_cards
from tests.support import soap_calls as soap
from tests.support.api_server import Api, running_api

BEYOND_THE_HOLD_MS = 16_000
JSON = {"Content-Type": "application/json"}
KEYED = JSON | {"Idempotency-Key": "k"}


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    with running_api(store) as running:
        yield running


def owner(api: Api) -> str | None:
    """The call that holds the only key there is."""
    with api.store.read() as connection:
        return connection.execute(select(idempotency_keys.c.owner)).scalar_one_or_none()


def is_waiting(api: Api) -> bool:
    """Somebody waits for a lock of this database."""
    query = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with api.store.read() as connection:
        return connection.execute(text(query)).scalar_one() > 0


def test_an_older_content_does_not_come_back(api: Api):
    key, (card,) = api.client_key(), soap.cards(1)
    correction = revise(card, 1)
    go_on = threading.Event()

    def halting() -> Iterator[bytes]:
        yield card[:100]
        assert go_on.wait(30)
        yield card[100:]

    with ThreadPoolExecutor(1) as background:
        slow = background.submit(
            lambda: httpx.post(
                f"{api.url}/v1/report-cards",
                content=halting(),
                headers=KEYED | {"Authorization": f"Bearer {key}"},
                timeout=60,
            )
        )
        assert wait_until(lambda: owner(api) is not None, 10, every=0.01)
        meanwhile = api.post("/v1/report-cards", key, content=card, headers=KEYED)
        assert (meanwhile.status_code, meanwhile.json()["code"]) == (409, "idempotency.still-running")
        api.now += BEYOND_THE_HOLD_MS
        again = api.post("/v1/report-cards", key, content=card, headers=KEYED)
        corrected = api.post("/v1/report-cards", key, content=correction, headers=KEYED | {"Idempotency-Key": "k2"})
        assert [one.json()["records"][0]["version"] for one in (again, corrected)] == [1, 2]
        go_on.set()
        late = slow.result()
    assert (late.status_code, late.json()["code"]) == (409, "idempotency.still-running")
    assert api.post("/v1/report-cards", key, content=card, headers=KEYED).json() == again.json()
    unchanged = api.post("/v1/report-cards", key, content=correction, headers=JSON)
    assert unchanged.json()["records"][0]["status"] == "unchanged", "the older content came back"


@pytest.mark.parametrize("by", ["rest", "soap"])
def test_a_call_that_waits_for_the_card_asks_for_its_key_once_it_has_the_card(api: Api, by: str):
    """PostgreSQL locks cards one by one, so that a call may stand still, or wait, between its key and its card."""
    if api.store.is_sqlite:
        pytest.skip("SQLite has one writer")
    key, (card,) = api.client_key(), soap.cards(1)
    header = '<a:MessageID xmlns:a="http://www.w3.org/2005/08/addressing">urn:uuid:1</a:MessageID>'
    api.post("/v1/report-cards", key, content=card, headers=JSON)
    changed = revise(card, 1)

    def call() -> httpx.Response:
        if by == "rest":
            return api.post("/v1/report-cards", key, content=changed, headers=KEYED)
        return soap.call(api, soap.envelope(soap.submit(soap.record(changed)), header=header), key)

    def code(response: httpx.Response) -> str:
        return response.json()["code"] if by == "rest" else soap.Fault(response).problem["code"]

    with ThreadPoolExecutor(2) as background:
        with api.store.write() as connection:
            connection.execute(select(report_cards).with_for_update())
            first = background.submit(call)
            assert wait_until(lambda: is_waiting(api), 10, every=0.01)
            before = owner(api)
            api.now += BEYOND_THE_HOLD_MS
            second = background.submit(call)
            assert wait_until(lambda: owner(api) != before, 10, every=0.01)
        assert code(first.result()) == "idempotency.still-running"
    assert second.result().status_code in {200, 202}
