"""`hocba-hub failures`: deliveries that failed, by destination, state and code, or one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import click

from hocba_hub.cli.destinations import misfits_in_force
from hocba_hub.cli.selecting import Options, selecting, selection_of
from hocba_hub.cli.session import opened_store, print_table, report_errors, shown
from hocba_hub.cli.texts import text

if TYPE_CHECKING:
    from hocba_hub.store.failures import FailedDelivery


@click.command(help=text("failures"))
@selecting
@click.option("--list", "listed", is_flag=True, help=text("option.list"))
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help=text("option.limit"))
@report_errors
def failures(*, listed: bool, limit: int, **options: Unpack[Options]) -> None:
    """Show what failed."""
    from hocba_hub.store.failures import failed_deliveries, failure_groups

    selection = selection_of(options)
    with opened_store() as store, store.read() as connection:
        if listed:
            deliveries = failed_deliveries(connection, selection, limit=limit)
            print_table(
                ("id", "destination", "state", "code", "card", "version", "at"),
                [
                    (
                        str(d.id),
                        d.destination,
                        d.state,
                        d.code,
                        f"{d.school_year}/{d.card_id}",
                        d.version,
                        shown(d.settled_at),
                    )
                    for d in deliveries
                ],
                numbers=("id", "version"),
            )
            return
        groups = failure_groups(connection, selection)
        wrong = misfits_in_force(store)
    rows: list[tuple[object, ...]] = [
        (g.destination, g.state, g.code, g.deliveries, shown(g.oldest_at), shown(g.newest_at)) for g in groups
    ]
    if rows:
        rows.append((text("total"), "", "", sum(g.deliveries for g in groups), "", ""))
    print_table(("destination", "state", "code", "deliveries", "oldest", "newest"), rows, numbers=("deliveries",))
    for name, reason in wrong.items():
        click.echo(f"{name}: {text('standing.misfit', reason=reason)}")


def _card(delivery: FailedDelivery) -> str:
    return f"{delivery.school_year}/{delivery.card_id}"
