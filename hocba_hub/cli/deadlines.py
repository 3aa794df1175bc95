"""`hocba-hub deadlines`: what is expected, there and missing, what comes in time, and who needs help first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hocba_hub.cli.session import (
    SchoolYear,
    actor,
    now,
    opened_store,
    print_table,
    report_errors,
    settings_in_force,
    shown,
)
from hocba_hub.cli.texts import text
from hocba_hub.model.windows import Level

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from hocba_hub.monitoring.deadlines import Board, Known
    from hocba_hub.store.board import Figures

_COUNTS = ("expected", "accepted", "acknowledged", "refused", "waiting", "missing", "recalled")
_HEADS = {"commune_code": "commune", "school_code": "school", "grade": "grade", "class_code": "class"}
_LEVEL = click.option("--level", type=click.Choice([str(one) for one in Level]), help=text("option.deadlines.level"))
_COMMUNE = click.option("--commune", metavar="CODE", help=text("option.deadlines.commune"))


@click.group(help=text("deadlines"))
def deadlines() -> None:
    """The deadline board."""


@deadlines.command(help=text("deadlines.show"))
@click.option(
    "--by", type=click.Choice(["level", "commune", "school", "grade", "class"]), default="level", show_default=True,
    help=text("option.reconcile.by"),
)  # fmt: skip
@click.option("--destination", metavar="NAME", help=text("option.destination"))
@_LEVEL
@_COMMUNE
@click.option("--school", metavar="CODE", help=text("option.school"))
@click.option("--year", "school_year", type=SchoolYear(), help=text("option.year"))
@report_errors
def show(
    by: str, destination: str | None, level: str | None, commune: str | None, school: str | None, *,
    school_year: str | None,
) -> None:  # fmt: skip
    """Show the board as it was counted last."""
    from hocba_hub.store.board import PLACES, figures

    with opened_store() as store, store.read() as connection:
        known = _known()
        found = _newest(connection, known, school_year)
        rows = figures(
            connection, found.snapshot, by=by, destination=destination, level=Level(level) if level else None,
            commune=commune, school=school,
        )  # fmt: skip
    _say_when(found)
    if by == "level":
        _print_levels(found, rows)
    else:
        places = PLACES[by]
        print_table(
            ("destination", "level", *(_HEADS[name] for name in places), *_COUNTS),
            [
                (
                    one.destination, text(f"level.{one.level}"), *(getattr(one, name) for name in places),
                    *(one.counts[name] for name in _COUNTS),
                )
                for one in rows
            ],
            numbers=_COUNTS,
        )  # fmt: skip
    for name, one in found.forecasts.items():
        rate = "?" if one.per_second is None else f"{one.per_second:.1f}"
        clears = shown(one.clears_at) or text("deadlines.unknown")
        click.echo(text("deadlines.forecast", name=name, backlog=f"{one.backlog:,}", rate=rate, clears=clears))


@deadlines.command(help=text("deadlines.schools"))
@_LEVEL
@_COMMUNE
@click.option("--limit", type=click.IntRange(1, 10_000), default=30, show_default=True, help=text("option.limit"))
@report_errors
def schools(level: str | None, commune: str | None, limit: int) -> None:
    """Show who needs help first."""
    from hocba_hub.monitoring.deadlines import needs

    with opened_store() as store, store.read() as connection:
        known = _known()
        found = _newest(connection, known)
        listed = needs(connection, known, found, level=Level(level) if level else None, commune=commune)
    _say_when(found)
    counts = ("expected", "accepted", "acknowledged", "refused", "missing")
    print_table(
        ("school", "commune", "level", *counts, "closes"),
        [
            (
                one.school_code, one.commune_code, text(f"level.{one.level}"),
                *(getattr(one, name) for name in counts), shown(one.closes_at),
            )
            for one in listed[:limit]
        ],
        numbers=counts,
    )  # fmt: skip
    if len(listed) > limit:
        click.echo(text("deadlines.more", count=f"{len(listed) - limit:,}"))


@deadlines.command(help=text("deadlines.report"))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@report_errors
def report(file: Path) -> None:
    """Write the board as a workbook."""
    from hocba_hub.monitoring.deadlines_workbook import workbook

    with opened_store() as store, store.read() as connection:
        known = _known()
        file.write_bytes(workbook(connection, known, _newest(connection, known)))
    click.echo(text("reconcile.written", file=file))


@deadlines.command(help=text("deadlines.roster"))
@click.argument("file", type=click.Path(dir_okay=False, exists=True, path_type=Path))
@click.option("--year", "school_year", type=SchoolYear(), required=True, help=text("option.year"))
@report_errors
def roster(file: Path, school_year: str) -> None:
    """Take the department's roster from a workbook or CSV."""
    from hocba_hub.adapters.workbook.roster import RosterError, read_roster
    from hocba_hub.mappings.records.rows import SourceError
    from hocba_hub.model.deadlines import ExpectedBy
    from hocba_hub.store.expected import say

    try:
        with file.open("rb") as opened:
            classes = read_roster(opened, file.name)
    except RosterError as error:
        raise click.ClickException(text(f"roster.{error.code}", place=error.place)) from error
    except SourceError as error:
        raise click.ClickException(str(error)) from error
    with opened_store() as store, store.write() as connection:
        grades = say(connection, school_year, ExpectedBy.ROSTER, classes, actor=actor(), now=now())
    pupils = sum(one.pupils for one in classes)
    click.echo(text("roster.taken", classes=f"{len(classes):,}", grades=f"{grades:,}", pupils=f"{pupils:,}"))


def _known() -> Known:
    from hocba_hub.bootstrap import destinations

    return destinations(settings_in_force())


def _newest(connection: Connection, known: Known, school_year: str | None = None) -> Board:
    from hocba_hub.monitoring.deadlines import board

    found = board(connection, known, now(), school_year)
    if found is None:
        raise click.ClickException(text("deadlines.never"))
    return found


def _say_when(found: Board) -> None:
    click.echo(text("deadlines.as-of", year=found.snapshot.school_year, at=shown(found.snapshot.as_of)))


def _print_levels(found: Board, rows: Sequence[Figures]) -> None:
    of_level = {(one.destination, str(one.level)): one for one in found.levels}
    lines = []
    for row in rows:
        one = of_level.get((row.destination, row.level))
        if one is None:
            continue  # a destination that is no longer there
        window = text(
            f"deadlines.{one.window.timing}", at=shown(one.window.closes_at), opens=shown(one.window.opens_at)
        )
        in_time = "" if one.in_time is None else text("deadlines.yes" if one.in_time else "deadlines.no")
        lines.append((
            row.destination, text(f"level.{row.level}"), window, in_time, *(row.counts[name] for name in _COUNTS),
        ))  # fmt: skip
    print_table(("destination", "level", "window", "in-time", *_COUNTS), lines, numbers=_COUNTS)
