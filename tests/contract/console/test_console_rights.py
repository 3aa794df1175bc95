"""Rights on every page and every act of the console, each tried without them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from hocba_hub.api.console.pages import ROUTERS
from hocba_hub.queue.jobs.schedules import planned
from hocba_hub.store.access import Role, Scope
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import audit
from tests.support.api_server import Api, running_api
from tests.support.console import Person, add_person
from tests.support.jobs import job_worker

V, O, A = Role.VIEWER, Role.OPERATOR, Role.ADMINISTRATOR  # noqa: E741 - a table
NEEDS: dict[str, tuple[Role, bool]] = {
    # path: (the lowest role, whether somebody for a part of the province may)
    "GET /console": (V, True),
    "GET /console/account": (V, True),
    "GET /console/audit": (V, False),
    "GET /console/cards/{school_year}/{card_id}": (V, True),
    "GET /console/cards/{school_year}/{card_id}/attempts/{attempt_id}": (O, True),
    "GET /console/clients": (A, False),
    "GET /console/clients/{name}": (A, False),
    "GET /console/code-tables": (V, False),
    "GET /console/code-tables/{name}": (V, False),
    "GET /console/deadlines": (V, True),
    "GET /console/deadlines/report.xlsx": (V, False),
    "GET /console/deliveries": (V, True),
    "GET /console/destinations": (V, False),
    "GET /console/destinations/{name}": (V, False),
    "GET /console/failure-groups": (V, False),
    "GET /console/failure-groups/{group_id}": (V, False),
    "GET /console/files": (V, False),
    "GET /console/files/{file_id}": (V, False),
    "GET /console/files/{file_id}/live": (V, False),
    "GET /console/files/{file_id}/workbook": (V, False),
    "GET /console/find": (V, True),
    "GET /console/findings": (V, True),
    "GET /console/jobs": (V, False),
    "GET /console/jobs/{key}": (V, False),
    "GET /console/jobs/{key}/live": (V, False),
    "GET /console/mappings": (V, False),
    "GET /console/mappings/{name}": (V, False),
    "GET /console/mappings/{name}/rules.xlsx": (V, False),
    "GET /console/operators": (A, False),
    "GET /console/reconciliation": (V, False),
    "GET /console/reconciliation/{name}": (V, False),
    "GET /console/reconciliation/{name}/report.xlsx": (V, False),
    "GET /console/replays": (V, True),
    "GET /console/replays/{replay_id}": (V, True),
    "GET /console/replays/{replay_id}/live": (V, True),
    "GET /console/submissions": (V, False),
    "GET /console/submissions/{submission_id}": (V, False),
    "GET /console/unmapped-codes": (O, False),
    "GET /console/unmapped-codes/{code_id}": (O, False),
    "POST /console/account/password": (V, True),
    "POST /console/account/second-factor": (V, True),
    "POST /console/cards/{school_year}/{card_id}/attempts/{attempt_id}": (O, True),
    "POST /console/clients": (A, False),
    "POST /console/clients/{name}": (A, False),
    "POST /console/clients/{name}/credentials": (A, False),
    "POST /console/clients/{name}/credentials/{credential_id}/revoke": (A, False),
    "POST /console/clients/{name}/revoke": (A, False),
    "POST /console/code-fills/{fill_id}/take-back": (A, False),
    "POST /console/deliveries/return": (O, True),
    "POST /console/deliveries/{act}": (O, False),
    "POST /console/destinations/{name}/test": (O, False),
    "POST /console/destinations/{name}/{act}": (O, False),
    "POST /console/failure-groups/{group_id}": (O, False),
    "POST /console/files/{file_id}/{act}": (O, False),
    "POST /console/jobs/{key}/{act}": (O, False),
    "POST /console/mappings/{name}/activation": (A, False),
    "POST /console/mappings/{name}/deactivation": (A, False),
    "POST /console/mappings/{name}/drafts": (A, False),
    "POST /console/mappings/{name}/preview": (A, False),
    "POST /console/mappings/{name}/reviewed": (A, False),
    "POST /console/mappings/{name}/trial": (V, False),
    "POST /console/operators": (A, False),
    "POST /console/operators/{name}/bodies": (A, False),
    "POST /console/operators/{name}/password": (A, False),
    "POST /console/operators/{name}/revoke": (A, False),
    "POST /console/operators/{name}/scope": (A, False),
    "POST /console/reconciliation/{name}/repair": (O, False),
    "POST /console/replays": (O, True),
    "POST /console/replays/{replay_id}/{act}": (O, True),
    "POST /console/sign-out": (V, True),
    "POST /console/unmapped-codes/{code_id}": (A, False),
}
OPEN = {
    "GET /console/sign-in", "POST /console/sign-in", "GET /console/language/{language}", "GET /console/theme/{theme}",
    "GET /console/static/{name}", "GET /console/{path:path}", "GET /console/oidc/start", "GET /console/oidc/return",
}  # fmt: skip
"""What needs nobody signed in, since it tells nothing."""
FILLED = {
    "school_year": "2025-2026", "card_id": "HB-1", "attempt_id": "1", "name": "province", "group_id": "1",
    "file_id": "0197b0c4-5d7e-7cc3-98c4-dc0c0c07398f", "key": "retention", "replay_id": "1", "code_id": "1",
    "submission_id": "0197b0c4-5d7e-7cc3-98c4-dc0c0c07398f", "credential_id": "0f3a5c9d1e2b", "fill_id": "1",
}  # fmt: skip
ACTS = {"/destinations/": "pause", "/jobs/": "run", "/replays/": "start", "/files/": "retry", "/deliveries/": "cancel"}
PEOPLE = {"viewer": V, "operator": O, "administrator": A}


one_store = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""What these tests are about is the same on both; the pages' own tests run on both."""


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    with running_api(store) as running:
        for name, role in PEOPLE.items():
            add_person(store, name, role, running.now)
        add_person(store, "of-a-commune", A, running.now, scope=Scope(frozenset({"11953"})))
        job_worker(store, planned(None, running.hub.destinations), {}, clock=lambda: running.now)
        yield running


def routes() -> set[str]:
    """Of operators; the clients' own have tests of their own."""
    found = {f"{method} {route.path}" for router in ROUTERS for route in router.routes for method in route.methods}
    return {route for route in found if " /console" in route}


def path_of(path: str) -> str:
    act = next((act for part, act in ACTS.items() if part in path), "")
    return re.sub(r"\{(\w+)\}", lambda match: FILLED.get(match[1], act), path)


def test_each_page_and_act_is_in_the_table():
    assert routes() == NEEDS.keys() | OPEN


def acts_written(store: Store) -> int:
    with store.read() as connection:
        return int(connection.execute(select(func.count()).select_from(audit)).scalar_one())


@one_store
def test_nobody_opens_or_does_what_a_higher_role_is_needed_for(api: Api):
    tried = 0
    for name, role in PEOPLE.items():
        person = Person(api.url)
        person.sign_in(name)
        csrf, before = person.csrf(), acts_written(api.store)
        for route, (needed, _) in NEEDS.items():
            method, path = route.split()
            if role.covers(needed):
                continue
            fields = {"reason": "an attempt without the right", "csrf": csrf}
            answer = person.http.request(method, path_of(path), data=fields if method == "POST" else None)
            assert (answer.status_code, "access.role-too-low" in answer.text) == (403, True), (name, route)
            assert "Cần vai trò" in answer.text
            tried += 1
        assert acts_written(api.store) == before
    assert tried > 40


@one_store
def test_nobody_for_a_part_of_the_province_opens_what_is_not_told_by_school(api: Api):
    person = Person(api.url)
    person.sign_in("of-a-commune")
    csrf, before = person.csrf(), acts_written(api.store)
    for route, (_, is_scoped) in NEEDS.items():
        method, path = route.split()
        if is_scoped:
            continue
        answer = person.http.request(method, path_of(path), data={"csrf": csrf} if method == "POST" else None)
        assert (answer.status_code, "access.scope" in answer.text) == (403, True), route
    assert acts_written(api.store) == before
    assert person.get("/console").status_code == 200
    links = set(re.findall(r'href="(/console[^"?#]*)', person.get("/console").text))
    closed = {path for route, (_, is_scoped) in NEEDS.items() if not is_scoped for path in [route.split()[1]]}
    assert not links & closed  # nor is he led there


@one_store
def test_nobody_does_anything_without_being_signed_in_or_without_the_token_of_his_forms(api: Api):
    stranger, person = Person(api.url), Person(api.url)
    person.sign_in("administrator")
    before = acts_written(api.store)
    for route in NEEDS:
        method, path = route.split()
        answer = stranger.http.request(method, path_of(path))
        assert answer.status_code == 303, route
        assert answer.headers["location"].startswith("/console/sign-in"), route
        if method == "POST":
            foreign = person.http.post(path_of(path), data={"reason": "from another page", "csrf": "x"})
            assert (foreign.status_code, "console.form-foreign" in foreign.text) == (403, True), route
    assert acts_written(api.store) == before


@one_store
def test_menus_lead_nobody_where_he_may_not_go(api: Api):
    for name in PEOPLE:
        person = Person(api.url)
        person.sign_in(name)
        for path in sorted(set(re.findall(r'href="(/console[^"?#]*)', person.get("/console").text))):
            if "/language/" not in path and "/theme/" not in path:
                assert person.get(path).status_code == 200, (name, path)
