"""`hocba-hub alerts`: what Prometheus is to tell operators, and what they do then."""

from __future__ import annotations

import click

from hocba_hub.cli.session import print_table, report_errors
from hocba_hub.cli.texts import language, text


@click.group(help=text("alerts"))
def alerts() -> None:
    """Alerts and runbooks."""


@alerts.command("list", help=text("alerts.list"))
@report_errors
def list_() -> None:
    """Each alert with its severity and what it says."""
    from hocba_hub.monitoring.alerts import alerts as known
    from hocba_hub.monitoring.alerts import plain

    rows = [(one.name, one.severity, plain(one.summary[language()])) for one in known().alerts]
    print_table(("alert", "severity", "says"), rows)


@alerts.command(help=text("alerts.rules"))
def rules() -> None:
    """Print Prometheus's file of rules."""
    from hocba_hub.monitoring.alerts import rules as written

    click.echo(written(), nl=False)


@alerts.command(help=text("alerts.show"))
@click.argument("name")
@report_errors
def show(name: str) -> None:
    """Print the runbook of an alert."""
    from hocba_hub.monitoring.alerts import alerts as known
    from hocba_hub.monitoring.alerts import runbook

    pages = {one.name.lower(): one.runbook for one in known().alerts}
    page = runbook(pages.get(name.lower(), name.lower()), language())
    if page is None:
        raise click.BadParameter(text("alerts.unknown", name=name))
    click.echo(page, nl=False)
