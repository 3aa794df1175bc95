"""The REST adapter against the province's simulator over real HTTP: what each fault becomes, what the ledger saw."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import jsonschema
import orjson
import pytest
import yaml

from hocba_hub.adapters.authentication import Secrets, credentials_for
from hocba_hub.adapters.contracts import PROVINCE_OPENAPI
from hocba_hub.adapters.destination import DestinationError
from hocba_hub.adapters.http import HttpConnection
from hocba_hub.adapters.protocol import Stage
from hocba_hub.adapters.registry import adapter_for
from hocba_hub.adapters.translation import Translations
from hocba_hub.mappings.library.mapping_set import shipped_mappings
from hocba_hub.model.keys import Event
from hocba_hub.sandbox.faults import Fault, FaultName
from tests.support.sample_cards import canonical, continuing_card, primary_card, secondary_card
from tests.support.sandbox_server import CLIENT, SandboxHandle, outbound_record, running_sandbox

F = FaultName
CANONICAL = canonical(secondary_card(subjects=2))


def card(number: int = 1, version: int = 1, event: Event = Event.NEW, body: bytes = CANONICAL):
    return outbound_record(number, version, event=event, canonical=b"" if event is Event.CANCEL else body)


def facts(call):
    return {(outcome.stage, outcome.code) for outcome in call.outcomes}


def counts(sandbox: SandboxHandle, number: int = 1) -> tuple[int, int]:
    """How often version 1 of a card was received and kept."""
    rows = sandbox.ledgers["province"].record(f"2025-2026/card-{number}")
    return (rows[0]["received"], rows[0]["committed"]) if rows else (0, 0)


@pytest.mark.parametrize("mode", ["batch", "single"])
@pytest.mark.parametrize("asked", [1, 2])
def test_nothing_goes_out_once_the_lease_is_over(sandbox, mode, asked):
    """It is asked before the head and before the body of every call; a head alone does nothing there."""
    answers = iter([True] * (asked - 1) + [False] * 10)
    with sandbox.adapter("province", options={"mode": mode}) as adapter:
        call = adapter.send([card(1), card(2)], lambda: next(answers))
        assert facts(call) == {(Stage.NOT_SENT, "lease-over")}
        assert (counts(sandbox, 1), counts(sandbox, 2)) == ((0, 0), (0, 0))
        assert facts(adapter.send([card(1), card(2)])) == {(Stage.ANSWERED, "OK")}  # the connection goes on


def test_what_was_sent_one_by_one_before_the_lease_was_over_keeps_its_answers(sandbox):
    answers = iter([True] * 4 + [False] * 10)
    with sandbox.adapter("province", options={"mode": "single"}) as adapter:
        call = adapter.send([card(n) for n in (1, 2, 3, 4)], lambda: next(answers))
    assert [(o.stage, o.code) for o in call.outcomes] == [(Stage.ANSWERED, "OK")] * 2 + [
        (Stage.NOT_SENT, "lease-over")
    ] * 2
    assert [counts(sandbox, n) for n in (1, 2, 3, 4)] == [(1, 1), (1, 1), (0, 0), (0, 0)]


@pytest.mark.parametrize("mode", ["batch", "single"])
def test_all_kinds_of_cards_and_a_recall_are_taken(sandbox, mode):
    records = [
        card(n, body=canonical(make())) for n, make in enumerate((primary_card, secondary_card, continuing_card))
    ]
    with sandbox.adapter("province", options={"mode": mode}) as adapter:
        sent = adapter.send([*records, card(9, 4, Event.CANCEL)])
        assert facts(sent) == {(Stage.ANSWERED, "OK")}
        assert {outcome.delivery_id for outcome in sent.outcomes} == {0, 1, 2, 9}
        assert sent.http_status == 200
        assert len(sent.request_sha256) == len(sent.response_sha256) == 64
        assert facts(adapter.send([*records, card(9, 4, Event.CANCEL)])) == {(Stage.ANSWERED, "ALREADY_HELD")}
    summary = sandbox.ledgers["province"].summary()
    assert (summary["committed"], summary["doubled"], summary["altered"]) == (6, 6, 0)  # the learning results are three
    held = httpx.get(f"{sandbox.province_url}/ledger/record/2025-2026/card-9").json()
    assert (held["held"], held["versions"][0]["event"]) == (4, "CANCEL")


def test_requests_and_answers_fit_the_published_contract(sandbox):
    document = yaml.safe_load(PROVINCE_OPENAPI.read_text(encoding="utf-8"))

    def check(instance, name):
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        jsonschema.Draft202012Validator(schema).validate(instance)

    records = [
        card(n, body=canonical(make())) for n, make in enumerate((primary_card, secondary_card, continuing_card))
    ]
    translations = Translations(sandbox.destination("province"), shipped_mappings)
    for record in [*records, card(9, 4, Event.CANCEL)]:
        for made in translations.represent(record).records:
            check(made, "record")
    with httpx.Client(base_url=sandbox.province_url) as client:
        token = client.post(
            "/token", data={"grant_type": "client_credentials"}, auth=(CLIENT.client_id, CLIENT.secret)
        ).json()
        check(token, "token")
        client.headers["Authorization"] = f"Bearer {token['access_token']}"
        first = orjson.dumps(translations.represent(records[0]).records[0])
        body = b'{"records":[' + first + b',{"idbanghi":"a","sukien":"NEW","phienban":1}]}'
        results = client.post("/v1/records", content=body).json()["results"]
        for result in results:
            check(result, "result")
        assert [result["ma"] for result in results] == ["OK", "FIELD_MISSING"]
        check(client.get("/v1/records/2025-2026%2Fcard-0").json(), "held")
        check(client.get("/v1/records/2025-2026%2Fcard-77").json(), "problem")


SENDING = [  # each with the outcome's stage and code, and how often the record was received and kept
    (Fault(name=F.TIMEOUT_BEFORE_COMMIT), (Stage.NO_ANSWER, "timeout"), (1, 0)),
    (Fault(name=F.TIMEOUT_AFTER_COMMIT), (Stage.NO_ANSWER, "timeout"), (1, 1)),
    (Fault(name=F.DROPPED_BEFORE_COMMIT), (Stage.NO_ANSWER, "connection-lost"), (1, 0)),
    (Fault(name=F.DROPPED_AFTER_COMMIT), (Stage.NO_ANSWER, "connection-lost"), (1, 1)),
    (Fault(name=F.TOO_MANY_REQUESTS), (Stage.ANSWERED, "http-429"), (1, 0)),
    (Fault(name=F.SERVER_ERROR), (Stage.ANSWERED, "http-500"), (1, 0)),
    (Fault(name=F.UNAVAILABLE), (Stage.ANSWERED, "http-503"), (1, 0)),
    (Fault(name=F.BAD_GATEWAY_AFTER_COMMIT), (Stage.ANSWERED, "http-502"), (1, 1)),
    (Fault(name=F.SOAP_FAULT), (Stage.ANSWERED, "http-500"), (1, 0)),
    (Fault(name=F.MALFORMED_AFTER_COMMIT), (Stage.NO_ANSWER, "unreadable-answer"), (1, 1)),
    (Fault(name=F.SLOW_ANSWER, seconds=0.1), (Stage.ANSWERED, "OK"), (1, 1)),
    (Fault(name=F.SLOW_ANSWER, seconds=1), (Stage.NO_ANSWER, "timeout"), (1, 1)),
    (Fault(name=F.RECORD_REFUSED, code="CARD_LOCKED"), (Stage.ANSWERED, "CARD_LOCKED"), (1, 0)),
    (Fault(name=F.RECORD_NOT_IN_ANSWER), (Stage.NO_ANSWER, "not-in-answer"), (1, 1)),
    (Fault(name=F.WRONG_CREDENTIALS), (Stage.ANSWERED, "http-401"), (0, 0)),
]


@pytest.mark.parametrize("mode", ["batch", "single"])
@pytest.mark.parametrize(("fault", "outcome", "kept"), SENDING, ids=lambda value: getattr(value, "name", None))
def test_each_fault_of_a_submission(sandbox, mode, fault, outcome, kept):
    sandbox.play(fault)
    with sandbox.adapter("province", options={"mode": mode}) as adapter:
        assert facts(adapter.send([card()])) == {outcome}
    assert counts(sandbox) == kept


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_in_seconds_and_as_a_date(sandbox, as_date):
    sandbox.play(Fault(name=F.UNAVAILABLE, retry_after=90, retry_after_date=as_date))
    with sandbox.adapter("province") as adapter:
        (outcome,) = adapter.send([card()]).outcomes
    assert 85 < outcome.retry_after <= 90


@pytest.mark.parametrize(
    ("name", "first", "rest_code"),
    [
        (F.DROPPED_AFTER_COMMIT, (Stage.NO_ANSWER, "connection-lost"), "connection-lost"),
        (F.TOO_MANY_REQUESTS, (Stage.ANSWERED, "http-429"), "http-429"),
        (F.UNAVAILABLE, (Stage.ANSWERED, "http-503"), "http-503"),
        (F.TIMEOUT_BEFORE_COMMIT, (Stage.NO_ANSWER, "timeout"), "timeout"),
    ],
)
def test_one_by_one_stops_where_the_next_would_fail_too(sandbox, name, first, rest_code):
    with sandbox.adapter("province", options={"mode": "single"}) as adapter:
        assert facts(adapter.send([card(1)])) == {(Stage.ANSWERED, "OK")}
        sandbox.play(Fault(name=name, times=1, retry_after=33))
        outcomes = adapter.send([card(2), card(3), card(4)]).outcomes
    assert [(outcome.delivery_id, outcome.stage, outcome.code) for outcome in outcomes] == [
        (2, *first),
        (3, Stage.NOT_SENT, rest_code),
        (4, Stage.NOT_SENT, rest_code),
    ]
    assert len({outcome.retry_after for outcome in outcomes}) == 1
    assert counts(sandbox, 3) == counts(sandbox, 4) == (0, 0)


def test_one_by_one_goes_on_after_a_refused_record(sandbox):
    sandbox.play(Fault(name=F.SERVER_ERROR, times=1))
    with sandbox.adapter("province", options={"mode": "single"}) as adapter:
        outcomes = adapter.send([card(1), card(2)]).outcomes
    assert [outcome.code for outcome in outcomes] == ["http-500", "OK"]


def test_a_refused_token_is_fetched_anew_once(sandbox):
    with sandbox.adapter("province") as adapter:
        assert facts(adapter.send([card(1)])) == {(Stage.ANSWERED, "OK")}
        sandbox.play(Fault(name=F.TOKEN_EXPIRED, times=1))
        assert facts(adapter.send([card(2)])) == {(Stage.ANSWERED, "OK")}
        sandbox.play(Fault(name=F.TOKEN_EXPIRED, operations=("submit", "lookup")))
        assert facts(adapter.send([card(3)])) == {(Stage.ANSWERED, "http-401")}
        assert facts(adapter.lookup(card(3))) == {(Stage.ANSWERED, "http-401")}
    assert counts(sandbox, 2) == (1, 1)
    assert counts(sandbox, 3) == (0, 0)


def test_a_token_is_kept_until_it_ends():
    with running_sandbox(token_seconds=1, answer_seconds=5) as short, short.adapter("province") as adapter:
        asked = short.sandbox.province.faults._ordinals
        assert facts(adapter.send([card(1)])) == facts(adapter.send([card(2)])) == {(Stage.ANSWERED, "OK")}
        assert asked["token"] == 1
        time.sleep(1.2)
        assert facts(adapter.send([card(3)])) == {(Stage.ANSWERED, "OK")}
        assert (asked["token"], asked["submit"]) == (2, 3)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(name=F.WRONG_CREDENTIALS, operations=("token",)), "token-refused"),
        (Fault(name=F.UNAVAILABLE, operations=("token",)), "http-503"),
        (Fault(name=F.DROPPED_BEFORE_COMMIT, operations=("token",)), "connection-lost"),
        (Fault(name=F.TIMEOUT_BEFORE_COMMIT, operations=("token",)), "timeout"),
        (Fault(name=F.MALFORMED_AFTER_COMMIT, operations=("token",)), "unreadable-answer"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_without_a_token_nothing_is_sent(sandbox, fault, code):
    sandbox.play(fault)
    with sandbox.adapter("province") as adapter:
        assert facts(adapter.send([card()])) == {(Stage.NOT_SENT, code)}
        assert facts(adapter.lookup(card())) == {(Stage.NOT_SENT, code)}
    assert counts(sandbox) == (0, 0)


@pytest.mark.parametrize("name", [F.DROPPED_BEFORE_COMMIT, F.UNAVAILABLE])
def test_a_token_that_fails_at_first_is_asked_for_again(sandbox, name):
    sandbox.play(Fault(name=name, times=2, operations=("token",)))
    with sandbox.adapter("province") as adapter:
        assert facts(adapter.send([card()])) == {(Stage.ANSWERED, "OK")}


def test_secrets(sandbox):
    with sandbox.adapter("province", {"HOCBA_PROVINCE_CLIENT_SECRET": "wrong-one"}) as adapter:
        refused = adapter.send([card()])
        assert facts(refused) == {(Stage.NOT_SENT, "token-refused")}
        assert "wrong-one" not in repr(refused)
    with sandbox.adapter("province", {"HOCBA_PROVINCE_CLIENT_ID": ""}) as adapter:
        for call in (adapter.send([card()]), adapter.lookup(card())):
            assert facts(call) == {(Stage.NOT_SENT, "missing-precondition")}
            assert call.outcomes[0].detail == "chưa đặt · not set: HOCBA_PROVINCE_CLIENT_ID"


@pytest.mark.parametrize(
    ("authentication", "environment", "sent"),
    [
        ({"scheme": "none"}, {}, None),
        ({"scheme": "basic", "username_env": "U", "password_env": "P"}, {"U": "a", "P": "ộ"}, "Basic YTrhu5k="),
        ({"scheme": "static-header", "header": "Authorization", "password_env": "P"}, {"P": "key"}, "key"),
    ],
    ids=["none", "basic", "static-header"],
)
def test_other_schemes(sandbox, authentication, environment, sent):
    destination = sandbox.destination("province", authentication=authentication)
    line = HttpConnection(destination)
    credentials = credentials_for(destination, Secrets(destination, environment), line)
    assert credentials.headers().get("Authorization") == sent
    line.close()
    with sandbox.adapter("province", environment, authentication=authentication) as adapter:
        assert facts(adapter.send([card()])) == {(Stage.ANSWERED, "http-401")}


def test_a_secret_that_no_header_can_carry_is_a_precondition(sandbox):
    authentication = {"scheme": "static-header", "header": "X-Key", "password_env": "P"}
    with sandbox.adapter("province", {"P": "two\r\nlines"}, authentication=authentication) as adapter:
        assert facts(adapter.send([card()])) == {(Stage.NOT_SENT, "missing-precondition")}


def test_a_lookup_tells_which_version_is_held(sandbox):
    with sandbox.adapter("province") as adapter:
        assert facts(adapter.lookup(card())) == {(Stage.ANSWERED, "absent")}
        adapter.send([card(1, 2)])
        assert facts(adapter.lookup(card(1, 2))) == {(Stage.ANSWERED, "OK")}
        assert facts(adapter.lookup(card(1, 1))) == {(Stage.ANSWERED, "OK")}
        assert facts(adapter.lookup(card(1, 3))) == {(Stage.ANSWERED, "absent")}
        sandbox.play(Fault(name=F.MALFORMED_AFTER_COMMIT, operations=("lookup",)))
        assert facts(adapter.lookup(card(1, 2))) == {(Stage.NO_ANSWER, "unreadable-answer")}
        sandbox.play(Fault(name=F.DROPPED_BEFORE_COMMIT, operations=("lookup",), times=2))
        assert facts(adapter.lookup(card(1, 2))) == {(Stage.ANSWERED, "OK")}


@pytest.mark.parametrize("card_id", ["a/b", "a b?c#d", "100%25", "đỗ", "..", "a;b&c=d"])
def test_any_card_id_is_looked_up_as_itself(sandbox, card_id):
    record = outbound_record(1, card_id=card_id, canonical=CANONICAL)
    with sandbox.adapter("province") as adapter:
        assert facts(adapter.send([record])) == {(Stage.ANSWERED, "OK")}
        assert facts(adapter.lookup(record)) == {(Stage.ANSWERED, "OK")}
    assert sandbox.ledgers["province"].held(f"2025-2026/{card_id}")


def test_a_404_of_a_wrong_address_is_not_absent(sandbox):
    with sandbox.adapter("province", options={"lookup_path": "/nowhere/{record_id}"}) as adapter:
        assert facts(adapter.lookup(card())) == {(Stage.ANSWERED, "http-404")}


def test_a_lower_version_is_refused_or_silently_ignored(sandbox):
    with sandbox.adapter("province") as adapter:
        adapter.send([card(1, 5)])
        assert facts(adapter.send([card(1, 4)])) == {(Stage.ANSWERED, "OLDER_VERSION")}
        sandbox.play(Fault(name=F.OLDER_VERSION_SILENT))
        assert facts(adapter.send([card(1, 3)])) == {(Stage.ANSWERED, "OK")}
    ledger = sandbox.ledgers["province"]
    assert (ledger.held("2025-2026/card-1")["version"], ledger.summary()["ignored"]) == (5, 2)


@pytest.mark.parametrize("mode", ["batch", "single"])
def test_a_version_that_goes_as_several_records_is_held_only_if_all_are(sandbox, mode):
    first, second, year = (f"2025-2026/card-1{end}" for end in ("/1", "/2", ""))
    ledger = sandbox.ledgers["province"]
    record = card(body=canonical(continuing_card()))
    with sandbox.adapter("province", options={"mode": mode}) as adapter:
        sandbox.play(Fault(name=F.RECORD_REFUSED, code="CARD_LOCKED", times=1))
        refused = adapter.send([record, card(2)])
        found = {(o.delivery_id, o.code) for o in refused.outcomes}
        assert found == {(1, "CARD_LOCKED"), (2, "OK")}
        assert ledger.held(first) is None
        sent = adapter.send([record])
        assert facts(sent) == {(Stage.ANSWERED, "OK" if mode == "single" else "ALREADY_HELD")}
        assert all(ledger.held(one)["version"] == 1 for one in (first, second, year))
        recall = outbound_record(1, 2, event=Event.CANCEL, canonical=canonical(continuing_card()))
        assert facts(adapter.send([recall])) == {(Stage.ANSWERED, "OK")}
        assert all(ledger.held(one)["event"] == "CANCEL" for one in (first, second, year))


def test_a_look_up_of_what_can_no_longer_be_written_decides_nothing(sandbox):
    """The card's own id may be held while another of its records is not: which ones there are, the mapping says."""
    with sandbox.adapter("province") as adapter:
        assert facts(adapter.send([card(1)])) == {(Stage.ANSWERED, "OK")}
        assert facts(adapter.lookup(card(1))) == {(Stage.ANSWERED, "OK")}
        assert facts(adapter.lookup(card(1, body=b"{"))) == {(Stage.NOT_SENT, "not-representable")}


@pytest.mark.parametrize("mode", ["batch", "single"])
def test_the_simulator_refuses_the_cards_of_one_school(sandbox, mode):
    of_another = secondary_card(subjects=2)
    of_another["school"]["code"] = "33000999"
    sandbox.play(Fault(name=F.RECORD_REFUSED, code="SCHOOL_UNKNOWN", schools=("33000999",)))
    with sandbox.adapter("province", options={"mode": mode}) as adapter:
        sent = adapter.send([card(1), card(2, body=canonical(of_another))])
    assert [(o.delivery_id, o.code) for o in sent.outcomes] == [(1, "OK"), (2, "SCHOOL_UNKNOWN")]


def test_a_field_that_the_contract_refuses_is_named(sandbox):
    wrong = secondary_card(subjects=1)
    wrong["class"]["name"] = "a name that is too long"
    with sandbox.adapter("province") as adapter:
        (outcome,) = adapter.send([card(body=canonical(wrong))]).outcomes
    assert (outcome.stage, outcome.code, outcome.detail) == (Stage.ANSWERED, "FIELD_INVALID", "tenlop")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"kind": "other"}', b"\xff"])
def test_a_card_that_cannot_be_written_does_not_stop_the_others(sandbox, body):
    with sandbox.adapter("province") as adapter:
        sent = {outcome.delivery_id: outcome for outcome in adapter.send([card(1), card(2, body=body)]).outcomes}
        assert (sent[1].stage, sent[1].code) == (Stage.ANSWERED, "OK")
        assert (sent[2].stage, sent[2].code) == (Stage.NOT_SENT, "not-representable")
        assert facts(adapter.send([card(2, body=body)])) == {(Stage.NOT_SENT, "not-representable")}


def test_many_threads_share_one_adapter(sandbox):
    with sandbox.adapter("province", limits={"answer_seconds": 20.0}) as adapter, ThreadPoolExecutor(8) as pool:
        codes = set(pool.map(lambda number: adapter.send([card(number)]).outcomes[0].code, range(64)))
        assert sandbox.sandbox.province.faults._ordinals["token"] == 1
    assert codes == {"OK"}
    summary = sandbox.ledgers["province"].summary()
    assert (summary["committed"], summary["doubled"]) == (64, 0)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"options": {"modes": "x"}}, "modes"),
        ({"adapter": "fax"}, "known are: rest, soap"),
        ({"authentication": {"scheme": "wsse-username-token"}}, "wsse"),
        ({"authentication": {"username_env": None}}, "username_env"),
        ({"authentication": {"scheme": "static-header"}}, "header"),
    ],
)
def test_a_destination_file_that_does_not_fit_is_refused(sandbox, changes, named):
    with pytest.raises(DestinationError, match=named):
        adapter_for(sandbox.destination("province", **changes), sandbox.environment)


def test_it_has_no_polls(sandbox):
    with sandbox.adapter("province") as adapter:
        assert facts(adapter.poll(["r"], [card()])) == {(Stage.NOT_SENT, "missing-precondition")}
