"""The HTTP server: uvicorn, with what it leaves open closed by a layer around its protocol.

- **No request is read as two.** llhttp takes whatever follows an `Upgrade` header for another protocol, so uvicorn
  drops the body of such a request and reads it as the next one; Java's HttpClient sends `Upgrade: h2c` with every POST.
  Here the header is ignored, as RFC 9110 section 7.8 allows, and the body belongs to its request. Behind a request that
  cannot be read nothing is read any more.
- **Every size, count and time has a limit** (`ConnectionLimits`), before any handler runs.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import httptools
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hocba_hub.api.problems.problem import MEDIA_TYPE, plain_problem
from hocba_hub.api.problems.problem_kinds import KINDS
from hocba_hub.settings import Settings

log = logging.getLogger(__name__)

_MOST_PIPELINED = 16
"""Requests on one connection that may wait for the answer to an earlier one."""
_LOOK_SECONDS = 1.0
_SLOW_READER_SECONDS = 60.0


@dataclass
class ConnectionLimits:
    """What one API process bears, and what it holds at this moment."""

    settings: Settings
    open: set[HubProtocol] = field(default_factory=set)
    by_address: Counter[str] = field(default_factory=Counter)
    _is_looking: bool = False

    def admits(self, address: str) -> bool:
        """Whether one more connection from there may stay; proxies that are trusted bring many callers."""
        if len(self.open) >= self.settings.connections:
            return False
        is_proxy = self.settings.is_trusted_proxy(address)
        return is_proxy or self.by_address[address] < self.settings.connections_per_address

    def enter(self, connection: HubProtocol) -> None:
        """Count a connection, and look at all of them once a second while there are any."""
        if not self._is_looking:
            self._is_looking = True
            connection.loop.call_later(_LOOK_SECONDS, self._look, connection.loop)
        self.open.add(connection)
        self.by_address[connection.address] += 1

    def leave(self, connection: HubProtocol) -> None:
        """Count a connection no longer."""
        self.open.discard(connection)
        self.by_address[connection.address] -= 1
        if self.by_address[connection.address] <= 0:
            del self.by_address[connection.address]

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for connection in list(self.open):
            connection.end_if_slow(now)
        self._is_looking = bool(self.open)
        if self.open:
            loop.call_later(_LOOK_SECONDS, self._look, loop)


class _At(Enum):
    """What comes in on a connection at this moment."""

    NOTHING = 0
    HEAD = 1
    BODY = 2


class HubProtocol(HttpToolsProtocol):
    """One connection."""

    limits: ConnectionLimits
    """Those of this process; `server` sets them."""
    address = ""
    _is_counted = False
    _is_refused = False
    _at = _At.NOTHING
    _since = 0.0
    """When that began; moved on while it is we who do not read."""
    _bytes = 0
    """Of the head, or of the body, so far."""
    _unread_since = 0.0
    """When the other side stopped to read our answer."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or refuse it at once."""
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        self._since = self.loop.time()
        if not self.limits.admits(self.address):
            self._refuse("hub.connections-full")
            return
        self._is_counted = True
        self.limits.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it no longer."""
        if self._is_counted:
            self._is_counted = False
            self.limits.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        if self._is_refused:
            return
        self._unset_keepalive_if_required()
        before = self._at
        if before is not _At.NOTHING:
            self._bytes += len(data)
        self._feed(data)
        # The head's exact size is looked at when it is whole; here it only must not grow without an end.
        if before is self._at is _At.HEAD and self._bytes > self.limits.settings.header_bytes:
            self._refuse("request.head-too-large")

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._go_on_without_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._refuse("request.malformed")

    def _go_on_without_upgrade(self, rest: bytes) -> None:
        """Read the body of a request that asked for another protocol, and what follows it, with a parser of its own.

        That parser gets a head that says only how the body is framed, and hears nothing of that head.
        """
        framing = [each for each in self.headers if each[0] in {b"content-length", b"transfer-encoding"}]
        self.parser = httptools.HttpRequestParser(_AfterHead(self))
        head = b"".join(b"%s: %s\r\n" % each for each in framing)
        self._feed(b"POST / HTTP/1.1\r\n" + head + b"\r\n")
        if rest and not self._is_refused:
            self._feed(rest)

    def on_message_begin(self) -> None:
        """A head begins."""
        self._at, self._bytes, self._since = _At.HEAD, 0, self.loop.time()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole; a ValueError stops the parser."""
        settings = self.limits.settings
        size = len(self.url) + sum([len(name) + len(value) + 4 for name, value in self.headers])
        if size > settings.header_bytes or len(self.headers) > settings.header_count:
            self._refuse("request.head-too-large")
            raise ValueError
        if len(self.pipeline) >= _MOST_PIPELINED:
            self._refuse("request.malformed")
            raise ValueError
        self._at, self._bytes, self._since = _At.BODY, 0, self.loop.time()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is whole."""
        if self.parser.should_upgrade():
            return  # only the head has come; `_go_on_without_upgrade` reads the body
        self._at, self._since = _At.NOTHING, self.loop.time()
        super().on_message_complete()

    def _should_upgrade(self) -> bool:
        return False

    def _refuse(self, code: str) -> None:
        """Read nothing more, and say why; but first whoever asked before gets an answer."""
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        log.info("a connection was refused: %s", code)
        waits = self.cycle is not None and not self.cycle.response_complete
        if waits and self._at is not _At.BODY:
            self.cycle.keep_alive = False  # the last of the answers before this one closes the connection
            return
        if not waits or not (self.pipeline or self.cycle.response_started):
            body = plain_problem(code)
            self.transport.write(
                b"HTTP/1.1 %d %s\r\ncontent-type: %s\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s"
                % (KINDS[code].status, _REASONS[KINDS[code].status], MEDIA_TYPE.encode(), len(body), body)
            )
        self.transport.close()

    def end_if_slow(self, now: float) -> None:
        """Close the connection if what it is at takes too long."""
        settings = self.limits.settings
        if self.flow.write_paused:
            self._unread_since = self._unread_since or now
            if now - self._unread_since > _SLOW_READER_SECONDS:
                self.transport.abort()
            return
        self._unread_since = 0.0
        took = now - self._since
        if self._at is _At.BODY:
            earned = self._bytes / settings.slowest_bytes_per_second
            if self.flow.read_paused:
                self._since = now - earned
            elif took > settings.body_grace_seconds + earned:
                self._refuse("request.too-slow")
        elif took > settings.head_seconds:
            answers = self.cycle is not None and not self.cycle.response_complete
            rests = self.timeout_keep_alive_task is not None  # uvicorn's own time-out
            if self._at is _At.HEAD or not (answers or rests):
                self._refuse("request.too-slow")


class _AfterHead:
    """What a parser calls that goes on after a head: the first head it reads is made up, and is not heard."""

    def __init__(self, connection: HubProtocol) -> None:
        self._connection = connection
        self._is_heard = False

    def on_message_begin(self) -> None:
        if self._is_heard:
            self._connection.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if self._is_heard:
            self._connection.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_heard:
            self._connection.on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._is_heard:
            self._connection.on_headers_complete()
        self._is_heard = True

    def on_body(self, body: bytes) -> None:
        self._connection.on_body(body)

    def on_message_complete(self) -> None:
        self._connection.on_message_complete()


_REASONS = {400: b"Bad Request", 408: b"Request Timeout", 431: b"Request Header Fields Too Large", 503: b"Busy"}


def server(app: FastAPI, settings: Settings, **more: Any) -> uvicorn.Server:  # noqa: ANN401 - uvicorn's own options
    """The server of one process; `more` are options of uvicorn's `Config`."""

    class Protocol(HubProtocol):
        limits = ConnectionLimits(settings)

    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # whom to believe about what is told is decided where it matters
        timeout_keep_alive=settings.keep_alive_seconds,
        **more,
    )
    made = uvicorn.Server(config)
    app.state.is_stopping = lambda: made.should_exit  # whoever answers for long looks at it
    return made
