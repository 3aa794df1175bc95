"""Vendors' own formats over real HTTP: profiles by query, media type and client; findings at the vendor's place."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import orjson
import pytest

from hocba_hub.model.activation import ActivationScope
from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.model.reading import read_card
from hocba_hub.store import search
from hocba_hub.store.accept import canonical_of
from hocba_hub.store.access import Role, set_profile
from hocba_hub.store.engine import Store
from hocba_hub.store.mappings import activate
from tests.support.api_server import Api, running_api
from tests.support.vendor_records import NAME, SOURCE, flat, sent

FLAT = f"application/vnd.hocba.{NAME}+json"
XML = """mapping: xml-cards
version: 1.0.0
source: {format: xml, namespaces: {h: "urn:h"}, records: h:Cards/h:Card}
target: report-card
fields:
  kind: {value: secondary}
  card_id: {from: '@id', required: true}
  school_year: {from: h:Year, apply: [school-year], required: true}
  school/code: h:School
"""


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    with running_api(store) as running:
        yield running


@pytest.fixture
def key(api: Api) -> str:
    return api.client_key()


def stored(api: Api, card: str) -> search.Document:
    with api.store.read() as connection:
        return search.document(connection, CardKey(SchoolYear("2025-2026"), CardId(card)), 1)


def test_a_vendors_list_becomes_cards_and_its_bytes_are_kept(api: Api, key: str):
    records = [orjson.dumps(flat(1)).replace(b":", b" :  "), orjson.dumps(flat(2))]
    answer = sent(api, key, b'{"hocBa": [' + b" , ".join(records) + b"]}", f"?profile={NAME}")
    assert (answer.status_code, answer.json()["accepted"]) == (202, 2)
    for number, raw in enumerate(records, 1):
        kept = stored(api, f"HB-{number}")
        assert (kept.body, kept.media_type, kept.sha256) == (raw, FLAT, hashlib.sha256(raw).digest())
    with api.store.read() as connection:
        canonical = canonical_of(connection, CardKey(SchoolYear("2025-2026"), CardId("HB-1")), 1)
    assert read_card(canonical).card.school.code == flat()["maTruong"]
    assert sent(api, key, {"hocBa": [flat(2)]}, f"?profile={NAME}").json()["records"][0]["status"] == "unchanged"


@pytest.mark.parametrize(
    ("how", "content_type"),
    [
        (f"?profile={NAME}", "application/json"),
        ("", FLAT),
        ("", f'application/json; charset=utf-8; profile="{NAME}"'),
        (f"?profile={NAME}", "application/vnd.hocba.another+json"),
    ],
)
def test_a_profile_is_named_by_query_media_type_or_its_parameter(api: Api, key: str, how: str, content_type: str):
    answer = sent(api, key, [flat()], how, **{"Content-Type": content_type})
    assert answer.status_code == 202, answer.text
    assert stored(api, "HB-1").media_type == FLAT


def test_ndjson_has_a_vendors_record_in_each_line(api: Api, key: str):
    lines = b"\n".join(orjson.dumps(flat(number)) for number in (1, 2, 3))
    answer = sent(api, key, lines, **{"Content-Type": f"application/vnd.hocba.{NAME}+ndjson"})
    assert answer.json()["accepted"] == 3


def test_what_a_client_always_sends_needs_no_naming_and_can_be_overruled(api: Api, key: str):
    with api.store.write() as connection:
        set_profile(connection, "vendor", NAME)
    assert sent(api, key, [flat()]).status_code == 202
    canonical = sent(api, key, [flat()], "?profile=report-card")
    assert canonical.json()["records"][0]["findings"][0]["code"].startswith("schema.")


def test_findings_name_the_place_in_the_vendors_record_and_the_field(api: Api, key: str):
    wrong = {name: value for name, value in flat(danToc="Nobody's", maTruong="?").items() if name != "noiSinh"}
    answer = sent(api, key, {"hocBa": [wrong]}, f"?profile={NAME}")
    [record] = answer.json()["records"]
    assert answer.status_code == 422
    assert (record["status"], record["card_id"]) == ("rejected", "HB-1")
    assert {(one["pointer"], one["target"]) for one in record["findings"]} == {
        ("/danToc", "pupil/ethnic_code"), ("/noiSinh", "pupil/birthplace/address"), ("/maTruong", "school/code"),
    }  # fmt: skip
    assert "Nobody" not in answer.text


def test_a_trial_stores_nothing(api: Api, key: str):
    answer = sent(api, key, [flat(), flat(2, tenLop="")], f"/validate?profile={NAME}")
    assert answer.status_code == 200
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (1, 1)
    with api.store.read() as connection:
        assert search.card(connection, CardKey(SchoolYear("2025-2026"), CardId("HB-1"))) is None


@pytest.mark.parametrize(
    ("how", "content_type", "code"),
    [
        ("?profile=nobody", "application/json", "profile.unknown"),
        ("", "application/vnd.hocba.nobody+json", "profile.unknown"),
        ("?profile=ndc-primary", "application/json", "profile.unknown"),
        (f"?profile={NAME}", "application/xml", "profile.format"),
        ("?profile=NOBODY", "application/json", "request.invalid"),
        (f"?profile={NAME}", "text/csv", "body.media-type"),
        ("", "application/xml", "body.media-type"),
    ],
)
def test_what_no_profile_reads_is_refused(api: Api, key: str, how: str, content_type: str, code: str):
    assert sent(api, key, [flat()], how, **{"Content-Type": content_type}).json()["code"] == code


def test_a_wrong_profile_is_told_which_there_are(api: Api, key: str):
    known = sent(api, key, [flat()], "?profile=nobody").json()["profiles"]
    assert NAME in known
    assert "ndc-primary" not in known


def test_who_sends_a_workbook_to_the_wrong_address_is_told_the_right_one(api: Api, key: str):
    xlsx = {"Content-Type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
    refused = sent(api, key, b"PK", **xlsx)
    assert (refused.status_code, "/v1/files" in refused.json()["detail"]) == (415, True)


def test_xml_records_are_cut_and_named_by_xpath(api: Api, key: str):
    with api.store.write() as connection:
        activate(connection, "xml-cards", "1.0.0", XML.encode(), ActivationScope(), actor="os:lan", reason="new", now=1)
    api.hub.intake.mappings._asked_at -= 1  # a second goes by
    body = b"""<a:G xmlns:a="urn:h"><a:Cards>
        <a:Card id="X-1"><a:Year>2025-2026</a:Year><a:School>?</a:School></a:Card><a:Card id="X-2"/></a:Cards></a:G>"""
    answer = sent(api, key, body, **{"Content-Type": "application/vnd.hocba.xml-cards+xml"})
    first, second = answer.json()["records"]
    assert (answer.status_code, first["card_id"], first["school_year"]) == (422, "X-1", "2025-2026")
    pointers = {one["pointer"] for one in first["findings"]}
    assert "/h:Card/h:School" in pointers
    assert "/h:Card/h:Year" in {one["pointer"] for one in second["findings"]}
    broken = sent(api, key, body[:-5], "?profile=xml-cards", **{"Content-Type": "application/xml"})
    assert broken.json()["code"] == "body.not-xml"


def test_a_version_that_is_activated_counts_after_a_second_at_most(api: Api, key: str):
    text = shipped_source().replace("version: 1.0.0", "version: 1.0.1").replace("from: noiSinh", "from: noiSinhMoi")
    renamed = {("noiSinhMoi" if name == "noiSinh" else name): value for name, value in flat().items()}
    assert sent(api, key, [renamed], f"?profile={NAME}").status_code == 422
    with api.store.write() as connection:
        activate(connection, NAME, "1.0.1", text.encode(), ActivationScope(), actor="os:lan", reason="renamed", now=1)
    api.hub.intake.mappings._asked_at -= 1  # a second goes by
    assert sent(api, key, [renamed], f"?profile={NAME}").status_code == 202


def shipped_source() -> str:
    from importlib.resources import files

    return files("hocba_hub.mappings").joinpath("library", "vendor_flat_secondary.yaml").read_text(encoding="utf-8")


HEADED = SOURCE.replace("mapping: vendor-flat-secondary", "mapping: headed").replace(
    "  school_year: {from: namHoc, apply", "  school_year: {from: //namHoc, apply", 1
)


def headed(records: list[dict[str, object]], *, behind: bool = False) -> bytes:
    """A document that says the school year once, above or behind its list."""
    for record in records:
        del record["namHoc"]
    year, cards = ("namHoc", "2025 - 2026"), ("hocBa", records)
    return orjson.dumps(dict([cards, year] if behind else [year, cards]))


@pytest.mark.parametrize("behind", [False, True])
def test_the_head_of_a_document_is_kept_with_each_of_its_records(api: Api, key: str, behind: bool):
    with api.store.write() as connection:
        activate(connection, "headed", "1.0.0", HEADED.encode(), ActivationScope(), actor="os:lan", reason="new", now=1)
    api.hub.intake.mappings._asked_at -= 1  # a second goes by
    answer = sent(api, key, headed([flat(1), flat(2, danToc="Ê-đê Adham")], behind=behind), "?profile=headed")
    first, second = answer.json()["records"]
    assert (first["status"], second["status"]) == ("accepted", "rejected"), answer.text
    assert [one["pointer"] for one in second["findings"]] == ["/danToc"]
    kept = orjson.loads(stored(api, "HB-1").body)
    assert (kept["namHoc"], len(kept["hocBa"])) == ("2025 - 2026", 1)
    # What waited for a code is read again with its head.
    filled = api.post(
        "/v1/unmapped-codes/1/fill",
        api.operator_key(Role.ADMINISTRATOR),
        json={"result": "12", "source": "Decision 121"},
    )
    assert filled.status_code == 200, filled.text
    assert filled.json()["accepted"] == 1
    assert stored(api, "HB-2").body.startswith(b'{"namHoc"')


def test_a_year_that_is_nowhere_is_missed_in_the_head(api: Api, key: str):
    with api.store.write() as connection:
        activate(connection, "headed", "1.0.0", HEADED.encode(), ActivationScope(), actor="os:lan", reason="new", now=1)
    api.hub.intake.mappings._asked_at -= 1
    answer = sent(api, key, {"hocBa": [flat()]}, "?profile=headed")
    [record] = answer.json()["records"]
    assert ("mapping.value.missing", "//namHoc", "school_year") in {
        (one["code"], one["pointer"], one.get("target")) for one in record["findings"]
    }


def test_a_finding_says_what_was_sent_and_is_one_for_one_cause(api: Api, key: str):
    wrong = flat(1, danhHieu="Học sinh Xuất sắc", diem=[{**flat()["diem"][0], "ma": "LA"}, *flat()["diem"][1:]])
    answer = sent(api, key, [wrong], f"?profile={NAME}").json()
    findings = answer["records"][0]["findings"]
    assert [one["pointer"] for one in findings if one["code"] == "mapping.table.unknown"] == ["/diem/0/ma"]
    wrong = flat(2, danhHieu="Học sinh Xuất sắc")
    submission = sent(api, key, [wrong], f"?profile={NAME}").json()
    [found] = [one for one in submission["records"][0]["findings"] if one["code"] == "secondary.title.excellent"]
    assert found["sent"] == "Học sinh Xuất sắc"
    path = f"/v1/operations/submissions/{submission['submission_id']}"
    seen = api.get(path, api.operator_key(Role.VIEWER)).json()["records"][0]["findings"]
    assert "secondary.title.excellent" in {one["code"] for one in seen}
    assert all("sent" not in one for one in seen)
