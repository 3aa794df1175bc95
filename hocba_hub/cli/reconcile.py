"""`hocba-hub reconcile`: what a destination really holds, beside what we think it does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hocba_hub.cli.destinations import known_destination
from hocba_hub.cli.session import (
    actor,
    go_ahead,
    now,
    opened_store,
    print_table,
    report_errors,
    shown,
    state_shown,
)
from hocba_hub.cli.texts import text
from hocba_hub.model.reconciliation import RAISED, REPAIRED_BY_SENDING, REPORTED

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from hocba_hub.store.repair import RepairResult

_KINDS = tuple(map(str, REPORTED))
_REPAIRED = tuple(str(one) for one in REPORTED if one in REPAIRED_BY_SENDING | RAISED)
_DESTINATION = click.argument("destination")
_SCHOOL = click.option("--school", metavar="CODE", help=text("option.school"))


@click.group(help=text("reconcile"))
def reconcile() -> None:
    """Reconciliation."""


@reconcile.command(help=text("reconcile.show"))
@_DESTINATION
@click.option(
    "--by", type=click.Choice(["all", "school", "grade", "class"]), default="all", show_default=True,
    help=text("option.reconcile.by"),
)  # fmt: skip
@_SCHOOL
@report_errors
def show(destination: str, by: str, school: str | None) -> None:
    """Show what the newest run found."""
    from hocba_hub.api.reconciliation import LEVELS, figures
    from hocba_hub.store import reconciliation as stored

    columns = LEVELS[by]
    with opened_store() as store, store.read() as connection:
        found = figures(stored.counts(connection, newest_run(connection, destination), by=columns, school=school))
    rows = []
    for (code, _, grade, class_), counted in found.items():
        place = {"school_code": code, "grade": grade, "class_code": class_}
        numbers = [counted.get(kind, 0) for kind in ("all", "equal", *_KINDS)]
        rows.append((*(place[name] for name in columns), *numbers))
    heads = {"school_code": "school", "grade": "grade", "class_code": "class"}
    kinds = [f"kind-{kind}" for kind in ("all", "equal", *_KINDS)]
    print_table([*(heads[name] for name in columns), *kinds], rows, numbers=kinds)


@reconcile.command(help=text("reconcile.differences"))
@_DESTINATION
@click.option("--kind", type=click.Choice(_KINDS), help=text("option.reconcile.kind"))
@_SCHOOL
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help=text("option.limit"))
@report_errors
def differences(destination: str, kind: str | None, school: str | None, limit: int) -> None:
    """Show what differs, card by card."""
    from hocba_hub.model.reconciliation import Difference
    from hocba_hub.store import reconciliation as stored

    with opened_store() as store, store.read() as connection:
        found = stored.differences(
            connection, newest_run(connection, destination), kind=Difference(kind) if kind else None, school=school,
            limit=limit,
        )  # fmt: skip
    rows = [
        (
            f"{one.school_year}/{one.card_id}", one.school_code, one.grade, one.class_code,
            text(f"column.kind-{one.kind}"),
            one.our_version or "", state_shown(one.our_state) if one.our_state else "", one.their_version or "",
            one.their_state or "", shown(one.repaired_at),
        )
        for one in found
    ]  # fmt: skip
    print_table(
        ("card", "school", "grade", "class", "difference", "ours", "state", "theirs", "there", "repaired"), rows
    )


@reconcile.command(help=text("reconcile.trend"))
@_DESTINATION
@click.option("--limit", type=click.IntRange(1, 1000), default=14, show_default=True, help=text("option.jobs.limit"))
@report_errors
def trend(destination: str, limit: int) -> None:
    """Show the figures of the runs."""
    from hocba_hub.store import jobs

    name = known_destination(destination)
    with opened_store() as store, store.read() as connection:
        runs = jobs.history(connection, f"reconcile:{name}", limit=limit)
    names = ("all", "equal", *_KINDS)
    kinds = [f"kind-{kind}" for kind in names]
    rows = [
        (shown(run.started_at), text(f"run.{run.state}"), *(run.result.get(kind, 0) for kind in names)) for run in runs
    ]
    print_table(("started", "state", *kinds), rows, numbers=kinds)


@reconcile.command(help=text("reconcile.report"))
@_DESTINATION
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@report_errors
def report(destination: str, file: Path) -> None:
    """Write the newest run as a workbook."""
    from hocba_hub.api.reconciliation import workbook

    with opened_store() as store, store.read() as connection:
        file.write_bytes(workbook(connection, newest_run(connection, destination)))
    click.echo(text("reconcile.written", file=file))


@reconcile.command(help=text("reconcile.repair"))
@_DESTINATION
@click.option("--kind", "kinds", type=click.Choice(_REPAIRED), multiple=True, help=text("option.reconcile.repair"))
@_SCHOOL
@click.option("--reason", help=text("option.reason"))
@click.option("--dry-run", is_flag=True, help=text("option.dry-run"))
@click.option("--yes", is_flag=True, help=text("option.yes"))
@report_errors
def repair(
    destination: str, kinds: tuple[str, ...], school: str | None, reason: str | None, *, dry_run: bool, yes: bool
) -> None:
    """Show what would be repaired; on a terminal ask; then do it and show what was done."""
    from hocba_hub.api.reconciliation import told_to_schools
    from hocba_hub.model.reconciliation import Difference
    from hocba_hub.store import repair as repairs

    name = known_destination(destination)
    with opened_store() as store:
        with store.read() as connection:
            meant = {Difference(kind) for kind in kinds} or REPAIRED_BY_SENDING
            chosen = repairs.Chosen(newest_run(connection, destination), meant, school)
            planned = repairs.plan(connection, chosen)
        why = go_ahead("reconcile", planned, _print, reason, dry_run=dry_run, yes=yes)
        if why is None:
            return
        done = repairs.repair(store, chosen, told_to_schools(name), actor=actor(), reason=why, now=now())
    click.echo(text("reconcile.done", audit=done.audit_id))
    _print(done)


def _print(result: RepairResult) -> None:
    rows = [(text(f"column.kind-{kind}"), text("reconcile.sent"), cards) for kind, cards in result.sent.items()]
    rows += [(text(f"column.kind-{kind}"), text("reconcile.raised"), cards) for kind, cards in result.raised.items()]
    rows += [
        ("", text(f"reconcile.{name}"), getattr(result, name.replace("-", "_")))
        for name in ("changed", "repaired-before")
        if getattr(result, name.replace("-", "_"))
    ]
    if rows:
        rows.append((text("total"), "", result.cards))
    print_table(("difference", "outcome", "cards"), rows, numbers=("cards",))


def newest_run(connection: Connection, destination: str) -> int:
    """The newest run of a destination that was done; an error for the terminal if there is none."""
    from hocba_hub.store import reconciliation as stored

    run_id = stored.newest_run(connection, known_destination(destination))
    if run_id is None:
        raise click.ClickException(text("reconcile.never", destination=destination))
    return run_id
