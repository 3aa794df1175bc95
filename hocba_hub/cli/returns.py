"""`hocba-hub returns`: cards that only their schools can mend go back to them, with a note."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import click

from hocba_hub.cli.acting import acting
from hocba_hub.cli.selecting import Options, selecting, selection_of
from hocba_hub.cli.session import actor, go_ahead, now, opened_store, print_table, report_errors, shown
from hocba_hub.cli.texts import text

if TYPE_CHECKING:
    from hocba_hub.store.returns import ReturnResult


@click.group(help=text("returns"))
def returns() -> None:
    """Cards that go back to their schools."""


@returns.command(help=text("returns.add"))
@click.option("--note", required=True, help=text("option.returns.note"))
@click.option("--group", metavar="GROUP", type=click.IntRange(1, 2**63 - 1), help=text("option.replay.group"))
@acting
@selecting("held", "parked", "refused")
@report_errors
def add(note: str, *, reason: str | None, dry_run: bool, yes: bool, **options: Unpack[Options]) -> None:
    """Show what would be returned; on a terminal ask; then do it and show what was done."""
    from hocba_hub.store import returns as stored

    note = note.strip()
    if not 10 <= len(note) <= stored.MOST_NOTE or not note.isprintable():  # noqa: PLR2004 - as the API has it
        raise click.UsageError(text("returns.note"))
    selection = selection_of(options)
    with opened_store() as store:
        with store.read() as connection:
            planned = stored.preview(connection, selection)
        why = go_ahead("returns", planned, _print, reason, dry_run=dry_run, yes=yes)
        if why is None:
            return
        done = stored.give_back(store, selection, note, actor=actor(), reason=why, now=now())
    click.echo(text("returns.done"))
    _print(done)


def _print(result: ReturnResult) -> None:
    rows: list[tuple[object, ...]] = sorted(result.schools.items())
    if rows:
        rows.append((text("total"), result.cards))
    print_table(("school", "cards"), rows, numbers=("cards",))
    for name in ("before", "superseded"):
        if count := getattr(result, name):
            click.echo(text(f"returns.{name}", count=count))


@returns.command("list", help=text("returns.list"))
@click.option("--school", metavar="CODE", help=text("option.school"))
@click.option("--open", "open_only", is_flag=True, help=text("option.returns.open"))
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help=text("option.limit"))
@report_errors
def list_(school: str | None, limit: int, *, open_only: bool) -> None:
    """Show what was returned, the newest first."""
    from hocba_hub.store import returns as stored

    with opened_store() as store, store.read() as connection:
        found = stored.listed(connection, school=school, open_only=open_only, limit=limit)
    rows = [
        (
            f"{one.school_year}/{one.card_id}", one.version, one.school_code, one.destination, one.code, one.note,
            shown(one.returned_at), one.returned_by, text(f"returns.is.{'open' if one.is_open else 'mended'}"),
        )
        for one in found
    ]  # fmt: skip
    print_table(("card", "version", "school", "destination", "code", "note", "at", "by", "state"), rows)
