"""`hocba-hub destinations`: how the destinations stand; checking a file; pausing and resuming."""

from __future__ import annotations

from pathlib import Path
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
    state_shown,
)
from hocba_hub.cli.texts import language, text

if TYPE_CHECKING:
    from hocba_hub.adapters.destination import Destination
    from hocba_hub.model.keys import DestinationName
    from hocba_hub.store.control import DestinationHealth
    from hocba_hub.store.engine import Store

_REASON = click.option("--reason", help=text("option.reason"))


@click.group(help=text("destinations"))
def destinations() -> None:
    """Destinations."""


@destinations.command("list", help=text("destinations.list"))
@report_errors
def list_() -> None:
    """Show how every destination stands."""
    from hocba_hub.store import control

    known = _configured()
    with opened_store() as store, store.read() as connection:
        health = control.overview(connection, known, now())
        wrong = misfits_in_force(store)
    rows = [
        (
            each.name,
            _state(each, wrong.get(each.name), known[each.name].maintained_until(now())),
            ", ".join(f"{state_shown(state)} {count:,}" for state, count in each.depth.items() if count),
            shown(each.oldest_due_at),
        )
        for each in health
    ]
    print_table(("destination", "standing", "depth", "due"), rows)


@destinations.command(help=text("destinations.check"))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@report_errors
def check(file: Path) -> None:
    """Read a destination file, and bind its adapter without calling anybody."""
    import os

    from hocba_hub.adapters.destination import DestinationError, load_destination
    from hocba_hub.adapters.registry import adapter_for
    from hocba_hub.mappings.library.mapping_set import mappings_beside

    try:
        found = load_destination(file.read_text(encoding="utf-8"), origin=file.name, folder=file.parent)
    except UnicodeDecodeError as error:
        raise DestinationError(f"{file.name}: not UTF-8.") from error
    mappings = mappings_beside(file.parent)
    adapter_for(found, os.environ, lambda: mappings).close()
    title = found.title.vi if language() == "vi" else found.title.en
    if found.plain_http_host:
        click.echo(text("plain-http", name=found.name, host=found.plain_http_host), err=True)
    click.echo(text("checked", name=found.name, title=title))


@destinations.command(help=text("destinations.contract"))
@click.argument("wsdl", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@report_errors
def contract(wsdl: Path) -> None:
    """List what a WSDL has, as the places that a destination file can name."""
    from hocba_hub.adapters.soap.description import DescribedPlace, described

    rows = [
        (one.binding, one.operation, text(f"way.{one.way}"), one.place, one.type, one.times)
        if isinstance(one, DescribedPlace)
        else (one.binding, one.operation, "", one.reason, "", "")
        for one in described(wsdl)
    ]
    print_table(("binding", "operation", "way", "place", "type", "times"), rows)


@destinations.command(help=text("destinations.pause"))
@click.argument("name")
@_REASON
@report_errors
def pause(name: str, reason: str | None) -> None:
    """Send nothing there."""
    from hocba_hub.store import control

    known, why = known_destination(name), reason_of(reason)
    with opened_store() as store, store.write() as connection:
        control.pause(connection, known, actor=actor(), reason=why, now=now())
    click.echo(text("paused", name=name))


@destinations.command(help=text("destinations.resume"))
@click.argument("name")
@_REASON
@report_errors
def resume(name: str, reason: str | None) -> None:
    """Send there again."""
    from hocba_hub.store import control

    known, why = known_destination(name), reason_of(reason)
    with opened_store() as store, store.write() as connection:
        control.resume(connection, known, actor=actor(), reason=why, now=now())
    click.echo(text("resumed", name=name))


def _configured() -> dict[DestinationName, Destination]:
    from hocba_hub.bootstrap import destinations as configured

    return configured(settings_in_force())


def known_destination(name: str) -> DestinationName:
    """The destination of this name.

    Raises:
        click.UsageError: none is configured.
    """
    names = _configured()
    found = next((known for known in names if known == name), None)
    if found is None:
        raise click.UsageError(text("unknown.destination", name=name, known=", ".join(names)))
    return found


def misfits_in_force(store: Store) -> dict[str, str]:
    """The destinations that cannot be called as they are described, each with the reason, by the mappings in force."""
    import os

    from hocba_hub.adapters.registry import misfits
    from hocba_hub.bootstrap import active_mappings, destinations

    settings = settings_in_force()
    return misfits(destinations(settings).values(), os.environ, active_mappings(settings, store).current)


def _state(each: DestinationHealth, misfit: str | None, maintained_until: int | None) -> str:
    if misfit is not None:
        return text("standing.misfit", reason=misfit)
    if each.paused_at is not None:
        return text("standing.paused", at=shown(each.paused_at), reason=each.pause_reason)
    if maintained_until is not None:
        return text("standing.maintained", until=shown(maintained_until))
    if each.open_until is not None:
        return text("standing.breaker", at=shown(each.open_until))
    return text("standing.open")
