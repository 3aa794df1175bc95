"""SOAP intake over real HTTP: by hand in both versions of SOAP, and by zeep from the published WSDL."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import zeep
from requests import Session
from zeep.transports import Transport
from zeep.wsse.username import UsernameToken

from hocba_hub.model.keys import CardId, CardKey, SchoolYear
from hocba_hub.store.credentials import DigestSecret, make_digest_password
from hocba_hub.store.engine import Store
from hocba_hub.store.schema import upgrade
from hocba_hub.store.search import document
from tests.support import soap_calls as soap
from tests.support.api_server import NAMES, Api, running_api
from tests.support.hostile_xml import documents

SECRET = "a secret of the hub that is long enough"
BOTH = pytest.mark.parametrize("version", [soap.S11, soap.S12], ids=["1.1", "1.2"])


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    with running_api(store, soap_digest_secret=SECRET) as running:
        yield running


def digest_password(api: Api) -> str:
    with api.store.write() as connection:
        return make_digest_password(connection, "vendor", DigestSecret(SECRET), now=api.now, most=9).password


def statuses(element) -> list[str]:
    return [found.text for found in element.iterfind(".//h:records/h:i/h:status", soap.NS)] or [
        found.text for found in element.iter(f"{soap.H}status")
    ]


@BOTH
def test_a_batch_is_accepted_and_looked_up(api: Api, version: str):
    key, cards = api.client_key(), soap.cards(3)
    body = soap.submit(soap.record(cards[0]), soap.document(cards[1]), soap.record(cards[2]))
    answer = soap.answer(soap.call(api, soap.envelope(body, soap=version), key, soap=version))
    assert statuses(answer) == ["accepted"] * 3
    assert api.rung
    assert set(api.rung) == set(NAMES)
    again = soap.answer(soap.call(api, soap.envelope(body, soap=version), key, soap=version))
    assert statuses(again) == ["unchanged"] * 3
    submission = next(answer.iter(f"{soap.H}submission_id")).text
    found = soap.answer(
        soap.call(api, soap.envelope(soap.about_submission(submission), soap=version), key, soap=version)
    )
    assert statuses(found) == ["accepted"] * 3
    shown = soap.answer(soap.call(api, soap.envelope(soap.about_card(cards[0]), soap=version), key, soap=version))
    assert [state.text for state in shown.iter(f"{soap.H}state")].count("queued") == len(NAMES)


def test_the_bytes_of_a_document_are_kept(api: Api):
    key, (card,) = api.client_key(), soap.cards(1)
    raw = b"  " + card.replace(b":", b" : ", 1)
    soap.answer(soap.call(api, soap.envelope(soap.submit(soap.document(raw))), key))
    read = soap.CARD.validate_json(card)
    with api.store.read() as connection:
        kept = document(connection, CardKey(SchoolYear(read.school_year), CardId(read.card_id)), 1)
    assert kept is not None
    assert kept.body == raw


def test_one_bad_record_never_rejects_the_others(api: Api):
    key, cards = api.client_key(), soap.cards(2)
    bad = soap.record(cards[0]).replace("<card_id>", "<card_id>?")
    answer = soap.answer(soap.call(api, soap.envelope(soap.submit(bad, soap.record(cards[1]))), key))
    assert statuses(answer) == ["rejected", "accepted"]
    (pointer,) = (found.text for found in answer.iter(f"{soap.H}pointer"))
    assert "card_id" in pointer
    assert [found.text for found in answer.iter(f"{soap.H}message_vi")]


def test_validation_stores_nothing_and_a_recall_is_the_next_version(api: Api):
    key, (card,) = api.client_key(), soap.cards(1)
    check = soap.submit(soap.record(card), operation="ValidateReportCards")
    assert statuses(soap.answer(soap.call(api, soap.envelope(check), key))) == ["accepted"]
    unknown = soap.Fault(soap.call(api, soap.envelope(soap.about_card(card)), key))
    assert unknown.problem["code"] == "not-found"
    soap.answer(soap.call(api, soap.envelope(soap.submit(soap.record(card))), key))
    recalled = soap.answer(soap.call(api, soap.envelope(soap.about_card(card, "RecallReportCard")), key))
    assert [found.text for found in recalled.iter(f"{soap.H}event")] == ["CANCEL"]


@BOTH
def test_who_may_not_gets_a_fault_of_the_senders(api: Api, version: str):
    (card,) = soap.cards(1)
    api.client_key("another-school")
    fault = soap.Fault(
        soap.call(api, soap.envelope(soap.submit(soap.record(card)), soap=version), "hbc_wrong", soap=version)
    )
    assert fault.code == ("Client" if version == soap.S11 else "Sender") or "FailedAuthentication" in (
        fault.code + str(fault.subcode)
    )
    assert fault.problem["code"].startswith("access.")


def test_school_scope_holds_as_for_rest(api: Api):
    key, (card,) = api.client_key("another-school"), soap.cards(1)
    response = soap.call(api, soap.envelope(soap.submit(soap.record(card))), key)
    assert b"access.school-not-permitted" in response.content


@pytest.mark.parametrize("digest", [False, True], ids=["text", "digest"])
def test_username_tokens_open_once(api: Api, *, digest: bool):
    key, (card,) = api.client_key(), soap.cards(1)
    password = digest_password(api) if digest else key
    header = soap.token("vendor", password, now=api.now, digest=digest, nonce=b"0123456789abcdef")
    content = soap.envelope(soap.submit(soap.record(card)), header=header)
    assert statuses(soap.answer(soap.call(api, content))) == ["accepted"]
    assert soap.Fault(soap.call(api, content)).problem["code"] == "access.token-stale"  # a replay
    old = soap.token("vendor", password, now=api.now - 3_600_000, digest=digest, nonce=b"another nonce!")
    stale = soap.call(api, soap.envelope(soap.submit(soap.record(card)), header=old))
    assert soap.Fault(stale).problem["code"] == "access.token-stale"


@BOTH
def test_what_the_schema_forbids_is_told_with_all_its_places(api: Api, version: str):
    body = f'<SubmitReportCards xmlns="{soap.MESSAGES}"><records><nonsense/></records><more/></SubmitReportCards>'
    fault = soap.Fault(soap.call(api, soap.envelope(body, soap=version), api.client_key(), soap=version))
    assert fault.problem["code"] == "soap.invalid"
    assert fault.errors
    if version == soap.S12:
        assert set(fault.texts) == {"vi", "en"}


def test_an_unknown_header_that_must_be_understood_faults(api: Api):
    header = f'<x xmlns="urn:x" xmlns:s="{soap.S11}" s:mustUnderstand="1"/>'
    (card,) = soap.cards(1)
    fault = soap.Fault(soap.call(api, soap.envelope(soap.submit(soap.record(card)), header=header), api.client_key()))
    assert (fault.code, fault.problem["code"]) == ("MustUnderstand", "soap.must-understand")


def test_a_message_id_is_an_idempotency_key(api: Api):
    key, cards = api.client_key(), soap.cards(2)
    header = '<a:MessageID xmlns:a="http://www.w3.org/2005/08/addressing">urn:uuid:1</a:MessageID>'
    first = soap.call(api, soap.envelope(soap.submit(soap.record(cards[0])), header=header), key)
    assert statuses(soap.answer(first)) == ["accepted"]
    again = soap.call(api, soap.envelope(soap.submit(soap.record(cards[0])), header=header), key)
    ids = [next(soap.answer(each).iter(f"{soap.H}submission_id")).text for each in (first, again)]
    assert ids[0] == ids[1]
    other = soap.call(api, soap.envelope(soap.submit(soap.record(cards[1])), header=header), key)
    assert soap.Fault(other).problem["code"] == "idempotency.other-payload"


_AROUND = soap.envelope(soap.submit("<records>@</records>")).split(b"@")
HOSTILE = documents(lambda inside: inside.join(_AROUND))


@pytest.fixture(scope="module")
def one_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One for all of them: none comes as far as the store."""
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('hub') / 'hub.db'}")
    upgrade(store)
    with running_api(store, soap_digest_secret=SECRET) as running:
        running.key = running.client_key()  # type: ignore[attr-defined]
        yield running


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_get_a_clear_fault(one_api: Api, name: str):
    response = soap.call(one_api, HOSTILE[name], one_api.key)  # type: ignore[attr-defined]
    assert response.status_code != 200
    said = response.json() if "json" in response.headers["content-type"] else soap.Fault(response).problem
    code = said["code"]
    assert code.startswith(("soap.", "body.", "request.")), code
    assert one_api.get("/livez").is_success  # the hub goes on


@pytest.mark.parametrize("port", ["11", "12"])
@pytest.mark.parametrize("proof", ["basic", "text", "digest"])
def test_zeep_speaks_it_from_the_wsdl(api: Api, port: str, proof: str):
    key, (card,) = api.client_key(), soap.cards(1)
    session, wsse = Session(), None
    if proof == "basic":
        session.auth = ("vendor", key)
    elif proof == "text":
        wsse = UsernameToken("vendor", key)
    else:
        api.now = time.time_ns() // 1_000_000
        wsse = UsernameToken("vendor", digest_password(api), use_digest=True)
    client = zeep.Client(f"{api.url}/soap/v1?wsdl", transport=Transport(session=session), wsse=wsse)
    bindings = {name: binding for name, binding in client.wsdl.bindings.items() if name.endswith(port)}
    (name,) = bindings
    service = client.create_service(name, f"{api.url}/soap/v1")
    answered = service.SubmitReportCards(records=[{"document": card}])
    assert "accepted" in str(answered)
    read = soap.CARD.validate_json(card)
    assert "queued" in str(service.GetReportCard(school_year=read.school_year, card_id=read.card_id))
    assert "CANCEL" in str(service.RecallReportCard(school_year=read.school_year, card_id=read.card_id))
