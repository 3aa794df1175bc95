"""`hocba-hub failure-groups`: failures by cause, and how the people who mend them stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hocba_hub.cli.session import (
    Moment,
    actor,
    now,
    opened_store,
    print_table,
    reason_of,
    report_errors,
    shown,
    state_shown,
)
from hocba_hub.cli.texts import text

if TYPE_CHECKING:
    from hocba_hub.store.failures import FailureGroup

_STATES = ("open", "watching", "resolved", "muted")
_COLUMNS = (
    "group", "destination", "stage", "meaning", "code", "said", "mapping", "standing-now", "times", "schools",
    "clients", "first", "last", "state", "owner", "note",
)  # fmt: skip
_NUMBERS = ("standing-now", "times", "schools", "clients")
_GROUP = click.argument("group_id", metavar="GROUP", type=click.IntRange(1, 2**63 - 1))


@click.group("failure-groups", help=text("failure-groups"))
def failure_groups() -> None:
    """Failures by cause."""


@failure_groups.command("list", help=text("failure-groups.list"))
@click.option("--destination", metavar="NAME", help=text("option.destination"))
@click.option("--state", "states", multiple=True, type=click.Choice(_STATES), help=text("option.groups.state"))
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help=text("option.groups.limit"))
@report_errors
def list_(destination: str | None, states: tuple[str, ...], limit: int) -> None:
    """Show the causes, those that happened last first."""
    from hocba_hub.model.failures import GroupState
    from hocba_hub.store import failures as stored

    with opened_store() as store, store.read() as connection:
        found = stored.listed(
            connection, now(), destination=destination, states=[GroupState(one) for one in states], limit=limit
        )
    _print(found)


@failure_groups.command(help=text("failure-groups.show"))
@_GROUP
@click.option("--since", type=Moment(), default="7d", show_default=True, help=text("option.groups.since"))
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help=text("option.limit"))
@report_errors
def show(group_id: int, since: int, limit: int) -> None:
    """Show one cause: what folds under it, its hours, schools and clients, some of what stands in it."""
    from hocba_hub.store import failures as stored

    with opened_store() as store, store.read() as connection:
        found = stored.find(connection, group_id, now())
        if found is None:
            raise click.ClickException(text("failure-groups.unknown"))
        under = stored.listed(connection, now(), root_id=group_id, limit=1000)
        trend = stored.trend(connection, group_id, since=since)
        sources = stored.sources(connection, group_id, limit=limit)
        members = stored.members(connection, group_id, limit=limit)
    _print([found])
    if under:
        click.echo(text("failure-groups.under"))
        _print(under)
    click.echo(text("failure-groups.trend"))
    print_table(("hour", "times"), [(shown(hour), times) for hour, times in trend], numbers=("times",))
    click.echo(text("failure-groups.sources"))
    rows = [(one.school_code, str(one.client_id), one.times, shown(one.last_at)) for one in sources]
    print_table(("school", "client", "times", "last"), rows, numbers=("times",))
    click.echo(text("failure-groups.members"))
    print_table(
        ("id", "school", "card", "version", "state"),
        [
            (
                one.delivery_id or "", one.school_code, f"{one.school_year}/{one.card_id}", one.version or "",
                state_shown(one.state) if one.delivery_id else text("failure-groups.rejected"),
            )
            for one in members
        ],
    )  # fmt: skip


@failure_groups.command(help=text("failure-groups.change"))
@_GROUP
@click.option("--state", type=click.Choice(_STATES), help=text("option.groups.new-state"))
@click.option("--until", type=Moment(), help=text("option.groups.until"))
@click.option("--owner", help=text("option.groups.owner"))
@click.option("--note", help=text("option.groups.note"))
@click.option("--revision", type=click.IntRange(1), help=text("option.groups.revision"))
@click.option("--reason", help=text("option.reason"))
@report_errors
def change(  # noqa: PLR0917 - what may be changed
    group_id: int,
    state: str | None,
    until: int | None,
    owner: str | None,
    note: str | None,
    revision: int | None,
    reason: str | None,
) -> None:
    """Say who mends it, what is known of it, and how it stands."""
    from hocba_hub.model.failures import GroupState
    from hocba_hub.store import failures as stored

    if (state == "muted") != (until is not None):
        raise click.UsageError(text("failure-groups.until"))
    why = reason_of(reason)
    with opened_store() as store, store.write() as connection:
        found = stored.change(
            connection, group_id, state=GroupState(state) if state else None, muted_until=until, owner=owner, note=note,
            revision=revision, actor=actor(), reason=why, now=now(),
        )  # fmt: skip
    if found is None:
        raise click.ClickException(text("failure-groups.unknown"))
    _print([found])


def _print(found: list[FailureGroup]) -> None:
    rows = [
        (
            str(one.id), one.destination, one.stage, one.error_class, one.code, one.detail, one.mapping, one.standing,
            one.times, one.schools, one.clients, shown(one.first_at), shown(one.last_at), _state(one), one.owner or "",
            one.note or "",
        )
        for one in found
    ]  # fmt: skip
    print_table(_COLUMNS, rows, numbers=_NUMBERS)


def _state(group: FailureGroup) -> str:
    said = text(f"group.{group.state}")
    return f"{said} {shown(group.muted_until)}" if group.muted_until is not None else said
