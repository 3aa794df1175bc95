"""`hocba-hub acknowledgements`: verdicts that come later, and what a person decides where they contradict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import click

from hocba_hub.cli.acting import acting, do
from hocba_hub.cli.destinations import known_destination
from hocba_hub.cli.selecting import Options, selecting, selection_of
from hocba_hub.cli.session import (
    actor,
    now,
    opened_store,
    print_table,
    reason_of,
    report_errors,
    settings_in_force,
    shown,
    state_shown,
)
from hocba_hub.cli.texts import text

if TYPE_CHECKING:
    from hocba_hub.store.acknowledgements import Acknowledgement


@click.group(help=text("acknowledgements"))
def acknowledgements() -> None:
    """Verdicts that come later."""


@acknowledgements.command(help=text("acknowledgements.timeliness"))
@report_errors
def timeliness() -> None:
    """Show how the verdicts of each destination come."""
    from hocba_hub.bootstrap import destinations
    from hocba_hub.store.verdict_times import timeliness as of_destination

    with opened_store() as store, store.read() as connection:
        found = [
            of_destination(
                connection,
                name,
                overdue_seconds=one.acknowledgement.overdue_seconds,
                objective=one.acknowledgement.objective,
                now=now(),
            )
            for name, one in sorted(destinations(settings_in_force()).items())
        ]
    rows = [
        (
            one.destination, one.awaited, one.overdue, one.in_time, one.late,
            "" if one.share is None else f"{one.share:.2%}", f"{one.objective:.2%} / {one.objective_seconds:g} s",
            "" if one.usual_seconds is None else f"{one.usual_seconds:.1f} s", one.undecided,
        )
        for one in found
    ]  # fmt: skip
    columns = ("destination", "awaited", "overdue", "in-time", "late", "share", "objective", "usual", "undecided")
    print_table(columns, rows, numbers=("awaited", "overdue", "in-time", "late", "share", "usual", "undecided"))


@acknowledgements.command("list", help=text("acknowledgements.list"))
@click.option("--destination", help=text("option.acks.destination"))
@click.option(
    "--kind", type=click.Choice(["settled", "late", "repeated", "contradictory"]), help=text("option.acks.kind")
)
@click.option("--undecided", is_flag=True, help=text("option.acks.undecided"))
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help=text("option.acks.limit"))
@report_errors
def list_(destination: str | None, kind: str | None, limit: int, *, undecided: bool) -> None:
    """Show verdicts that came late, again, unasked, or against another."""
    from hocba_hub.store import acknowledgements as stored

    with opened_store() as store, store.read() as connection:
        found = stored.listed(
            connection, destination=destination, kind=stored.AckKind(kind) if kind else None, undecided=undecided,
            limit=limit,
        )  # fmt: skip
    _print(found)


@acknowledgements.command(help=text("acknowledgements.decide"))
@click.argument("ack_id", metavar="ID", type=click.IntRange(1, 2**63 - 1))
@click.option("--keep", "decision", flag_value="keep", help=text("option.acks.keep"))
@click.option("--take", "decision", flag_value="take", help=text("option.acks.take"))
@click.option("--reason", help=text("option.reason"))
@report_errors
def decide(ack_id: int, decision: str | None, reason: str | None) -> None:
    """Say which verdict counts."""
    from hocba_hub.store import acknowledgements as stored

    if decision is None:
        raise click.UsageError(text("acknowledgements.which"))
    why = reason_of(reason)
    with opened_store() as store, store.write() as connection:
        found = stored.decide(
            connection, ack_id, stored.Decision(decision), actor=actor(), reason=why, now=now()
        )  # fmt: skip
    if found is None:
        raise click.ClickException(text("acknowledgements.unknown"))
    _print([found])


@acknowledgements.command(help=text("acknowledgements.enter"))
@click.argument("records", metavar="RECORD_ID/VERSION...", nargs=-1, required=True)
@click.option("--destination", required=True, metavar="NAME", help=text("option.destination"))
@click.option("--code", required=True, metavar="CODE", help=text("option.acks.code"))
@click.option("--reason", help=text("option.reason"))
@report_errors
def enter(records: tuple[str, ...], destination: str, code: str, reason: str | None) -> None:
    """Enter the verdict that a person has from a destination."""
    from hocba_hub.api.acknowledging import Brought, heard, receptions
    from hocba_hub.bootstrap import destinations
    from hocba_hub.model.keys import RECORD_IDS
    from hocba_hub.store.acknowledgements import enter_by_hand

    name = known_destination(destination)
    brought = [Brought(*_record(record), code) for record in records]
    verdicts = heard(brought, RECORD_IDS, destinations(settings_in_force())[name].codes)
    why = reason_of(reason)
    with opened_store() as store, store.write() as connection:
        found = enter_by_hand(connection, name, verdicts, actor=actor(), reason=why, now=now())
    became = receptions(brought, RECORD_IDS, found)
    rows = [(record, text(f"ack.{reception}")) for record, reception in zip(records, became, strict=True)]
    print_table(("card", "outcome"), rows)


@acknowledgements.command(help=text("acknowledgements.absent"))
@acting
@selecting("in_doubt")
@report_errors
def absent(*, reason: str | None, dry_run: bool, yes: bool, **options: Unpack[Options]) -> None:
    """Say that a destination which cannot be asked does not hold them: they are sent again."""
    from hocba_hub.bootstrap import destinations
    from hocba_hub.queue.doubt import check_absence

    check_absence(destinations(settings_in_force()), selection_of(options))
    do("absent", options, reason, dry_run=dry_run, yes=yes)


def _record(given: str) -> tuple[str, int]:
    record_id, _, version = given.rpartition("/")
    if not record_id or not version.isdecimal():
        raise click.UsageError(text("acknowledgements.record", record=given))
    return record_id, int(version)


def _print(found: list[Acknowledgement]) -> None:
    rows = [
        (
            str(one.id), one.destination, f"{one.school_year}/{one.card_id}", one.version, text(f"ack.{one.kind}"),
            one.code, state_shown(one.verdict), one.source, one.times, shown(one.first_at), state_shown(one.state),
            "" if one.decision is None else f"{text(f'ack.{one.decision}')} · {one.decided_by}",
        )
        for one in found
    ]  # fmt: skip
    columns = (
        "id", "destination", "card", "version", "what", "code", "verdict", "how", "times", "first", "state", "decided",
    )  # fmt: skip
    print_table(columns, rows, numbers=("version", "times"))
