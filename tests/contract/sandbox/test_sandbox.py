"""The simulators by themselves: control pages, contracts, credentials, and that one held call does not stop others."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time

import httpx
import pytest
import zeep
from lxml import etree

from hocba_hub.model.delivery import Meaning
from hocba_hub.sandbox.faults import Fault, FaultName
from hocba_hub.store.access import add_client
from hocba_hub.store.engine import Store
from tests.support.api_server import running_api
from tests.support.sandbox_server import CLIENT, SandboxHandle, outbound_record, running_sandbox

RECALL = {
    "idbanghi": "2025-2026/card-1",
    "sukien": "CANCEL",
    "phienban": 2,
    "thoigiancapnhat": "2026-07-01T00:30:15",
    "ngaycapnhat": "2026-07-01T00:30:15",
    "madinhdanhhocba": "card-1",
    "namhoc": "2025-2026",
}


@pytest.fixture(scope="module")
def running():
    with running_sandbox() as handle:
        yield handle


@pytest.fixture
def sandbox(running) -> SandboxHandle:
    running.sandbox.reset()
    return running


@pytest.fixture
def province(sandbox):
    with httpx.Client(base_url=sandbox.province_url, timeout=10) as client:
        answer = client.post(
            "/token", data={"grant_type": "client_credentials"}, auth=(CLIENT.client_id, CLIENT.secret)
        )
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


def test_the_ledger_over_http(sandbox, province):
    for record_id, version in (("2025-2026/card-1", 2), ("2025-2026/card-1", 2), ("2025-2026/card-2", 1)):
        record = {**RECALL, "idbanghi": record_id, "phienban": version}
        province.post("/v1/records", json={"records": [record]}).raise_for_status()
    summary = province.get("/ledger").json()
    assert (summary["records"], summary["received"], summary["committed"], summary["doubled"]) == (2, 3, 2, 1)
    first = province.get("/ledger/records", params={"limit": 1}).text.splitlines()
    assert len(first) == 1
    after = json.loads(first[0])["seq"]
    (second,) = map(json.loads, province.get("/ledger/records", params={"after": after}).text.splitlines())
    assert (second["record_id"], second["event"]) == ("2025-2026/card-2", "CANCEL")
    one = province.get("/ledger/record/2025-2026/card-1").json()
    assert (one["held"], [(v["version"], v["received"]) for v in one["versions"]]) == (2, [(2, 2)])
    assert province.get("/ledger/record/2025-2026/nobody").status_code == 404
    assert province.get("/ledger/records", params={"after": "x"}).status_code == 400
    assert province.post("/ledger/reset").status_code == 204
    assert province.get("/ledger").json()["records"] == 0


def test_a_share_of_what_is_held_is_lost_without_a_word(sandbox, province):
    records = [{**RECALL, "idbanghi": f"2025-2026/card-{n}"} for n in range(400)]
    province.post("/v1/records", json={"records": records}).raise_for_status()
    lost = province.post("/ledger/lose", json={"share": 0.1, "seed": 1}).json()["lost"]
    assert 20 < lost < 60
    assert province.get("/ledger").json()["records_held"] == 400 - lost
    assert province.post("/ledger/lose", json={"share": 0.1, "seed": 1}).json()["lost"] == 0
    assert province.post("/ledger/lose", json={}).status_code == 400


def test_identity_results_are_told_in_the_order_of_their_coming(sandbox, province):
    province.post("/v1/record", json=RECALL).raise_for_status()
    told = {"2025-2026/card-1": "mismatch", "2025-2026/nobody": "verified"}
    assert province.post("/identity", json=told).json() == {"checked": 1}
    page = province.get("/v1/identity-results").json()
    assert page["ketqua"] == [{"idbanghi": "2025-2026/card-1", "phienban": 2, "xacthuc": "2"}]
    assert province.get("/v1/identity-results", params={"after": page["tiep"]}).json() == {"ketqua": []}
    for wrong in ({"2025-2026/card-1": "perhaps"}, ["x"]):
        assert province.post("/identity", json=wrong).status_code == 400


def test_verdicts_are_brought_to_a_hub(sandbox, province, store: Store):
    province.post("/v1/record", json=RECALL).raise_for_status()
    with running_api(store) as api:
        known = api.hub.destinations
        known["province"] = known["province"].model_copy(update={"codes": {"OK": Meaning.ACKNOWLEDGED}})
        with store.write() as connection:
            key = add_client(connection, "province-push", (), now=api.now, destination="province").key
        asked = {"address": api.url, "key": key, "acknowledgements": {"2025-2026/card-1": "OK"}}
        answer = province.post("/push", json=asked)
        assert answer.json()["results"] == [
            {"record_id": "2025-2026/card-1", "version": 2, "reception": "unknown"}  # this hub never sent it
        ]
        assert province.post("/push", json=asked | {"key": "wrong"}).status_code == 401
    assert province.post("/push", json=asked | {"address": "http://127.0.0.1:1"}).status_code == 502
    assert province.post("/push", json=asked | {"acknowledgements": {"2025-2026/nobody": "OK"}}).status_code == 400


def test_faults_over_http(sandbox, province):
    script = "seed: 3\nfaults: [{name: unavailable, times: 1, retry_after: 7}]"
    assert province.post("/faults", content=script).status_code == 204
    answers = [province.post("/v1/record", json=RECALL) for _ in range(2)]
    assert [(answer.status_code, answer.headers.get("retry-after")) for answer in answers] == [(503, "7"), (200, None)]
    told = province.get("/faults").json()
    assert (told["seed"], told["played"]) == (3, {"unavailable": 1})
    assert province.post("/faults?preset=harsh").status_code == 204
    assert len(province.get("/faults").json()["faults"]) > 10
    for wrong in (province.post("/faults", content="faults: [{name: x}]"), province.post("/faults?preset=x")):
        assert wrong.status_code == 400


def test_a_held_connection_does_not_stop_the_others(sandbox, province):
    sandbox.play(Fault(name=FaultName.TIMEOUT_BEFORE_COMMIT, times=1, seconds=2))
    ended = threading.Event()

    def held() -> None:
        with pytest.raises(httpx.RemoteProtocolError):
            province.post("/v1/record", json=RECALL)
        ended.set()

    thread = threading.Thread(target=held)
    thread.start()
    while not sandbox.ledgers["province"].summary()["received"]:
        time.sleep(0.01)
    assert province.post("/v1/record", json=RECALL).json()["ma"] == "OK"
    assert not ended.is_set()
    thread.join(10)
    assert ended.is_set()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "BATCH_INVALID"),
        (b'{"records": []}', 400, "BATCH_INVALID"),
        (b'{"records": [{"idbanghi": 1}]}', 400, "BATCH_INVALID"),
        (b'{"records": [{"idbanghi": "a", "sukien": "NEW", "phienban": 99999999999999999999}]}', 400, "BATCH_INVALID"),
    ],
)
def test_the_province_refuses_what_is_no_batch(province, body, status, code):
    answer = province.post("/v1/records", content=body)
    assert (answer.status_code, answer.json()["ma"]) == (status, code)


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"sukien": "UPdate"}, "FIELD_INVALID", "sukien"),
        ({"thoigiancapnhat": "2026-07-01 00:30:15"}, "FIELD_INVALID", "thoigiancapnhat"),
        ({"hovaten": "x"}, "FIELD_INVALID", "hovaten"),
        ({"namhoc": None}, "FIELD_INVALID", "namhoc"),
        ({"sukien": "NEW"}, "FIELD_INVALID", "bang"),
        ({"sukien": "NEW", "bang": "thongtinsohocbasotieuhoc"}, "FIELD_MISSING", "keythongtinsohocbasotieuhoc"),
    ],
)
def test_the_province_checks_records_by_its_contract(province, change, code, field):
    result = province.post("/v1/record", json={**RECALL, **change}).json()
    assert (result["ma"], result["truong"]) == (code, field)


def test_tokens_are_for_the_client_only_and_end(sandbox):
    for auth in (None, ("x", CLIENT.secret), (CLIENT.client_id, "x")):
        answer = httpx.post(f"{sandbox.province_url}/token", data={"grant_type": "client_credentials"}, auth=auth)
        assert answer.status_code == 401
    bearer = {"Authorization": "Bearer made-up"}
    assert httpx.post(f"{sandbox.province_url}/v1/records", json={}, headers=bearer).status_code == 401


def test_the_contract_is_served_and_zeep_can_use_it(sandbox):
    client = zeep.Client(f"{sandbox.ministry_url}?wsdl", settings=zeep.Settings(forbid_external=False))
    assert "SubmitReportCards" in client.service._operations
    assert httpx.get(f"{sandbox.province_url}/openapi.yaml").text.startswith("# STAND-IN CONTRACT")


def test_the_ministry_refuses_a_replayed_token_and_a_wrong_digest(sandbox):
    with sandbox.adapter("ministry") as adapter:
        record = outbound_record(document=b"x")
        made = adapter._translations.represent(record).records
        body = b"".join(adapter._batch([record], [adapter._record_writer.write(made[0])]))
        before, after = adapter._contract.frame(adapter._token())
    headers = {"Content-Type": "text/xml"}
    first, again = (httpx.post(sandbox.ministry_url, content=before + body + after, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 500)
    assert "FailedAuthentication" in again.text
    with sandbox.adapter("ministry") as adapter:
        before, after = adapter._contract.frame(adapter._token())
        wrong = body.replace(b"card-1", b"card-2").replace(b"<m:Sha256>", b"<m:Sha256>0", 1)
        cut = wrong[: (end := wrong.index(b"</m:Sha256>")) - 1] + wrong[end:]
        httpx.post(sandbox.ministry_url, content=before + cut + after, headers=headers).raise_for_status()
    (row,) = sandbox.ledgers["ministry"].record("2025-2026/card-2")
    assert (row["verdict"], row["committed"]) == ("DIGEST_MISMATCH", 0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<x/>",
        b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body/></e:Envelope>',
        b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><x/></e:Body></e:Envelope>',
    ],
)
def test_the_ministry_answers_nonsense_with_a_fault(sandbox, body):
    answer = httpx.post(sandbox.ministry_url, content=body)
    assert answer.status_code in {400, 500}
    assert etree.fromstring(answer.content).find("{*}Body/{*}Fault") is not None


def test_the_command(tmp_path):
    script = tmp_path / "faults.yaml"
    script.write_text("faults: [{name: slow-answer, rate: 0.5}]")
    command = [sys.executable, "-c", "from hocba_hub.cli import main; main()", "sandbox"]
    options = ["--port-province", "0", "--port-ministry", "0", "--seed", "9", "--faults", str(script)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOCBA_")}
    with subprocess.Popen(
        [*command, *options, "--ledger", str(tmp_path / "l.sqlite")],
        stdout=subprocess.PIPE,
        text=True,
        env={**environment, "HOCBA_PROVINCE_CLIENT_SECRET": "given"},
    ) as process:
        try:
            lines = [process.stdout.readline() for _ in range(4)]
            told = dict(line.removeprefix("export ").strip().split("=", 1) for line in lines)
            answer = httpx.post(
                told["HOCBA_PROVINCE_URL"] + "/token", data={"grant_type": "client_credentials"}, auth=("hub", "given")
            )
            assert answer.status_code == 200
            assert "HOCBA_PROVINCE_CLIENT_SECRET" not in told
            assert len(told["HOCBA_MINISTRY_PASSWORD"]) > 20
            assert httpx.get(told["HOCBA_PROVINCE_URL"] + "/faults").json()["seed"] == 9
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert {path.name for path in tmp_path.glob("l-*")} == {"l-province.sqlite", "l-ministry.sqlite"}
    wrong = subprocess.run(
        [*command, "--faults", "nope"], capture_output=True, text=True, env=environment, timeout=30, check=False
    )
    assert wrong.returncode == 1
    assert "none, demo, harsh" in wrong.stderr
