"""What is read out of answers: waits, codes by record, replies that are not by the contract."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hocba_hub.adapters.contracts import MINISTRY_NAMESPACE, MINISTRY_WSDL
from hocba_hub.adapters.destination import load_destinations
from hocba_hub.adapters.http import Answer, CallError, retry_after_seconds
from hocba_hub.adapters.protocol import Stage
from hocba_hub.adapters.soap.adapter import SoapAdapter
from hocba_hub.adapters.soap.contract import Contract
from hocba_hub.adapters.translation import Translations
from hocba_hub.adapters.verdicts import Verdicts
from hocba_hub.mappings.library.mapping_set import shipped_mappings
from hocba_hub.monitoring.logs import configure
from tests.support.destination_files import PACKAGED
from tests.support.sandbox_server import outbound_record

NOW = datetime(2026, 6, 30, 12, 0, 0, tzinfo=UTC)
CONTRACT = Contract(MINISTRY_WSDL, "ReportCardsSoap11")
MINISTRY = load_destinations(PACKAGED, {})["ministry"]
ADAPTER = SoapAdapter(MINISTRY, {}, Translations(MINISTRY, shipped_mappings))
REPLY = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    f'<m:GetSubmissionResultResponse xmlns:m="{MINISTRY_NAMESPACE}"><m:Result><m:RecordId>2025-2026/card-1</m:RecordId>'
    "<m:Version>1</m:Version><m:Verdict>ACCEPTED</m:Verdict></m:Result></m:GetSubmissionResultResponse>"
    "</s:Body></s:Envelope>"
).encode()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0),
        (" 120 ", 120),
        ("Tue, 30 Jun 2026 12:01:30 GMT", 90),
        ("Tue, 30 Jun 2026 11:00:00 GMT", 0),
        ("30 Jun 2026 12:00:10 -0000", 10),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("²", None),
    ],
)
def test_retry_after(value, seconds):
    assert retry_after_seconds(value, NOW) == seconds


def outcome(*results):
    verdicts = Verdicts()
    for result in results:
        verdicts.add(*result)
    found = verdicts.outcome(outbound_record(1, 2))
    return found.stage, found.code, found.detail


def test_codes_are_matched_by_record_and_version():
    own = ("2025-2026/card-1", 2, "FIELD_INVALID", "tenmonhoc")
    assert outcome(own) == (Stage.ANSWERED, "FIELD_INVALID", "tenmonhoc")
    assert outcome(own, own) == (Stage.ANSWERED, "FIELD_INVALID", "tenmonhoc")
    missing = (Stage.NO_ANSWER, "not-in-answer", "")
    assert outcome() == missing
    assert outcome(("2025-2026/card-1", 1, "OK")) == missing
    assert outcome(("2025-2026/card-1", "2", "OK")) == missing
    assert outcome((None, 2, "OK")) == missing


@pytest.mark.parametrize("code", [None, "", "Nguyễn Văn An", "has space", "x" * 65, 7, ["OK"]])
def test_what_is_no_code_is_never_shown(code):
    assert outcome(("2025-2026/card-1", 2, code)) == (Stage.NO_ANSWER, "unreadable-answer", "no code")


def test_two_codes_for_one_version_are_none():
    two = [("2025-2026/card-1", 2, "OK"), ("2025-2026/card-1", 2, "CARD_LOCKED")]
    assert outcome(*two) == (Stage.NO_ANSWER, "unreadable-answer", "no code")


@pytest.mark.parametrize(
    ("status", "body", "stage", "code"),
    [
        (200, b"<a/>", Stage.NO_ANSWER, "unreadable-answer"),
        (404, b"<html>not here</html>", Stage.ANSWERED, "http-404"),
        (500, b"oops", Stage.ANSWERED, "http-500"),
        (500, REPLY, Stage.ANSWERED, "http-500"),
    ],
)
def test_replies_that_are_not_by_the_contract(status, body, stage, code):
    with pytest.raises(CallError) as caught:
        CONTRACT.reply("GetSubmissionResult", Answer(status, "text/xml", None, body))
    assert (caught.value.stage, caught.value.code) == (stage, code)


@pytest.mark.parametrize("configured", [False, True])
def test_values_that_do_not_fit_their_type_are_not_logged(caplog, configured, monkeypatch):
    if configured:  # as in a worker, whose logs are set up before or after the adapter is imported
        monkeypatch.setattr(logging, "basicConfig", lambda **_: None)  # the handlers of this process stay
        configure()
    body = REPLY.replace(b"<m:Version>1<", b"<m:Version>Nguyen Van An<")
    with caplog.at_level("DEBUG"):
        reply = CONTRACT.reply("GetSubmissionResult", Answer(200, "text/xml", None, body))
        found = ADAPTER._verdicts(reply, "Result", [outbound_record(1)]).outcome(outbound_record(1))
    assert (found.stage, found.code) == (Stage.NO_ANSWER, "not-in-answer")
    assert "Nguyen" not in caplog.text


FAULTS = {
    "<faultcode>s:Client</faultcode><faultstring>no</faultstring>": "soap-client",
    "<faultcode>s:Server</faultcode><faultstring>no</faultstring>": "soap-server",
    "<faultcode>s:Server.Busy</faultcode><faultstring>no</faultstring>": "soap-server",
    "<faultcode>q:Own</faultcode><faultstring>no</faultstring>": "soap-server",
    "<faultstring>no</faultstring>": "soap-server",
    "<faultcode>wsse:FailedAuthentication</faultcode><faultstring>no</faultstring>": "wsse-refused",
    "<faultcode>s:Client</faultcode><detail><Code>CARD_LOCKED</Code></detail>": "CARD_LOCKED",
    "<faultcode>s:Client</faultcode><detail><Code>Nguyễn Văn An</Code></detail>": "soap-client",
}


@pytest.mark.parametrize(("content", "code"), FAULTS.items())
def test_codes_of_faults(content, code):
    body = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f"<s:Fault>{content}</s:Fault></s:Body></s:Envelope>"
    )
    with pytest.raises(CallError) as caught:
        CONTRACT.reply("GetSubmissionResult", Answer(500, "text/xml", None, body.encode()))
    assert (caught.value.stage, caught.value.code) == (Stage.ANSWERED, code)


OWN_FAULTS = {
    ("faultcode", "<faultcode>s:BUSY</faultcode>"): "BUSY",
    ("faultcode", "<faultcode>E12:b</faultcode>"): "E12:b",
    ("detail/Own/@no", '<faultcode>s:Client</faultcode><detail><x:Own xmlns:x="urn:x" no="L1"/></detail>'): "L1",
    ("detail/Own/@no", "<faultcode>s:Client</faultcode><detail><Code>CARD_LOCKED</Code></detail>"): "soap-client",
    ("faultstring", "<faultcode>s:Client</faultcode><faultstring>Nguyễn Văn An</faultstring>"): "soap-client",
}


@pytest.mark.parametrize(("given", "code"), OWN_FAULTS.items())
def test_codes_of_faults_where_a_file_says_that_they_are(given, code):
    place, content = given
    body = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f"<s:Fault>{content}</s:Fault></s:Body></s:Envelope>"
    )
    contract = Contract(MINISTRY_WSDL, "ReportCardsSoap11", place)
    with pytest.raises(CallError) as caught:
        contract.reply("GetSubmissionResult", Answer(500, "text/xml", None, body.encode()))
    assert (caught.value.stage, caught.value.code) == (Stage.ANSWERED, code)


@given(st.data())
def test_a_damaged_reply_is_read_or_refused(data):
    body = bytearray(REPLY)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(body)))
        body[start : start + data.draw(st.integers(0, 12))] = data.draw(st.binary(max_size=6))
    with suppress(CallError):
        reply = CONTRACT.reply("GetSubmissionResult", Answer(200, "text/xml", None, bytes(body)))
        ADAPTER._verdicts(reply, "Result", [outbound_record(1)]).outcome(outbound_record(1))
