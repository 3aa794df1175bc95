"""`hocba-hub clients credentials`: how a client is known beside its first key: certificates, passwords for digests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hocba_hub.cli import owners
from hocba_hub.cli.session import now, opened_store, print_table, report_errors, settings_in_force, shown
from hocba_hub.cli.texts import text

if TYPE_CHECKING:
    from hocba_hub.store.credentials import Credential, DigestSecret, Replacing

_REPLACES = click.option("--replaces", metavar="ID", help=text("option.replaces"))
_OVERLAP = click.option(
    "--overlap-days", type=click.IntRange(0, 366), default=14, show_default=True, help=text("option.overlap")
)


@click.group(help=text("credentials"))
def credentials() -> None:
    """Credentials of clients."""


@credentials.command("list", help=text("credentials.list"))
@click.argument("name")
@report_errors
def list_(name: str) -> None:
    """Show all credentials of a client."""
    from hocba_hub.store import credentials as stored

    with opened_store() as store, store.read() as connection:
        secrets = _digest_secrets()
        found = stored.credentials(connection, name, secrets[0] if secrets else None)
    print_table(
        ("id", "kind", "created", "ends", "revoked", "identity"),
        [
            (
                one.id,
                text(f"kind.{one.kind}"),
                shown(one.created_at),
                shown(one.ends_at),
                shown(one.revoked_at),
                _about(one),
            )
            for one in found
        ],
    )


@credentials.command("certificate", help=text("credentials.certificate"))
@click.argument("name")
@click.option(
    "--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help=text("option.certificate.file")
)
@click.option("--identity", metavar="sha256:HEX|subject:NAME", help=text("option.certificate.identity"))
@click.option("--make", type=click.Path(file_okay=False, path_type=Path), help=text("option.certificate.make"))
@click.option(
    "--days", type=click.IntRange(1, 1098), default=365, show_default=True, help=text("option.certificate.days")
)
@_REPLACES
@_OVERLAP
@report_errors
def certificate(  # noqa: PLR0917 - click gives an option in an argument each
    name: str,
    file: Path | None,
    identity: str | None,
    make: Path | None,
    days: int,
    replaces: str | None,
    overlap_days: int,
) -> None:
    """Let a certificate stand for a client."""
    from hocba_hub.model.certificates import make_certificate, read_certificate
    from hocba_hub.store.credentials import add_certificate

    if sum(given is not None for given in (file, identity, make)) != 1:
        raise click.UsageError(text("certificate.one-of"))
    ends_at, pem, made = None, file.read_bytes() if file is not None else b"", None
    if make is not None:
        made = make_certificate(name, now=now(), days=days)
        pem = made.certificate
    if pem:
        identity, ends_at = read_certificate(pem)
    with opened_store() as store, store.write() as connection:
        certificate_id = add_certificate(
            connection, name, identity or "", now=now(), most=settings_in_force().keys_per_client, ends_at=ends_at,
            replacing=_replacing(replaces, overlap_days),
        )  # fmt: skip
        owners.note(connection, "client.certificate", name, {"certificate": certificate_id, "identity": identity})
        if made is not None and make is not None:  # before the commit: a certificate without its key is of no use
            _write(make, certificate_id, made.certificate, made.private_key)
    click.echo(text("certificate.added", name=name, id=certificate_id, identity=identity, ends=shown(ends_at)))
    if make is not None:
        click.echo(text("certificate.written", folder=make, id=certificate_id))


@credentials.command("digest-password", help=text("credentials.digest-password"))
@click.argument("name")
@_REPLACES
@_OVERLAP
@report_errors
def digest_password(name: str, replaces: str | None, overlap_days: int) -> None:
    """Make a password for digests and show it, once."""
    from hocba_hub.store.credentials import make_digest_password

    secrets = _digest_secrets()
    if not secrets:
        raise click.ClickException(text("credentials.digest-off"))
    with opened_store() as store, store.write() as connection:
        made = make_digest_password(
            connection, name, secrets[0], now=now(), most=settings_in_force().keys_per_client,
            replacing=_replacing(replaces, overlap_days),
        )  # fmt: skip
        owners.note(connection, "client.digest-password", name, {"digest_password": made.id})
    click.echo(text("digest.once", name=name, id=made.id), err=True)
    click.echo(made.password)


@credentials.command("revoke", help=text("credentials.revoke"))
@click.argument("name")
@click.argument("credential_id", metavar="ID")
@report_errors
def revoke(name: str, credential_id: str) -> None:
    """End one credential of a client, for ever."""
    from hocba_hub.store.credentials import revoke_credential

    with opened_store() as store, store.write() as connection:
        kind = revoke_credential(connection, name, credential_id, now=now())
        owners.note(connection, "client.revoke", name, {kind: credential_id})
    click.echo(text("revoked.credential", name=name, id=credential_id))


def _replacing(replaces: str | None, overlap_days: int) -> Replacing | None:
    from hocba_hub.store.credentials import Replacing

    return None if replaces is None else Replacing(replaces, overlap_days)


def _digest_secrets() -> list[DigestSecret]:
    from hocba_hub.bootstrap import digest_secrets

    return digest_secrets(settings_in_force())


def _about(one: Credential) -> str:
    return text("credentials.former-secret") if one.of_former_secret else one.identity


def _write(folder: Path, name: str, certificate: bytes, private_key: bytes) -> None:
    """The private key only its owner may read."""
    folder.mkdir(parents=True, exist_ok=True)
    for ending, content, mode in (("crt.pem", certificate, 0o644), ("key.pem", private_key, 0o600)):
        with os.fdopen(os.open(folder / f"{name}.{ending}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
