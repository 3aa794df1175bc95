"""`hocba-hub hurry`: what waits is tried, looked up or polled at once."""

from __future__ import annotations

from typing import Unpack

import click

from hocba_hub.cli.acting import acting, do
from hocba_hub.cli.selecting import PENDING, Options, selecting
from hocba_hub.cli.session import report_errors
from hocba_hub.cli.texts import text


@click.command(help=text("hurry"))
@acting
@selecting(*PENDING, "held")
@report_errors
def hurry(*, reason: str | None, dry_run: bool, yes: bool, **options: Unpack[Options]) -> None:
    """Show what would not wait any longer; on a terminal ask; then do it and show what was done."""
    do("hurry", options, reason, dry_run=dry_run, yes=yes)
