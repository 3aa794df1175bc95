"""A real Prometheus and Alertmanager over loopback, with the shipped rules made quick, and somebody whom they tell."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
import yaml

from hocba_hub.sandbox.vendor import wait_until
from tests.support.servers import free_port

ROOT = Path(__file__).parents[2]
SCRAPE = "500ms"
WINDOW = "6s"
_DURATION = re.compile(r"\[\d+[smhd]\]")


@cache
def programs() -> Mapping[str, str]:
    """The programs by name; the test is skipped where they cannot be had, unless HOCBA_NEEDS_PROMETHEUS is set."""
    folder = Path(sys.prefix) / "prometheus"
    script = ROOT / "scripts" / "prometheus.sh"
    made = subprocess.run(["bash", str(script), str(folder)], check=False, capture_output=True, text=True, timeout=240)
    if made.returncode:
        if os.environ.get("HOCBA_NEEDS_PROMETHEUS"):
            pytest.fail(made.stderr)
        pytest.skip(f"there is no Prometheus: {made.stderr.strip()[-200:]}")
    found = {}
    for name, also in (("prometheus", ()), ("promtool", ()), ("alertmanager", ("prometheus-alertmanager",))):
        unpacked = [str(folder / "usr" / "bin" / one) for one in (name, *also)]
        known = [path for one in (name, *also) if (path := shutil.which(one))]
        found[name] = next(path for path in (*known, *unpacked) if Path(path).exists())
    return found


def _templates() -> Path | None:
    """Where an unpacked Alertmanager must run, to find its templates."""
    folder = Path(sys.prefix) / "prometheus" / "usr" / "share" / "prometheus" / "alertmanager"
    return folder if folder.exists() else None


def quick(rules: str) -> dict[str, Any]:
    """The rules with waits of a second and windows of some: `for: 15m` → 1s, `[1h]` → `[6s]`. Thresholds stay."""
    document = yaml.safe_load(rules)
    for group in document["groups"]:
        group["interval"] = SCRAPE
        for rule in group["rules"]:
            rule["expr"] = _DURATION.sub(f"[{WINDOW}]", rule["expr"])
            if "alert" in rule:
                rule["for"] = "1s"
                if "keep_firing_for" in rule:
                    rule["keep_firing_for"] = "2s"
    return document


@dataclass(frozen=True)
class Told:
    """One alert in one message."""

    status: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.labels["alertname"]


class _Receiver(ThreadingHTTPServer):
    """Whom Alertmanager tells."""

    daemon_threads = True

    def __init__(self) -> None:
        self.told: list[Told] = []
        told = self.told

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                told.extend(Told(one["status"], one["labels"], one["annotations"]) for one in sent["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        super().__init__(("127.0.0.1", 0), Handler)


class Watching:
    """Prometheus scrapes `target` (host:port), and tells Alertmanager, which tells us."""

    def __init__(self, folder: Path, target: str, rules: str) -> None:
        folder.mkdir()
        self.folder, self.programs = folder, programs()
        self.ports = {name: free_port() for name in ("prometheus", "alertmanager")}
        self._receiver = _Receiver()
        self.told = self._receiver.told
        shipped = yaml.safe_load((ROOT / "docker" / "prometheus.yaml").read_text(encoding="utf-8"))
        shipped["global"] |= {"scrape_interval": SCRAPE, "scrape_timeout": SCRAPE, "evaluation_interval": SCRAPE}
        shipped["rule_files"] = [self._write("rules.yaml", quick(rules))]
        shipped["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [
            f"127.0.0.1:{self.ports['alertmanager']}"
        ]
        shipped["scrape_configs"][0]["static_configs"][0]["targets"] = [target]
        telling = yaml.safe_load((ROOT / "docker" / "alertmanager.yaml").read_text(encoding="utf-8"))
        telling["route"] |= {"group_wait": "0s", "group_interval": "1s"}
        url = f"http://127.0.0.1:{self._receiver.server_address[1]}/"
        telling["receivers"][0]["webhook_configs"] = [{"url": url, "send_resolved": True}]
        self._commands = {
            "prometheus": [
                f"--config.file={self._write('prometheus.yaml', shipped)}", f"--storage.tsdb.path={folder / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{self.ports['prometheus']}", "--enable-feature=exemplar-storage",
                "--log.level=warn",
            ],
            "alertmanager": [
                f"--config.file={self._write('alertmanager.yaml', telling)}", f"--storage.path={folder / 'nflog'}",
                f"--web.listen-address=127.0.0.1:{self.ports['alertmanager']}", "--cluster.listen-address=",
                "--log.level=warn",
            ],
        }  # fmt: skip
        self._processes: list[subprocess.Popen[bytes]] = []

    def _write(self, name: str, document: object) -> str:
        path = self.folder / name
        path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
        return str(path)

    def __enter__(self) -> Self:
        threading.Thread(target=self._receiver.serve_forever, args=(0.05,), daemon=True).start()
        for name, arguments in self._commands.items():
            log = (self.folder / f"{name}.log").open("wb")
            started = subprocess.Popen([self.programs[name], *arguments], cwd=_templates(), stdout=log, stderr=log)
            self._processes.append(started)
        assert wait_until(lambda: all(self._is_ready(name) for name in self.ports), 30), self.log()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(20)
        self._receiver.shutdown()
        self._receiver.server_close()

    def _is_ready(self, name: str) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.ports[name]}/-/ready").is_success
        except httpx.TransportError:
            return False

    def log(self) -> str:
        return "".join((self.folder / f"{name}.log").read_text(errors="replace") for name in self.ports)

    def get(self, path: str, **parameters: str) -> Any:
        answer = httpx.get(f"http://127.0.0.1:{self.ports['prometheus']}/api/v1/{path}", params=parameters, timeout=20)
        assert answer.is_success, answer.text
        return answer.json()["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("query", query=expression)["result"]
        return found

    def firing(self) -> set[str]:
        """The alerts that Prometheus holds for firing now."""
        return {one["labels"]["alertname"] for one in self.get("alerts")["alerts"] if one["state"] == "firing"}

    def has_told(self, name: str, status: str) -> bool:
        return any(one.name == name and one.status == status for one in self.told)
