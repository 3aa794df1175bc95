"""SOAP takes what REST takes: vendors' formats and documents signed at the school, by Base64 and as attachments."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from hocba_hub.intake.preview import preview_draft
from hocba_hub.model.reading import read_card
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.sandbox.vendors import WRITERS
from hocba_hub.sandbox.vendors.signed_xml import signed_document
from hocba_hub.store.access import set_profile
from hocba_hub.store.engine import Store
from tests.support import soap_calls as soap
from tests.support.api_server import Api, running_api
from tests.support.vendor_records import NAME, flat

BOTH = pytest.mark.parametrize("version", [soap.S11, soap.S12], ids=["1.1", "1.2"])


@pytest.fixture
def api(store: Store, tmp_path: Path) -> Iterator[Api]:
    with running_api(store, files_dir=tmp_path / "spool") as running:
        yield running


@pytest.fixture
def key(api: Api) -> str:
    return api.client_key()


def sent(api: Api, key: str, body: str, *, version: str = soap.S11) -> list[tuple[str, list[str]]]:
    """Each record's status, and the XPaths of its findings."""
    answer = soap.answer(soap.call(api, soap.envelope(body, soap=version), key, soap=version))
    return [
        (one.findtext(f"{soap.H}status"), [path.text for path in one.iter(f"{soap.H}xpath")])
        for one in answer.iter(f"{soap.H}records")
        if one.findtext(f"{soap.H}status")
    ]


def stored(api: Api, key: str, card: bytes) -> bytes:
    read = read_card(card).card
    answer = api.get(f"/v1/report-cards/{read.school_year}/{read.card_id}/versions/1/document", key)
    assert answer.status_code == 200
    return answer.content


def signed(number: int = 1, seed: int = 4) -> list[tuple[bytes, bytes]]:
    """Cards, and each as a document that was signed at the school."""
    found = list(generate(number, seed))
    return [(card, signed_document(orjson.loads(card))) for card in found]


@BOTH
def test_a_signed_document_is_accepted_byte_for_byte(api: Api, key: str, version: str):
    ((card, document),) = signed()
    awkward = document.replace(b"?>", b"?>\r\n<!-- as signed -->\n", 1)
    assert sent(api, key, soap.submit(soap.document(awkward), profile="signed-card"), version=version) == [
        ("accepted", [])
    ]
    assert stored(api, key, card) == awkward


@BOTH
def test_attachments_are_kept_byte_for_byte(api: Api, key: str, version: str):
    cards = signed(3)
    # One ends with a line break, one holds what looks like a boundary, one has Windows line breaks.
    documents = [
        cards[0][1] + b"\r\n",
        cards[1][1].replace(b"?>", b"?><?x \r\n--=_a boundary?>", 1),
        cards[2][1].replace(b"?>", b"?>\r\n", 1),
    ]
    body = soap.envelope(soap.submit(*map(soap.included, range(3)), profile="signed-card"), soap=version)
    content, content_type = soap.multipart(body, *documents, soap=version)
    answer = soap.answer(soap.call(api, content, key, soap=version, Content_Type=content_type))
    assert [one.text for one in answer.iter(f"{soap.H}status")] == ["accepted"] * 3
    for (card, _), document in zip(cards, documents, strict=True):
        assert stored(api, key, card) == document


def test_attachments_of_canonical_cards_are_kept_too(api: Api, key: str):
    (card,) = generate(1, 9)
    raw = b"\xef\xbb\xbf" + soap.as_xml(card) + b"\n"
    content, content_type = soap.multipart(soap.envelope(soap.submit(soap.included(0), soap.included(1))), raw, card)
    answer = soap.answer(soap.call(api, content, key, Content_Type=content_type))
    assert [one.text for one in answer.iter(f"{soap.H}status")] == ["accepted", "unchanged"]
    assert stored(api, key, card) == raw


def test_the_clients_default_profile_counts_and_the_call_wins(api: Api, key: str):
    with api.store.write() as connection:
        set_profile(connection, "vendor", NAME)
    several = soap.document(orjson.dumps({"hocBa": [flat(1), flat(2)]}))
    assert [status for status, _ in sent(api, key, soap.submit(several, soap.document(orjson.dumps([flat(3)]))))] == [
        "accepted"
    ] * 3
    ((_, document),) = signed()
    assert sent(api, key, soap.submit(soap.document(document), profile="signed-card")) == [("accepted", [])]
    (card,) = soap.cards(1, seed=8)
    assert sent(api, key, soap.submit(soap.record(card))) == [("accepted", [])]  # an element is a canonical card
    assert sent(api, key, soap.submit(soap.document(card), profile="report-card")) == [("unchanged", [])]
    # What came by SOAP is seen by a preview.
    mappings = api.hub.intake.mappings.newest()
    with api.store.read() as connection:
        made = preview_draft(connection, mappings, api.hub.intake.checker, mappings.select(NAME), 100)
    assert sorted(made.record_ids) == ["2025-2026/HB-1", "2025-2026/HB-2", "2025-2026/HB-3"]


def test_a_vendors_xml_has_its_own_places(api: Api, key: str):
    out = io.BytesIO()
    cards = [card for card in map(orjson.loads, generate(60, 3)) if card["kind"] == "secondary"][:2]
    assert WRITERS["soap-vendor"](cards, out) == 2
    good = out.getvalue()
    assert [status for status, _ in sent(api, key, soap.submit(soap.document(good), profile="soap-vendor"))] == [
        "accepted"
    ] * 2
    year = cards[0]["school_year"].encode()
    assert year in good
    (first, second) = sent(
        api,
        key,
        soap.submit(soap.document(good.replace(cards[0]["card_id"].encode(), b"?" * 40)), profile="soap-vendor"),
    )
    assert (first[0], second[0]) == ("rejected", "unchanged")
    assert first[1]
    assert all(path.startswith("/") and "c:" not in path for path in first[1])


def test_folded_findings_are_told_as_the_schema_says(api: Api, key: str):
    for raw in generate(400, 3):
        card = orjson.loads(raw)
        if card["kind"] == "secondary" and card["year"]["subjects"][0]["term1"] not in {"Đ", "CĐ"}:
            break
    card["year"]["subjects"][0]["term1"] = "10.0" if card["year"]["subjects"][0]["term1"] != "10.0" else "1.0"
    answer = soap.answer(soap.call(api, soap.envelope(soap.submit(soap.record(orjson.dumps(card)))), key))
    folded = list(answer.iter(f"{soap.H}folded"))
    assert folded
    assert all(one.findtext(f"{soap.H}xpath") for one in folded)


@pytest.mark.parametrize(
    ("records", "profile", "code"),
    [
        (lambda: soap.record(soap.cards(1)[0]), NAME, "profile.format"),
        (lambda: soap.document(b"<x/>"), NAME, "profile.format"),
        (lambda: soap.document(b"{}"), "signed-card", "profile.format"),
        (lambda: soap.document(b"{}"), "workbook-primary", "profile.format"),
        (lambda: soap.document(b"{}"), "nobody-knows", "profile.unknown"),
        (lambda: soap.document(b"{}"), "ndc-primary", "profile.unknown"),
        (lambda: soap.document(b""), "signed-card", "profile.format"),
        (lambda: soap.document(b"{}"), "Not a name", "soap.invalid"),
    ],
)
def test_what_a_profile_does_not_read_is_told(api: Api, key: str, records, profile: str, code: str):
    fault = soap.Fault(soap.call(api, soap.envelope(soap.submit(records(), profile=profile)), key))
    assert fault.problem["code"] == code


def test_a_document_that_holds_too_many_records_is_refused_before_they_are_held(store: Store):
    with running_api(store, submission_records=5) as api:
        many = soap.document(b"[" + b",".join([b"{}"] * 1_000) + b"]")
        fault = soap.Fault(soap.call(api, soap.envelope(soap.submit(many, profile=NAME)), api.client_key()))
        assert fault.problem["code"] == "body.too-many-records"
