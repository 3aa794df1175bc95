"""`hocba-hub pending`: deliveries that wait for their next attempt, for a verdict, or for a look-up."""

from __future__ import annotations

from typing import Unpack

import click

from hocba_hub.cli.failures import show
from hocba_hub.cli.selecting import PENDING, Options, listing, selecting
from hocba_hub.cli.session import report_errors
from hocba_hub.cli.texts import text


@click.command(help=text("pending"))
@selecting(*PENDING)
@listing
@report_errors
def pending(*, listed: bool, limit: int, **options: Unpack[Options]) -> None:
    """Show what waits."""
    from hocba_hub.store.selection import PENDING as BY_DEFAULT

    show(options, BY_DEFAULT, limit if listed else None)
