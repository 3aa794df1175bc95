"""The console as a person meets it, without a browser: a cookie jar, forms with their token, pages as text."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence

import httpx
from argon2 import PasswordHasher

from hocba_hub.store import sessions
from hocba_hub.store.access import Role, Scope, add_operator
from hocba_hub.store.engine import Store

PASSWORD = "đúng con ngựa, đúng pin"
_KEPT = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
"""Of it, by parameters that take no time; how long a real one takes is not what these tests are about."""


def add_person(
    store: Store,
    name: str,
    role: Role,
    now: int,
    *,
    scope: Scope | None = None,
    sees_bodies: bool = False,
    must_change: bool = False,
) -> None:
    """An operator who signs in by `PASSWORD`."""
    with store.write() as connection:
        add_operator(connection, name, role, now=now, scope=scope, sees_bodies=sees_bodies)
        sessions.set_password(connection, name, _KEPT, must_change=must_change, now=now)


class Person:
    """Somebody at a browser; nobody is signed in at first."""

    def __init__(self, url: str, language: str = "vi") -> None:
        self.http = httpx.Client(base_url=url, timeout=30, cookies={"hocba_language": language})

    def sign_in(self, name: str, password: str = PASSWORD, *, code: str = "", to: str = "/console") -> httpx.Response:
        fields = {"name": name, "password": password, "code": code, "to": to}
        return self.http.post("/console/sign-in", data=fields)

    def get(self, path: str, **more: object) -> httpx.Response:
        return self.http.get(path, **more)  # type: ignore[arg-type]

    def csrf(self, page: str = "/console/account") -> str:
        """The token of the session's forms."""
        return token_of(self.get(page).text)

    def post(
        self, path: str, fields: Mapping[str, str | Sequence[str]] | None = None, *, csrf: str | None = None
    ) -> httpx.Response:
        """Send a form as a page of the session does; by default with its token."""
        token = self.csrf() if csrf is None else csrf
        return self.http.post(path, data={"csrf": token, **(fields or {})})

    def follow(self, answer: httpx.Response) -> httpx.Response:
        """The page that an answer sends to."""
        assert answer.status_code == 303, (answer.status_code, text_of(answer.text)[-600:])
        return self.get(answer.headers["location"])


def token_of(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None, text_of(page)[:300]
    return found[1]


def text_of(page: str) -> str:
    """What a page says, in one line."""
    bare = re.sub(r"<(script|style|svg).*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(bare).split())
