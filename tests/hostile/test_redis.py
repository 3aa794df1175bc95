"""Whoever can write to Redis can ring a bell, and nothing else (RQ by itself runs whatever a queue names)."""

from __future__ import annotations

import json
import os
import pickle
import stat
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from hocba_hub.cli.supervision import Child, Supervisor, hub_command
from hocba_hub.queue.embedded import redis_command, redis_socket
from hocba_hub.queue.rings import RINGS
from hocba_hub.sandbox.vendor import wait_until
from hocba_hub.store.engine import Store
from hocba_hub.store.schema import upgrade
from tests.support.servers import RedisServer


@pytest.fixture
def outside_redis() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.kill()


@pytest.fixture
def worker(tmp_path: Path, outside_redis: RedisServer) -> Iterator[Child]:
    """A delivery worker as an operator runs it, with a Redis that anybody may write to."""
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    store = Store(url)
    upgrade(store)
    store.close()
    settings = {
        "HOCBA_HOME": str(tmp_path), "HOCBA_DATABASE_URL": url, "HOCBA_REDIS_URL": outside_redis.url,
        "HOCBA_PROVINCE_URL": "http://127.0.0.1:9", "HOCBA_MINISTRY_URL": "http://127.0.0.1:9",
    }  # fmt: skip
    child = Child("worker", hub_command("worker", "--processes", "1"), settings)
    supervisor = Supervisor([child])
    supervisor.start()
    yield child
    supervisor.stop()


class _Runs:
    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch {self._marker}",)


def _put(server: redis.Redis, queue: str, number: int, fields: dict[str, bytes | str]) -> None:
    """A job as RQ keeps it."""
    server.hset(f"rq:job:h{number}", mapping={"status": "queued", "origin": queue, "timeout": "180", **fields})
    server.rpush(f"rq:queue:{queue}", f"h{number}")


def test_a_hostile_job_runs_nothing_and_the_worker_goes_on(worker: Child, outside_redis: RedisServer, tmp_path: Path):
    server = redis.Redis.from_url(outside_redis.url)
    assert wait_until(lambda: server.scard("rq:workers") == 1, 30)
    marker = tmp_path / "ran"
    shell, ours = f"touch {marker}", json.dumps(["drain", None, ["province"], {}]).encode()
    attacks: list[dict[str, bytes | str]] = [
        {"data": zlib.compress(pickle.dumps(("os.system", None, (shell,), {})))},
        {"data": zlib.compress(pickle.dumps(_Runs(marker)))},
        {"data": pickle.dumps(_Runs(marker))},
        {"data": json.dumps(["os.system", None, [shell], {}])},
        {"data": json.dumps(["subprocess.getoutput", None, [shell], {}])},
        {"data": json.dumps(["drain", None, [f"; {shell}"], {}])},
        {"data": json.dumps(["drain", None, ["province", shell], {}])},
        {"data": json.dumps(["drain", None, [{"a": 1}], {}])},
        {"data": json.dumps(["drain", "os", ["province"], {}])},
        {"data": json.dumps(["drain", None, ["province"], {"stop": shell}])},
        {"data": json.dumps(["import", None, ["00000000-0000-0000-0000-000000000000"], {}])},
        {"data": json.dumps([["drain"], None, ["province"], {}])},
        {"data": "[" * 250}, {"data": zlib.compress(b"[" * 100_000)}, {"data": b"\xff\xfe"}, {"data": "x" * 5_000_000},
        {"data": zlib.compress(b"[" + b" " * 50_000_000)}, {},
        # A job of ours that brings a callback, a web hook, a time-out, a serialized result or meta along.
        {"data": ours, "success_callback_name": "os.abort", "success_callback_timeout": "1"},
        {"data": ours, "failure_callback_name": "os.abort", "webhooks": '[{"url": "http://127.0.0.1:9/"}]'},
        {"data": ours, "timeout": "-7", "result_ttl": "x", "retries_left": "9", "created_at": "never"},
        {"data": ours, "meta": pickle.dumps(_Runs(marker)), "result": pickle.dumps(_Runs(marker))},
    ]  # fmt: skip
    process = worker.process
    for queue in {kind.queue for kind in RINGS.values()} | {"hocba"}:
        for number, fields in enumerate(attacks):
            _put(server, queue, number, fields)
    queue = RINGS["drain"].queue
    assert wait_until(lambda: server.llen(f"rq:queue:{queue}") == 0, 30), "the hostile jobs hold the worker up"
    # A real ring is still answered: the drain takes the bell down.
    server.set("hocba:bell:drain:province", 1)
    _put(server, queue, 999, {"data": ours, "created_at": "2026-01-01T00:00:00.000000Z"})
    assert wait_until(lambda: not server.exists("hocba:bell:drain:province"), 30)
    assert not marker.exists()
    assert worker.process is process
    assert process is not None
    assert process.poll() is None


def test_what_is_no_queue_costs_a_round_of_polling_only(worker: Child, outside_redis: RedisServer):
    server = redis.Redis.from_url(outside_redis.url)
    assert wait_until(lambda: server.scard("rq:workers") == 1, 30)
    for kind in RINGS.values():
        server.set(f"rq:queue:{kind.queue}", "not a list")
    time.sleep(2)
    assert worker.process is not None
    assert worker.process.poll() is None
    for kind in RINGS.values():
        server.delete(f"rq:queue:{kind.queue}")
    server.set("hocba:bell:drain:province", 1)
    _put(server, RINGS["drain"].queue, 1, {"data": json.dumps(["drain", None, ["province"], {}])})
    assert wait_until(lambda: not server.exists("hocba:bell:drain:province"), 30)


def test_the_embedded_redis_is_on_a_socket_of_this_user_alone(tmp_path: Path):
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    socket = redis_socket(home)
    process = subprocess.Popen(redis_command(socket), stdout=subprocess.DEVNULL)
    try:
        assert wait_until(socket.exists, 10)
        assert redis.Redis.from_url(f"unix://{socket}").ping()
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        listening = subprocess.run(
            [sys.executable, "-c", f"import psutil; print(psutil.Process({process.pid}).net_connections('inet'))"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert listening.stdout.strip() == "[]", "it listens on the network"
    finally:
        process.terminate()
        process.wait(10)


def test_a_home_too_deep_for_a_socket_gets_one_elsewhere(tmp_path: Path):
    socket = redis_socket(tmp_path / ("d" * 100) / "home")
    assert len(str(socket)) <= 100
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    socket.parent.rmdir()
