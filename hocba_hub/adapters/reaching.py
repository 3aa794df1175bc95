"""What a destination shows to whoever only looks: its certificate and its clock. Nothing is sent to it."""

from __future__ import annotations

import socket
import ssl
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from hocba_hub.model.certificates import CertificateError, read_certificate

_SECONDS = 5
_PORTS = {"http": 80, "https": 443}


def certificate_ends(address: str) -> int | None:
    """When the certificate shown at an address of https ends, in milliseconds; None if none is shown or can be read.

    Who shows it is not verified here, since one that has ended is just what is to be seen; each real call verifies it.
    """
    parts = urlsplit(address)
    if parts.scheme != "https" or parts.hostname is None:
        return None
    try:
        with (
            socket.create_connection((parts.hostname, parts.port or _PORTS["https"]), _SECONDS) as plain,
            _unverified().wrap_socket(plain, server_hostname=parts.hostname) as secured,
        ):
            shown = secured.getpeercert(binary_form=True)
    except OSError:  # which ssl.SSLError is, too
        return None
    try:
        return None if shown is None else read_certificate(shown).ends_at
    except CertificateError:
        return None


def clock(address: str) -> int | None:
    """What time it is there (milliseconds, to the second), by the `Date` of any answer; None if nobody answers."""
    parts = urlsplit(address)
    if parts.hostname is None or parts.scheme not in _PORTS:
        return None
    port = parts.port or _PORTS[parts.scheme]
    asking: HTTPConnection
    if parts.scheme == "https":
        asking = HTTPSConnection(parts.hostname, port, timeout=_SECONDS, context=_unverified())
    else:
        asking = HTTPConnection(parts.hostname, port, timeout=_SECONDS)
    try:
        asking.request("HEAD", parts.path or "/")
        said = asking.getresponse().getheader("Date")
        return None if said is None else round(parsedate_to_datetime(said).timestamp() * 1000)
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        asking.close()


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
