"""`hocba-hub replay`: send failed deliveries again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Unpack

import click

from hocba_hub.cli.selecting import Options, selecting, selection_of
from hocba_hub.cli.session import actor, now, opened_store, print_table, reason_of, report_errors
from hocba_hub.cli.texts import text

if TYPE_CHECKING:
    from hocba_hub.store.replay import ActResult


@click.command(help=text("replay"))
@click.option(
    "--delivery", "deliveries", multiple=True, type=click.IntRange(1, 2**63 - 1), help=text("option.delivery")
)
@selecting
@click.option("--reason", help=text("option.reason"))
@click.option("--dry-run", is_flag=True, help=text("option.dry-run"))
@click.option("--yes", is_flag=True, help=text("option.yes"))
@report_errors
def replay(*, reason: str | None, dry_run: bool, yes: bool, **options: Unpack[Options]) -> None:
    """Show what would be sent again; on a terminal ask; then do it and show what was done."""
    from hocba_hub.store.replay import Act, execute, preview

    selection = selection_of(options)
    with opened_store() as store:
        with store.read() as connection:
            planned = preview(connection, Act.REPLAY, selection)
        asks = not dry_run and not yes and _is_asked()
        if dry_run or asks:
            click.echo(text("replay.planned"))
            _print(planned)
        if dry_run:
            return
        reason = reason_of(reason)
        if asks:
            click.confirm(text("replay.confirm"), abort=True)
        done = execute(store, Act.REPLAY, selection, actor=actor(), reason=reason, now=now())
    click.echo(text("replay.done", audit=done.audit_id))
    _print(done)


def _is_asked() -> bool:
    """Whether there is somebody who can answer."""
    return sys.stdin.isatty()


def _print(result: ActResult) -> None:
    rows: list[tuple[object, ...]] = [(c.destination, c.state, c.code, c.deliveries) for c in result.counts]
    if rows:
        rows.append((text("total"), "", "", result.deliveries))
    print_table(("destination", "state", "code", "deliveries"), rows, numbers=("deliveries",))
    for name in ("superseded", "changed", "unmatched"):
        if count := getattr(result, name):
            click.echo(text(f"replay.{name}", count=count))
