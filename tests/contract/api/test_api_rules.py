"""The public catalogues over real HTTP: rules and kinds of findings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hocba_hub.api.client import card, rules
from hocba_hub.model.card_fields import card_fields
from hocba_hub.model.finding_kinds import KINDS
from hocba_hub.rules.catalogue import CATALOGUE
from hocba_hub.store.engine import Store
from tests.support.api_server import Api, running_api


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'hub.db'}"


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    with running_api(store, routers=(rules.router, card.router)) as running:
        yield running


def test_every_rule_is_told_with_its_article_in_both_languages(api: Api) -> None:
    entries = api.get("/v1/rules", api.client_key("S1")).json()
    assert [entry["code"] for entry in entries] == list(CATALOGUE)
    promoted = next(entry for entry in entries if entry["code"] == "secondary.promoted")
    assert promoted["references"] == {"TT22/2021": "TT 22/2021 Art. 12", "TT43/2021": "TT 43/2021 Art. 11"}
    assert promoted["row"] == "S12"
    assert promoted["since"] == "2021-2022"
    assert "until" not in promoted
    assert all(entry["message_vi"] and entry["message_en"] for entry in entries)


def test_the_catalogue_has_the_kinds_of_the_model_and_of_the_rules(api: Api) -> None:
    entries = api.get("/v1/findings/catalogue", api.client_key("S1")).json()
    codes = [entry["code"] for entry in entries]
    assert codes == sorted(codes)
    assert set(KINDS) | set(CATALOGUE) <= set(codes)
    by_code = {entry["code"]: entry for entry in entries}
    assert by_code["unchecked.transcribed"]["severity"] == "not_checkable"


@pytest.mark.parametrize("path", ["/v1/rules", "/v1/findings/catalogue", "/v1/card-fields"])
def test_a_key_is_needed(api: Api, path: str) -> None:
    assert api.get(path, "nobody").status_code == 401


def test_the_fields_of_a_card_are_explained_one_by_one(api: Api) -> None:
    key = api.client_key("S1")
    fields = api.get("/v1/card-fields", key).json()
    assert [one["path"] for one in fields] == list(card_fields())
    [gender] = api.get("/v1/card-fields?under=pupil/gender", key).json()
    assert gender["needed_by"] == dict.fromkeys(("primary", "secondary", "continuing"), "required")
    assert {"code": "2", "name_vi": "nữ", "name_en": "female"} in gender["codes"]
    assert (gender["example"], gender["ndc"], gender["rules"]) == ("2", "gioitinh", ["identity.number-gender"])
    under = [one["path"] for one in api.get("/v1/card-fields?under=year/subjects", key).json()]
    assert under[0] == "year/subjects"
    assert "year/subjects[]/code" in under
    assert "year/learning" not in under
