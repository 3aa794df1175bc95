"""A collector of traces (OTLP over HTTP) that keeps what it is sent."""

from __future__ import annotations

import gzip
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class SpanSeen:
    """One span."""

    name: str
    process: str
    trace_id: str
    span_id: str
    parent_id: str
    links: tuple[str, ...]
    """Trace ids."""
    facts: dict[str, Any]
    is_error: bool


class Collector(ThreadingHTTPServer):
    """Use with `with`; `url` is where spans are sent."""

    daemon_threads = True

    def __init__(self) -> None:
        self.spans: list[SpanSeen] = []
        self.raw = b""
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.take(body)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1/traces"

    def take(self, body: bytes) -> None:
        self.raw += body
        for of_process in ExportTraceServiceRequest.FromString(body).resource_spans:
            process = _facts(of_process.resource.attributes)["hocba.process"]
            for scope in of_process.scope_spans:
                for span in scope.spans:
                    self.spans.append(
                        SpanSeen(
                            span.name, process, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(),
                            tuple(link.trace_id.hex() for link in span.links), _facts(span.attributes),
                            span.status.code == span.status.STATUS_CODE_ERROR,
                        )
                    )  # fmt: skip

    def named(self, name: str, trace_id: str | None = None) -> list[SpanSeen]:
        return [one for one in list(self.spans) if one.name == name and trace_id in {None, one.trace_id}]

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


def _facts(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in attributes}
