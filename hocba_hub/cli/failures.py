"""`hocba-hub failures`: deliveries that failed, by destination, state and code, or one by one."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Unpack

import click

from hocba_hub.cli.destinations import misfits_in_force
from hocba_hub.cli.selecting import FAILED, Options, listing, selecting, selection_of
from hocba_hub.cli.session import opened_store, print_table, report_errors, shown, state_shown
from hocba_hub.cli.texts import text

if TYPE_CHECKING:
    from hocba_hub.model.delivery import DeliveryState


@click.command(help=text("failures"))
@selecting(*FAILED)
@listing
@report_errors
def failures(*, listed: bool, limit: int, **options: Unpack[Options]) -> None:
    """Show what failed."""
    from hocba_hub.store.selection import FAILED as BY_DEFAULT

    show(options, BY_DEFAULT, limit if listed else None)


def show(options: Options, by_default: Collection[DeliveryState], limit: int | None) -> None:
    """Print the selected deliveries: so many of them, or by destination, state and code."""
    from hocba_hub.store.delivery_lists import delivery_groups, listed_deliveries

    selection = selection_of(options)
    with opened_store() as store, store.read() as connection:
        if limit is not None:
            print_table(
                ("id", "destination", "state", "code", "card", "version", "at", "next"),
                [
                    (
                        str(d.id), d.destination, state_shown(d.state), d.code, f"{d.school_year}/{d.card_id}",
                        d.version, shown(d.settled_at), shown(d.next_attempt_at),
                    )
                    for d in listed_deliveries(connection, selection, by_default, limit=limit)
                ],
                numbers=("id", "version"),
            )  # fmt: skip
            return
        groups = delivery_groups(connection, selection, by_default)
        wrong = misfits_in_force(store)
    rows: list[tuple[object, ...]] = [
        (
            g.destination, state_shown(g.state), g.code, g.deliveries, shown(g.oldest_at), shown(g.newest_at),
            shown(g.next_attempt_at), g.detail or "",
        )
        for g in groups
    ]  # fmt: skip
    if rows:
        rows.append((text("total"), "", "", sum(g.deliveries for g in groups), "", "", "", ""))
    columns = ("destination", "state", "code", "deliveries", "oldest", "newest", "next", "detail")
    print_table(columns, rows, numbers=("deliveries",))
    for name, reason in wrong.items():
        click.echo(f"{name}: {text('standing.misfit', reason=reason)}")
