"""The way of a browser to the identity provider and back; what is compared then waits in a cookie of its own."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import Request, Response

from hocba_hub.api.console.route import go_to
from hocba_hub.api.context import Hub
from hocba_hub.api.http.identity_provider import Begun, IdentityProvider, IdentityProviderError
from hocba_hub.api.problems.problem import ProblemError

_COOKIE = "hocba_oidc"
_SECONDS = 600


def start_oidc(hub: Hub, back: str, to: str) -> Response:
    """Send a browser to the provider; it comes back to the path `back`, and then goes to `to`.

    Raises:
        ProblemError: `path-unknown`, there is none; `console.identity-provider`, it does not answer.
    """
    try:
        begun = _provider(hub).begin(f"{hub.settings.public_address}{back}")
    except IdentityProviderError as error:
        raise ProblemError("console.identity-provider") from error
    kept = base64.urlsafe_b64encode(orjson.dumps([begun.state, begun.nonce, begun.verifier, to])).decode()
    response = go_to(begun.url)
    response.set_cookie(
        _COOKIE, kept, path=back, max_age=_SECONDS, httponly=True, samesite="lax",
        secure=hub.settings.public_address.startswith("https:"),
    )  # fmt: skip
    return response


def finish_oidc(request: Request, hub: Hub, back: str) -> tuple[Mapping[str, Any], str]:
    """The claims of who came back, and where they wanted to go.

    Raises:
        ProblemError: `console.identity-provider`, this browser did not begin it, or the answer is not taken.
    """
    provider = _provider(hub)
    try:
        kept = orjson.loads(base64.urlsafe_b64decode(request.cookies.get(_COOKIE, "")))
        state, nonce, verifier, to = map(str, kept)
        begun = Begun("", state, nonce, verifier)
        return provider.finish(f"{hub.settings.public_address}{back}", request.url.query, begun), to
    except (IdentityProviderError, ValueError, TypeError) as error:
        raise ProblemError("console.identity-provider") from error


def _provider(hub: Hub) -> IdentityProvider:
    if hub.identity_provider is None:
        raise ProblemError("path-unknown")
    return hub.identity_provider
