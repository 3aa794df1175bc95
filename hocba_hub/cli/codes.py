"""`hocba-hub codes`: values that no code table knows, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hocba_hub.cli.code_lists import lists
from hocba_hub.cli.session import (
    actor,
    is_asked,
    now,
    opened_store,
    print_rows,
    print_table,
    reason_of,
    report_errors,
    settings_in_force,
    shown,
)
from hocba_hub.cli.texts import language, language_option, text
from hocba_hub.model.masking import shown_value

if TYPE_CHECKING:
    from hocba_hub.mappings.tables.code_table import Row, Table

_MOST_NAMED = 20
_MOST_ROWS = 500
_DAY = click.DateTime(["%Y-%m-%d"])


@click.group(help=text("codes"))
def codes() -> None:
    """Unmapped codes."""


codes.add_command(lists)


@codes.command("list", help=text("codes.list"))
@click.option("--filled", is_flag=True, help=text("option.filled"))
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@report_errors
def list_(*, filled: bool, limit: int) -> None:
    """Show the work list."""
    from hocba_hub.store.code_fills import fills
    from hocba_hub.store.unmapped_codes import listed

    with opened_store() as store, store.read() as connection:
        if filled:
            rows = [
                (one.id, one.fill.table, one.fill.system, one.fill.value, one.fill.result, one.source)
                for one in fills(connection)
            ]
            print_table(("number", "table", "system", "value", "result", "source"), rows)
            return
        found = listed(connection, limit=limit)
    print_table(
        ("number", "table", "system", "value", "times", "clients", "schools", "waiting", "since"),
        [
            (
                *(c.id, c.table, f"{c.system} → {c.result_system}", shown_value(c.value)),
                *(c.times, c.clients, c.schools, c.waiting, shown(c.first_at)),
            )
            for c in found
        ],
        numbers=("times", "clients", "schools", "waiting"),
    )


@codes.command(help=text("codes.show"))
@click.argument("number", type=int)
@report_errors
def show(number: int) -> None:
    """Show who sent a value."""
    from hocba_hub.store.mappings import ConfigurationError
    from hocba_hub.store.unmapped_codes import one

    with opened_store() as store, store.read() as connection:
        code = one(connection, number)
    if code is None:
        raise ConfigurationError("not-found", "There is no such code.")
    click.echo(f"{code.table}: {shown_value(code.value)} ({code.system} → {code.result_system})")
    rows = [(source.client, source.school, source.times, shown(source.last_at)) for source in code.sources]
    print_table(("client", "school", "times", "last"), rows, numbers=("times",))


@codes.command(help=text("codes.fill"))
@click.argument("number", type=int)
@click.argument("result")
@click.option("--source", help=text("option.source"))
@click.option("--new", "is_new", is_flag=True, help=text("option.new"))
@click.option("--from", "first", type=_DAY, help=text("option.from"))
@click.option("--to", "last", type=_DAY, help=text("option.to"))
@click.option("--dry-run", is_flag=True, help=text("option.dry-run"))
@click.option("--yes", is_flag=True, help=text("option.yes"))
@report_errors
def fill(
    *,
    number: int,
    result: str,
    source: str | None,
    is_new: bool,
    first: datetime | None,
    last: datetime | None,
    dry_run: bool,
    yes: bool,
) -> None:
    """Say what a value means: show it and the cards that wait; on a terminal ask; then do it."""
    from hocba_hub.bootstrap import intake
    from hocba_hub.intake.fill_code import fill_code, plan_fill
    from hocba_hub.intake.recheck import Recheck
    from hocba_hub.store.mappings import ConfigurationError
    from hocba_hub.store.unmapped_codes import one

    with opened_store() as store:
        with store.read() as connection:
            code = one(connection, number)
        if code is None:
            raise ConfigurationError("not-found", "There is no such code.")
        parts = intake(settings_in_force(), store)
        days = (first and first.date(), last and last.date())
        planned = plan_fill(parts, code, result, is_new=is_new, valid_from=days[0], valid_to=days[1])
        names = ", ".join(f"{system} {name}" for system, name in planned.meaning.items()) or text("code.new")
        click.echo(f"{code.table}: {code.system} {shown_value(code.value)} → {code.result_system} {result} ({names})")
        cards = ", ".join(key.record_id() for key in planned.cards[:_MOST_NAMED])
        more = ", …" if code.waiting > _MOST_NAMED else ""
        click.echo(text("code.waiting", count=code.waiting) + (f" {cards}{more}" if cards else ""))
        if dry_run:
            return
        why = reason_of(source)
        if not yes and is_asked():
            click.confirm(text("code.confirm"), abort=True)
        made, done = fill_code(Recheck(parts), planned, source=why, actor=actor(), now=now())
    click.echo(text("code.done", id=made.id, accepted=done.accepted, rejected=done.rejected, left=done.left))
    if done.still:
        print_table(
            ("record", "place", "said"),
            [
                (key.record_id(), one.pointer, f"{one.as_json()['message_' + language()]} ({one.kind.code})")
                for key, findings in done.still
                for one in findings
            ],
        )


@codes.command("take-back", help=text("codes.take-back"))
@click.argument("number", type=int)
@click.option("--reason", help=text("option.reason"))
@report_errors
def take_back(number: int, reason: str | None) -> None:
    """End a fill."""
    from hocba_hub.store.code_fills import take_back as end

    with opened_store() as store:
        why = reason_of(reason)
        with store.write() as connection:
            ended = end(connection, number, actor=actor(), reason=why, now=now())
    click.echo(text("code.taken-back", table=ended.fill.table, value=ended.fill.value))


@codes.command(help=text("codes.tables"))
@click.argument("name", required=False)
@click.option("--search", metavar="TEXT", help=text("option.search"))
@click.option("--mapping", "owner", metavar="NAME", help=text("option.owner"))
@click.option("--tables", type=click.Path(exists=True, file_okay=False, path_type=Path), help=text("option.tables"))
@language_option
@report_errors
def tables(name: str | None, search: str | None, owner: str | None, tables: Path | None) -> None:
    """The tables; one of them; rows that hold a text."""
    from hocba_hub.cli.mapping_files import code_tables, named_document

    known = dict(named_document(owner).tables) if owner else code_tables(tables)
    if name is not None and name not in known:
        raise click.ClickException(text("error.table", name=name, known=", ".join(known)))
    if name is None and search is None:
        rows = [
            (table.name, table.title.get(language(), ""), len(table.rows), ", ".join(table.columns))
            for table in known.values()
        ]
        print_table(("table", "called", "rows", "system"), rows, numbers=("rows",))
        return
    found = False
    for table in known.values() if name is None else [known[name]]:
        rows_found = table.every_row() if search is None else table.found(search)
        found |= bool(rows_found)
        _print_rows(table, rows_found)
    if not found:
        click.echo(text("none"))


def _print_rows(table: Table, rows: Sequence[Row]) -> None:
    if not rows:
        return
    title = table.title.get(language(), "")
    click.echo(f"{table.name}: {title}" if title else table.name)
    if table.source:
        click.echo(f"  {text('column.source')}: {table.source}")
    systems = list(dict.fromkeys(name for row in rows for name in row.values))
    cells = [
        (*(" | ".join(row.values.get(name, ())) for name in systems), "" if row.period() == "../.." else row.period())
        for row in rows[:_MOST_ROWS]
    ]
    print_rows((*systems, text("column.valid")), cells)
    if len(rows) > _MOST_ROWS:
        click.echo(text("preview.more", count=len(rows) - _MOST_ROWS))
