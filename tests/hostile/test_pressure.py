"""Full disks, a full backlog, a locked store, and clients that want more than their share."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis
from sqlalchemy import select

from hocba_hub.intake.backpressure import Backpressure
from hocba_hub.queue.usage import Quotas, RedisCounters, StoreCounters, Usage
from hocba_hub.store.access import AccessError, Owner, add_client, add_key, revoke_key
from hocba_hub.store.engine import Store
from hocba_hub.store.schema import upgrade
from hocba_hub.store.tables import usage
from tests.support import soap_calls as soap
from tests.support.api_server import Api, running_api
from tests.support.imports import cards, importer
from tests.support.servers import RedisServer

NDJSON = {"Content-Type": "application/x-ndjson"}
OPENING = NDJSON | {"Content-Range": "bytes */1000"}
HUGE = 1 << 60


@pytest.fixture
def api(store: Store, tmp_path: Path) -> Iterator[Api]:
    with running_api(store, files_dir=tmp_path / "files") as running:
        yield running


def storing(api: Api, key: str) -> dict[str, int]:
    """Whatever stores something, with the status of its answer."""
    card = cards(1)[0]
    basic = soap.envelope(soap.submit(soap.record(card)))
    file_id = api.file_id  # type: ignore[attr-defined]
    return {
        "REST": api.post("/v1/report-cards", key, content=card).status_code,
        "SOAP": soap.call(api, basic, key).status_code,
        "upload": api.post("/v1/files", key, content=card, headers=NDJSON).status_code,
        "opening an upload": api.post("/v1/files", key, content=b"", headers=OPENING).status_code,
        "going on with one": api.call(
            "PUT", f"/v1/files/{file_id}", key, content=b"x" * 10, headers={"Content-Range": "bytes 0-9/1000"}
        ).status_code,
    }


@pytest.mark.parametrize("cause", ["disk", "backlog"])
def test_nothing_is_stored_by_any_way_while_there_is_no_room(api: Api, cause: str):
    key = api.client_key()
    api.file_id = api.post("/v1/files", key, content=b"", headers=OPENING).json()["file_id"]  # type: ignore[attr-defined]
    waiting = api.post("/v1/files", key, content=b"\n".join(cards(2, 9)), headers=NDJSON).json()["file_id"]
    free, most = (HUGE, 2_000_000) if cause == "disk" else (0, -1)
    api.hub.backpressure = Backpressure(api.store, folders=[api.hub.spool._folder], free_bytes=free, backlog_limit=most)
    assert set(storing(api, key).values()) <= {500, 503}
    refused = api.post("/v1/report-cards", key, content=cards(1)[0])
    assert (refused.status_code, refused.json()["code"]) == (503, f"hub.{cause}-full")
    assert refused.headers["retry-after"]
    assert api.get("/v1/findings", key).status_code == 200, "reading goes on"

    paused = importer(api.hub, backpressure=api.hub.backpressure)
    assert paused.run(waiting)
    assert api.get(f"/v1/files/{waiting}", key).json()["state"] in {"waiting", "importing"}
    api.now += 60_000
    assert importer(api.hub).run(waiting)
    assert api.get(f"/v1/files/{waiting}", key).json()["accepted"] == 2


def test_an_upload_that_does_not_say_how_long_it_is_stops_when_there_is_no_room(api: Api):
    key = api.client_key()

    def endless() -> Iterator[bytes]:
        for n in range(200):
            if n == 20:
                api.hub.backpressure = Backpressure(
                    api.store, folders=[api.hub.spool._folder], free_bytes=HUGE, backlog_limit=9
                )
            yield b" " * 200_000

    answer = api.post("/v1/files", key, content=endless(), headers=NDJSON)
    assert (answer.status_code, answer.json()["code"]) == (503, "hub.disk-full")


def test_a_disk_that_fills_up_while_a_file_comes_keeps_what_came(store: Store, small_disk: Path):
    body = b"\n".join(cards(100)) + b"\n"
    body += b"\n" * (12_000_000 - len(body))
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(24_000_000))  # of 32 MB
    pieces = (body[place : place + 100_000] for place in range(0, len(body), 100_000))
    with running_api(store, files_dir=small_disk / "files") as api:
        key = api.client_key()
        answer = api.post("/v1/files", key, content=pieces, headers=NDJSON | {"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["code"]) == (503, "hub.disk-full")
        file_id = next((small_disk / "files").iterdir()).name
        received = api.get(f"/v1/files/{file_id}", key).json()["received"]
        assert 2_000_000 < received < len(body)
        ballast.unlink()
        rest = {"Content-Range": f"bytes {received}-{len(body) - 1}/{len(body)}"}
        answer = api.call("PUT", f"/v1/files/{file_id}", key, content=body[received:], headers=rest)
        assert answer.status_code == 202, answer.text
        assert importer(api.hub).run(file_id)
        assert api.get(f"/v1/files/{file_id}", key).json()["accepted"] == 100


def test_the_size_of_postgresql_is_watched(store: Store):
    room = Backpressure(store, folders=[], free_bytes=0, backlog_limit=10, database_bytes=1)
    assert room.look() == (None if store.is_sqlite else "hub.disk-full")


def test_a_locked_sqlite_holds_up_no_reader_and_answers_writers_soon(tmp_path: Path):
    store = Store(f"sqlite:///{tmp_path / 'hub.db'}", busy_seconds=0.8)
    upgrade(store)
    with running_api(store, files_dir=tmp_path / "files", busy_seconds=0.8) as api:
        key = api.client_key()
        card = cards(1)[0]
        api.get("/v1/findings", key)
        locking = sqlite3.connect(tmp_path / "hub.db", isolation_level=None)
        locking.execute("BEGIN IMMEDIATE")
        answers: list[tuple[int, float]] = []

        def write(n: int) -> None:
            begun = time.monotonic()
            headers = {"Idempotency-Key": f"k{n}"}
            answers.append(
                (api.post("/v1/report-cards", key, content=card, headers=headers).status_code, time.monotonic() - begun)
            )

        writers = [threading.Thread(target=write, args=(n,)) for n in range(60)]
        for writer in writers:
            writer.start()
        time.sleep(0.2)
        slowest = 0.0
        while any(writer.is_alive() for writer in writers):
            begun = time.monotonic()
            assert api.get("/v1/findings", key).status_code == 200
            assert api.get("/livez").status_code == 200
            slowest = max(slowest, time.monotonic() - begun)
            time.sleep(0.05)
        locking.execute("ROLLBACK")
        locking.close()
        assert {status for status, _ in answers} == {503}
        assert len(answers) == 60
        assert slowest < 1.5, f"a reader waited {slowest:.1f} s"
        assert max(took for _, took in answers) < 6
        assert api.post("/v1/report-cards", key, content=card).status_code == 202


def test_who_writes_without_a_pause_keeps_no_other_process_out(tmp_path: Path):
    """Another process holds SQLite's write lock nearly always, as one does that takes in large batches."""
    store = Store(f"sqlite:///{tmp_path / 'hub.db'}", busy_seconds=1.5)
    upgrade(store)
    stop = threading.Event()

    def write_without_pause() -> None:
        other = sqlite3.connect(tmp_path / "hub.db", isolation_level=None, timeout=5)
        while not stop.is_set():
            other.execute("BEGIN IMMEDIATE")
            time.sleep(0.12)
            other.execute("COMMIT")
            time.sleep(0.005)
        other.close()

    writing = threading.Thread(target=write_without_pause)
    writing.start()
    try:
        for number in range(8):
            time.sleep(0.13)
            with store.write() as connection:
                add_client(connection, f"vendor-{number}", ["*"], now=1)
    finally:
        stop.set()
        writing.join()
        store.close()


def test_a_clients_records_and_bytes_of_a_day_have_a_limit(store: Store, tmp_path: Path):
    with running_api(store, records_per_day=3, bytes_per_day=150_000, files_dir=tmp_path / "files") as api:
        key, other = api.client_key(), api.client_key(name="other")
        assert api.post("/v1/report-cards", key, content=b"\n".join(cards(3)), headers=NDJSON).status_code == 202
        refused = api.post("/v1/report-cards", key, content=cards(1)[0])
        assert (refused.status_code, refused.json()["code"], refused.json()["measure"]) == (
            429, "quota.exceeded", "records"
        )  # fmt: skip
        assert 0 < int(refused.headers["retry-after"]) <= 86_400
        assert api.post("/v1/report-cards", other, content=cards(1, 8)[0]).status_code == 202
        assert api.post("/v1/files", other, content=b" " * 200_000, headers=NDJSON).status_code == 202
        assert api.post("/v1/report-cards", other, content=cards(1)[0]).json()["measure"] == "bytes"
        api.now += 86_400_000
        assert api.post("/v1/report-cards", key, content=cards(1, 4)[0]).status_code == 202


@pytest.fixture
def shared_redis() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.kill()


QUOTAS = Quotas(requests_per_second=2, records_per_day=100, bytes_per_day=0)


def shared(store: Store, url: str | None) -> int:
    """How many requests of client 1 the processes have told each other of."""
    if url is not None:
        with redis.Redis.from_url(url) as connection, suppress(redis.ConnectionError):
            return sum(int(connection.get(name) or 0) for name in connection.keys("hocba:usage:1:requests:*"))
    with store.read() as connection:
        return sum(connection.execute(select(usage.c.amount).where(usage.c.client_id == 1)).scalars())


def wait_until_shared(store: Store, url: str | None, requests: int) -> None:
    end = time.monotonic() + 5
    while shared(store, url) < requests and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.02)  # until the answer has been read


@pytest.mark.parametrize("redis_is", ["there", "away", "none"])
def test_limits_are_shared_by_all_processes_whatever_redis_does(store: Store, shared_redis: RedisServer, redis_is: str):
    url = None if redis_is == "none" else shared_redis.url
    if redis_is == "away":
        shared_redis.kill()
    one, other = (Usage(QUOTAS, store, url, lambda: 1_780_000_000_000) for _ in range(2))
    assert [one.exceeded(1) for _ in range(15)] == [None] * 15
    wait_until_shared(store, url, 15)
    taken = 0
    for _ in range(15):
        taken += other.exceeded(1) is None
        wait_until_shared(store, url, 15 + taken)
    assert taken <= 6, "the other process knows nothing of the first one's calls"
    found = other.exceeded(1)
    assert found is not None
    assert found.measure == "requests"
    assert 0 < found.retry_after <= 10
    assert one.exceeded(2) is None, "another client has a limit of its own"
    assert shared(store, url if redis_is == "there" else None) >= 15
    one.close()
    other.close()


def test_counters_add_up_from_many_threads(store: Store, shared_redis: RedisServer):
    window = (7, "records", 0)
    for counters in (StoreCounters(store), RedisCounters(shared_redis.url)):
        threads = [
            threading.Thread(target=lambda c=counters: [c.add({window: 2}) for _ in range(10)]) for _ in range(5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert counters.add({window: 1})[window] == 101


def test_a_client_has_so_many_keys_at_once(store: Store):
    with store.write() as connection:
        first = add_client(connection, "vendor", ["*"], now=1)
        for _ in range(2):
            add_key(connection, Owner.CLIENT, "vendor", now=2, most=3)
        with pytest.raises(AccessError) as refused:
            add_key(connection, Owner.CLIENT, "vendor", now=2, most=3)
        assert refused.value.code == "too-many-keys"
        revoke_key(connection, Owner.CLIENT, "vendor", first.id, now=3)
        add_key(connection, Owner.CLIENT, "vendor", now=4, most=3)
