"""A TLS proxy such as stands before the hub: it asks for a client's certificate and tells of it in a header."""

from __future__ import annotations

import base64
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from hocba_hub.model.certificates import make_certificate

HEADER = "Client-Cert"


@contextmanager
def tls_proxy(target: str, folder: Path, clients: list[Path]) -> Iterator[str]:
    """Its address; it takes the certificates in the files `clients`, and lets nobody else say whose one is."""
    own = make_certificate("localhost", now=1_780_000_000_000, days=1_000)
    files = folder / "proxy.crt.pem", folder / "proxy.key.pem"
    for path, content in zip(files, own, strict=True):
        path.write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    for path in clients:
        context.load_verify_locations(path)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            told = {"host", "content-length", "connection", HEADER.lower()}
            headers = {name: value for name, value in self.headers.items() if name.lower() not in told}
            certificate = self.connection.getpeercert(binary_form=True)  # type: ignore[attr-defined]
            if certificate:
                headers[HEADER] = f":{base64.b64encode(certificate).decode()}:"
            answer = httpx.request(self.command, target + self.path, content=body, headers=headers, timeout=30)
            self.send_response(answer.status_code)
            self.send_header("content-type", answer.headers["content-type"])
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
