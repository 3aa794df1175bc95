"""The SOAP adapter against the Ministry's simulator over real HTTP: what each fault becomes, what the ledger saw."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from hocba_hub.adapters.destination import DestinationError
from hocba_hub.adapters.protocol import Stage
from hocba_hub.model.keys import Event, SchoolCode
from hocba_hub.sandbox.faults import Fault, FaultName
from tests.support.sandbox_server import SandboxHandle, outbound_record

F = FaultName
DOCUMENT = b'{"ho_ten": "M\xe1\xba\xabu"}'


def card(number: int = 1, version: int = 1, event: Event = Event.NEW):
    return outbound_record(number, version, event=event, document=DOCUMENT)


def facts(call):
    return {(outcome.stage, outcome.code) for outcome in call.outcomes}


def counts(sandbox: SandboxHandle, number: int = 1, version: int = 1) -> tuple[int, int, int]:
    """How often a version was received, kept, and received again after that."""
    rows = sandbox.ledgers["ministry"].record(f"2025-2026/card-{number}")
    found = next((row for row in rows if row["version"] == version), None)
    return (found["received"], found["committed"], found["doubled"]) if found else (0, 0, 0)


def test_a_batch_is_taken_and_its_verdicts_polled(sandbox):
    with sandbox.adapter("ministry") as adapter:
        sent = adapter.send([card(1), card(2), card(3, 4, Event.CANCEL)])
        assert facts(sent) == {(Stage.ANSWERED, "TAKEN")}
        assert sent.http_status == 200
        assert len(sent.request_sha256) == len(sent.response_sha256) == 64
        (reference,) = {outcome.reference for outcome in sent.outcomes}
        polled = adapter.poll([reference], [card(1), card(2), card(3, 4), card(9)])
        assert {(o.delivery_id, o.stage, o.code) for o in polled.outcomes} == {
            (1, Stage.ANSWERED, "ACCEPTED"),
            (2, Stage.ANSWERED, "ACCEPTED"),
            (3, Stage.ANSWERED, "ACCEPTED"),
            (9, Stage.NO_ANSWER, "not-in-answer"),
        }
    held = sandbox.ledgers["ministry"].record("2025-2026/card-3")
    assert [(row["version"], row["event"], row["sha256"]) for row in held] == [(4, "CANCEL", "")]
    assert sandbox.ledgers["ministry"].summary()["committed"] == 3


@pytest.mark.parametrize("asked", [1, 2])
def test_nothing_goes_out_once_the_lease_is_over(sandbox, asked):
    answers = iter([True] * (asked - 1) + [False] * 10)
    with sandbox.adapter("ministry") as adapter:
        assert facts(adapter.send([card(1), card(2)], lambda: next(answers))) == {(Stage.NOT_SENT, "lease-over")}
        assert counts(sandbox) == (0, 0, 0)
        assert facts(adapter.send([card(1), card(2)])) == {(Stage.ANSWERED, "TAKEN")}


def test_soap_12_and_password_text(sandbox):
    with sandbox.adapter(
        "ministry", options={"binding": "ReportCardsSoap12"}, authentication={"wsse_password": "text"}
    ) as adapter:
        sent = adapter.send([card()])
        assert facts(sent) == {(Stage.ANSWERED, "TAKEN")}
        assert facts(adapter.poll([sent.outcomes[0].reference], [card()])) == {(Stage.ANSWERED, "ACCEPTED")}
        assert facts(adapter.poll(["unknown"], [card()])) == {(Stage.ANSWERED, "REFERENCE_UNKNOWN")}


@pytest.mark.parametrize("binding", ["ReportCardsSoap11", "ReportCardsSoap12"])
@pytest.mark.parametrize("kind", ["digest", "text"])
def test_wrong_credentials(sandbox, binding, kind):
    with sandbox.adapter(
        "ministry",
        {"HOCBA_MINISTRY_PASSWORD": "wrong"},
        options={"binding": binding},
        authentication={"wsse_password": kind},
    ) as adapter:
        assert facts(adapter.send([card()])) == {(Stage.ANSWERED, "wsse-refused")}
    assert counts(sandbox) == (0, 0, 0)


def test_a_missing_secret_is_a_precondition_and_sends_nothing(sandbox):
    with sandbox.adapter("ministry", {"HOCBA_MINISTRY_PASSWORD": ""}) as adapter:
        for call in (adapter.send([card()]), adapter.poll(["r"], [card()]), adapter.lookup(card())):
            assert facts(call) == {(Stage.NOT_SENT, "missing-precondition")}
            assert call.outcomes[0].detail == "chưa đặt · not set: HOCBA_MINISTRY_PASSWORD"
    assert counts(sandbox) == (0, 0, 0)


SENDING = [  # each with the outcome's stage and code, and how often the record was received and kept
    (Fault(name=F.TIMEOUT_BEFORE_COMMIT), Stage.NO_ANSWER, "timeout", (1, 0)),
    (Fault(name=F.TIMEOUT_AFTER_COMMIT), Stage.NO_ANSWER, "timeout", (1, 1)),
    (Fault(name=F.DROPPED_BEFORE_COMMIT), Stage.NO_ANSWER, "connection-lost", (1, 0)),
    (Fault(name=F.DROPPED_AFTER_COMMIT), Stage.NO_ANSWER, "connection-lost", (1, 1)),
    (Fault(name=F.TOO_MANY_REQUESTS), Stage.ANSWERED, "http-429", (1, 0)),
    (Fault(name=F.SERVER_ERROR), Stage.ANSWERED, "http-500", (1, 0)),
    (Fault(name=F.UNAVAILABLE), Stage.ANSWERED, "http-503", (1, 0)),
    (Fault(name=F.BAD_GATEWAY_AFTER_COMMIT), Stage.ANSWERED, "http-502", (1, 1)),
    (Fault(name=F.SOAP_FAULT), Stage.ANSWERED, "soap-server", (1, 0)),
    (Fault(name=F.MALFORMED_AFTER_COMMIT), Stage.NO_ANSWER, "unreadable-answer", (1, 1)),
    (Fault(name=F.SLOW_ANSWER, seconds=0.1), Stage.ANSWERED, "TAKEN", (1, 1)),
    (Fault(name=F.SLOW_ANSWER, seconds=1), Stage.NO_ANSWER, "timeout", (1, 1)),
    (Fault(name=F.TOKEN_EXPIRED), Stage.ANSWERED, "wsse-refused", (0, 0)),
    (Fault(name=F.WRONG_CREDENTIALS), Stage.ANSWERED, "wsse-refused", (0, 0)),
]


@pytest.mark.parametrize(("fault", "stage", "code", "kept"), SENDING, ids=lambda value: getattr(value, "name", None))
def test_each_fault_of_a_submission(sandbox, fault, stage, code, kept):
    sandbox.play(fault)
    with sandbox.adapter("ministry") as adapter:
        assert facts(adapter.send([card()])) == {(stage, code)}
    assert counts(sandbox)[:2] == kept


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_in_seconds_and_as_a_date(sandbox, as_date):
    sandbox.play(Fault(name=F.TOO_MANY_REQUESTS, retry_after=90, retry_after_date=as_date))
    with sandbox.adapter("ministry") as adapter:
        (outcome,) = adapter.send([card()]).outcomes
    assert 85 < outcome.retry_after <= 90


def test_what_was_sent_twice_is_seen(sandbox):
    with sandbox.adapter("ministry") as adapter:
        adapter.send([card()])
        again = adapter.send([card()])
        assert facts(adapter.poll([again.outcomes[0].reference], [card()])) == {(Stage.ANSWERED, "ACCEPTED")}
    assert counts(sandbox) == (2, 1, 1)
    assert sandbox.ledgers["ministry"].summary()["doubled"] == 1


def test_a_lookup_tells_which_version_is_held(sandbox):
    with sandbox.adapter("ministry") as adapter:
        assert facts(adapter.lookup(card())) == {(Stage.ANSWERED, "absent")}
        reference = adapter.send([card(1, 2)]).outcomes[0].reference
        held = adapter.lookup(card(1, 2)).outcomes[0]
        assert (held.stage, held.code, held.reference) == (Stage.ANSWERED, "ACCEPTED", reference)
        assert facts(adapter.lookup(card(1, 1))) == {(Stage.ANSWERED, "ACCEPTED")}
        assert facts(adapter.lookup(card(1, 3))) == {(Stage.ANSWERED, "absent")}


@pytest.mark.parametrize("name", [F.DROPPED_BEFORE_COMMIT, F.TIMEOUT_BEFORE_COMMIT, F.UNAVAILABLE])
def test_questions_are_asked_again_at_once(sandbox, name):
    with sandbox.adapter("ministry") as adapter:
        reference = adapter.send([card()]).outcomes[0].reference
        sandbox.play(Fault(name=name, times=2, operations=("poll",)))
        assert facts(adapter.poll([reference], [card()])) == {(Stage.ANSWERED, "ACCEPTED")}
        sandbox.play(Fault(name=name, times=2, operations=("lookup",)))
        assert facts(adapter.lookup(card())) == {(Stage.ANSWERED, "ACCEPTED")}


def test_questions_are_not_asked_for_ever(sandbox):
    sandbox.play(Fault(name=F.DROPPED_BEFORE_COMMIT, operations=("lookup",)))
    with sandbox.adapter("ministry") as adapter:
        assert facts(adapter.lookup(card())) == {(Stage.NO_ANSWER, "connection-lost")}
    assert sandbox.sandbox.ministry.faults.played[F.DROPPED_BEFORE_COMMIT] == 3


def test_late_acknowledgement(sandbox):
    sandbox.play(Fault(name=F.LATE_ACKNOWLEDGEMENT, seconds=0, polls=2))
    with sandbox.adapter("ministry") as adapter:
        reference = adapter.send([card()]).outcomes[0].reference
        pending = adapter.lookup(card()).outcomes[0]
        assert (pending.code, pending.reference) == ("PENDING", reference)
        codes = [adapter.poll([reference], [card()]).outcomes[0].code for _ in range(3)]
    assert codes == ["PENDING", "PENDING", "ACCEPTED"]


def test_a_lost_acknowledgement_is_told_to_a_look_up_alone(sandbox):
    sandbox.play(Fault(name=F.LOST_ACKNOWLEDGEMENT))
    with sandbox.adapter("ministry") as adapter:
        reference = adapter.send([card()]).outcomes[0].reference
        codes = [adapter.poll([reference], [card()]).outcomes[0].code for _ in range(4)]
        assert codes == ["PENDING"] * 4
        assert adapter.lookup(card()).outcomes[0].code == "ACCEPTED"


def test_a_repeated_acknowledgement_is_one(sandbox):
    sandbox.play(Fault(name=F.REPEATED_ACKNOWLEDGEMENT))
    with sandbox.adapter("ministry") as adapter:
        reference = adapter.send([card()]).outcomes[0].reference
        assert [one.code for one in adapter.poll([reference], [card()]).outcomes] == ["ACCEPTED"]
    assert sandbox.sandbox.ministry.faults.played[F.REPEATED_ACKNOWLEDGEMENT] == 1


def test_contradictory_acknowledgement(sandbox):
    sandbox.play(Fault(name=F.CONTRADICTORY_ACKNOWLEDGEMENT))
    with sandbox.adapter("ministry") as adapter:
        reference = adapter.send([card()]).outcomes[0].reference
        codes = [adapter.poll([reference], [card()]).outcomes[0].code for _ in range(2)]
    assert codes == ["ACCEPTED", "CONTRADICTED"]
    assert sandbox.ledgers["ministry"].held("2025-2026/card-1")["version"] == 1


def test_refusals_are_by_record_and_by_seed(sandbox):
    cards = [card(number) for number in range(40)]

    def refused(seed: int) -> set[int]:
        sandbox.sandbox.reset()
        sandbox.play(Fault(name=F.RECORD_REFUSED, rate=0.3, code="CARD_LOCKED"), seed=seed)
        with sandbox.adapter("ministry") as adapter:
            reference = adapter.send(cards).outcomes[0].reference
            outcomes = adapter.poll([reference], cards).outcomes
        assert {outcome.code for outcome in outcomes} == {"CARD_LOCKED", "ACCEPTED"}
        return {outcome.delivery_id for outcome in outcomes if outcome.code == "CARD_LOCKED"}

    first = refused(1)
    assert first == refused(1)
    assert first != refused(2)
    sandbox.sandbox.reset()


def test_the_simulator_refuses_the_cards_of_one_school(sandbox):
    records = [card(1), replace(card(2), school=SchoolCode("33000999"))]
    sandbox.play(Fault(name=F.RECORD_REFUSED, code="SCHOOL_UNKNOWN", schools=("33000999",)))
    with sandbox.adapter("ministry") as adapter:
        reference = adapter.send(records).outcomes[0].reference
        polled = adapter.poll([reference], records)
    assert [(o.delivery_id, o.code) for o in polled.outcomes] == [(1, "ACCEPTED"), (2, "SCHOOL_UNKNOWN")]


def test_a_lower_version_is_refused_or_silently_ignored(sandbox):
    with sandbox.adapter("ministry") as adapter:
        adapter.send([card(1, 5)])
        older = adapter.send([card(1, 4)]).outcomes[0].reference
        assert facts(adapter.poll([older], [card(1, 4)])) == {(Stage.ANSWERED, "OLDER_VERSION")}
        sandbox.play(Fault(name=F.OLDER_VERSION_SILENT))
        assert facts(adapter.poll([older], [card(1, 4)])) == {(Stage.ANSWERED, "ACCEPTED")}
    ledger = sandbox.ledgers["ministry"]
    assert ledger.held("2025-2026/card-1")["version"] == 5
    assert ledger.summary()["ignored"] == 1


def test_a_record_that_the_answer_forgets(sandbox):
    with sandbox.adapter("ministry") as adapter:
        reference = adapter.send([card()]).outcomes[0].reference
        sandbox.play(Fault(name=F.RECORD_NOT_IN_ANSWER))
        assert facts(adapter.poll([reference], [card()])) == {(Stage.NO_ANSWER, "not-in-answer")}


def test_a_record_that_xml_cannot_hold_does_not_stop_the_others(sandbox):
    odd = outbound_record(2, card_id="a\x01b", document=DOCUMENT)
    with sandbox.adapter("ministry") as adapter:
        sent = {outcome.delivery_id: outcome for outcome in adapter.send([card(1), odd]).outcomes}
        assert (sent[1].stage, sent[1].code) == (Stage.ANSWERED, "TAKEN")
        assert (sent[2].stage, sent[2].code) == (Stage.NOT_SENT, "not-representable")
        assert facts(adapter.lookup(odd)) == {(Stage.NOT_SENT, "not-representable")}
        assert facts(adapter.send([odd])) == {(Stage.NOT_SENT, "not-representable")}


def test_many_threads_share_one_adapter(sandbox):
    with sandbox.adapter("ministry", limits={"answer_seconds": 20.0}) as adapter, ThreadPoolExecutor(8) as pool:

        def one(number: int) -> str:
            reference = adapter.send([card(number)]).outcomes[0].reference
            return adapter.poll([reference], [card(number)]).outcomes[0].code

        assert set(pool.map(one, range(64))) == {"ACCEPTED"}
    assert sandbox.ledgers["ministry"].summary() | {"verdicts": {}} == {
        "records": 64,
        "records_held": 64,
        "versions": 64,
        "received": 64,
        "committed": 64,
        "doubled": 0,
        "ignored": 0,
        "altered": 0,
        "verdicts": {},
    }


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"bindings": "x"}, "bindings"),
        ({"binding": "Nope"}, "ReportCardsSoap12"),
        ({"result": {"operation": "Nope"}}, "Nope"),
    ],
)
def test_a_destination_file_that_does_not_fit_is_refused(sandbox, options, named):
    with pytest.raises(DestinationError, match=named), sandbox.adapter("ministry", options=options):
        pass
