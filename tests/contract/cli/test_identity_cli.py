"""`hocba-hub identity`, and the same over the API and on a card."""

from __future__ import annotations

import time

from hocba_hub.cli.session import now
from hocba_hub.model.finding_kinds import IDENTITY_MISMATCH
from hocba_hub.model.findings import Finding
from hocba_hub.model.identity import IdentityEntry, IdentityResult
from hocba_hub.model.keys import CardId, CardKey, SchoolYear, Version
from hocba_hub.store import identity
from hocba_hub.store.access import Role
from hocba_hub.store.engine import Store
from tests.support.acceptance import submit
from tests.support.api_server import running_api
from tests.support.command_line import Run, cells


def told(store: Store) -> None:
    """Two cards verified, one mismatch, all of the school of one commune."""
    content = '{"school":{"commune_code":"11953"}}'
    submit(store, ("a", content), ("b", content), ("c", content), now=now(), destinations=("ministry",))
    results = {"a": IdentityResult.VERIFIED, "b": IdentityResult.MISMATCH, "c": IdentityResult.VERIFIED}
    finding = Finding(IDENTITY_MISMATCH, "/pupil/personal_number", facts={"destination": "ministry"})
    with store.write() as connection:
        identity.keep(
            connection, "ministry", [
                IdentityEntry(CardKey(SchoolYear("2025-2026"), CardId(card)), Version(1), of)
                for card, of in results.items()
            ], {IdentityResult.MISMATCH: finding}, now(),
        )  # fmt: skip


def test_results_are_counted_and_listed(run: Run, store: Store):
    told(store)
    assert cells(run("identity", "show").stdout)[2] == ["11953 Phường Phố Hiến", "2", "1", "0"]
    assert cells(run("identity", "show", "ministry", "--by", "school", "--commune", "11953").stdout)[2][1] == "SCHOOL"
    assert "2025-2026/b" in run("identity", "cards").stdout
    assert "2025-2026/a" in run("identity", "cards", "ministry", "--result", "verified", "--school", "SCHOOL").stdout
    assert "2025-2026/b" not in run("identity", "cards", "--commune", "00000").stdout
    assert "nowhere" in run("identity", "show", "nowhere", code=2).output


def test_the_same_over_the_api(store: Store):
    with running_api(store) as api:
        api.now = time.time_ns() // 1_000_000
        viewer, vendor = api.operator_key(Role.VIEWER), api.client_key()
        told(store)
        url = "/v1/operations/identity/ministry"
        assert api.get(f"{url}?by=commune", viewer).json() == {
            "places": [{"commune_code": "11953", "counts": {"mismatch": 1, "verified": 2}}]
        }
        assert api.get(f"{url}?school=S", viewer).json() == {"places": []}
        page = api.get(f"{url}/cards?result=verified&limit=1", viewer).json()
        assert [one["card_id"] for one in page["items"]] == ["a"]
        rest = api.get(f"{url}/cards?result=verified&limit=1&after={page['next']}", viewer).json()
        assert [one["card_id"] for one in rest["items"]] == ["c"]
        assert "next" not in rest
        assert api.get(url, vendor).status_code in {401, 403}
        assert api.get("/v1/operations/identity/nowhere", viewer).status_code == 404
        card = api.get("/v1/report-cards/2025-2026/b", vendor).json()
        assert [(one["destination"], one["result"]) for one in card["identity"]] == [("ministry", "mismatch")]
        [item] = api.get("/v1/findings", vendor).json()["items"]
        assert (item["matter"], item["findings"][0]["code"]) == ("identity", "identity.mismatch")
        assert "submission_id" not in item  # no call of the client's raised it
        assert item["findings"][0]["pointer"] == "/pupil/personal_number"
