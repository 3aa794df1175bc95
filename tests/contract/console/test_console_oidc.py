"""Signing in at a real identity provider: the operator or the client that it names, and nobody whom it does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hocba_hub.store import audit
from hocba_hub.store.access import Role, Scope, add_client
from hocba_hub.store.engine import Store
from tests.support.api_server import Api, running_api
from tests.support.console import Person, add_person, text_of
from tests.support.identity_provider import SECRET, identity_provider, signed_in_there
from tests.support.servers import free_port

BACK = "/console/oidc/return"


one_store = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""What these tests are about is the same on both; the pages' own tests run on both."""


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    here = f"http://127.0.0.1:{free_port()}"  # what the provider sends back to; the test goes on at the API's own port
    with (
        identity_provider([f"{here}{BACK}", f"{here}/portal/oidc/return"]) as issuer,
        running_api(
            store, public_url=here, oidc_issuer=issuer, oidc_client_id="hub", oidc_client_secret=SECRET
        ) as running,
    ):
        add_person(store, "lan", Role.OPERATOR, running.now, must_change=True, scope=Scope(frozenset({"11953"})))
        with store.write() as connection:
            add_client(connection, "north-vendor", ["*"], now=running.now)
        yield running


def back_from(person: Person, name: str, start: str = "/console/oidc/start?to=/console/findings") -> str:
    """The path to which the provider sends somebody back."""
    sent = person.get(start)
    assert sent.status_code == 303
    to = signed_in_there(sent.headers["location"], name)
    return "/" + to.split("/", 3)[3]


@one_store
def test_who_is_known_enters_with_his_own_rights_and_without_a_password(api: Api):
    person = Person(api.url)
    assert "Đăng nhập bằng tài khoản của Sở" in text_of(person.get("/console/sign-in").text)
    back = back_from(person, "lan")
    entered = person.get(back)
    assert entered.headers["location"] == "/console/findings"
    assert person.follow(entered).status_code == 200  # no first password to be changed
    assert person.get("/console/jobs").status_code == 403  # the rights are those of the hub
    with api.store.read() as connection:
        newest = audit.entries(connection)[0]
    assert (newest.actor, newest.action, newest.detail) == ("operator:lan", "operator.sign-in", {"oidc": True})

    assert person.get(back).status_code == 502  # a code is good once
    stranger = Person(api.url)
    assert stranger.get(back_from(person, "lan")).status_code == 502  # nor in a browser that did not begin it


@one_store
def test_who_is_not_known_here_does_not_enter_whatever_the_provider_says(api: Api):
    person = Person(api.url)
    refused = person.get(back_from(person, "nobody"))
    assert refused.status_code == 403
    assert "console.identity-unknown" in refused.text
    assert person.get("/console").status_code == 303
    assert person.get(back_from(person, "vendor:north-vendor")).status_code == 403  # a client's people are no operators
    for query in ("", "?code=x", "?code=x&state=y", "?error=access_denied&state=x"):
        assert person.get(f"{BACK}{query}").status_code == 502, query


@one_store
def test_a_clients_people_enter_its_page_alone(api: Api):
    person = Person(api.url)
    entered = person.get(back_from(person, "vendor:north-vendor", "/portal/oidc/start?to=/portal/keys"))
    assert "north-vendor" in text_of(person.follow(entered).text)
    assert person.get("/console").status_code == 303
    for name in ("lan", "vendor:nobody", "vendor:"):
        assert Person(api.url).get(back_from(person, name, "/portal/oidc/start")).status_code in {403, 502}


@one_store
def test_a_provider_that_is_away_or_another_one_is_told(store: Store):
    away = f"http://127.0.0.1:{free_port()}"
    with running_api(store, oidc_issuer=away, oidc_client_id="hub", oidc_client_secret=SECRET) as api:
        answer = Person(api.url).get("/console/oidc/start")
        assert answer.status_code == 502
        assert "Đăng nhập qua hệ thống định danh không thành" in text_of(answer.text)
    with running_api(Store(str(store.url.render_as_string(hide_password=False)))) as api:
        assert Person(api.url).get("/console/oidc/start").status_code == 404
        assert "tài khoản của Sở" not in text_of(Person(api.url).get("/console/sign-in").text)
