"""Bytes that are no UTF-8, inside a card that is right otherwise, sent as they are by every entrance."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest

from hocba_hub.store.engine import Store
from hocba_hub.store.schema import upgrade
from tests.support import soap_calls as soap
from tests.support.api_server import Api, running_api
from tests.support.hostile_xml import documents

RAW = {
    "overlong, two bytes": b"\xc0\xbc",
    "overlong, three bytes": b"\xe0\x80\xaf",
    "overlong, four bytes": b"\xf0\x80\x80\xaf",
    "a surrogate": b"\xed\xa0\x80",
    "a pair of surrogates": b"\xed\xa0\x80\xed\xb0\x80",
    "beyond Unicode": b"\xf4\x90\x80\x80",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "a byte that never stands": b"\xff",
    "a byte that only follows": b"\x80",
    "cut off": b"\xe1\xba",
    "TCVN3": b"Nguy\xd4n",
    "Windows-1258": b"Nguy\xea\xden",
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('hub') / 'hub.db'}")
    upgrade(store)
    with running_api(store) as running:
        running.key = running.client_key()  # type: ignore[attr-defined]
        yield running


def spoilt(card: bytes, raw: bytes) -> bytes:
    """The card with these bytes in its pupil's name."""
    name = orjson.dumps(orjson.loads(card)["pupil"]["full_name"])
    assert card.count(name) >= 1
    return card.replace(name, name[:-1] + raw + b'"', 1)


@pytest.mark.parametrize("name", RAW)
def test_no_such_byte_is_text(name: str):
    """That each case is what its name says: written as a text and encoded again, it would be right."""
    with pytest.raises(UnicodeDecodeError):
        RAW[name].decode()


@pytest.mark.parametrize("name", RAW)
def test_a_card_with_such_bytes_is_refused_and_its_neighbours_are_not(api: Api, name: str):
    before, card, after = soap.cards(3)
    bad = spoilt(card, RAW[name])
    alone = api.post("/v1/report-cards", api.key, content=bad, headers={"Content-Type": "application/json"})
    assert (alone.status_code, alone.json()["code"]) == (422, "records-rejected")
    lines = b"\n".join((before, bad, after))
    answer = api.post("/v1/report-cards", api.key, content=lines, headers={"Content-Type": "application/x-ndjson"})
    found = answer.json()["records"]
    statuses = [one["status"] for one in found]
    assert statuses in (["accepted", "rejected", "accepted"], ["unchanged", "rejected", "unchanged"])
    assert {one["code"] for one in found[1]["findings"]} == {"json.malformed"}


@pytest.mark.parametrize("name", RAW)
def test_a_soap_call_with_such_bytes_faults(api: Api, name: str):
    (card,) = soap.cards(1)
    envelope = soap.envelope(soap.submit(soap.record(card)))
    spoilt_envelope = envelope.replace(b"</", RAW[name] + b"</", 1)
    response = soap.call(api, spoilt_envelope, api.key)  # type: ignore[attr-defined]
    assert soap.Fault(response).problem["code"].startswith("soap.")
    inside = soap.call(api, soap.envelope(soap.submit(soap.document(spoilt(card, RAW[name])))), api.key)
    assert b"json.malformed" in inside.content  # in Base64 the bytes come as they are


def test_the_hostile_documents_hold_raw_bytes_too():
    kinds = documents()
    for name in (
        "overlong UTF-8",
        "overlong UTF-8 of three bytes",
        "surrogates in UTF-8",
        "beyond Unicode",
        "broken UTF-8",
    ):
        with pytest.raises(UnicodeDecodeError):
            kinds[name].decode()
