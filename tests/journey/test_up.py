"""`hocba-hub up` and its processes tell at once, in one line, what keeps them from starting, and who died."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from hocba_hub.sandbox.vendor import wait_until
from tests.support.servers import free_port

pytestmark = pytest.mark.timeout(120)


def environment(home: Path, **changes: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOCBA_")}
    return kept | {"HOCBA_HOME": str(home), "HOCBA_LANG": "en", "HOCBA_PORT": str(free_port())} | changes


def hub(*arguments: str, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "hocba_hub", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload]


def refused(arguments: list[str], env: dict[str, str]) -> str:
    """What a command that cannot start says."""
    process = hub(*arguments, env=env)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 1, (out, err)
    assert "Traceback" not in err
    assert len(err.splitlines()) == 1, err
    return err


@pytest.mark.parametrize(
    ("command", "changes", "said"),
    [
        *((one, {"HOCBA_PORT": "abc"}, "HOCBA_PORT") for one in ("up", "api", "worker", "importer", "scheduler")),
        *((one, {"HOCBA_DATABASE_URL": "mysql://a/b"}, "SQLite") for one in ("up", "worker")),
        ("up", {"HOCBA_DATABASE_URL": "postgresql://a:secret@127.0.0.1:1/hub"}, "postgresql://a:***@127.0.0.1:1/hub"),
    ],
)
def test_wrong_settings_are_one_line(tmp_path: Path, command: str, changes: dict[str, str], said: str):
    assert said in refused([command], environment(tmp_path / "home", **changes))


def test_a_folder_of_destinations_that_is_not_there_is_named(tmp_path: Path):
    nowhere = tmp_path / "nowhere"
    assert str(nowhere) in refused(["up"], environment(tmp_path / "home", HOCBA_DESTINATIONS_DIR=str(nowhere)))


@pytest.mark.parametrize("command", ["up", "api"])
def test_a_port_that_another_program_holds_is_named(tmp_path: Path, command: str):
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = str(held.getsockname()[1])
        said = refused([command, "--port", port], environment(tmp_path / "home"))
    assert f"127.0.0.1:{port}" in said
    assert "--port" in said


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    env = environment(tmp_path / "home", HOCBA_PROVINCE_CLIENT_ID="hub", HOCBA_WORKER_PROCESSES="1")
    with (tmp_path / "said").open("w") as said:
        process = subprocess.Popen([sys.executable, "-m", "hocba_hub", "up"], env=env, stderr=said, text=True)
    try:
        assert wait_until(lambda: is_ready(env["HOCBA_PORT"]), 60)
        yield process, env
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)


def is_ready(port: str) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/livez").is_success
    except httpx.TransportError:
        return False


def test_up_tells_of_missing_secrets_of_who_died_and_of_a_second_up(
    tmp_path: Path, running: tuple[subprocess.Popen[str], dict[str, str]]
):
    process, env = running
    said = tmp_path / "said"
    assert "Another" in refused(["up", "--port", str(free_port())], env)
    assert wait_until(lambda: "HOCBA_PROVINCE_CLIENT_SECRET is not set" in said.read_text(), 30)
    assert "HOCBA_PROVINCE_CLIENT_ID is" not in said.read_text()
    assert "HOCBA_MINISTRY_PASSWORD is not set" in said.read_text()
    assert wait_until(lambda: metric(env["HOCBA_PORT"], "hocba_process_starts_total", "worker") == 1, 20)
    worker = next(one for one in psutil.Process(process.pid).children() if "worker" in one.cmdline())
    worker.kill()
    assert wait_until(lambda: "worker-0 ended (SIGKILL)" in said.read_text(), 10)
    assert wait_until(lambda: metric(env["HOCBA_PORT"], "hocba_process_starts_total", "worker") == 2, 20)
    for kind in ("api", "importer", "scheduler"):
        assert metric(env["HOCBA_PORT"], "hocba_processes", kind) == 1
    assert metric(env["HOCBA_PORT"], "hocba_processes", "worker") == 2, "who was killed is not known to be dead yet"


def metric(port: str, name: str, kind: str) -> float | None:
    page = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    line = next((one for one in page.splitlines() if one.startswith(f'{name}{{kind="{kind}"}}')), None)
    return None if line is None else float(line.rpartition(" ")[2])
