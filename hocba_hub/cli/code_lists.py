"""`hocba-hub codes lists`: the destinations' own code lists, version by version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hocba_hub.cli.session import (
    actor,
    now,
    opened_store,
    print_table,
    reason_of,
    report_errors,
    settings_in_force,
    shown,
)
from hocba_hub.cli.texts import text

if TYPE_CHECKING:
    from hocba_hub.intake.code_lists import ListEffect
    from hocba_hub.store.code_lists import StoredList
    from hocba_hub.store.engine import Store

_MOST_SHOWN = 50
_REASON = click.option("--reason", help=text("option.reason"))
_ID = click.argument("list_id", metavar="ID", type=click.IntRange(1, 2**63 - 1))


@click.group(help=text("codes.lists"))
def lists() -> None:
    """Code lists of destinations."""


@lists.command("list", help=text("codes.lists.list"))
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help=text("option.acks.limit"))
@report_errors
def list_(limit: int) -> None:
    """Show the versions that were fetched."""
    from hocba_hub.store import code_lists as stored

    with opened_store() as store, store.read() as connection:
        found = stored.listed(connection, limit=limit)
    _print(found)


@lists.command(help=text("codes.lists.show"))
@_ID
@report_errors
def show(list_id: int) -> None:
    """Show what a version changes, and what activating it would do."""
    from hocba_hub.store import code_lists as stored

    with opened_store() as store:
        with store.read() as connection:
            found = stored.find(connection, list_id)
        if found is None:
            raise click.ClickException(text("codes.lists.unknown"))
        effect = _effect(store, found)
    _print([found])
    changes = [
        (text(f"list.{kind}"), item.code, item.name)
        for kind, items in (
            ("added", effect.diff.added), ("renamed", effect.diff.renamed), ("ended", effect.diff.ended),
        )
        for item in items[:_MOST_SHOWN]
    ]  # fmt: skip
    if changes:
        print_table(("what", "code", "name"), changes)
    click.echo(text("codes.lists.effect", codes=len(effect.solved), cards=effect.waiting, held=effect.held))


@lists.command(help=text("codes.lists.activate"))
@_ID
@_REASON
@report_errors
def activate(list_id: int, reason: str | None) -> None:
    """Let a draft count."""
    from hocba_hub.store import code_lists as stored

    why = reason_of(reason)
    with opened_store() as store:
        with store.read() as connection:
            found = stored.find(connection, list_id)
        if found is None:
            raise click.ClickException(text("codes.lists.unknown"))
        effect = _effect(store, found)
        with store.write() as connection:
            made = stored.activate(connection, list_id, effect.solved, actor=actor(), reason=why, now=now())
    click.echo(text("codes.lists.active", cards=effect.waiting))
    _print([made] if made is not None else [])


@lists.command(help=text("codes.lists.discard"))
@_ID
@_REASON
@report_errors
def discard(list_id: int, reason: str | None) -> None:
    """Put a draft aside."""
    from hocba_hub.store import code_lists as stored

    why = reason_of(reason)
    with opened_store() as store, store.write() as connection:
        found = stored.discard(connection, list_id, actor=actor(), reason=why, now=now())
    if found is None:
        raise click.ClickException(text("codes.lists.unknown"))
    _print([found])


def _effect(store: Store, found: StoredList) -> ListEffect:
    from hocba_hub.bootstrap import active_mappings
    from hocba_hub.intake.code_lists import effect

    mappings = active_mappings(settings_in_force(), store).newest()
    with store.read() as connection:
        return effect(connection, mappings, found, now())


def _print(found: list[StoredList]) -> None:
    rows = [
        (
            str(one.id), one.destination, one.name, one.version, text(f"list.{one.state}"), one.code_table,
            ", ".join(f"{text(f'list.{name}')} {count:,}" for name, count in one.counts.items() if count),
            shown(one.fetched_at), one.decided_by or "",
        )
        for one in found
    ]  # fmt: skip
    print_table(("id", "destination", "list", "version", "state", "table", "change", "at", "by"), rows)
