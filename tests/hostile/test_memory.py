"""How much memory a call takes: hardly any from a stranger, a bounded multiple of its limit from a client.

Measured at a real API process, as the kernel counts it (peak resident size, which is reset before each call).
"""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hocba_hub.cli.supervision import Child, Supervisor, hub_command
from hocba_hub.sandbox.vendor import wait_until
from hocba_hub.store.access import Role, add_client, add_operator
from hocba_hub.store.engine import Store
from hocba_hub.store.schema import upgrade
from tests.support import soap_calls as soap
from tests.support.long_form import LONG
from tests.support.memory import forget_peak, memory_mb, needs_linux
from tests.support.servers import free_port

STRANGER_MB = 2.0
LIMIT = 64_000_000 if LONG else 20_000_000
MULTIPLE = 8
KEPT_MB = max(30.0, LIMIT / 1e6)
"""What may stay of the largest call; it stays once, however often the call is repeated."""
HELD_UP_SECONDS = 2.0


class Measured:
    """An API process and what it takes."""

    def __init__(self, folder: Path) -> None:
        url, self.port = f"sqlite:///{folder / 'hub.db'}", free_port()
        store = Store(url)
        upgrade(store)
        with store.write() as connection:
            self.key = add_client(connection, "vendor", ["*"], now=1).key
            self.operator = add_operator(connection, "person", Role.ADMINISTRATOR, now=1).key
        store.close()
        settings = {
            "HOCBA_HOME": str(folder), "HOCBA_DATABASE_URL": url, "HOCBA_PORT": str(self.port),
            "HOCBA_FREE_DISK_BYTES": "0", "HOCBA_SUBMISSION_BYTES": str(LIMIT), "HOCBA_LOG_LEVEL": "WARNING",
            "HOCBA_PROVINCE_URL": "http://127.0.0.1:9", "HOCBA_MINISTRY_URL": "http://127.0.0.1:9",
        }  # fmt: skip
        self.child = Child("api", hub_command("api"), settings)
        self.supervisor = Supervisor([self.child])
        self.supervisor.start()
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=120)
        assert wait_until(self._is_up, 30)
        for _ in range(20):  # whatever is loaded when it is first needed
            self.http.post("/soap/v1", content=soap.envelope("<x/>"), headers={"Content-Type": "text/xml"})
            self.http.post("/soap/v1", content=gzip.compress(b"x"), headers={"Content-Encoding": "gzip"})
            self.http.get("/v1/findings", headers={"Authorization": f"Bearer hbc_{0:012x}_{0:064x}"})
            self.http.post("/v1/operations/replays", json={})

    def _is_up(self) -> bool:
        try:
            return self.http.get("/livez").is_success
        except httpx.TransportError:
            return False

    @property
    def _pid(self) -> int:
        assert self.child.process is not None
        return self.child.process.pid

    @property
    def now_mb(self) -> float:
        return memory_mb(pid=self._pid)

    def reset(self) -> float:
        return forget_peak(self._pid)

    @property
    def peak_mb(self) -> float:
        return memory_mb(peak=True, pid=self._pid)

    def raw(self, content: bytes) -> None:
        """Send as much of this as is taken, and read what comes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            try:
                connection.sendall(content)
                while connection.recv(65_536):
                    pass
            except OSError:
                return


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Measured]:
    measured = Measured(tmp_path)
    yield measured
    measured.http.close()
    measured.supervisor.stop()


ATTRIBUTES = soap.envelope('<a b="" c="" d="" e=""/>' * 1_250_000)
HEADERS = soap.envelope("<x/>", header='<a b="" c="" d="" e=""/>' * 1_250_000)
DEEP = b"[" * 262_000


@needs_linux
def test_a_stranger_takes_hardly_any_memory(hub: Measured, record_property):
    xml = {"Content-Type": "text/xml"}
    basic = {"Authorization": "Basic " + "dmVuZG9yOmhiY193cm9uZw=="}
    key = f"hbc_{1:012x}_{1:064x}"
    attacks = {
        "SOAP, 30 MB of attributes": lambda: hub.http.post("/soap/v1", content=ATTRIBUTES, headers=xml),
        "SOAP, 30 MB of headers": lambda: hub.http.post("/soap/v1", content=HEADERS, headers=xml),
        "SOAP, wrong Basic": lambda: hub.http.post("/soap/v1", content=ATTRIBUTES, headers=xml | basic),
        "SOAP, 0.1 MB gzip of 30 MB, three times": lambda: [
            hub.http.post("/soap/v1", content=gzip.compress(HEADERS), headers=xml | {"Content-Encoding": "gzip"})
            for _ in range(3)
        ],
        "SOAP, token whose text is 30 MB": lambda: hub.http.post(
            "/soap/v1", content=soap.envelope("<x/>", header=soap.token("x" * 30_000_000, key, now=1)), headers=xml
        ),
        "150 keys of 1 MB": lambda: [
            hub.raw(b"GET /v1/findings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %d" % n + b"x" * 1_000_000)
            for n in range(150 if LONG else 30)
        ],
        "made-up keys of the right form": lambda: [
            hub.http.get("/v1/findings", headers={"Authorization": f"Bearer hbc_{n:012x}_{n:064x}"})
            for n in range(2_000 if LONG else 300)
        ],
        "head of 20 MB": lambda: hub.raw(b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000_000),
        "requests in a row": lambda: hub.raw(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 20_000),
        "REST, 60 MB": lambda: hub.http.post("/v1/report-cards", content=b"[" + b"1," * (LIMIT // 2 - 9)),
        "operators' call, 0.25 MB of JSON": lambda: hub.http.post("/v1/operations/replays", content=DEEP),
        "upload of a file": lambda: hub.http.post("/v1/files", content=b"x" * 30_000_000),
    }
    found = {}
    for name, attack in attacks.items():
        before = hub.reset()
        attack()
        found[name] = hub.peak_mb - before
        record_property(name, f"{found[name]:.1f} MB")
        time.sleep(0.2)
    assert all(grown <= STRANGER_MB for grown in found.values()), found


@needs_linux
@pytest.mark.timeout(600)
def test_a_client_takes_a_bounded_multiple_of_the_limit_and_gives_it_back(hub: Measured, record_property):
    known, xml = {"Authorization": f"Bearer {hub.key}"}, {"Content-Type": "text/xml"}
    marks = LIMIT // 32
    most = {
        "SOAP, elements": soap.envelope("<a>" + "<b/>" * (marks - 1_000) + "</a>"),
        "SOAP, attributes": soap.envelope("<a>" + '<a b="" c=""/>' * (marks // 5 - 1_000) + "</a>"),
        "SOAP, 64 MB": soap.envelope("<a>" + f"<b>{'x' * 900_000}</b>" * (LIMIT // 900_100) + "</a>"),
    }
    for _ in range(10):  # whatever is loaded when it is first needed
        hub.http.post("/soap/v1", content=soap.envelope("<a><b/></a>"), headers=known | xml)
        hub.http.post("/v1/report-cards/validate?atomic=true", content=b"[1]", headers=known)
    found, kept = {}, {}
    for name, content in most.items():
        before = hub.reset()
        answer = hub.http.post("/soap/v1", content=content, headers=known | xml)
        assert b"soap." in answer.content
        found[name] = hub.peak_mb - before
        wait_until(lambda before=before: hub.now_mb - before <= KEPT_MB, 5)
        kept[name] = hub.now_mb - before
    arrays = {
        "JSON, 60 MB of numbers": b"[" + b"1," * (LIMIT // 2 - 9),
        "JSON, right records": b"[" + b",".join(soap.cards(100) * (LIMIT // 1_200_000)) + b"]",
        "JSON, one string": b'["' + b"x" * (LIMIT - 9),
        "JSON, deep": b"[" * (LIMIT - 9),
    }
    for name, content in arrays.items():
        before = hub.reset()
        hub.http.post("/v1/report-cards/validate?atomic=true", content=content, headers=known)
        found[name] = hub.peak_mb - before
        wait_until(lambda before=before: hub.now_mb - before <= KEPT_MB, 5)
        kept[name] = hub.now_mb - before
    for name, grown in found.items():
        record_property(name, f"{grown:.0f} MB, of which {kept[name]:.0f} MB stay")
    assert all(grown * 1e6 <= MULTIPLE * LIMIT for grown in found.values()), found
    assert all(grown <= KEPT_MB for grown in kept.values()), kept


def test_a_long_array_holds_up_nobody_else(hub: Measured):
    """Before, a call's array was parsed where every other call is answered: for seconds nobody was."""
    array = b"[" + b"1," * (LIMIT // 2 - 9) + b"1]"
    known = {"Authorization": f"Bearer {hub.key}"}
    sending = threading.Thread(
        target=httpx.post, args=(f"{hub.http.base_url}/v1/report-cards/validate",),
        kwargs={"content": array, "headers": known, "timeout": 120},
    )  # fmt: skip
    waits = []
    sending.start()
    while sending.is_alive():
        asked = time.monotonic()
        assert hub.http.get("/livez").is_success
        waits.append(time.monotonic() - asked)
        time.sleep(0.01)
    assert max(waits) < HELD_UP_SECONDS, f"{max(waits):.1f} s"
