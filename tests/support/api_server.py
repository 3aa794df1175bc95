"""The HTTP API as clients meet it: served by uvicorn over loopback, in a thread of the test's own process."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import httpx
import uvicorn
from fastapi import APIRouter

from hocba_hub.adapters.destination import Destination, Title
from hocba_hub.api.app import ROUTERS, create_app
from hocba_hub.api.http.server import server
from hocba_hub.bootstrap import hub
from hocba_hub.model.keys import DestinationName
from hocba_hub.settings import Settings
from hocba_hub.store.access import Role, add_client, add_operator
from hocba_hub.store.engine import Store

NAMES = ("ministry", "province")


class Api:
    """A running API; its clock stands still until a test moves it."""

    def __init__(self, store: Store, routers: Sequence[APIRouter], settings: dict[str, object]) -> None:
        self.now = 1_780_000_000_000
        self.rung: list[str] = []
        self.store = store
        destinations = {
            DestinationName(name): Destination(
                name=name, title=Title(vi="Tỉnh", en="Province"), adapter="rest", address="x"
            )
            for name in NAMES
        }
        self.hub = hub(
            Settings(free_disk_bytes=0, **settings),  # type: ignore[arg-type]
            store,
            known=destinations,
            clock=lambda: self.now,
            ring=self.rung.append,
        )
        self.app = create_app(self.hub, routers=routers)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.http = httpx.Client(base_url=self.url, timeout=30)

    def client_key(self, *schools: str, name: str = "vendor") -> str:
        with self.store.write() as connection:
            return add_client(connection, name, schools or ["*"], now=self.now).key

    def operator_key(self, role: Role = Role.OPERATOR, name: str = "") -> str:
        with self.store.write() as connection:
            return add_operator(connection, name or role, role, now=self.now).key

    def get(self, path: str, key: str | None = None, **more: object) -> httpx.Response:
        return self.call("GET", path, key, **more)

    def post(self, path: str, key: str | None = None, **more: object) -> httpx.Response:
        return self.call("POST", path, key, **more)

    def call(self, method: str, path: str, key: str | None = None, **more: object) -> httpx.Response:
        headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **more.pop("headers", {})}  # type: ignore[dict-item]
        return self.http.request(method, path, headers=headers, **more)  # type: ignore[arg-type]


@contextmanager
def running_api(store: Store, *, routers: Sequence[APIRouter] = ROUTERS, **settings: object) -> Iterator[Api]:
    """Serve until the block ends; the store is closed then."""
    api = Api(store, routers, settings)
    serving = server(api.app, api.hub.settings, lifespan="on")
    ready, loop = threading.Event(), serving.config.get_loop_factory()()
    ended = asyncio.Event()
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(_serve(serving, api.socket, ready, ended)), name="api"
    )
    thread.start()
    try:
        while not ready.wait(0.1):
            assert thread.is_alive(), "the API did not start"
        yield api
    finally:
        api.http.close()
        loop.call_soon_threadsafe(ended.set)
        thread.join(20)
        loop.close()
        api.socket.close()


async def _serve(
    serving: uvicorn.Server, listening: socket.socket, ready: threading.Event, ended: asyncio.Event
) -> None:
    """As uvicorn serves, without the rests of a tenth of a second in its loop and its end."""
    serving.config.load()
    serving.lifespan = serving.config.lifespan_class(serving.config)
    await serving.startup(sockets=[listening])
    await serving.on_tick(0)
    ready.set()
    await ended.wait()
    for listener in serving.servers:
        listener.close()
    for connection in list(serving.server_state.connections):
        connection.shutdown()
    if serving.server_state.tasks:
        await asyncio.wait(serving.server_state.tasks, timeout=20)
    await serving.lifespan.shutdown()
