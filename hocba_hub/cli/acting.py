"""What the commands have in common that act on many deliveries at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hocba_hub.cli.selecting import Options, selection_of
from hocba_hub.cli.session import actor, go_ahead, now, opened_store, print_table, state_shown
from hocba_hub.cli.texts import text

if TYPE_CHECKING:
    from hocba_hub.store.delivery_acts import ActResult

F = TypeVar("F", bound=Callable[..., Any])


def acting(command: F) -> F:
    """Give a command the options of an act on many deliveries."""
    for option in (
        click.option("--yes", is_flag=True, help=text("option.yes")),
        click.option("--dry-run", is_flag=True, help=text("option.dry-run")),
        click.option("--reason", help=text("option.reason")),
        click.option(
            "--delivery", "deliveries", multiple=True, type=click.IntRange(1, 2**63 - 1), help=text("option.delivery")
        ),
    ):
        command = option(command)
    return command


def do(name: str, options: Options, reason: str | None, *, dry_run: bool, yes: bool) -> None:
    """Foresee the act of this name; on a terminal ask; then do it and show what was done."""
    from hocba_hub.store.delivery_acts import Act, execute, preview

    act, selection = Act(name), selection_of(options)
    with opened_store() as store:
        with store.read() as connection:
            planned = preview(connection, act, selection)
        why = go_ahead(act, planned, _print, reason, dry_run=dry_run, yes=yes)
        if why is None:
            return
        done = execute(store, act, selection, actor=actor(), reason=why, now=now())
    click.echo(text(f"{act}.done", audit=done.audit_id))
    _print(done)


def _print(result: ActResult) -> None:
    rows: list[tuple[object, ...]] = [
        (c.destination, state_shown(c.state), c.code, c.deliveries) for c in result.counts
    ]
    if rows:
        rows.append((text("total"), "", "", result.deliveries))
    print_table(("destination", "state", "code", "deliveries"), rows, numbers=("deliveries",))
    for name in ("changed", "unmatched"):
        if count := getattr(result, name):
            click.echo(text(f"act.{name}", count=count))
