"""What stands in docker/: linted, held together, and its entry points run here with its own environment and volumes.

No container engine is needed: each service is the same command with the same environment, in a folder of its own, and
only what the file declares as a volume is shared.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import httpx
import psycopg
import pytest
import yaml

from hocba_hub.cli import main
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.sandbox.vendor import wait_until
from hocba_hub.settings import Settings
from tests.support.servers import PostgresServer, RedisServer, free_port

DOCKER = Path(__file__).parents[2] / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
OURS = {name: one for name, one in COMPOSE["services"].items() if one["image"].startswith("hocba-hub:")}
HOME = "/var/lib/hocba-hub"


def test_the_dockerfile_has_no_fault_that_hadolint_knows():
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, DOCKER / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_parts_of_the_compose_file_fit_each_other():
    services, volumes = COMPOSE["services"], COMPOSE["volumes"]
    for name, one in services.items():
        assert set(one.get("depends_on", ())) <= set(services), name
        for volume in one.get("volumes", ()):
            source = volume.partition(":")[0]
            assert source in volumes or (DOCKER / source).exists(), (name, volume)
    needed = set(re.findall(r"\$\{([A-Z_]+):\?", (DOCKER / "compose.yaml").read_text(encoding="utf-8")))
    given = set(re.findall(r"^([A-Z_]+)=", (DOCKER / "example.env").read_text(encoding="utf-8"), re.MULTILINE))
    assert needed == given
    known = {f"HOCBA_{name.upper()}" for name in Settings.model_fields}
    of_destinations = (DOCKER.parent / "hocba_hub" / "adapters" / "destinations").glob("*.yaml")
    known |= set(re.findall(r"HOCBA_[A-Z_]+", "".join(path.read_text(encoding="utf-8") for path in of_destinations)))
    for name, one in OURS.items():
        assert set(one["environment"]) <= known, name
        assert one["command"][0] in main.list_commands(click.Context(main)), name
        assert one["read_only"], name
    # What the API writes the importer reads, and a job clears away.
    shared = {name for name, one in OURS.items() if f"files:{HOME}/files" in one.get("volumes", ())}
    assert shared == {"api", "importer", "jobs"}


class Services:
    """Services of the compose file as processes, each with its own file system as far as the file shares nothing."""

    def __init__(self, folder: Path, values: Mapping[str, str], port: int) -> None:
        self._folder, self._values, self._port = folder, values, port
        self._running: list[subprocess.Popen[bytes]] = []

    def command(self, name: str) -> tuple[list[str], dict[str, str]]:
        """The command line of a service and its whole environment."""
        service = OURS[name]
        home = self._folder / name
        (home / "tmp").mkdir(parents=True, exist_ok=True)
        for volume in service.get("volumes", ()):
            source, target = volume.split(":")[:2]
            shared = self._folder / f"volume-{source}"
            shared.mkdir(exist_ok=True)
            place = home / Path(target).relative_to(HOME)
            if not place.exists():
                place.symlink_to(shared, target_is_directory=True)
        environment = {key: self._filled(value) for key, value in service["environment"].items()}
        image = {"HOCBA_HOME": str(home), "HOCBA_HOST": "127.0.0.1", "TMPDIR": str(home / "tmp")}
        words = [word.replace("0.0.0.0", "127.0.0.1") for word in service["command"]]
        environment |= image | {"PATH": os.environ["PATH"], "HOCBA_PORT": str(self._port), "HOCBA_FREE_DISK_BYTES": "0"}
        return [sys.executable, "-m", "hocba_hub", *words], environment

    def _filled(self, text: str) -> str:
        """`${NAME:?…}` and `${NAME:-default}` as compose fills them; names of services as addresses of this machine."""
        filled = re.sub(r"\$\{([A-Z_]+):\?[^}]*\}", lambda found: self._values[found[1]], text)
        filled = re.sub(r"\$\{([A-Z_]+):-([^}]*)\}", lambda found: self._values.get(found[1], found[2]), filled)
        return self._values.get(filled, filled)

    def run(self, name: str) -> None:
        words, environment = self.command(name)
        done = subprocess.run(words, env=environment, cwd=self._folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def start(self, name: str) -> None:
        words, environment = self.command(name)
        self._running.append(subprocess.Popen(words, env=environment, cwd=self._folder))

    def stop(self) -> None:
        for process in self._running:
            process.terminate()
        for process in self._running:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def services(folder: Path, values: Mapping[str, str], port: int) -> Iterator[Services]:
    made = Services(folder, values, port)
    try:
        yield made
    finally:
        made.stop()


@pytest.mark.timeout(180)
def test_a_file_that_is_posted_to_the_api_is_imported_by_the_importer(
    tmp_path: Path, postgres: PostgresServer, request: pytest.FixtureRequest
):
    redis = RedisServer()
    redis.start()
    request.addfinalizer(redis.kill)
    port = free_port()
    password = "a-password"
    values = dict.fromkeys(re.findall(r"^([A-Z_]+)=", (DOCKER / "example.env").read_text(), re.MULTILINE), password)
    owner = postgres.create_database("containers")
    postgres.run_script(DOCKER / "roles.sql", "containers", values)
    values |= {
        f"postgresql://hocba:{password}@postgres:5432/hocba": owner,
        f"postgresql://hocba_hub:{password}@postgres:5432/hocba": owner.replace("//hub@", "//hocba_hub@"),
        OURS["api"]["environment"]["HOCBA_REDIS_URL"]: redis.url,
    }
    with services(tmp_path, values, port) as hub:
        hub.run("schema")
        for name in ("api", "importer", "jobs", "scheduler", "worker"):
            hub.start(name)
        url = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            try:
                return httpx.get(f"{url}/readyz").status_code == 200
            except httpx.TransportError:
                return False

        assert wait_until(answers, 60)
        words, of_api = hub.command("api")
        add = [*words[:3], "clients", "add", "vendor", "--school", "*"]
        key = subprocess.run(add, env=of_api, capture_output=True, text=True, check=True).stdout.strip()
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as http:
            # The same limits as of `up`: they are the settings'.
            assert http.get("/v1/findings", headers={"X-Long": "x" * 20_000}).status_code == 431
            cards = list(generate(20, 5, schools=3))
            sent = http.post("/v1/files", content=b"\n".join(cards), headers={"Content-Type": "application/x-ndjson"})
            assert sent.status_code == 202, sent.text
            where = sent.headers["location"]
            assert wait_until(lambda: http.get(where).json()["state"] in {"done", "failed"}, 60)
            status = http.get(where).json()
            assert (status["state"], status["accepted"]) == ("done", 20)
        # The services are a user who may not change the audit trail; its anchors are where they can be copied away.
        anchors = tmp_path / "volume-anchors" / "audit.ndjson"
        asked = [*words[:3], "jobs", "run", "audit-anchors", "--reason", "not to wait for the minute"]
        subprocess.run(asked, env=of_api, capture_output=True, check=True)
        assert wait_until(anchors.exists, 90)
        verify = [*words[:3], "audit", "verify", "--anchors", str(anchors)]
        verified = subprocess.run(verify, env=of_api, capture_output=True, text=True, check=False)
        assert verified.returncode == 0, verified.stdout
        with psycopg.connect(of_api["HOCBA_DATABASE_URL"]) as connection:
            assert connection.execute("SELECT current_user, count(*) > 0 FROM audit").fetchone() == ("hocba_hub", True)
            for forbidden in ("UPDATE audit SET reason = ''", "DELETE FROM audit"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                    connection.execute(forbidden)
    spools = [path for path in tmp_path.rglob("original") if path.is_file()]
    assert {path.resolve().is_relative_to(tmp_path / "volume-files") for path in spools} == {True}
