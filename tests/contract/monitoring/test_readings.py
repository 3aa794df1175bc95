"""Each gauge of /metrics, in a store in which it has something to say; the counters: `tests/chaos/test_counters.py`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Connection, Table, insert, text, update

from hocba_hub.adapters.destination import Destination, Title
from hocba_hub.model.certificates import make_certificate
from hocba_hub.model.clock import DAY_MS, VIETNAM, system_clock
from hocba_hub.model.keys import DestinationName
from hocba_hub.monitoring import presence as presence_module
from hocba_hub.monitoring.catalogue import catalogue
from hocba_hub.monitoring.exporter import Exposition, exposition
from hocba_hub.monitoring.presence import Presence
from hocba_hub.monitoring.readings import AUDIT_JOB, Observed, Sample
from hocba_hub.queue.jobs.audit_verify import AuditVerify
from hocba_hub.queue.jobs.certificates import Certificates
from hocba_hub.sandbox.vendor import wait_until
from hocba_hub.settings import Settings
from hocba_hub.store import audit, senders, tables
from hocba_hub.store.access import Owner, Role, add_client, add_operator
from hocba_hub.store.board import take_snapshot
from hocba_hub.store.credentials import DigestSecret, Replacing, make_key
from hocba_hub.store.engine import Store
from tests.support.acceptance import submit
from tests.support.api_server import running_api
from tests.support.engine import Bench, no_answer, not_sent, put
from tests.support.jobs import run_once
from tests.support.tls_proxy import tls_proxy

NOW = 1_780_000_000_000
PROVINCE = DestinationName("province")
Gauges = dict[tuple[str, ...], float]


def destination(**more: object) -> Destination:
    return Destination(name=PROVINCE, title=Title(vi="t", en="t"), adapter="x", address="x", **more)  # type: ignore[arg-type]


def observed(store: Store, tmp_path: Path, *, now: int = NOW, known: Destination | None = None) -> Observed:
    settings = Settings(home=tmp_path, watched_folders=(tmp_path,))
    return Observed(store, {PROVINCE: known or destination()}, settings, lambda: now)


def told(of: Observed, name: str) -> Gauges:
    body, _ = exposition(of, "")
    for family in text_string_to_metric_families(body.decode()):
        if family.name == name:
            return {tuple(sample.labels.values()): sample.value for sample in family.samples}
    raise AssertionError(f"{name} is not told")


def rows(store: Store, table: Table, *values: dict[str, object]) -> None:
    with store.write() as connection:
        connection.execute(insert(table), list(values))


def test_every_family_is_there_from_the_beginning(store: Store, tmp_path: Path):
    body, media_type = exposition(observed(store, tmp_path), "")
    families = {family.name: family for family in text_string_to_metric_families(body.decode())}
    assert families.keys() == catalogue().families.keys()
    for name, family in catalogue().families.items():
        assert families[name].documentation == family.en
        assert all(set(sample.labels) - {"le"} == set(family.labels) for sample in families[name].samples)
        assert set(family.labels) <= set(catalogue().labels)
    assert media_type.startswith("text/plain")


def test_how_long_deliveries_are_stuck_by_the_state_that_waits(store: Store, tmp_path: Path):
    bench = Bench(store)
    put(bench, ("a", "1"), ("b", "1"))
    bench.peer.on_send = no_answer
    bench.peer.on_lookup = no_answer
    bench.drain()
    assert bench.states() == {"in_doubt": 2}
    due = bench.row("a").next_attempt_at
    rows(store, tables.attempts, {
        "destination": PROVINCE, "kind": "send", "holder": "x", "leased_at": 1, "expires_at": due, "records": 1,
    })  # fmt: skip
    stuck = told(observed(store, tmp_path, now=due + 90_000), "hocba_stuck_age_seconds")
    assert stuck == {("province", "awaiting_ack"): 0, ("province", "in_doubt"): 90, ("province", "leased"): 90}
    by_hand = observed(store, tmp_path, now=due + 90_000, known=destination(in_doubt="hold"))
    assert told(by_hand, "hocba_stuck_age_seconds")["province", "in_doubt"] == 0


def test_a_precondition_is_missing_where_what_holds_is_not_a_window(store: Store, tmp_path: Path):
    bench = Bench(store, windows=[{"opens": "06-01", "closes": "07-10"}])
    bench.now = round(datetime(2026, 5, 30, tzinfo=VIETNAM).timestamp() * 1000)
    put(bench, ("a", "1"))
    bench.drain()
    assert bench.row("a").state == "held"
    of = observed(store, tmp_path, now=bench.now)
    assert told(of, "hocba_precondition_missing") == {("province",): 0}
    bench.destination = destination()
    bench.engine = bench.process("w")
    bench.peer.on_send = not_sent
    put(bench, ("b", "1"))
    with store.write() as connection:
        held = update(tables.deliveries).where(tables.deliveries.c.card_id == "b")
        connection.execute(held.values(state="held", code="missing-precondition"))
    assert told(of, "hocba_precondition_missing") == {("province",): 1}


def test_windows_are_those_of_the_school_year_that_it_is(store: Store, tmp_path: Path):
    windows = [
        {"opens": "06-01", "closes": "06-30", "levels": ["primary"]},
        {"opens": "07-01", "closes": "07-10", "levels": ["lower-secondary"]},
    ]
    june = round(datetime(2026, 6, 15, tzinfo=VIETNAM).timestamp() * 1000)
    of = observed(store, tmp_path, now=june, known=destination(windows=windows))
    is_open = told(of, "hocba_window_open")
    assert is_open == {
        ("province", "primary"): 1, ("province", "lower-secondary"): 0, ("province", "upper-secondary"): 1,
        ("province", "continuing"): 1,
    }  # fmt: skip
    over = datetime(2026, 7, 1, tzinfo=VIETNAM).timestamp()
    assert told(of, "hocba_window_closes_timestamp_seconds") == {("province", "primary"): over}
    in_all = observed(store, tmp_path, now=june, known=destination(windows=windows, outside_windows="send"))
    assert set(told(in_all, "hocba_window_open").values()) == {1}
    october = observed(store, tmp_path, now=june + 120 * DAY_MS, known=destination(windows=windows))
    assert told(october, "hocba_window_closes_timestamp_seconds") == {}


def test_files_and_their_records_that_wait(store: Store, tmp_path: Path):
    file = {
        "client_id": 1, "name": "n", "form": "csv", "profile": "p", "created_at": 1, "changed_at": 1, "received": 0,
        "position": 0, "leased_until": 0, "total": None,
    }  # fmt: skip
    rows(
        store,
        tables.files,
        file | {"id": "a", "state": "waiting", "total": 100, "position": 30},
        file | {"id": "b", "state": "waiting"},
        file | {"id": "c", "state": "receiving"},
        file | {"id": "d", "state": "done", "total": 5, "position": 5},
    )
    of = observed(store, tmp_path)
    assert told(of, "hocba_import_files") == {("receiving",): 1, ("waiting",): 2}
    assert told(of, "hocba_import_records_waiting") == {(): 70}


def test_codes_that_nobody_has_filled_and_records_that_wait_for_them(store: Store, tmp_path: Path):
    code = {
        "code_table": "t", "system": "s", "conditions": "{}", "result_system": "r", "times": 1, "first_at": 1,
        "last_at": 1, "fill_id": None, "list_id": None,
    }  # fmt: skip
    rows(
        store, tables.unmapped_codes,
        code | {"value": "x"}, code | {"value": "y"}, code | {"value": "z", "fill_id": 1},
        code | {"value": "l", "list_id": 1},
    )  # fmt: skip
    rows(store, tables.waiting_records, {
        "school_year": "2025-2026", "card_id": "a", "client_id": 1, "submission_id": "s", "position": 0,
        "mapping": "m", "original": b"", "revision": 1,
    })  # fmt: skip
    of = observed(store, tmp_path)
    assert told(of, "hocba_unmapped_codes") == {(): 2}
    assert told(of, "hocba_records_waiting_for_codes") == {(): 1}


def test_who_sent_last_week_and_no_more_is_silent(store: Store, tmp_path: Path):
    with store.write() as connection:
        add_client(connection, "vendor", ["*"], now=1)
    submit(store, ("a", "1"), now=NOW)  # client 1, school SCHOOL
    submit(store, ("b", "1"), now=NOW + 1)

    def silent(days: float) -> tuple[float, float]:
        of = observed(store, tmp_path, now=NOW + round(days * DAY_MS))
        return told(of, "hocba_schools_silent")[()], told(of, "hocba_clients_silent")[()]

    assert [silent(days) for days in (0, 6.9, 7.1, 13.9, 14.1)] == [(0, 0), (0, 0), (1, 1), (1, 1), (0, 0)]
    with store.read() as connection:
        found = senders.silent_senders(connection, NOW + 8 * DAY_MS)
    assert [(one.kind, one.name, one.last_at) for one in found] == [
        ("school", "SCHOOL", NOW),
        ("client", "vendor", NOW),
    ]
    submit(store, ("c", "1"), now=NOW + 8 * DAY_MS)
    assert silent(8.1) == (0, 0)


def test_the_differences_of_the_newest_reconciliation_that_nobody_repaired(store: Store, tmp_path: Path):
    run = {
        "key": "reconcile:province", "kind": "reconcile", "asked_by": "a", "started_at": 1, "ended_at": 2,
        "state": "done", "result": {}, "leased_until": 0, "attempts": 0, "takeovers": 0,
    }  # fmt: skip
    rows(store, tables.job_runs, run | {"id": 1}, run | {"id": 2}, run | {"id": 3, "state": "failed"})
    one = {
        "run_id": 2, "destination": "province", "kind": "missing", "school_year": "2025-2026", "card_id": "a",
        "school_code": "S", "grade": 1, "class_code": "1A", "repaired_at": None,
    }  # fmt: skip
    rows(
        store, tables.reconcile_differences,
        one, one | {"kind": "older"}, one | {"kind": "older"}, one | {"repaired_at": 3}, one | {"run_id": 1},
    )  # fmt: skip
    of = observed(store, tmp_path)
    assert told(of, "hocba_reconciliation_differences") == {("province", "missing"): 1, ("province", "older"): 2}


def test_the_first_end_of_each_kind_of_credential(store: Store, tmp_path: Path):
    day = DAY_MS

    def ends_of(owner: Owner, owner_id: int, ends_at: int | None) -> None:
        with store.write() as connection:
            k = tables.keys.c
            of_owner = update(tables.keys).where(k.owner_kind == owner, k.owner_id == owner_id, k.revoked_at.is_(None))
            connection.execute(of_owner.values(ends_at=ends_at))

    with store.write() as connection:
        for name in ("first", "second", "renewed", "revoked", "forgotten"):
            add_client(connection, name, ["*"], now=NOW)
        add_operator(connection, "lan", Role.OPERATOR, now=NOW)
    for owner_id, ends_at in ((1, NOW + 20 * day), (2, NOW + 30 * day), (3, NOW + day), (4, NOW + day)):
        ends_of(Owner.CLIENT, owner_id, ends_at)
    ends_of(Owner.CLIENT, 5, NOW - 20 * day)
    with store.write() as connection:
        old = connection.execute(text("SELECT id FROM keys WHERE owner_kind = 'client' AND owner_id = 3")).scalar_one()
        make_key(connection, "renewed", now=NOW, most=9, replacing=Replacing(old, 1))
        connection.execute(update(tables.clients).where(tables.clients.c.id == 4).values(revoked_at=NOW))
    of = observed(store, tmp_path)
    ends = told(of, "hocba_credential_end_timestamp_seconds")
    assert ends == {("", "client-key"): (NOW + 20 * day) / 1000}
    ends_of(Owner.OPERATOR, 1, NOW - 3 * day)  # ended three days ago: told, until nobody can miss it
    certificate, _ = make_certificate("hub", now=NOW, days=40)
    (tmp_path / "hub.pem").write_bytes(certificate)
    secret = DigestSecret("s" * 32, NOW + 5 * day)
    with_file = destination(certificate_file=tmp_path / "hub.pem")
    settings = Settings(home=tmp_path)
    more = Observed(store, {PROVINCE: with_file}, settings, lambda: NOW, digest_secrets=[secret])
    ends = told(more, "hocba_credential_end_timestamp_seconds")
    assert ends["", "operator-key"] == (NOW - 3 * day) / 1000
    assert ends["", "digest-secret"] == (NOW + 5 * day) / 1000
    assert ends["province", "hub-certificate"] == pytest.approx((NOW + 40 * day) / 1000, abs=1)
    (tmp_path / "hub.pem").unlink()
    assert ("province", "hub-certificate") not in told(more, "hocba_credential_end_timestamp_seconds")


def test_the_job_sees_when_a_destinations_certificate_ends(store: Store, tmp_path: Path):
    with tls_proxy("http://127.0.0.1:9", tmp_path, []) as url:  # its certificate runs for 1,000 days
        known = destination().model_copy(update={"address": url})
        run = run_once(store, "certificates", Certificates({PROVINCE: known}), now=NOW, about="province")
    assert dict(run.result) == {"certificates": 1}
    of = observed(store, tmp_path)
    ends = told(of, "hocba_credential_end_timestamp_seconds")["province", "destination-certificate"]
    assert ends == pytest.approx((NOW + 1_000 * DAY_MS) / 1000, abs=86_400)
    away = run_once(store, "certificates", Certificates({PROVINCE: known}), now=NOW + 1, about="province")
    assert (away.state, dict(away.result)) == ("done", {"unreachable": 1})
    assert told(of, "hocba_credential_end_timestamp_seconds")["province", "destination-certificate"] == ends


def test_a_broken_audit_trail_is_told_once_it_was_verified(store: Store, tmp_path: Path):
    with store.write() as connection:
        for n in range(3):
            audit.write(connection, at=n, actor="a", action="x", reason="r", detail={})
    of, work = observed(store, tmp_path), AuditVerify(tmp_path / "anchors")
    assert told(of, "hocba_audit_chain_faults") == {}
    assert dict(run_once(store, AUDIT_JOB, work, now=NOW).result) == {"rows": 3, "faults": 0}
    assert told(of, "hocba_audit_chain_faults") == {(): 0}
    with store.write() as connection:
        connection.execute(text("UPDATE audit SET reason = 'other' WHERE seq = 2"))
    run_once(store, AUDIT_JOB, work, now=NOW + 1)
    assert told(of, "hocba_audit_chain_faults") == {(): 1}
    assert told(of, "hocba_audit_entries") == {(): 3}


def test_the_deadline_board_and_when_the_backlog_is_gone(store: Store, tmp_path: Path):
    submit(store, ("a", "1"), ("b", "1"), now=NOW)
    of = observed(store, tmp_path, known=destination(limits={"records_per_second": 2}))
    assert told(of, "hocba_cards") == {}
    take_snapshot(store, "2025-2026", [PROVINCE], NOW)
    cards = {labels: value for labels, value in told(of, "hocba_cards").items() if value}
    assert cards == {
        ("accepted", "province", "lower-secondary"): 2, ("waiting", "province", "lower-secondary"): 2,
    }  # fmt: skip
    assert told(of, "hocba_backlog_clears_timestamp_seconds") == {("province",): NOW / 1000 + 1}


def test_room_redis_and_the_scheduler(store: Store, tmp_path: Path):
    answers = True
    settings = Settings(home=tmp_path, files_dir=tmp_path / "not" / "made")
    of = Observed(store, {}, settings, lambda: NOW, redis_answers=lambda: answers)
    assert told(of, "hocba_redis_up") == {(): 1}
    answers = False
    assert told(of, "hocba_redis_up") == {(): 0}
    assert told(observed(store, tmp_path), "hocba_redis_up") == {}
    volumes = {("files",), ("store",)} if store.is_sqlite else {("files",)}
    free, size = (told(of, f"hocba_disk_{what}_bytes") for what in ("free", "size"))
    assert free.keys() == size.keys() == volumes
    assert all(0 < free[one] <= size[one] for one in volumes)
    assert told(of, "hocba_store_size_bytes")[()] > 100_000
    assert told(of, "hocba_scheduler_last_round_timestamp_seconds") == {}
    with Presence(store, "one", "scheduler", lambda: NOW) as running:
        running.round_done()
    assert told(of, "hocba_scheduler_last_round_timestamp_seconds") == {(): NOW / 1000}


def test_open_metrics_have_the_trace_of_a_slow_call(store: Store, store_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(presence_module, "_SECONDS", 0.05)
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    with running_api(Store(store_url)) as api:
        api.hub.presence = Presence(api.store, "a", "api", system_clock)
        api.get("/v1/findings", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
        api.get("/v1/operations/jobs")

        def exemplars() -> set[str]:
            answer = api.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
            assert answer.headers["content-type"].startswith("application/openmetrics-text")
            return {
                sample.exemplar.labels["trace_id"]
                for family in open_metrics(answer.text)
                if family.name == "hocba_http_request_duration_seconds"
                for sample in family.samples
                if sample.exemplar and sample.labels["surface"] == "client"
            }

        assert wait_until(lambda: exemplars() == {trace}, 10, every=0.05)
        plain = api.get("/metrics").text
    assert trace not in plain
    assert 'hocba_http_request_duration_seconds_count{surface="operator"} 1.0' in plain
    assert "hocba_store_commit_duration_seconds_count" in plain


def test_who_asks_again_and_again_makes_the_store_work_twice_a_second(store: Store, tmp_path: Path):
    reads = 0

    class Counted(Observed):
        def samples(self, connection: Connection) -> Iterator[Sample]:
            nonlocal reads
            reads += 1
            return super().samples(connection)

    of = observed(store, tmp_path)
    asked = Exposition(Counted(store, of.destinations, of.settings, of.clock))
    began = time.monotonic()
    bodies = {asked.answer("")[0] for _ in range(50)}
    assert reads <= 1 + (time.monotonic() - began) / 0.5
    assert len(bodies) <= reads
    assert asked.answer("application/openmetrics-text; version=1.0.0")[0] not in bodies  # of the other form


def test_a_store_that_is_away_is_no_half_truth(tmp_path: Path, store: Store, store_url: str):
    with running_api(Store(store_url)) as api:
        with store.write() as connection:
            connection.execute(text("ALTER TABLE senders RENAME TO senders_before"))
        answer = api.get("/metrics")
        with store.write() as connection:
            connection.execute(text("ALTER TABLE senders_before RENAME TO senders"))
        assert answer.status_code in {500, 503}
        assert api.get("/metrics").status_code == 200
