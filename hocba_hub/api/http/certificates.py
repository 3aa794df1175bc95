"""Client certificates as TLS proxies tell of them, and from which proxies that is believed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from urllib.parse import unquote

from fastapi import Request

from hocba_hub.settings import Settings

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*")
_FIELD = re.compile(r":([A-Za-z0-9+/]+={0,2}):")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}")
_FORWARDED = re.compile(r"(?:^|;)(Hash|Subject)=(?:\"([^\"]*)\"|([^;,]*))")


def identities(settings: Settings, request: Request) -> list[str]:
    """How the store may know the certificate that the proxy names; empty if it names none, or is not believed.

    A call that does not come from a trusted proxy names none, whatever its headers say.
    """
    header = settings.client_certificate_header
    is_believed = header and request.client is not None and settings.is_trusted_proxy(request.client.host)
    told = request.headers.getlist(header) if header and is_believed else []
    return identities_of(told[0].strip()) if len(told) == 1 else []


def identities_of(told: str) -> list[str]:
    """The identities in a header's value, as `sha256:<hex>` and `subject:<name>`.

    It may be a `Client-Cert` (RFC 9440), a PEM in percent-encoding (nginx), a SHA-256 in hex (HAProxy), an
    `X-Forwarded-Client-Cert` of one hop (Envoy), or the subject itself.
    """
    if field := _FIELD.fullmatch(told):
        return _of_der(field[1])
    if pem := _PEM.fullmatch(unquote(told)):
        return _of_der(re.sub(r"\s", "", pem[1]))
    if _HEX.fullmatch(told):
        return [f"sha256:{told.replace(':', '').lower()}"]
    parts = {match[1]: match[2] or match[3] for match in _FORWARDED.finditer(told)}
    if "Hash" in parts:
        subject = parts.get("Subject")
        found = [f"sha256:{parts['Hash'].lower()}", f"subject:{subject}" if subject else ""]
        return [identity for identity in found if identity] if "," not in re.sub(r"\"[^\"]*\"", "", told) else []
    return [f"subject:{told}"] if "=" in told else []


def _of_der(encoded: str) -> list[str]:
    try:
        return [f"sha256:{hashlib.sha256(base64.b64decode(encoded, validate=True)).hexdigest()}"]
    except binascii.Error:
        return []
