"""Signing in at an identity provider: OpenID Connect Core 1.0, the authorization code flow with PKCE (RFC 7636).

What the provider is asked for, and what it says, is checked here; whose name it says is looked up by who asks.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx
import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from hocba_hub.model.errors import HubError

_FRESH_SECONDS = 3600.0
_SECONDS = 10.0
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
_SCOPE = "openid profile"


class IdentityProviderError(HubError):
    """The provider does not answer, or what it says cannot be believed."""


class Begun(NamedTuple):
    """A flow that has begun: where the browser goes, and what is compared when it comes back."""

    url: str
    state: str
    nonce: str
    verifier: str


class IdentityProvider:
    """One provider; what it says of itself is asked for once an hour."""

    def __init__(self, issuer: str, client_id: str, client_secret: str) -> None:
        """As the provider knows this hub."""
        self._issuer, self._client_id, self._client_secret = issuer, client_id, client_secret
        self._known: tuple[float, Mapping[str, Any], KeySet] | None = None

    def begin(self, back_to: str) -> Begun:
        """Where a browser is sent; `back_to` is our address to which it comes back.

        Raises:
            IdentityProviderError: the provider does not answer.
        """
        about, _ = self._metadata()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        with self._client(back_to) as client:
            url, _ = client.create_authorization_url(
                about["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
            )
        return Begun(str(url), state, nonce, verifier)

    def finish(self, back_to: str, query: str, begun: Begun) -> Mapping[str, Any]:
        """The claims of the ID token that the provider gives for what the browser brought back.

        Raises:
            IdentityProviderError: the flow was not begun here, was refused, or its token cannot be believed.
        """
        about, keys = self._metadata()
        try:
            with self._client(back_to) as client:
                token = client.fetch_token(
                    about["token_endpoint"], authorization_response=f"{back_to}?{query}", state=begun.state,
                    code_verifier=begun.verifier, timeout=_SECONDS,
                )  # fmt: skip
            return self._claims(token["id_token"], keys, begun.nonce)
        except (AuthlibBaseError, JoseError, requests.RequestException, KeyError, ValueError, TypeError) as error:
            raise IdentityProviderError(
                f"The identity provider's answer is not taken: {type(error).__name__}."
            ) from error

    def _claims(self, token: str, keys: KeySet, nonce: str) -> Mapping[str, Any]:
        """OpenID Connect Core 1.0 section 3.1.3.7."""
        claims = jwt.decode(token, keys, algorithms=_ALGORITHMS).claims
        jwt.JWTClaimsRegistry(
            leeway=60, iss={"essential": True, "value": self._issuer}, exp={"essential": True},
            aud={"essential": True, "value": self._client_id}, nonce={"essential": True, "value": nonce},
        ).validate(claims)  # fmt: skip
        return claims

    def _client(self, back_to: str) -> OAuth2Session:
        return OAuth2Session(
            self._client_id, self._client_secret, scope=_SCOPE, redirect_uri=back_to, code_challenge_method="S256",
        )  # fmt: skip

    def _metadata(self) -> tuple[Mapping[str, Any], KeySet]:
        if self._known is not None and time.monotonic() - self._known[0] < _FRESH_SECONDS:
            return self._known[1], self._known[2]
        try:
            with httpx.Client(timeout=_SECONDS) as client:
                about = (
                    client.get(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration").raise_for_status().json()
                )
                keys = KeySet.import_key_set(client.get(about["jwks_uri"]).raise_for_status().json())
        except (httpx.HTTPError, JoseError, KeyError, ValueError, TypeError) as error:
            raise IdentityProviderError("The identity provider does not answer.") from error
        if about.get("issuer") != self._issuer:
            raise IdentityProviderError("The identity provider calls itself otherwise.")
        self._known = (time.monotonic(), about, keys)
        return about, keys
