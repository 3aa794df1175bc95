"""One card's trace, from the call that brought it to its acknowledgements, over real processes and a real collector."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

import httpx
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from hocba_hub.sandbox.synthetic import generate
from hocba_hub.sandbox.vendor import wait_until
from hocba_hub.store.access import Role, add_client, add_operator
from tests.support.collector import Collector
from tests.support.rig import Rig


def test_a_card_is_followed_from_its_call_to_its_acknowledgements_and_into_a_replay(tmp_path: Path):
    with Collector() as collector:
        with Rig(tmp_path / "hub", workers=1, jobs=1, environment={"HOCBA_TRACES_URL": collector.url}) as rig:
            _follow(rig, collector)
        wait_until(lambda: bool(collector.named("card send again")), 10)
        [again] = collector.named("card send again")
        [first] = [one for one in collector.named("card send") if one.is_error]
        assert again.trace_id != first.trace_id  # a trace of its own,
        assert first.trace_id in again.links  # which leads back to the first
        assert (again.facts["hocba.meaning"], again.facts["hocba.replay"]) == ("acknowledged", "1")


def _follow(rig: Rig, collector: Collector) -> None:
    key = rig.client_key()
    with rig.store() as store, store.write() as connection:
        now = time.time_ns() // 1_000_000
        operator = add_operator(connection, "lan", Role.ADMINISTRATOR, now=now).key
        ministry = add_client(connection, "ministry-push", (), now=now, destination="ministry").key
    card, refused = generate(2, 5, schools=3)
    trace, caller = secrets.token_hex(16), secrets.token_hex(8)
    post = httpx.Client(base_url=rig.url, timeout=30).post
    sent = post(
        "/v1/report-cards", content=card,
        headers={"Authorization": f"Bearer {key}", "traceparent": f"00-{trace}-{caller}-01"},
    ).json()  # fmt: skip
    assert wait_until(rig.is_settled, 30)

    def spans(name: str, process: str) -> int:
        return sum(one.process == process for one in collector.named(name, trace))

    assert wait_until(lambda: spans("card send", "worker") == 2 and spans("card poll", "worker") == 1, 15)
    [call] = collector.named("POST /v1/report-cards", trace)
    assert (call.parent_id, call.facts["http.response.status_code"]) == (caller, 202)
    of_card = [one for one in collector.spans if one.trace_id == trace and one.name.startswith("card")]
    assert {one.parent_id for one in of_card} == {call.span_id}
    ends = {(one.name, one.facts["hocba.destination"], one.facts["hocba.meaning"]) for one in of_card}
    assert ends == {
        ("card send", "province", "acknowledged"), ("card send", "ministry", "awaiting_ack"),
        ("card poll", "ministry", "acknowledged"),
    }  # fmt: skip
    [to_province] = collector.named("send province")
    assert (to_province.links, to_province.parent_id) == ((trace,), "")
    # A verdict that the destination brings by itself, though it is known already.
    record = sent["records"][0]
    verdict = {"record_id": f"{record['school_year']}/{record['card_id']}", "version": 1, "code": "ACCEPTED"}
    pushed = post(
        "/v1/acknowledgements", json={"acknowledgements": [verdict]}, headers={"Authorization": f"Bearer {ministry}"}
    )
    assert pushed.is_success, pushed.text
    assert wait_until(lambda: spans("card push", "api") == 1, 10)
    # One that is refused, and replayed.
    rig.set_faults({"seed": 1, "faults": [
        {"name": "record-refused", "code": "SCHOOL_UNKNOWN", "simulators": ["province"]},
    ]})  # fmt: skip
    assert post("/v1/report-cards", content=refused, headers={"Authorization": f"Bearer {key}"}).status_code == 202
    assert wait_until(rig.is_settled, 30)
    rig.set_faults({"seed": 1, "faults": []})
    asked = {"selection": {"code": "SCHOOL_UNKNOWN"}, "reason": "cured", "start": True}
    replay = post("/v1/operations/replays", json=asked, headers={"Authorization": f"Bearer {operator}"})
    assert replay.is_success, replay.text
    assert wait_until(lambda: bool(collector.named("card send again")), 30)
    # The histograms lead to the traces; and no span says whose card it is.
    answer = httpx.get(f"{rig.url}/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    traces = {
        sample.exemplar.labels["trace_id"]: family.name
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.exemplar and family.name in {"hocba_acknowledgement_age_seconds", "hocba_attempt_duration_seconds"}
    }
    assert trace in traces
    assert record["card_id"].encode() not in collector.raw
