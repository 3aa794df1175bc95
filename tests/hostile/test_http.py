"""Raw sockets: no request is read as two, and every size, count and time of a connection has a limit."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hocba_hub.api.http.server import HubProtocol
from hocba_hub.store.engine import Store
from hocba_hub.store.schema import upgrade
from tests.support.api_server import Api, running_api
from tests.support.soap_calls import cards

LIMITS = {
    "keep_alive_seconds": 1,
    "head_seconds": 1.5, "body_grace_seconds": 1.5, "slowest_bytes_per_second": 10_000, "connections": 12,
    "connections_per_address": 5, "trusted_proxies": (),
}  # fmt: skip


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    store = Store(f"sqlite:///{tmp_path / 'hub.db'}")
    upgrade(store)
    with running_api(store, **LIMITS) as running:
        yield running


def opened(api: Api) -> socket.socket:
    connection = socket.create_connection(api.socket.getsockname(), timeout=20)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def said(connection: socket.socket, *, seconds: float = 20) -> bytes:
    """Everything that comes until the other side closes, or until nothing has come for a while."""
    connection.settimeout(seconds)
    got = b""
    try:
        while chunk := connection.recv(65_536):
            got += chunk
    except (TimeoutError, ConnectionResetError):
        pass
    return got


def statuses(answer: bytes) -> list[int]:
    return [int(code) for code in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", answer)]


def post(api: Api, body: bytes, *headers: str, key: str = "", length: int | None = None) -> bytes:
    lines = [
        "POST /v1/report-cards/validate HTTP/1.1", f"Host: 127.0.0.1:{api.socket.getsockname()[1]}",
        f"Authorization: Bearer {key or api.client_key()}", "Content-Type: application/json", *headers,
    ]  # fmt: skip
    if not any("chunked" in header for header in headers):
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode() + body


SMUGGLED = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
UPGRADES = ["Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", "Connection: Upgrade, HTTP2-Settings"]


@pytest.mark.parametrize("offer", [UPGRADES, ["Upgrade: websocket", "Connection: Upgrade"]], ids=["h2c", "websocket"])
@pytest.mark.parametrize("pieces", [1, 7, 100_000])
def test_the_body_of_a_request_that_offers_an_upgrade_belongs_to_it(api: Api, offer: list[str], pieces: int):
    card = cards(1)[0]
    key = api.client_key()
    # The body is a request by itself; read as one, it would be answered.
    for body, chunked in ((SMUGGLED, False), (card, False), (card, True)):
        framing = ["Transfer-Encoding: chunked"] if chunked else []
        sent = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if chunked else body
        whole = post(api, sent, *offer, *framing, key=key) + post(api, card, "Connection: close", key=key)
        with opened(api) as connection:
            for start in range(0, len(whole), max(1, len(whole) // pieces)):
                connection.sendall(whole[start : start + max(1, len(whole) // pieces)])
            answer = said(connection)
        assert statuses(answer) == [200, 200], answer
        assert answer.count(b'"accepted":1') == (1 if body == SMUGGLED else 2), answer
        assert b"livez" not in answer
        assert b'"status":"ok"' not in answer


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "unknown"])
def test_what_a_caller_holds_back_is_never_read_as_a_request(api: Api, *, is_known: bool):
    """With `Expect: 100-continue` an early answer comes before the body; what is sent next is no request."""
    key = api.client_key() if is_known else "hbc_unknown"
    begin = post(api, b"", "Expect: 100-continue", key=key, length=len(SMUGGLED))
    with opened(api) as connection:
        connection.sendall(begin)
        first = connection.recv(65_536)
        if is_known:
            assert first == b"HTTP/1.1 100 Continue\r\n\r\n"
        else:
            assert statuses(first) == [401]
            assert b"connection: close" in first.lower()
        connection.sendall(SMUGGLED)
        rest = said(connection)
    assert statuses(first + rest) == ([100, 200] if is_known else [401])


def test_an_early_answer_closes_the_connection_behind_a_body_that_did_not_come(api: Api):
    with opened(api) as connection:
        started = time.monotonic()
        connection.sendall(post(api, SMUGGLED, key="hbc_unknown", length=100_000_000))
        answer = said(connection)
    assert statuses(answer)[0] in {401, 408}
    assert len(statuses(answer)) == 1
    assert b"connection: close" in answer.lower()
    assert time.monotonic() - started < 12


def test_an_early_answer_reaches_who_sends_everything_first(api: Api):
    answer = api.http.post(
        "/v1/report-cards", content=b" " * 20_000_000, headers={"Authorization": "Bearer x" * 3}
    )  # fmt: skip
    assert answer.status_code == 401


def test_requests_in_a_row_are_answered_in_their_order(api: Api):
    key, card = api.client_key(), cards(1)[0]
    good, other = post(api, card, key=key), post(api, card, key="hbc_unknown")
    with opened(api) as connection:
        connection.sendall(good + other + good + post(api, card, "Connection: close", key=key))
        assert statuses(said(connection)) == [200, 401, 200, 200]


def test_behind_what_cannot_be_read_nothing_is_read(api: Api):
    key, card = api.client_key(), cards(1)[0]
    for broken in (b"NONSENSE\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n"):
        with opened(api) as connection:
            connection.sendall(post(api, card, key=key) + broken + SMUGGLED * 3)
            answer = said(connection)
        assert statuses(answer) == [200], answer


@pytest.mark.parametrize(
    "framing",
    [
        ["Content-Length: 3", "Content-Length: 4"],
        ["Transfer-Encoding: chunked", "Content-Length: 3"],
        ["Transfer-Encoding: chunked, identity"],
        ["Transfer-Encoding: \x0bchunked"],
        ["Content-Length: +3"],
        ["Content-Length : 3"],
    ],
)
@pytest.mark.parametrize("offer", [[], UPGRADES], ids=["plain", "upgrade"])
def test_framing_that_can_be_read_two_ways_is_refused(api: Api, framing: list[str], offer: list[str]):
    lines = ["POST /v1/report-cards/validate HTTP/1.1", "Host: x", *framing, *offer]
    with opened(api) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + SMUGGLED)
        answer = said(connection)
    assert statuses(answer)[0] in {400, 401}
    assert len(statuses(answer)) == 1
    assert b'"status":"ok"' not in answer


def test_many_requests_in_a_row_wait_in_a_bounded_row(api: Api):
    with opened(api) as connection:
        connection.sendall(SMUGGLED * 5_000)
        assert len(statuses(said(connection))) <= 40


@pytest.mark.parametrize(
    "head",
    [
        b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000_000 + b"\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X%d: a\r\n" % n for n in range(200)) + b"\r\n",
    ],
    ids=["20 MB", "20 KB", "address", "many"],
)
def test_a_large_head_is_refused(api: Api, head: bytes):
    with opened(api) as connection:
        try:
            connection.sendall(head)
        except (BrokenPipeError, ConnectionResetError):
            return  # it was closed while we still sent
        answer = said(connection)
    assert statuses(answer) in ([431], []), answer[:200]


@pytest.mark.parametrize(
    ("begin", "piece"),
    [(b"", b""), (b"GET /livez HTTP/1.1\r\n", b"X: a\r\n"), (b"", b"\r\n"), (None, b"x")],
    ids=["nothing", "head", "blank lines", "body"],
)
def test_who_sends_slowly_is_let_go(api: Api, begin: bytes | None, piece: bytes):
    with opened(api) as connection:
        connection.sendall(post(api, b"", length=1_000_000) if begin is None else begin)
        started = time.monotonic()
        connection.settimeout(0.1)
        answer = None
        while answer is None and time.monotonic() - started < 15:
            try:
                answer = connection.recv(65_536)
                connection.sendall(piece)
            except TimeoutError:
                connection.sendall(piece)
            except (BrokenPipeError, ConnectionResetError):
                answer = b""
    assert 1 < time.monotonic() - started < 10
    assert statuses(answer or b"") in ([408], [])


def test_a_slow_but_steady_body_is_taken(api: Api):
    body = cards(1)[0]
    with opened(api) as connection:
        connection.sendall(post(api, b"", "Connection: close", length=len(body) + 40_000))
        for _ in range(20):
            connection.sendall(b" " * 2_000)
            time.sleep(0.15)
        connection.sendall(body)
        assert statuses(said(connection)) == [200]


def test_one_address_gets_so_many_connections_and_others_still_some(api: Api):
    held = [opened(api) for _ in range(5)]
    try:
        with opened(api) as one_more:
            assert statuses(said(one_more)) == [503]
        elsewhere = socket.create_connection(api.socket.getsockname(), source_address=("127.0.0.2", 0), timeout=20)
        with elsewhere:
            elsewhere.sendall(SMUGGLED[:-2] + b"Connection: close\r\n\r\n")
            assert statuses(said(elsewhere)) == [200]
    finally:
        for connection in held:
            connection.close()
    time.sleep(0.3)
    assert api.get("/livez").status_code == 200


def test_a_proxy_that_is_trusted_brings_many_callers_but_not_more_than_there_may_be(tmp_path: Path):
    store = Store(f"sqlite:///{tmp_path / 'hub.db'}")
    upgrade(store)
    with running_api(store, **(LIMITS | {"trusted_proxies": ("127.0.0.1",)})) as api:
        held = [opened(api) for _ in range(12)]
        time.sleep(0.2)
        with opened(api) as one_more:
            assert statuses(said(one_more)) == [503]
        for connection in held:
            connection.close()


def test_many_short_connections_leave_no_more_work_behind_than_one(api: Api, monkeypatch: pytest.MonkeyPatch):
    for _ in range(100):
        opened(api).close()
        time.sleep(0.003)
    looks: list[float] = []
    with opened(api) as one:
        one.sendall(SMUGGLED)
        assert statuses(one.recv(65_536)) == [200]
        monkeypatch.setattr(HubProtocol, "end_if_slow", lambda _, now: looks.append(now))
        time.sleep(3)
    assert len(looks) <= 5, "each of them is looked at by every connection that came before"


def test_credentials_that_are_missing_are_asked_for(api: Api):
    for path, content in (("/v1/report-cards", b"{}"), ("/soap/v1", b"<x/>"), ("/soap/v1", b"")):
        answer = api.post(path, content=content, headers={"Content-Type": "text/xml"})
        assert answer.status_code == 401, answer.text
        assert answer.headers["www-authenticate"].startswith("Basic " if path == "/soap/v1" else "Bearer ")


JAVA = """
import java.net.*; import java.net.http.*; import java.nio.file.*;
public class Post {
  public static void main(String[] a) throws Exception {
    HttpClient client = HttpClient.newHttpClient();
    for (int n = 0; n < 3; n++) {
      HttpRequest request = HttpRequest.newBuilder(URI.create(a[0] + "/v1/report-cards"))
        .header("Authorization", "Bearer " + a[1]).header("Content-Type", "application/json")
        .POST(HttpRequest.BodyPublishers.ofFile(Path.of(a[2]))).build();
      HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
      System.out.println(answer.statusCode());
    }
  }
}
"""


@pytest.mark.skipif(shutil.which("javac") is None, reason="needs a JDK 11 or newer")
def test_javas_http_client_posts_with_its_defaults(api: Api, tmp_path: Path):
    (tmp_path / "Post.java").write_text(JAVA)
    (tmp_path / "card.json").write_bytes(cards(1)[0])
    command = ["java", str(tmp_path / "Post.java"), api.url, api.client_key(), str(tmp_path / "card.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout.split() == ["202", "202", "202"], done.stderr
