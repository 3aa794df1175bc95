"""Who may call what, over real HTTP: keys, kinds, roles, revocation, rate."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hocba_hub.api.client import status
from hocba_hub.api.http.key_cache import FRESH_SECONDS
from hocba_hub.api.operator import deliveries as operations
from hocba_hub.api.operator import replays, support
from hocba_hub.api.problems import problem_pages
from hocba_hub.store.access import Owner, Role, revoke_owner, set_schools
from hocba_hub.store.engine import Store
from tests.support.api_server import Api, running_api

ROUTERS = (status.router, operations.router, replays.router, support.router, problem_pages.router)
REASON = {"reason": "maintenance there"}
CLIENT_CALLS = (
    "/v1/findings",
    "/v1/submissions/0190a000-0000-7000-8000-000000000000",
    "/v1/report-cards/2025-2026/a",
    "/v1/report-cards/2025-2026/a/versions/1/document",
)
OPERATOR_CALLS = (
    "/v1/operations/failures",
    "/v1/operations/failures/deliveries",
    "/v1/operations/destinations",
    "/v1/operations/pending",
    "/v1/operations/pending/deliveries",
    "/v1/operations/audit",
    "/v1/operations/findings",
    "/v1/operations/submissions/0190a000-0000-7000-8000-000000000000",
    "/v1/operations/report-cards/2025-2026/a",
)
ACTS = {
    "/v1/operations/destinations/province/pause": REASON,
    "/v1/operations/destinations/province/resume": REASON,
    "/v1/operations/replays": {**REASON, "selection": {"destination": "province"}},
    "/v1/operations/hurry": {**REASON, "selection": {"destination": "province"}},
    "/v1/operations/cancel": {**REASON, "selection": {"destination": "province"}},
}


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    with running_api(store, routers=ROUTERS) as running:
        yield running


@pytest.fixture(params=["sqlite"])
def store_url(request: pytest.FixtureRequest, tmp_path) -> str:
    return f"sqlite:///{tmp_path / 'hub.db'}"


def test_without_a_key_nothing_opens(api: Api):
    for path in CLIENT_CALLS + OPERATOR_CALLS:
        answer = api.get(path)
        assert (answer.status_code, answer.json()["code"]) == (401, "access.key-missing")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="hocba-hub"'
    for headers in ({"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"}):
        assert api.get("/v1/findings", headers=headers).json()["code"] == "access.key-missing"


def test_a_key_of_nobody_is_told_apart_from_no_key(api: Api):
    for key in ("x", "hbc_000000000000_" + "0" * 64, "hbo_1_2", "\xff"):
        answer = api.get("/v1/findings", headers={"Authorization": b"Bearer " + key.encode("latin-1")})
        assert (answer.status_code, answer.json()["code"]) == (401, "access.key-unknown")
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
        assert key not in answer.text or key == "x"


def test_the_scheme_is_not_case_sensitive(api: Api):
    assert api.get("/v1/findings", headers={"Authorization": f"bearer {api.client_key()}"}).status_code == 200


def test_each_kind_of_key_opens_its_own_calls_only(api: Api):
    client, operator = api.client_key(), api.operator_key(Role.ADMINISTRATOR)
    for path in CLIENT_CALLS:
        assert api.get(path, client).status_code in {200, 404}
        assert api.get(path, operator).json()["code"] == "access.wrong-kind"
    for path in OPERATOR_CALLS:
        assert api.get(path, operator).status_code in {200, 404}
        assert api.get(path, client).json()["code"] == "access.wrong-kind"
    for path, body in ACTS.items():
        answer = api.post(path, client, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "access.wrong-kind")


def test_a_viewer_sees_and_does_not_act(api: Api):
    viewer = api.operator_key(Role.VIEWER)
    for path in OPERATOR_CALLS:
        assert api.get(path, viewer).status_code in {200, 404}
    for path, body in ACTS.items():
        answer = api.post(path, viewer, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "access.role-too-low")
        assert answer.json()["required_role"] == "operator"
    for role in (Role.OPERATOR, Role.ADMINISTRATOR):
        key = api.operator_key(role)
        for path, body in ACTS.items():
            assert api.post(path, key, json=body).status_code in {200, 409}, "a replay of nothing is told as such"


def test_a_revoked_key_opens_nothing_once_its_second_is_over(api: Api):
    moment = [0.0]
    api.hub.keys._seconds = lambda: moment[0]
    key = api.client_key()
    assert api.get("/v1/findings", key).status_code == 200
    with api.store.write() as connection:
        revoke_owner(connection, Owner.CLIENT, "vendor", now=2)
    moment[0] += FRESH_SECONDS
    assert api.get("/v1/findings", key).json()["code"] == "access.key-unknown"


def test_a_changed_scope_is_in_force_once_the_second_is_over(api: Api):
    moment = [0.0]
    api.hub.keys._seconds = lambda: moment[0]
    key = api.client_key("S1")
    assert api.get("/v1/findings?school=S2", key).status_code == 404
    with api.store.write() as connection:
        set_schools(connection, "vendor", ["S2"])
    moment[0] += FRESH_SECONDS
    assert api.get("/v1/findings?school=S2", key).status_code == 200


def test_the_store_is_asked_for_a_key_once_a_second_at_most(api: Api, monkeypatch: pytest.MonkeyPatch):
    key = api.client_key()
    asked = []
    identify = api.hub.keys._identify
    monkeypatch.setattr(api.hub.keys, "_identify", lambda key: asked.append(key) or identify(key))
    api.hub.keys._seconds = lambda: 0.0
    for _ in range(5):
        assert api.get("/v1/findings", key).status_code == 200
    assert asked == [key]


def test_made_up_keys_do_not_fill_the_memory(api: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hocba_hub.api.http.key_cache._MOST_UNKNOWN", 5)
    keys, good = api.hub.keys, api.client_key()
    api.get("/v1/findings", good)
    for n in range(12):
        api.get("/v1/findings", f"made-up-{n}" + "x" * 8_000)
    assert keys._unknown == {}, "what has not the form of a key is remembered"
    for n in range(12):
        api.get("/v1/findings", f"hbc_{n:012x}_{n:064x}")
    assert len(keys._unknown) == 5
    assert len(keys._known) == 1, "a good key was driven out"
    assert all(len(known) == 32 for known in (*keys._known, *keys._unknown)), "keys are kept as they are"
    assert api.hub.keys._asking == {}


def test_a_client_that_calls_too_fast_is_asked_to_wait(store: Store):
    with running_api(store, routers=ROUTERS, requests_per_second=0.3) as api:
        quick, other = api.client_key(name="quick"), api.client_key(name="other")
        codes = [api.get("/v1/findings", quick).status_code for _ in range(4)]
        assert codes == [200, 200, 200, 429]
        refused = api.get("/v1/findings", quick)
        assert (refused.json()["code"], refused.headers["Retry-After"]) == ("rate.exceeded", "10")
        assert api.get("/v1/findings", other).status_code == 200
        api.now += 10_000
        assert [api.get("/v1/findings", quick).status_code for _ in range(4)] == [200, 200, 200, 429]
