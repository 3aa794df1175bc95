"""`hocba-hub reports`: the weekly and the yearly report."""

from __future__ import annotations

from pathlib import Path

import click

from hocba_hub.cli.session import (
    SchoolYear,
    actor,
    now,
    opened_store,
    print_table,
    report_errors,
    settings_in_force,
    shown,
)
from hocba_hub.cli.texts import text


@click.group(help=text("reports"))
def reports() -> None:
    """Reports."""


@reports.command("list", help=text("reports.list"))
@report_errors
def list_() -> None:
    """The newest reports."""
    from hocba_hub.store import reports as stored

    with opened_store() as store, store.read() as connection:
        found = stored.listed(connection)
    print_table(
        ("id", "kind", "year", "since", "until", "by"),
        [
            (str(one.id), text(f"reports.{one.kind}"), one.school_year, shown(one.since), shown(one.until), one.made_by)
            for one in found
        ],
    )


@reports.command(help=text("reports.make"))
@click.argument("kind", type=click.Choice(["weekly", "yearly"]))
@click.option("--year", "school_year", type=SchoolYear(), help=text("option.year"))
@report_errors
def make(kind: str, school_year: str | None) -> None:
    """Take the figures now."""
    from hocba_hub.bootstrap import destinations
    from hocba_hub.monitoring.reports.making import make_report
    from hocba_hub.store.reports import ReportKind

    known = destinations(settings_in_force())
    with opened_store() as store:
        made = make_report(store, known, ReportKind(kind), now(), made_by=actor(), school_year=school_year)
    click.echo(text("reports.made", id=made))


@reports.command(help=text("reports.write"))
@click.argument("report_id", type=int, metavar="ID")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@report_errors
def write(report_id: int, file: Path) -> None:
    """Write a report's document."""
    from hocba_hub.monitoring.reports.making import MEDIA_TYPES, document
    from hocba_hub.store import reports as stored

    form = file.suffix.lower().removeprefix(".")
    if form not in MEDIA_TYPES:
        raise click.BadParameter(text("reports.form"))
    with opened_store() as store, store.read() as connection:
        found = stored.find(connection, report_id)
    if found is None:
        raise click.ClickException(text("reports.none", id=report_id))
    file.write_bytes(document(found, form))
    click.echo(text("reconcile.written", file=file))
