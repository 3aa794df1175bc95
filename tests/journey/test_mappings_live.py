"""A version that is put in force at one process counts in every other live one, without a restart; and back again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from hocba_hub.cli import main
from hocba_hub.cli.supervision import Child, hub_command
from hocba_hub.store.access import Role, add_client, add_operator
from hocba_hub.store.engine import Store
from hocba_hub.store.schema import upgrade
from tests.support.servers import free_port
from tests.support.vendor_records import NAME, flat, renamed

REASON = "the vendor renamed a field"
PATIENCE_SECONDS = 30
"""How long a test waits for what takes a second."""


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.1)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HOCBA_DATABASE_URL", "HOCBA_SETTINGS_FILE", "HOCBA_DESTINATIONS_DIR", "HOCBA_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOCBA_HOME", str(tmp_path))
    monkeypatch.setenv("HOCBA_FREE_DISK_BYTES", "0")
    monkeypatch.setenv("HOCBA_LANG", "en")
    return tmp_path


@pytest.fixture
def keys(home: Path) -> dict[str, str]:
    store = Store(f"sqlite:///{home / 'hub.db'}")
    upgrade(store)
    with store.write() as connection:
        keys = {
            "vendor": add_client(connection, "vendor", ["*"], now=1).key,
            "operator": add_operator(connection, "lan", Role.ADMINISTRATOR, now=1).key,
        }
    store.close()
    return keys


@pytest.fixture
def processes(keys: dict[str, str]) -> Iterator[list[httpx.Client]]:
    """Two API processes, each on a port of its own, and one store."""
    ports = [free_port(), free_port()]
    children = [Child(f"api-{port}", hub_command("api", "--port", str(port))) for port in ports]
    clients = [httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) for port in ports]
    for child in children:
        child.start()
    try:
        for client in clients:
            until(lambda client=client: _is_ready(client))
        yield clients
    finally:
        for client in clients:
            client.close()
        for child in children:
            child.process.terminate()
        for child in children:
            child.process.wait(30)


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def test_both_processes_follow_an_activation_by_either_and_by_the_command_line(
    processes: list[httpx.Client], keys: dict[str, str], home: Path
):
    vendor, operator = ({"Authorization": f"Bearer {keys[who]}"} for who in ("vendor", "operator"))
    record = {("noiSinhMoi" if name == "noiSinh" else name): value for name, value in flat().items()}

    def takes_renamed(process: httpx.Client) -> bool:
        url = f"/v1/report-cards/validate?profile={NAME}"
        answer = process.post(url, headers=vendor, json=[record])
        assert answer.status_code == 200, answer.text
        return answer.json()["accepted"] == 1

    def posted(process: httpx.Client, act: str, body: dict[str, str], etag: str = "") -> httpx.Response:
        answer = process.post(f"/v1/mappings/{NAME}/{act}", headers={**operator, "If-Match": etag}, json=body)
        assert answer.is_success, answer.text
        return answer

    one, other = processes
    assert not takes_renamed(one)
    assert not takes_renamed(other)

    posted(one, "drafts", {"document": renamed(), "reason": REASON})
    etag = other.get(f"/v1/mappings/{NAME}", headers=operator).headers["ETag"]
    posted(other, "activation", {"version": "1.1.0", "reason": REASON}, etag)
    for process in processes:
        until(lambda process=process: takes_renamed(process))

    ended = CliRunner().invoke(main, ["mappings", "deactivate", NAME, "--reason", "not yet"])
    assert ended.exit_code == 0, ended.output
    for process in processes:
        until(lambda process=process: not takes_renamed(process))

    draft = home / "new.yaml"
    draft.write_text(renamed("1.2.0"), encoding="utf-8")
    begun = CliRunner().invoke(main, ["mappings", "activate", str(draft), "--reason", REASON])
    assert begun.exit_code == 0, begun.output
    for process in processes:
        until(lambda process=process: takes_renamed(process))
