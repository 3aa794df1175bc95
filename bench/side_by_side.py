"""The hub beside what a team would pick instead, one after the other on the same machine: `make side-by-side`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx

from bench.accept import postgres, secondary_cards
from bench.delivery import end_to_end
from bench.figures import Figure, at_least
from bench.load import post_all
from bench.resilience import answers
from hocba_hub.sandbox.vendor import wait_until
from tests.support.rig import Rig
from tests.support.servers import RedisServer, free_port

PLAIN, PEERS = 10.0, 1.0
"""How many times as quick as the plain way the hub must be; and as the quickest queue that only moves bytes."""
_ROOT = Path(__file__).parents[1]
_PYTHON = _ROOT / ".venv-peers" / "bin" / "python"
_CARDS, _MOVED, _PLAIN = 10_000, {"rq": 400, "procrastinate": 1_000, "celery": 2_000, "dramatiq": 3_000}, 100
_WORKERS = {
    "rq": [["-c", "from bench.peers import rq_way; rq_way.work()"]] * 2,
    "procrastinate": [["-m", "procrastinate", "--app", "bench.peers.procrastinate_way.app", "worker", "-c", "20"]] * 2,
    "celery": [["-m", "celery", "-A", "bench.peers.celery_way", "worker", "-c", "2", "-l", "ERROR"]],
    "dramatiq": [["-m", "dramatiq", "bench.peers.dramatiq_way", "-p", "2", "-t", "4"]],
}
"""Two worker processes each."""


def measure(folder: Path) -> Iterator[Figure]:
    """Cards a second to two destinations, from the first card given to the last one held there."""
    assert _PYTHON.exists(), "make side-by-side sets up the environment of the peers"
    moved = [_moved(name, folder) for name in _WORKERS]
    yield from moved
    plain = _plain(folder / "plain")
    yield plain
    with postgres() as server, Rig(folder / "hub", server.url) as rig:
        seconds = end_to_end(rig, secondary_cards(_CARDS))
    hub = Figure("hocba-hub: checked, stored, translated, by REST and SOAP, verdicts kept", _CARDS / seconds, "/s")
    yield replace(hub, target=at_least(PLAIN, plain))
    yield replace(hub, target=at_least(PEERS, max(moved, key=lambda one: one.value)))


def _moved(name: str, folder: Path) -> Figure:
    """One queue that moves bytes to two sinks and does nothing else."""
    number = _MOVED[name]
    given = folder / f"{name}.ndjson"
    given.write_bytes(b"\n".join(secondary_cards(number)))
    with ExitStack() as stack:
        sinks = [stack.enter_context(_sink()) for _ in range(2)]
        environment = {**os.environ, "PEER_SINKS": " ".join(sinks), "PYTHONPATH": str(_ROOT)}
        if name == "procrastinate":
            environment["PEER_POSTGRESQL"] = stack.enter_context(postgres()).url
            _run(name, "schema", environment, folder)
        else:
            redis = RedisServer()
            redis.start()
            stack.callback(redis.kill)
            environment["PEER_REDIS"] = redis.url
        for command in _WORKERS[name]:
            stack.enter_context(_running([str(_PYTHON), *command], environment, folder))
        time.sleep(3)  # their programs are loaded before the clock starts
        start = time.monotonic()
        _run(name, "enqueue", environment, folder, given)
        done = wait_until(lambda: all(int(httpx.get(sink).text) >= number for sink in sinks), 120, every=0.05)
        seconds = time.monotonic() - start
    assert done, f"{name} did not move everything"
    return Figure(
        f"{name}: {number:,} cards moved to two sinks, neither checked nor translated", number / seconds, "/s"
    )


def _run(name: str, function: str, environment: dict[str, str], folder: Path, *given: Path) -> None:
    command: list[str | Path] = [_PYTHON, "-c", f"from bench.peers import {name}_way as way; way.{function}()", *given]
    subprocess.run(command, env=environment, cwd=folder, check=True)


def _plain(folder: Path) -> Figure:
    """The plain way with the fixed stack (bench/peers/plain_rq.py), which does the hub's work, but a job a card."""
    with Rig(folder, None, workers=1) as rig:
        port = free_port()
        environment = {**os.environ, **rig.environment, "PLAIN_REDIS": rig.redis.url, "PYTHONPATH": str(_ROOT)}
        api = [sys.executable, "-m", "uvicorn", "bench.peers.plain_rq:app", "--port", str(port), "--log-level", "error"]
        with ExitStack() as stack:
            stack.enter_context(_running(api, environment, folder))
            for _ in range(2):
                stack.enter_context(_running([sys.executable, "-m", "bench.peers.plain_rq"], environment, folder))
            url = f"http://127.0.0.1:{port}"
            assert wait_until(partial(answers, f"{url}/docs"), 30), "the plain API did not start"
            start = time.monotonic()
            post_all(f"{url}/cards", "none", secondary_cards(_PLAIN), connections=8)
            ledger = f"{rig.ledgers['ministry']}/ledger"
            assert wait_until(lambda: httpx.get(ledger).json()["records_held"] >= _PLAIN, 240), "not delivered"
            seconds = time.monotonic() - start
    return Figure(f"plain RQ, a job a card: {_PLAIN} cards translated, by REST and SOAP", _PLAIN / seconds, "/s")


@contextmanager
def _sink() -> Iterator[str]:
    port = free_port()
    with _running([sys.executable, "-m", "bench.peers.sink", str(port)], dict(os.environ), _ROOT):
        url = f"http://127.0.0.1:{port}/"
        assert wait_until(partial(answers, url), 30, every=0.05), "a sink did not start"
        yield url


@contextmanager
def _running(command: list[str], environment: dict[str, str], folder: Path) -> Iterator[None]:
    process = subprocess.Popen(
        command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
