"""How we prove who we are to a destination: credentials by scheme name, secrets by environment name.

A secret that is not there is a missing precondition of ours, found when a call needs it: nothing is sent, the
deliveries are held, and neither a message nor a log ever holds the secret.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Protocol

import orjson

from hocba_hub.adapters.destination import Authentication, Destination, DestinationError
from hocba_hub.adapters.http import Answer, CallError, HttpConnection, retried
from hocba_hub.adapters.protocol import MaySend, Stage, always

_TOKEN_MARGIN_SECONDS = 30
_SHORTEST_TOKEN_SECONDS = 1


class Credentials(Protocol):
    """What goes into the headers of each call."""

    def headers(self) -> Mapping[str, str]:
        """Headers that authenticate a call.

        Raises:
            CallError: they could not be had; nothing was sent.
        """
        ...

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Told that a call with the headers `refused` was answered 401: whether one more try makes sense."""
        ...


def missing_secrets(destination: Destination, environment: Mapping[str, str]) -> list[str]:
    """The environment variables that a destination's file names for its secrets, and that are not set."""
    known = destination.authentication
    return [name for name in (known.username_env, known.password_env) if name and not environment.get(name)]


class Secrets:
    """Values of environment variables that a destination file names."""

    def __init__(self, destination: Destination, environment: Mapping[str, str]) -> None:
        self._destination = destination
        self._environment = environment

    def check(self, *fields: str) -> None:
        """Do nothing if the destination's authentication has these fields.

        Raises:
            DestinationError: one is missing.
        """
        for field in fields:
            if getattr(self._destination.authentication, field) is None:
                scheme = self._destination.authentication.scheme
                raise DestinationError(f"{self._destination.name}: authentication {scheme} needs {field}.")

    def value(self, name: str | None) -> str:
        """The secret in the environment variable `name`.

        Raises:
            CallError: the variable is not set or empty.
        """
        value = self._environment.get(name or "", "")
        if not value:
            raise CallError(Stage.NOT_SENT, "missing-precondition", f"chưa đặt · not set: {name}")
        return value


class _Fixed:
    """Headers that never change: none, a static token, Basic."""

    def __init__(self, authentication: Authentication, secrets: Secrets) -> None:
        self._authentication = authentication
        self._secrets = secrets

    def headers(self) -> Mapping[str, str]:
        known = self._authentication
        match known.scheme:
            case "basic":
                return {"Authorization": _basic(known, self._secrets)}
            case "static-header":
                return {known.header or "": self._secrets.value(known.password_env)}
            case _:
                return {}

    def renew(self, refused: Mapping[str, str]) -> bool:  # noqa: ARG002 - the protocol's signature
        return False


class _ClientCredentials:
    """OAuth2 client credentials: one token for all threads, fetched anew when it ends or is refused.

    Source: RFC 6749 §4.4; the client authenticates by HTTP Basic (§2.3.1).
    """

    def __init__(self, authentication: Authentication, secrets: Secrets, line: HttpConnection) -> None:
        self._authentication = authentication
        self._secrets = secrets
        self._connection = line
        self._lock = threading.Lock()
        self._token = ""
        self._ends = 0.0

    def headers(self) -> Mapping[str, str]:
        with self._lock:
            if time.monotonic() >= self._ends:
                self._fetch()
            return {"Authorization": f"Bearer {self._token}"}

    def renew(self, refused: Mapping[str, str]) -> bool:
        with self._lock:
            if refused.get("Authorization") == f"Bearer {self._token}":
                self._ends = 0.0
        return True

    def _fetch(self) -> None:
        known = self._authentication
        form = b"grant_type=client_credentials"
        if known.scope:
            form += b"&scope=" + known.scope.replace(" ", "+").encode()
        headers = {
            "Authorization": _basic(known, self._secrets),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        asked = time.monotonic()
        try:
            answer = retried(lambda: self._connection.call("POST", known.token_path, body=form, headers=headers))
        except CallError as failed:
            raise CallError(Stage.NOT_SENT, failed.code, "no token", failed.retry_after) from failed
        self._token, seconds = _token(answer)
        self._ends = asked + max(_SHORTEST_TOKEN_SECONDS, seconds - min(_TOKEN_MARGIN_SECONDS, seconds / 5))


def credentials_for(destination: Destination, secrets: Secrets, line: HttpConnection) -> Credentials:
    """The credentials of the destination's scheme; for `wsse-username-token`, which is in the message, none.

    Raises:
        DestinationError: the authentication lacks a field that its scheme needs.
    """
    authentication = destination.authentication
    match authentication.scheme:
        case "oauth2-client-credentials":
            secrets.check("username_env", "password_env")
            return _ClientCredentials(authentication, secrets, line)
        case "static-header":
            secrets.check("header", "password_env")
        case "basic":
            secrets.check("username_env", "password_env")
        case _:
            pass
    return _Fixed(authentication, secrets)


def authenticated(
    line: HttpConnection,
    credentials: Credentials,
    method: str,
    path: str,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    may_send: MaySend = always,
) -> Answer:
    """The answer to a call with credentials; after a 401 that fresh ones may mend, the call is made once more.

    Raises:
        CallError: the credentials could not be had, or the call brought no readable answer.
    """
    proof = credentials.headers()
    answer = line.call(method, path, body=body, headers={**(headers or {}), **proof}, may_send=may_send)
    if answer.status == HTTPStatus.UNAUTHORIZED and credentials.renew(proof):
        fresh = {**(headers or {}), **credentials.headers()}
        answer = line.call(method, path, body=body, headers=fresh, may_send=may_send)
    return answer


def _basic(authentication: Authentication, secrets: Secrets) -> str:
    pair = f"{secrets.value(authentication.username_env)}:{secrets.value(authentication.password_env)}"
    return "Basic " + base64.b64encode(pair.encode()).decode("ascii")


def _token(answer: Answer) -> tuple[str, float]:
    if answer.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise CallError(Stage.NOT_SENT, "token-refused", f"HTTP {answer.status}")
    if answer.status != HTTPStatus.OK:
        raise CallError(Stage.NOT_SENT, f"http-{answer.status}", "no token", answer.retry_after)
    try:
        document = orjson.loads(answer.body)
        token, seconds = document["access_token"], float(document.get("expires_in", 300))
    except (ValueError, TypeError, KeyError, AttributeError):
        token, seconds = None, 0.0
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        raise CallError(Stage.NOT_SENT, "unreadable-answer", "no token")
    return token, seconds
