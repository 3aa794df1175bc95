"""How far a call came when it failed, against a server that answers exactly what it is told to."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from hocba_hub.adapters.destination import DestinationError
from hocba_hub.adapters.http import LONGEST_ANSWER_BYTES, CallError, HttpConnection
from hocba_hub.adapters.protocol import Stage
from hocba_hub.model.certificates import make_certificate
from hocba_hub.model.clock import system_clock
from tests.support.sandbox_server import SandboxHandle, outbound_record, running_sandbox
from tests.support.servers import free_port

SOAP_REPLY = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    '<m:SubmitReportCardsResponse xmlns:m="urn:hocba-hub:stand-in:ministry:1"><m:Reference>{}</m:Reference>'
    "</m:SubmitReportCardsResponse></s:Body></s:Envelope>"
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxHandle]:
    with running_sandbox(answer_seconds=1) as handle:
        yield handle


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A server that reads one request and answers these bytes, then closes; for any number of connections."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(2)
                received = b""
                while b"\r\n\r\n" not in received:
                    received += connection.recv(65536)
                head, _, body = received.partition(b"\r\n\r\n")
                length = next(
                    (int(x.split(b":")[1]) for x in head.split(b"\r\n") if x.lower().startswith(b"content-length")), 0
                )
                while len(body) < length:
                    body += connection.recv(65536)
                with suppress(OSError):
                    connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def http(body: bytes, status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {size}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def failure(sandbox: SandboxHandle, address: str, **changes) -> tuple[Stage, str]:
    line = HttpConnection(sandbox.destination("province", address=address, **changes))
    try:
        with pytest.raises(CallError) as caught:
            line.call("POST", "/v1/records", body=b"{}")
    finally:
        line.close()
    return caught.value.stage, caught.value.code


def test_nothing_was_sent(sandbox):
    refused = f"http://127.0.0.1:{free_port()}"
    assert failure(sandbox, refused) == (Stage.NOT_SENT, "connection-refused")
    assert failure(sandbox, "http://no-such-host.invalid") == (Stage.NOT_SENT, "name-unknown")
    assert failure(sandbox, "ftp://127.0.0.1") == (Stage.NOT_SENT, "missing-precondition")
    assert failure(sandbox, "http://[::1") == (Stage.NOT_SENT, "missing-precondition")


def test_no_connection_in_time(sandbox):
    """A listener whose queue is full takes no further connection."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert failure(sandbox, address, limits={"connect_seconds": 0.2}) == (Stage.NOT_SENT, "timeout")
        for filler in fillers:
            filler.close()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", "connection-lost"),
        (b"not HTTP at all\r\n\r\n", "connection-lost"),
        (http(b"half", length=100), "connection-lost"),
        (
            http(b"x" * 1000, "200 OK", length=LONGEST_ANSWER_BYTES + 1) + b"x" * LONGEST_ANSWER_BYTES,
            "unreadable-answer",
        ),
        (http(b"\x1f\x8b", "200 OK", "Content-Encoding: gzip"), "unreadable-answer"),
    ],
    ids=["nothing", "not-http", "half", "huge", "compressed"],
)
def test_sent_and_no_readable_answer(sandbox, answer, code):
    with answering(answer) as address:
        assert failure(sandbox, address, limits={"answer_seconds": 10.0}) == (Stage.NO_ANSWER, code)


def test_redirects_are_answers_and_not_followed(sandbox):
    with answering(http(b"", "302 Found", "Location: http://127.0.0.1:9/")) as address:
        line = HttpConnection(sandbox.destination("province", address=address))
        assert line.call("GET", "/x").status == 302
        line.close()


@pytest.mark.parametrize(
    ("body", "stage", "code"),
    [
        (SOAP_REPLY.format("r-1"), Stage.ANSWERED, "TAKEN"),
        (SOAP_REPLY.format(""), Stage.NO_ANSWER, "unreadable-answer"),
        (SOAP_REPLY.format("r" * 201), Stage.NO_ANSWER, "unreadable-answer"),
        ('<!DOCTYPE x [<!ENTITY r "r-1">]>' + SOAP_REPLY.format("&r;"), Stage.NO_ANSWER, "unreadable-answer"),
        (
            '<!DOCTYPE x [<!ENTITY r SYSTEM "file:///etc/hostname">]>' + SOAP_REPLY.format("&r;"),
            Stage.NO_ANSWER,
            "unreadable-answer",
        ),
        (SOAP_REPLY.format("r-1").replace("SubmitReportCardsResponse", "Other"), Stage.NO_ANSWER, "unreadable-answer"),
        ("<html>ok</html>", Stage.NO_ANSWER, "unreadable-answer"),
        ("", Stage.NO_ANSWER, "unreadable-answer"),
    ],
    ids=["right", "no-reference", "long-reference", "entity", "xxe", "other-element", "html", "empty"],
)
def test_soap_replies_are_read_with_care(sandbox, body, stage, code):
    with (
        answering(http(body.encode(), "200 OK", "Content-Type: text/xml")) as address,
        sandbox.adapter("ministry", address=address) as adapter,
    ):
        (outcome,) = adapter.send([outbound_record()]).outcomes
    assert (outcome.stage, outcome.code) == (stage, code)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run([*command.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=60)
    return certificate, key


def test_certificates_are_verified(certificate):
    with running_sandbox(answer_seconds=5, tls=certificate) as secured:
        with secured.adapter("ministry") as adapter:
            (outcome,) = adapter.send([outbound_record()]).outcomes
            assert (outcome.stage, outcome.code) == (Stage.NOT_SENT, "tls-failed")
        assert secured.ledgers["ministry"].summary()["received"] == 0
        with secured.adapter("ministry", ca_file=certificate[0]) as adapter:
            (outcome,) = adapter.send([outbound_record()]).outcomes
            assert (outcome.stage, outcome.code) == (Stage.ANSWERED, "TAKEN")


def test_we_show_our_own_certificate_where_one_is_asked_for(certificate, tmp_path):
    own, key = tmp_path / "hub.crt.pem", tmp_path / "hub.key.pem"
    for path, content in zip((own, key), make_certificate("hub", now=system_clock(), days=2), strict=True):
        path.write_bytes(content)
    whole = tmp_path / "hub.pem"
    whole.write_bytes(own.read_bytes() + key.read_bytes())
    with running_sandbox(answer_seconds=5, tls=certificate, tls_clients=own) as secured:
        with secured.adapter("ministry", ca_file=certificate[0]) as adapter:
            (outcome,) = adapter.send([outbound_record()]).outcomes
            assert outcome.stage is not Stage.ANSWERED
        assert secured.ledgers["ministry"].summary()["received"] == 0
        two_files, one_file = {"certificate_file": own, "key_file": key}, {"certificate_file": whole}
        for name, shown in (("ministry", two_files), ("province", one_file)):
            with secured.adapter(name, ca_file=certificate[0], **shown) as adapter:
                assert adapter.inventory(None).entries == []


def test_our_own_certificate_without_what_it_needs_is_refused(sandbox, certificate, tmp_path):
    broken = tmp_path / "broken.pem"
    broken.write_text("x")
    cases = (
        ({"certificate_file": certificate[0]}, "no certificate"),  # without its key
        ({"certificate_file": broken}, "no certificate"),
        ({"certificate_file": tmp_path / "absent.pem"}, "no certificate"),
        ({"key_file": certificate[1]}, "without certificate_file"),
    )
    for changes, reason in cases:
        known = sandbox.destination("province", address="https://localhost", **changes)
        with pytest.raises(DestinationError, match=reason):
            HttpConnection(known)
    with pytest.raises(DestinationError, match="https"):
        HttpConnection(sandbox.destination("province", certificate_file=certificate[0], key_file=certificate[1]))


def test_a_ca_file_that_is_not_one_is_refused(sandbox, tmp_path):
    for ca_file in (tmp_path / "absent.pem", Path(__file__)):
        with pytest.raises(DestinationError, match="ca_file"):
            HttpConnection(sandbox.destination("province", ca_file=ca_file))
