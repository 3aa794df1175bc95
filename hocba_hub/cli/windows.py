"""`hocba-hub windows`: when schools may send, and when each destination takes cards, or is being maintained."""

from __future__ import annotations

import click

from hocba_hub.cli.session import now, print_table, report_errors, settings_in_force, shown
from hocba_hub.cli.texts import text


@click.command(help=text("windows"))
@report_errors
def windows() -> None:
    """Show every window, and which destinations are being maintained."""
    from hocba_hub.bootstrap import destinations, intake_windows

    settings = settings_in_force()
    of_intake, known = intake_windows(settings), destinations(settings)
    rows = [(text("windows.intake"), one, text(f"windows.{of_intake.late}")) for one in of_intake.windows]
    for name, destination in sorted(known.items()):
        rows += [(name, one, text(f"windows.{destination.outside_windows}")) for one in destination.windows]
    every = text("locks.every")
    print_table(
        ("destination", "level", "year", "opens", "closes", "outside"),
        [
            (
                where, ", ".join(text(f"level.{level}") for level in one.levels) or every,
                ", ".join(one.school_years) or every, one.opens or "", one.closes, outside,
            )
            for where, one, outside in rows
        ],
    )  # fmt: skip
    for name, destination in sorted(known.items()):
        if (until := destination.maintained_until(now())) is not None:
            click.echo(text("windows.maintained", name=name, until=shown(until)))
