"""Both simulators on two ports of one process, each with an event loop and a ledger of its own."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hocba_hub.sandbox.code_lists import published
from hocba_hub.sandbox.faults import FaultPlayer, FaultScript
from hocba_hub.sandbox.ledger import Ledger
from hocba_hub.sandbox.ministry import UsernamePassword, ministry_app
from hocba_hub.sandbox.province import ClientSecret, province_app
from hocba_hub.sandbox.station import Station

_START_SECONDS = 10


class _DroppingProtocol(HttpToolsProtocol):
    """uvicorn's HTTP, with a way for the application to drop the connection without an answer."""

    def on_headers_complete(self) -> None:
        self.scope["state"]["abort"] = self.transport.abort
        super().on_headers_complete()


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The running simulators."""

    province_url: str
    ministry_url: str
    """Address of the SOAP service; its ledger and faults are beside it."""
    province: Station
    ministry: Station

    def play(self, script: FaultScript) -> None:
        """Play another fault script in both simulators."""
        for station in (self.province, self.ministry):
            station.faults.load(script)

    def reset(self) -> None:
        """Empty ledgers, no faults."""
        self.play(FaultScript())
        for name, station in (("province", self.province), ("ministry", self.ministry)):
            station.ledger.reset()
            station.lists = published(name)


@contextmanager
def running_sandbox(
    client: ClientSecret,
    account: UsernamePassword,
    *,
    script: FaultScript | None = None,
    ledger: Path | None = None,
    host: str = "127.0.0.1",
    ports: tuple[int, int] = (0, 0),
    token_seconds: float = 3600,
    tls: tuple[Path, Path] | None = None,
    tls_clients: Path | None = None,
) -> Iterator[Sandbox]:
    """Both simulators, started when entered and stopped when left.

    `client` and `account` are the credentials that they take. A port of 0 takes a free one. With `ledger`, the
    ledgers are kept in files of that name with `-province` and `-ministry` added. `tls` is a certificate and its key
    as PEM files; with `tls_clients`, certificates as a PEM file, nobody is let in who has none of these.

    Raises:
        OSError: a port is taken.
    """
    played = script or FaultScript()
    province = Station(Ledger(_file(ledger, "province")), FaultPlayer("province", played), published("province"))
    ministry = Station(Ledger(_file(ledger, "ministry")), FaultPlayer("ministry", played), published("ministry"))
    scheme = "https" if tls else "http"
    with ExitStack() as stack:
        for station in (province, ministry):
            stack.callback(station.ledger.close)
        province_port = stack.enter_context(
            _serving(province_app(province, client, token_seconds), host, ports[0], tls, tls_clients)
        )
        ministry_port = stack.enter_context(_serving(ministry_app(ministry, account), host, ports[1], tls, tls_clients))
        yield Sandbox(
            f"{scheme}://{host}:{province_port}", f"{scheme}://{host}:{ministry_port}/soap", province, ministry
        )


@contextmanager
def _serving(
    app: ASGIApp, host: str, port: int, tls: tuple[Path, Path] | None, tls_clients: Path | None
) -> Iterator[int]:
    listener = socket.create_server((host, port))
    config = uvicorn.Config(
        app,
        http=_DroppingProtocol,
        loop="uvloop",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
        ssl_certfile=tls[0] if tls else None,
        ssl_keyfile=tls[1] if tls else None,
        ssl_ca_certs=None if tls_clients is None else str(tls_clients),
        ssl_cert_reqs=ssl.CERT_NONE if tls_clients is None else ssl.CERT_REQUIRED,
    )
    server = uvicorn.Server(config)
    # uvicorn installs signal handlers in the main thread only; here it must leave them alone.
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True, name=f"sandbox-{port}")
    thread.start()
    deadline = monotonic() + _START_SECONDS
    while not server.started:
        if not thread.is_alive() or monotonic() > deadline:
            raise RuntimeError("The simulator did not start.")
        sleep(0.005)
    try:
        yield cast("int", listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(_START_SECONDS)
        listener.close()


def _file(ledger: Path | None, name: str) -> Path | None:
    return ledger and ledger.with_name(f"{ledger.stem}-{name}{ledger.suffix}")
