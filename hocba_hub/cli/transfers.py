"""`hocba-hub transfers`: which school may correct a card whose pupil has gone to another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hocba_hub.cli.session import actor, now, opened_store, print_table, reason_of, report_errors, shown
from hocba_hub.cli.texts import text

if TYPE_CHECKING:
    from hocba_hub.store.transfers import Transfer


@click.group(help=text("transfers"))
def transfers() -> None:
    """Transfers."""


@transfers.command(help=text("transfers.add"))
@click.argument("cards", metavar="RECORD_ID...", nargs=-1, required=True)
@click.option("--to", "to_school", required=True, metavar="CODE", help=text("option.transfers.to"))
@click.option("--all-of-pupil", is_flag=True, help=text("option.transfers.all"))
@click.option("--reason", help=text("option.reason"))
@report_errors
def add(cards: tuple[str, ...], to_school: str, reason: str | None, *, all_of_pupil: bool) -> None:
    """Give a school the right to correct cards."""
    from hocba_hub.model.keys import card_key
    from hocba_hub.store import transfers as stored

    keys = []
    for card in cards:
        if (key := card_key(card)) is None:
            raise click.UsageError(text("transfers.record", record=card))
        keys.append(key)
    why = reason_of(reason)
    try:
        with opened_store() as store, store.write() as connection:
            made = stored.transfer(
                connection, keys, to_school, all_of_pupil=all_of_pupil, actor=actor(), reason=why, now=now()
            )
    except stored.TransferError as error:
        raise click.ClickException(text("transfers.unknown", cards=", ".join(error.cards))) from error
    _print(made)


@transfers.command("list", help=text("transfers.list"))
@click.option("--school", metavar="CODE", help=text("option.school"))
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help=text("option.acks.limit"))
@report_errors
def list_(school: str | None, limit: int) -> None:
    """Show what was decided."""
    from hocba_hub.store import transfers as stored

    with opened_store() as store, store.read() as connection:
        found = stored.listed(connection, school=school, limit=limit)
    _print(found)


def _print(found: list[Transfer]) -> None:
    rows = [
        (
            str(one.id), f"{one.school_year}/{one.card_id}", one.from_school, one.to_school, shown(one.decided_at),
            one.decided_by, one.reason,
        )
        for one in found
    ]  # fmt: skip
    print_table(("id", "card", "from", "to", "at", "by", "why"), rows)
