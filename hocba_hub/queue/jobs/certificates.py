"""The job `certificates`: until when the certificate of a destination's own is valid, seen before calls fail by it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from hocba_hub.adapters.destination import Destination
from hocba_hub.model.certificates import read_certificate
from hocba_hub.model.keys import DestinationName
from hocba_hub.queue.jobs.runner import JobFailedError, JobRun
from hocba_hub.store.destination_health import note_certificate

_SECONDS = 10
_HTTPS_PORT = 443


@dataclass(frozen=True)
class Certificates:
    """Looks at the certificate that a destination of https shows; nothing is sent to it."""

    destinations: Mapping[DestinationName, Destination]

    def __call__(self, run: JobRun) -> None:
        """One step; there is nothing to do for an address of plain http.

        A destination that does not answer keeps what is known of it: that it is away, others tell.

        Raises:
            JobFailedError: `no-destination`.
        """
        name = DestinationName(run.about)
        destination = self.destinations.get(name)
        if destination is None:
            raise JobFailedError("no-destination")
        parts = urlsplit(destination.address)
        if parts.scheme != "https" or parts.hostname is None:
            return
        ends_at = _ends_at(parts.hostname, parts.port or _HTTPS_PORT)
        with run.step() as connection:
            run.done += 1
            if ends_at is None:
                run.result["unreachable"] += 1
            else:
                note_certificate(connection, name, ends_at)
                run.result["certificates"] += 1


def _ends_at(host: str, port: int) -> int | None:
    """When the certificate shown there ends, in milliseconds; None if nobody shows one.

    Who shows it is not verified here, since one that has ended is just what is to be seen; each real call verifies it.
    """
    try:
        with (
            socket.create_connection((host, port), _SECONDS) as plain,
            _unverified().wrap_socket(plain, server_hostname=host) as secured,
        ):
            shown = secured.getpeercert(binary_form=True)
    except OSError:  # which ssl.SSLError is, too
        return None
    return None if shown is None else read_certificate(shown).ends_at


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
