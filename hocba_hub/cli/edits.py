"""`hocba-hub edits`: changes of unsigned cards, proposed by one operator and approved by another."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

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
    from hocba_hub.intake.editing import Editing
    from hocba_hub.store.edits import Edit
    from hocba_hub.store.engine import Store

_ID = click.argument("edit_id", metavar="EDIT", type=click.IntRange(1, 2**63 - 1))
_REASON = click.option("--reason", help=text("option.reason"))


@click.group(help=text("edits"))
def edits() -> None:
    """Edits of cards."""


@edits.command(help=text("edits.propose"))
@click.argument("record", metavar="RECORD_ID")
@click.option("--version", required=True, type=click.IntRange(1), help=text("option.edits.version"))
@click.option("--set", "settings", multiple=True, required=True, metavar="PLACE=VALUE", help=text("option.edits.set"))
@_REASON
@report_errors
def propose(record: str, version: int, settings: tuple[str, ...], reason: str | None) -> None:
    """Propose changes of a card."""
    from hocba_hub.model.editing import Asked
    from hocba_hub.model.keys import card_key

    key = card_key(record)
    if key is None:
        raise click.UsageError(text("transfers.record", record=record))
    asked = [Asked(*_setting(one)) for one in settings]
    why = reason_of(reason)
    with opened_store() as store:
        made = _editing(store).propose(key, version, asked, actor(), why, now())
    _show(made, text("edits.no-card"))


def _setting(given: str) -> tuple[str, Any]:
    """A place and its value: JSON, or else text as it stands."""
    place, separator, value = given.partition("=")
    if not place or not separator:
        raise click.UsageError(text("edits.setting", given=place))
    try:
        read = json.loads(value)
    except json.JSONDecodeError:
        return place, value
    if isinstance(read, dict | list):
        raise click.UsageError(text("edits.setting", given=place))
    return place, read


@edits.command("list", help=text("edits.list"))
@click.option("--open", "open_only", is_flag=True, help=text("option.edits.open"))
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help=text("option.edits.limit"))
@report_errors
def list_(limit: int, *, open_only: bool) -> None:
    """Show the edits, the newest first."""
    from hocba_hub.store import edits as stored

    with opened_store() as store, store.read() as connection:
        found = stored.listed(connection, open_only=open_only, limit=limit)
    _print(found)


@edits.command(help=text("edits.show"))
@_ID
@report_errors
def show(edit_id: int) -> None:
    """Show an edit with what stood and is to stand at each place."""
    from hocba_hub.store import edits as stored

    with opened_store() as store, store.read() as connection:
        found = stored.find(connection, edit_id)
    _show(found)


@edits.command(help=text("edits.approve"))
@_ID
@_REASON
@report_errors
def approve(edit_id: int, reason: str | None) -> None:
    """Make a new version of an edit."""
    _decide(lambda editing, why: editing.approve(edit_id, actor(), why, now()), reason)


@edits.command(help=text("edits.reject"))
@_ID
@_REASON
@report_errors
def reject(edit_id: int, reason: str | None) -> None:
    """Make nothing of an edit."""
    _decide(lambda editing, why: editing.reject(edit_id, actor(), why, now()), reason)


def _decide(decide: Callable[[Editing, str], Edit | None], reason: str | None) -> None:
    why = reason_of(reason)
    with opened_store() as store:
        found = decide(_editing(store), why)
    _show(found)


def _editing(store: Store) -> Editing:
    from hocba_hub.bootstrap import intake
    from hocba_hub.intake.editing import Editing

    settings = settings_in_force()
    return Editing(intake(settings, store), settings.edits_need_second)


def _show(found: Edit | None, unknown: str = "") -> None:
    if found is None:
        raise click.ClickException(unknown or text("edits.unknown"))
    _print([found])
    rows = [(one.place, _value(one.before), _value(one.after)) for one in found.changes]
    print_table(("place", "before", "after"), rows)


def _value(value: Any) -> str:  # noqa: ANN401 - JSON
    return "" if value is None else str(value)


def _print(found: list[Edit]) -> None:
    rows = [
        (
            str(one.id), one.key.record_id(), one.base_version, one.made_version or "", text(f"edits.is.{one.state}"),
            one.asked_by, shown(one.asked_at), one.reason, one.decided_by or "",
        )
        for one in found
    ]  # fmt: skip
    columns = ("edit", "card", "version", "made", "state", "asked-by", "at", "why", "decided")
    print_table(columns, rows, numbers=("version", "made"))
