"""`hocba-hub clients`: vendor systems, the schools they may speak for, and their keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from hocba_hub.cli import owners
from hocba_hub.cli.credentials import credentials
from hocba_hub.cli.destinations import known_destination
from hocba_hub.cli.session import now, opened_store, print_table, report_errors, shown
from hocba_hub.cli.texts import text
from hocba_hub.cli.versions import known_profile

if TYPE_CHECKING:
    from sqlalchemy import Connection

_SCHOOL = ("--school", "schools")
_SCHOOLS = click.option(*_SCHOOL, multiple=True, required=True, metavar="CODE", help=text("option.school.scope"))


@click.group(help=text("clients"))
def clients() -> None:
    """Vendor systems."""


clients.add_command(credentials)


@clients.command(help=text("clients.add"))
@click.argument("name")
@click.option(*_SCHOOL, multiple=True, metavar="CODE", help=text("option.school.scope"))
@click.option("--profile", metavar="MAPPING", help=text("option.client.profile"))
@click.option("--destination", metavar="NAME", help=text("option.client.destination"))
@report_errors
def add(name: str, schools: tuple[str, ...], profile: str | None, destination: str | None) -> None:
    """Add a client with its first key."""
    from hocba_hub.store.access import add_client, set_profile

    if destination is not None:
        if schools or profile is not None:
            raise click.UsageError(text("clients.either"))
        destination = known_destination(destination)
    with opened_store() as store, store.write() as connection:
        _warn_of_new(connection, schools)
        made = add_client(connection, name, schools, now=now(), destination=destination)
        detail = {"schools": sorted(set(schools)), "key": made.id}
        if destination is not None:
            detail["destination"] = destination
        if profile is not None:
            set_profile(connection, name, known_profile(store, name, profile))
            detail["profile"] = profile
        owners.note(connection, "client.add", name, detail)
    owners.print_key(name, made)


@clients.command("list", help=text("clients.list"))
@report_errors
def list_() -> None:
    """Show all clients."""
    from hocba_hub.store.access import Owner

    owners.print_owners(Owner.CLIENT)


@clients.command(help=text("clients.revoke"))
@click.argument("name")
@click.option("--key", "key_id", metavar="ID", help=text("option.key"))
@report_errors
def revoke(name: str, key_id: str | None) -> None:
    """End a client, or one of its keys."""
    from hocba_hub.store.access import Owner

    owners.revoke(Owner.CLIENT, name, key_id)


@clients.command(help=text("clients.rotate"))
@click.argument("name")
@report_errors
def rotate(name: str) -> None:
    """Give a client one more key."""
    from hocba_hub.store.access import Owner

    owners.rotate(Owner.CLIENT, name)


@clients.command(help=text("clients.profile"))
@click.argument("name")
@click.argument("mapping")
@report_errors
def profile(name: str, mapping: str) -> None:
    """Set which mapping reads what a client sends."""
    from hocba_hub.store.access import set_profile

    with opened_store() as store, store.write() as connection:
        set_profile(connection, name, known_profile(store, name, mapping))
        owners.note(connection, "client.profile", name, {"profile": mapping})
    click.echo(text("profile.set", name=name, profile=mapping))


@clients.command(help=text("clients.schools"))
@click.argument("name")
@_SCHOOLS
@report_errors
def schools(name: str, schools: tuple[str, ...]) -> None:
    """Replace a client's schools."""
    from hocba_hub.store.access import set_schools

    with opened_store() as store, store.write() as connection:
        _warn_of_new(connection, schools)
        set_schools(connection, name, schools)
        owners.note(connection, "client.schools", name, {"schools": sorted(set(schools))})
    click.echo(text("schools.set", name=name, schools=", ".join(sorted(set(schools)))))


def _warn_of_new(connection: Connection, schools: Sequence[str]) -> None:
    """Tell of schools that nothing is known of here: a slip in a code would show only when cards are refused."""
    from hocba_hub.store.access import schools_without_trace

    new = schools_without_trace(connection, schools)
    if new:
        click.echo(text("schools.new", schools=", ".join(new)), err=True)


@clients.command(help=text("clients.silent"))
@report_errors
def silent() -> None:
    """Who sent last week, and not this week."""
    from hocba_hub.store.senders import silent_senders

    with opened_store() as store, store.read() as connection:
        found = silent_senders(connection, now())
    if not found:
        click.echo(text("clients.silent.none"))
        return
    print_table(("kind", "name", "last"), [(text(f"kind.{one.kind}"), one.name, shown(one.last_at)) for one in found])
