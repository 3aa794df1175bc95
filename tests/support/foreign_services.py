"""Services whose contracts are not ours: two in Node with its package `soap`, one that writes its XML by hand."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import orjson

from tests.support.npm import npm_packages
from tests.support.servers import free_port

FOREIGN = Path(__file__).parents[1] / "foreign"
_SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"


@dataclass(frozen=True)
class NodeServices:
    """The exchange and the registry."""

    url: str

    def environment(self) -> dict[str, str]:
        """Where their destination files find them."""
        return {"EXCHANGE_URL": f"{self.url}/truc", "REGISTRY_URL": f"{self.url}/registry"}

    def control(self, **what: Any) -> None:
        """What they do next: `drop` answers, `fault`, `refuse` and `forget` records, leave verdicts `waiting`."""
        httpx.post(f"{self.url}/control", json=what).raise_for_status()

    def held(self, service: str) -> dict[str, dict[str, Any]]:
        """What a service holds, by its own record id."""
        found: dict[str, dict[str, Any]] = httpx.get(f"{self.url}/ledger").json()[service]
        return found


@contextmanager
def node_services() -> Iterator[NodeServices]:
    """Both, as one process; the test is skipped where there is no Node."""
    node, port = shutil.which("node"), free_port()
    packages = npm_packages()
    process = subprocess.Popen(
        [str(node), str(FOREIGN / "services.js"), str(port)],
        env=os.environ | {"NODE_PATH": str(packages / "node_modules")},
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield NodeServices(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait(10)


@dataclass
class CardStore:
    """The service of `store.wsdl`: it keeps one card a call."""

    url: str = ""
    versions: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    """Taken, by card and school year."""
    received: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    bodies: list[str] = field(default_factory=list)
    lose: int = 0
    """So many answers get lost, after the card was kept."""
    fault: str = ""
    """Answer once with a fault that has this code."""

    def answer(self, body: str) -> tuple[int, str] | None:
        """Status and answer; None if it gets lost."""
        self.bodies.append(body)
        (call,) = ET.fromstring(body).find(f"{{{_SOAP_12}}}Body") or ()
        given = {part.tag: part.text or "" for part in call}
        if self.fault:
            code, self.fault = self.fault, ""
            return 500, (
                f"<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>k:{code}</s:Value></s:Subcode></s:Code>"
                '<s:Reason><s:Text xml:lang="vi">Bận</s:Text></s:Reason></s:Fault>'
            )
        key, version = (given["maHocBa"], given["namHoc"]), int(given["phienBan"])
        taken = self.versions.setdefault(key, [])
        if call.tag == "{urn:kho:lenh}Hoi":
            code = "00" if version in taken else "404"
            return 200, f'<k:HoiResponse><ketQua ma="{code}"/></k:HoiResponse>'
        assert call.tag == "{urn:kho:lenh}Luu"
        self.received[*key, version] += 1
        code = "01" if version in taken else "00"
        if version not in taken:
            taken.append(version)
        if self.lose:
            self.lose -= 1
            return None
        return 200, f'<k:LuuResponse>\n <ketQua ma=" {code} "/></k:LuuResponse>'


@dataclass
class Platform:
    """A JSON service, as `platform.yaml` describes it."""

    url: str = ""
    cards: dict[str, dict[str, Any]] = field(default_factory=dict)
    received: Counter[tuple[str, int]] = field(default_factory=Counter)
    batches: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    is_waiting: bool = False
    lose: int = 0

    def post(self, body: str) -> tuple[int, Any] | None:
        """Take a batch."""
        batch = orjson.loads(body)
        assert batch["data"]["count"] == len(batch["data"]["cards"])
        self.batches.append(batch)
        for one in batch["data"]["cards"]:
            self.cards[one["card"]["id"]] = one
            self.received[one["card"]["id"], one["card"]["version"]] += 1
        if self.lose:
            self.lose -= 1
            return None
        return 202, {"receipt": {"number": len(self.batches)}}

    def get(self, path: str) -> tuple[int, Any]:
        """Verdicts of a batch, a card, or a page of all."""
        self.asked.append(path)
        parts = urlsplit(path)
        query = dict(parse_qsl(parts.query))
        match parts.path.strip("/").split("/"):
            case ["batches", number] if int(number) > len(self.batches):
                return 404, {"state": {"code": 404}}
            case ["batches", number]:
                code = 0 if self.is_waiting else 1
                cards = self.batches[int(number) - 1]["data"]["cards"]
                return 200, {"result": {"lines": [{"card": c["card"]["id"], "state": {"code": code}} for c in cards]}}
            case ["cards", name, year]:
                held = self.cards.get(name, {}).get("card")
                is_it = held == {"id": name, "year": year, "version": int(query["version"])}
                return 200, {"found": {"state": {"code": 1 if is_it else 404}}}
            case _:
                names = sorted(name for name in self.cards if name > query.get("from", ""))
                page = names[: int(query["size"])]
                cards = [self.cards[name] for name in page]
                lines = [
                    {
                        "id": one["card"]["id"],
                        "year": one["card"]["year"],
                        "version": str(one["card"]["version"]),
                        "state": {"code": 9 if one["event"] == "CANCEL" else 1},
                    }
                    for one in cards
                ]
                return 200, {"page": {"cards": lines, "next": page[-1] if len(page) < len(names) else None}}


@contextmanager
def platform() -> Iterator[Platform]:
    """It, on a port of its own."""
    service = Platform()

    def answered(method: str, path: str, body: str) -> tuple[int, str, bytes] | None:
        found = service.post(body) if method == "POST" else service.get(path)
        return None if found is None else (found[0], "application/json", orjson.dumps(found[1]))

    with _serving(answered) as service.url:
        yield service


@contextmanager
def card_store() -> Iterator[CardStore]:
    """It, on a port of its own."""
    service = CardStore()

    def answered(method: str, path: str, body: str) -> tuple[int, str, bytes] | None:
        found = service.answer(body)
        if found is None:
            return None
        envelope = f'<s:Envelope xmlns:s="{_SOAP_12}" xmlns:k="urn:kho:lenh"><s:Body>{found[1]}</s:Body></s:Envelope>'
        return found[0], "application/soap+xml", envelope.encode()

    with _serving(answered) as service.url:
        yield service


@contextmanager
def _serving(answered: Callable[[str, str, str], tuple[int, str, bytes] | None]) -> Iterator[str]:
    """The address of an HTTP server that answers so; where there is no answer, the connection ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            found = answered(self.command, self.path, body)
            if found is None:
                self.close_connection = True
                return
            status, media_type, content = found
            self.send_response(status)
            self.send_header("content-type", media_type)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _answer  # noqa: N815 - the names of the standard library

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
