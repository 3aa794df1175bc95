"""`hocba-hub importer`: only the worker that imports files."""

from __future__ import annotations

import click

from hocba_hub.cli.session import report_errors, settings_in_force
from hocba_hub.cli.texts import text


@click.command(help=text("importer"))
@report_errors
def importer() -> None:
    """Import files until SIGTERM, apart from the deliveries: a bad file delays no card. Any number may run."""
    from hocba_hub.bootstrap import importing, presence
    from hocba_hub.monitoring.logs import configure
    from hocba_hub.monitoring.trace_export import configure_traces
    from hocba_hub.queue.worker import work

    settings = settings_in_force()
    configure(settings.log_level)
    configure_traces(settings, "importer")
    imports = importing(settings)
    with presence(imports.store, "importer"):
        work("import", imports, settings.redis_url, poll_seconds=settings.poll_store_seconds)
