"""Certificates of clients (X.509): read from a file, or made for a client that has none."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hocba_hub.model.errors import HubError


class CertificateError(HubError):
    """What was given is no certificate."""


class Certificate(NamedTuple):
    """What the hub keeps of a certificate."""

    identity: str
    """`sha256:<hex of the certificate>`."""
    ends_at: int
    """Its notAfter, in milliseconds."""


class MadeCertificate(NamedTuple):
    """A certificate with its private key, which nobody else has."""

    certificate: bytes
    """PEM."""
    private_key: bytes
    """PEM (PKCS #8), not encrypted."""


def read_certificate(content: bytes) -> Certificate:
    """A certificate in PEM or DER; of a chain the first.

    Raises:
        CertificateError: it is none.
    """
    try:
        pem = content.lstrip().startswith(b"-----")
        read = x509.load_pem_x509_certificate(content) if pem else x509.load_der_x509_certificate(content)
    except ValueError as error:
        raise CertificateError("This is no X.509 certificate in PEM or DER.") from error
    return Certificate(
        f"sha256:{hashlib.sha256(read.public_bytes(Encoding.DER)).hexdigest()}",
        round(read.not_valid_after_utc.timestamp() * 1000),
    )


def make_certificate(name: str, *, now: int, days: int) -> MadeCertificate:
    """A new certificate for a client: signed by itself, P-256, for TLS clients only; `now` in milliseconds.

    Who knows it by its SHA-256 needs no authority: the TLS proxy asks for a certificate and passes on any.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    begins = datetime.fromtimestamp(now / 1000, UTC).replace(microsecond=0)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins - timedelta(minutes=5))  # clocks differ
        .not_valid_after(begins + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return MadeCertificate(
        made.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
