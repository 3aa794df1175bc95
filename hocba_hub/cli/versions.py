"""`hocba-hub mappings draft|preview|activate|deactivate|active`: which versions of the mappings are in force."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hocba_hub.cli.session import (
    SchoolYear,
    actor,
    now,
    opened_store,
    print_table,
    reason_of,
    report_errors,
    settings_in_force,
    severity_shown,
    shown,
)
from hocba_hub.cli.texts import language, text

if TYPE_CHECKING:
    from hocba_hub.intake.preview import RecordsPreview
    from hocba_hub.mappings.document.document import Document
    from hocba_hub.mappings.library.mapping_set import MappingSet
    from hocba_hub.model.findings import Finding
    from hocba_hub.store.engine import Store

_REASON = click.option("--reason", help=text("option.reason"))
_DAY = click.DateTime(["%Y-%m-%d"])
_MOST_LINES = 30


def known_profile(store: Store, client: str, name: str) -> str | None:
    """The mapping's name, if this client may send what it reads; None for canonical cards."""
    from hocba_hub.bootstrap import active_mappings
    from hocba_hub.intake.profiles import profile_names
    from hocba_hub.mappings.schemas import REPORT_CARD
    from hocba_hub.model.clock import vietnam_day

    if name == REPORT_CARD:
        return None
    known = profile_names(active_mappings(settings_in_force(), store).current(), client, vietnam_day(now()))
    if name not in known:
        raise click.ClickException(text("unknown.profile", name=name, known=", ".join(known)))
    return name


def _document(store: Store, mappings: MappingSet, named: str) -> Document:
    """The mapping of a file, or NAME@VERSION of the store or of those that come with the hub; checked."""
    from hocba_hub.mappings.document.parse import read_document
    from hocba_hub.store.mappings import document_of

    name, _, version = named.partition("@")
    if Path(named).suffix in {".yaml", ".yml"}:
        try:
            raw: bytes | None = Path(named).read_bytes()
        except OSError as error:
            raise click.ClickException(f"{named}: {error.strerror}.") from error
    else:
        with store.read() as connection:
            raw = document_of(connection, name, version)
        if raw is None:
            found = (one.text for one in mappings.shipped.documents if (one.name, one.number) == (name, version))
            raw = next((one.encode() for one in found), None)
    if raw is None:
        raise click.ClickException(text("unknown.mapping", name=named))
    document, findings = read_document(raw.decode("utf-8", "surrogateescape"))
    if document is not None:
        findings = _check(document, mappings)
    for line in findings:
        click.echo(
            f"{named}: {severity_shown(line.kind)}: {line.as_json()['message_' + language()]} ({line.kind.code})",
            err=True,
        )
    if document is None or any(line.kind.severity == "error" for line in findings):
        raise click.exceptions.Exit(1)
    return document


def _check(document: Document, mappings: MappingSet) -> list[Finding]:
    from hocba_hub.mappings.check.check import check
    from hocba_hub.mappings.schemas import SchemaUnknownError

    try:
        return check(mappings.filled(document), mappings.tables, mappings.schema(document.target))
    except SchemaUnknownError as error:
        raise click.ClickException(str(error)) from error


@click.command(help=text("mappings.draft"))
@click.argument("file")
@_REASON
@report_errors
def draft(file: str, reason: str | None) -> None:
    """Store a draft."""
    from hocba_hub.bootstrap import active_mappings
    from hocba_hub.store.mappings import add_version

    with opened_store() as store:
        document = _document(store, active_mappings(settings_in_force(), store).newest(), file)
        body = document.text.encode("utf-8", "surrogateescape")
        why = reason_of(reason)
        with store.write() as connection:
            add_version(connection, document.name, document.number, body, actor=actor(), reason=why, now=now())
    click.echo(text("draft.stored", name=f"{document.name}@{document.number}"))


@click.command(help=text("mappings.preview"))
@click.argument("mapping")
@click.option("--records", type=click.IntRange(1, 1000), default=200, show_default=True, help=text("option.records"))
@click.option("--client", help=text("option.client"))
@click.option("--year", "school_year", type=SchoolYear(), help=text("option.year"))
@report_errors
def preview(mapping: str, records: int, client: str | None, school_year: str | None) -> None:
    """Show what a draft would change."""
    from hocba_hub.bootstrap import intake
    from hocba_hub.intake.preview import preview_draft
    from hocba_hub.model.activation import ActivationScope

    with opened_store() as store:
        parts = intake(settings_in_force(), store)
        mappings = parts.mappings.newest()
        document = _document(store, mappings, mapping)
        with store.read() as connection:
            made = preview_draft(
                connection, mappings, parts.checker, document, records, ActivationScope(client, school_year)
            )
    effect = made.effect
    click.echo(text("preview.records", records=effect.records, changed=effect.changed))
    if made.unreadable or made.not_kept:
        click.echo(text("preview.unreadable", unreadable=made.unreadable, not_kept=made.not_kept))
    fields = effect.fields.most_common(_MOST_LINES)
    print_table(
        ("field", "change", "places"), [(name, kind, count) for (name, kind), count in fields], numbers=("places",)
    )
    _say_more(len(effect.fields))
    failing, passing = (_cards(made, numbers) for numbers in (effect.start_failing, effect.start_passing))
    click.echo(text("preview.failing", count=len(effect.start_failing)) + f" {failing}".rstrip())
    click.echo(text("preview.passing", count=len(effect.start_passing)) + f" {passing}".rstrip())
    for sign, codes in (("+", effect.findings_more), ("-", effect.findings_fewer)):
        for code, count in codes.most_common(_MOST_LINES):
            click.echo(f"  {sign}{count} {code}")
        _say_more(len(codes))


def _say_more(count: int) -> None:
    if count > _MOST_LINES:
        click.echo(text("preview.more", count=count - _MOST_LINES))


def _cards(made: RecordsPreview, numbers: Sequence[int]) -> str:
    named = [made.record_ids[number] for number in numbers if made.record_ids[number]]
    return ", ".join([*named[:_MOST_LINES], *(["…"] if len(named) > _MOST_LINES else [])])


@click.command(help=text("mappings.activate"))
@click.argument("mapping")
@click.option("--client", help=text("option.client"))
@click.option("--year", "school_year", type=SchoolYear(), help=text("option.year"))
@click.option("--from", "first", type=_DAY, help=text("option.from"))
@click.option("--to", "last", type=_DAY, help=text("option.to"))
@_REASON
@report_errors
def activate(
    *,
    mapping: str,
    client: str | None,
    school_year: str | None,
    first: datetime | None,
    last: datetime | None,
    reason: str | None,
) -> None:
    """Put a version in force."""
    from hocba_hub.adapters.destination import load_destinations
    from hocba_hub.adapters.registry import new_misfits
    from hocba_hub.bootstrap import active_mappings
    from hocba_hub.model.activation import ActivationScope
    from hocba_hub.store.mappings import activate as put_in_force

    scope = ActivationScope(client, school_year, _date(first), _date(last))
    with opened_store() as store:
        mappings = active_mappings(settings_in_force(), store).newest()
        document = _document(store, mappings, mapping)
        known = load_destinations(settings_in_force().destinations_folder).values()
        for name, misfit in new_misfits(known, os.environ, mappings, document, scope).items():
            raise click.ClickException(f"{name}: {text('standing.misfit', reason=misfit)}")
        body, number = document.text.encode("utf-8", "surrogateescape"), document.number
        why = reason_of(reason)
        with store.write() as connection:
            made = put_in_force(connection, document.name, number, body, scope, actor=actor(), reason=why, now=now())
    click.echo(text("activated", name=f"{document.name}@{number}", id=made.id))


@click.command(help=text("mappings.deactivate"))
@click.argument("name")
@click.option("--id", "activation", type=int, help=text("option.activation"))
@_REASON
@report_errors
def deactivate(name: str, activation: int | None, reason: str | None) -> None:
    """End an activation."""
    from hocba_hub.store.mappings import deactivate as end

    with opened_store() as store:
        why = reason_of(reason)
        with store.write() as connection:
            ended = end(connection, name, activation, actor=actor(), reason=why, now=now())
    click.echo(text("deactivated", name=f"{name}@{ended.version}", id=ended.id))


@click.command(help=text("mappings.active"))
@click.argument("name", required=False)
@report_errors
def active(name: str | None) -> None:
    """Show what is in force."""
    from hocba_hub.bootstrap import active_mappings
    from hocba_hub.model.clock import vietnam_day
    from hocba_hub.store.mappings import activations

    with opened_store() as store:
        with store.read() as connection:
            found = activations(connection, name)
        mappings = active_mappings(settings_in_force(), store).newest()
    today = vietnam_day(now())
    rows = []
    for one in found:
        days = f"{one.scope.valid_from or ''}..{one.scope.valid_to or ''}".removesuffix("..")
        where = (one.scope.client or "*", one.scope.school_year or "*", days or "*")
        chosen = mappings.chosen(one.name, client=one.scope.client, school_year=one.scope.school_year, on=today)
        counts = text("counts.yes") if chosen is not None and chosen.id == one.id else text("counts.no")
        rows.append((one.id, one.name, one.version, *where, counts, shown(one.activated_at), one.activated_by))
    print_table(("number", "name", "version", "client", "year", "days", "counts", "created", "by"), rows)


def _date(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


COMMANDS = (draft, preview, activate, deactivate, active)
"""Those that are added to `hocba-hub mappings`."""
