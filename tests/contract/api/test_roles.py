"""What belongs to nobody is open to clients and operators; what is somebody's is not."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from hocba_hub.model.activation import ActivationScope
from hocba_hub.monitoring import health
from hocba_hub.store.access import Role
from hocba_hub.store.engine import Store
from hocba_hub.store.mappings import activate
from tests.support.api_server import Api, running_api
from tests.support.vendor_records import NAME, renamed


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    with running_api(store) as running:
        yield running


@pytest.mark.parametrize(
    "path",
    [
        "/v1/card-fields",
        "/v1/rules",
        "/v1/findings/catalogue",
        "/v1/code-tables",
        "/v1/code-tables/ethnic-groups",
        "/v1/mappings",
    ],
)
def test_everybody_with_a_key_may_read_what_is_nobodys(api: Api, path: str):
    for key in (api.client_key(), api.operator_key(Role.VIEWER)):
        assert api.get(path, key).status_code == 200
    assert api.get(path).json()["code"] == "access.key-missing"


def test_a_client_sees_the_profiles_that_it_may_send_by(api: Api):
    keys = {name: api.client_key(name=name) for name in ("north", "south", "east")}
    with api.store.write() as connection:
        activate(
            connection, NAME, "1.1.0", renamed().encode(), ActivationScope("north"), actor="a", reason="r", now=api.now
        )
    api.hub.intake.mappings.newest()  # or a second later
    shown = {}
    for name in ("north", "south"):
        listed = api.get("/v1/mappings", keys[name]).json()["mappings"]
        assert {one["target"] for one in listed} == {"report-card"}
        shown[name] = {one["name"]: one["default_version"] for one in listed}[NAME]
    assert shown == {"north": "1.1.0", "south": "1.0.0"}
    assert api.get(f"/v1/mappings/{NAME}", keys["east"]).json()["code"] == "access.wrong-kind"


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_the_first_page_leads_on(api: Api, path: str):
    page = api.get(path)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    links = re.findall(r'href="([^"]+)"', page.text)
    assert len(links) == 8
    assert {api.get(link, api.client_key(name=link.strip("/")[:9] or "x")).status_code for link in links} <= {
        200,
        303,
        503,
    }


def test_a_multipart_form_of_a_file_is_told_how_to_send_it(api: Api):
    refused = api.post("/v1/files", api.client_key(), files={"file": ("a.xlsx", b"PK")})
    assert (refused.status_code, "--data-binary" in refused.json()["detail"]) == (415, True)


def test_a_hub_that_is_not_ready_says_so_as_a_problem(api: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(health, "newest_revision", lambda: "9999")
    answer = api.get("/readyz")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    said = answer.json()
    assert (said["code"], said["checks"]) == ("hub.not-ready", {"store": True, "schema": False})
