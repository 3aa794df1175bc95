"""`hocba-hub database`: the store's schema."""

from __future__ import annotations

import click

from hocba_hub.cli.session import report_errors, settings_in_force
from hocba_hub.cli.texts import text


@click.group(help=text("database"))
def database() -> None:
    """The store's schema."""


@database.command(help=text("database.upgrade"))
@click.option("--grant-to", metavar="ROLE", help=text("option.grant-to"))
@report_errors
def upgrade(grant_to: str | None) -> None:
    """Bring the schema to the newest revision; makes the folder of an embedded store."""
    from hocba_hub.cli.up import private_home
    from hocba_hub.store import schema
    from hocba_hub.store.engine import Store
    from hocba_hub.store.grants import grant

    settings = settings_in_force()
    if settings.database_url is None:
        private_home(settings.home)
    store = Store(settings.store_url)
    try:
        schema.upgrade(store)
        if grant_to is not None:
            grant(store, grant_to)
    finally:
        store.close()
    click.echo(text("upgraded", revision=schema.newest_revision()))


@database.command(help=text("database.grants"))
@click.argument("role")
@report_errors
def grants(role: str) -> None:
    """Print what the database user of the processes needs on PostgreSQL."""
    from hocba_hub.store.grants import grants as of_role

    for statement in of_role(role):
        click.echo(statement)


@database.command(help=text("database.revision"))
@report_errors
def revision() -> None:
    """Show the revision there is and the one needed; exit code 1 if they differ."""
    from hocba_hub.store import schema
    from hocba_hub.store.engine import Store

    store = Store(settings_in_force().store_url)
    try:
        with store.read() as connection:
            found = schema.revision(connection)
    finally:
        store.close()
    needed = schema.newest_revision()
    click.echo(text("revision", found=found or text("revision.none"), needed=needed))
    if found != needed:
        raise click.exceptions.Exit(1)
