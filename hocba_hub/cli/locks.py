"""`hocba-hub locks`: data that nobody changes any more (chốt dữ liệu), until two people say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hocba_hub.cli.session import SchoolYear, actor, now, opened_store, print_table, reason_of, report_errors, shown
from hocba_hub.cli.texts import text

if TYPE_CHECKING:
    from hocba_hub.store.locks import Lock

_REASON = click.option("--reason", help=text("option.reason"))


@click.group(help=text("locks"))
def locks() -> None:
    """Locks."""


@locks.command(help=text("locks.add"))
@click.option("--school", required=True, metavar="CODE", help=text("option.locks.school"))
@click.option("--year", required=True, metavar="YYYY-YYYY", help=text("option.locks.year"))
@click.option("--grade", type=click.IntRange(1, 12), help=text("option.locks.grade"))
@_REASON
@report_errors
def add(school: str, year: str, grade: int | None, reason: str | None) -> None:
    """Lock data."""
    from hocba_hub.store import locks as stored

    why = reason_of(reason)
    scope = stored.Scope(school, year, grade or stored.ALL_GRADES)
    with opened_store() as store, store.write() as connection:
        made = stored.lock(connection, scope, actor=actor(), reason=why, now=now())
    _print([made])


@locks.command("list", help=text("locks.list"))
@click.option("--school", metavar="CODE", help=text("option.school"))
@click.option("--year", type=SchoolYear(), help=text("option.locks.year"))
@click.option("--ended", is_flag=True, help=text("option.locks.ended"))
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help=text("option.acks.limit"))
@report_errors
def list_(school: str | None, year: str | None, limit: int, *, ended: bool) -> None:
    """Show locks."""
    from hocba_hub.store import locks as stored

    with opened_store() as store, store.read() as connection:
        found = stored.listed(connection, school=school, school_year=year, ended=ended, limit=limit)
    _print(found)


@locks.command(help=text("locks.unlock"))
@click.argument("lock_id", metavar="ID", type=click.IntRange(1, 2**63 - 1))
@_REASON
@report_errors
def unlock(lock_id: int, reason: str | None) -> None:
    """Ask for a lock to end, or end it if another person has asked."""
    from hocba_hub.store import locks as stored

    why = reason_of(reason)
    with opened_store() as store, store.write() as connection:
        found = stored.unlock(connection, lock_id, actor=actor(), reason=why, now=now())
    if found is None:
        raise click.ClickException(text("locks.unknown"))
    click.echo(text("locks.asked") if found.unlocked_at is None else text("locks.unlocked"))
    _print([found])


def _print(found: list[Lock]) -> None:
    rows = [
        (
            str(one.id), one.school_code, one.school_year, one.grade or text("locks.every"), shown(one.locked_at),
            one.locked_by, one.reason, _ending(one),
        )
        for one in found
    ]  # fmt: skip
    print_table(("id", "school", "year", "grade", "at", "by", "why", "ending"), rows)


def _ending(one: Lock) -> str:
    if one.unlocked_at is not None:
        return text("locks.ended", by=one.unlocked_by, at=shown(one.unlocked_at))
    if one.unlock_asked_by is not None:
        return text("locks.asked-by", by=one.unlock_asked_by, reason=one.unlock_reason)
    return ""
