"""A load generator that costs little: raw HTTP/1.1 over kept connections, one thread, latencies of every request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Load:
    """What a run measured."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds


async def _connection(url: str, key: str, bodies: list[bytes], media_type: str, load: Load) -> None:
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=2**24)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: {media_type}\r\nContent-Length: "
    ).encode()
    while bodies:
        body = bodies.pop()
        start = time.perf_counter()
        writer.write(head + str(len(body)).encode() + b"\r\n\r\n" + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        status = int(answer[9:12])
        length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        load.latencies.append(time.perf_counter() - start)
        load.statuses[status] = load.statuses.get(status, 0) + 1
    writer.close()


def post_all(
    url: str, key: str, bodies: Sequence[bytes], *, connections: int, media_type: str = "application/json"
) -> Load:
    """Post every body once, over so many connections at a time."""

    async def run() -> Load:
        load = Load()
        left = list(reversed(bodies))
        start = time.perf_counter()
        await asyncio.gather(*(_connection(url, key, left, media_type, load) for _ in range(connections)))
        load.seconds = time.perf_counter() - start
        return load

    return asyncio.run(run())
