"""`hocba-hub dashboards`: the files that Grafana reads."""

from __future__ import annotations

from pathlib import Path

import click

from hocba_hub.cli.session import report_errors
from hocba_hub.cli.texts import text


@click.command(help=text("dashboards"))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@report_errors
def dashboards(folder: Path) -> None:
    """Write the dashboards into a folder, one file each."""
    from hocba_hub.monitoring.dashboards import dashboards as known
    from hocba_hub.monitoring.dashboards import grafana

    folder.mkdir(parents=True, exist_ok=True)
    for name in known():
        path = folder / f"{name}.json"
        path.write_bytes(grafana(name))
        click.echo(str(path))
