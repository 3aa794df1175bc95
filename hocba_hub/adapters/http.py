"""The kept line to one destination: HTTP calls, and how far a call came when it failed.

The difference between "certainly nothing was sent" and "sent, and no answer came" decides whether a record may be
sent again without asking first, so it is made here, once, for every adapter that speaks HTTP.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx
import tenacity

from hocba_hub.adapters.destination import Destination, DestinationError
from hocba_hub.adapters.protocol import LEASE_OVER, CallResult, MaySend, OutboundRecord, Outcome, Stage, always
from hocba_hub.model.errors import HubError

LONGEST_ANSWER_BYTES = 16_000_000
"""An answer about a batch of 5,000 records takes about 1 MB; more than this is not an answer."""

_GATEWAY_TROUBLE = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})
_BYTES_GO_OUT = ("send_request_headers.started", "send_request_body.started")
"""Steps of httpcore's `trace` extension: without its body, the head of a request does nothing there."""
_PASSING_TROUBLE = frozenset({"connection-refused", "connection-failed", "connection-lost", "name-unknown", "timeout"})


class CallError(HubError):
    """A call brought no readable answer; the facts are the same for every record it was made for."""

    def __init__(self, stage: Stage, code: str, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.stage = stage
        self.code = code
        self.detail = detail
        self.retry_after = retry_after

    def outcome(self, record: OutboundRecord) -> Outcome:
        """The failure as the outcome of one record."""
        return Outcome(record.delivery_id, self.stage, self.code, self.detail, retry_after=self.retry_after)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, read whole."""

    status: int
    media_type: str
    """Content type without parameters, in small letters."""
    retry_after: float | None
    """Seconds the destination asked us to wait."""
    body: bytes

    def evidence(self, outcomes: list[Outcome], request: bytes) -> CallResult:
        """The call as evidence, with digests of its bytes."""
        return CallResult(
            outcomes, sha256(request), sha256(self.body), self.status, request=request, response=self.body
        )


class HttpConnection:
    """HTTP calls to one destination over kept connections, from several threads.

    Verification of certificates is always on; redirects are not followed and proxies of the environment not used.

    Raises:
        DestinationError: the destination's `ca_file`, `certificate_file` or `key_file` cannot be read, or our
            certificate is shown to nobody, since its address is plain http.
    """

    def __init__(self, destination: Destination, *, query: Mapping[str, str] | None = None) -> None:
        limits = destination.limits
        self._answer_seconds = limits.answer_seconds
        self._address = destination.address.rstrip("/")
        self._client = httpx.Client(
            params=query,
            verify=_trust(destination),
            timeout=httpx.Timeout(limits.answer_seconds, connect=limits.connect_seconds, pool=limits.connect_seconds),
            limits=httpx.Limits(max_connections=limits.concurrency + 4, max_keepalive_connections=limits.concurrency),
            headers={"User-Agent": "hocba-hub", "Accept-Encoding": "identity"},
            follow_redirects=False,
            trust_env=False,
        )

    def call(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        may_send: MaySend = always,
    ) -> Answer:
        """Make one call and read its answer, whatever its status.

        `path` is relative to the destination's address and quoted by the caller. `may_send` is asked when the
        connection stands, before the head goes out and again before the body does.

        Raises:
            CallError: there was no readable answer within the destination's limits, or `may_send` said no.
        """

        def before_bytes(step: str, _: object) -> None:
            if step.endswith(_BYTES_GO_OUT) and not may_send():
                raise CallError(Stage.NOT_SENT, LEASE_OVER)

        try:
            request = self._client.build_request(
                method, self._address + path, content=body or None, headers=headers, extensions={"trace": before_bytes}
            )
            deadline = time.monotonic() + self._answer_seconds
            response = self._client.send(request, stream=True)
            try:
                return _read(response, deadline)
            finally:
                response.close()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _failure(error) from error

    def close(self) -> None:
        """Close the kept connections."""
        self._client.close()


def retried(call: Callable[[], Answer]) -> Answer:
    """The answer of an idempotent call, tried up to three times within two seconds when the trouble may pass.

    Raises:
        CallError: the last try brought no readable answer.
    """
    trying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(3) | tenacity.stop_after_delay(2),
        wait=tenacity.wait_random_exponential(multiplier=0.1, max=0.5),
        retry=tenacity.retry_if_exception(lambda e: isinstance(e, CallError) and e.code in _PASSING_TROUBLE)
        | tenacity.retry_if_result(lambda answer: answer.status in _GATEWAY_TROUBLE),
        retry_error_callback=_last_answer,
    )
    return trying(call)


def _last_answer(state: tenacity.RetryCallState) -> Answer:
    assert state.outcome is not None  # noqa: S101 - tenacity calls this after an attempt
    answer: Answer = state.outcome.result()
    return answer


def sha256(content: bytes) -> str:
    """SHA-256 in hexadecimal; empty for nothing."""
    return hashlib.sha256(content).hexdigest() if content else ""


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """The header `Retry-After` (seconds, or an HTTP date) as seconds from `now`; None if absent or unreadable.

    Source: RFC 9110 §10.2.3.
    """
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _read(response: httpx.Response, deadline: float) -> Answer:
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise CallError(Stage.NO_ANSWER, "unreadable-answer", "compressed without being asked")
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > LONGEST_ANSWER_BYTES:
            raise CallError(Stage.NO_ANSWER, "unreadable-answer", "too long")
        if time.monotonic() > deadline:
            raise CallError(Stage.NO_ANSWER, "timeout", "the answer did not end in time")
    return Answer(
        status=response.status_code,
        media_type=response.headers.get("content-type", "").partition(";")[0].strip().lower(),
        retry_after=retry_after_seconds(response.headers.get("retry-after"), datetime.now(UTC)),
        body=bytes(body),
    )


def _trust(destination: Destination) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if destination.ca_file is not None:
        try:
            context.load_verify_locations(cafile=destination.ca_file)
        except OSError as error:
            raise DestinationError(f"{destination.name}: ca_file is not readable as certificates (PEM).") from error
    if destination.certificate_file is not None:
        if not destination.address.startswith("https:"):
            raise DestinationError(f"{destination.name}: certificate_file needs an address of https.")
        try:
            # Whoever starts the hub is not asked for a password: an encrypted key is refused.
            context.load_cert_chain(destination.certificate_file, destination.key_file, password=lambda: b"")
        except OSError as error:
            raise DestinationError(
                f"{destination.name}: certificate_file and key_file are no certificate (PEM) with its key, unencrypted."
            ) from error
    elif destination.key_file is not None:
        raise DestinationError(f"{destination.name}: key_file is of no use without certificate_file.")
    return context


def _failure(error: Exception) -> CallError:
    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return CallError(Stage.NOT_SENT, "timeout", "no connection in time")
        case httpx.ConnectError():
            return CallError(Stage.NOT_SENT, _connect_code(error))
        case httpx.UnsupportedProtocol() | httpx.LocalProtocolError() | httpx.InvalidURL():
            return CallError(Stage.NOT_SENT, "missing-precondition", "the address or a header is not usable")
        case httpx.TimeoutException():
            return CallError(Stage.NO_ANSWER, "timeout")
        case _:
            return CallError(Stage.NO_ANSWER, "connection-lost")


def _connect_code(error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None:
        match cause:
            case socket.gaierror():
                return "name-unknown"
            case ssl.SSLError():
                return "tls-failed"
            case ConnectionRefusedError():
                return "connection-refused"
            case _:
                cause = cause.__cause__ or cause.__context__
    return "connection-failed"
