"""`hocba-hub audit`: what people did, decided and looked at, and whether anybody has changed it since."""

from __future__ import annotations

from pathlib import Path

import click
import orjson

from hocba_hub.cli.session import Moment, opened_store, print_table, report_errors, settings_in_force, shown
from hocba_hub.cli.texts import text

_MOST_SHOWN = 120


@click.group(help=text("audit"))
def audit() -> None:
    """The audit trail."""


@audit.command("list", help=text("audit.list"))
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help=text("option.audit.limit"))
@click.option("--json", "as_json", is_flag=True, help=text("option.audit.json"))
@report_errors
def list_(limit: int, *, as_json: bool) -> None:
    """Show the newest rows first."""
    from hocba_hub.store import audit as stored

    with opened_store() as store, store.read() as connection:
        found = stored.entries(connection, limit=limit)
    if as_json:
        for one in found:
            click.echo(orjson.dumps({name: getattr(one, name) for name in one.__slots__}).decode())
        return
    rows = []
    for one in found:
        detail = orjson.dumps(one.detail).decode()
        short = detail if len(detail) <= _MOST_SHOWN else f"{detail[:_MOST_SHOWN]}…"
        rows.append((str(one.id), shown(one.at), one.actor, one.action, one.reason, short))
    print_table(("id", "at", "by", "what", "why", "more"), rows)


@audit.command(help=text("audit.verify"))
@click.option("--since", type=Moment(), help=text("option.audit.since"))
@click.option(
    "--anchors", type=click.Path(dir_okay=False, exists=True, path_type=Path), help=text("option.audit.anchors")
)
@report_errors
def verify(since: int | None, anchors: Path | None) -> None:
    """Hold every row against the chain, and the chain against its anchors; exit code 1 if something is wrong."""
    from hocba_hub.queue.jobs.audit_anchors import read_anchors
    from hocba_hub.store import audit as stored

    file = anchors or settings_in_force().anchors_path
    known = list(read_anchors(file))
    with opened_store() as store, store.read() as connection:
        end = stored.newest(connection)
        faults = list(stored.verify(connection, since=since, anchors=known))
    for fault in faults:
        click.echo(text(f"audit.{fault.what}", seq=fault.seq))
    click.echo(text("audit.rows", count=0 if end is None else end.seq, anchors=len(known)))
    if faults:
        raise click.exceptions.Exit(1)
    click.echo(text("audit.whole"))
