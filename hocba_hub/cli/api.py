"""`hocba-hub api`: only the HTTP API."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import click

from hocba_hub.cli.session import report_errors, settings_in_force
from hocba_hub.cli.texts import text

if TYPE_CHECKING:
    from hocba_hub.settings import Settings


@click.command(help=text("api"))
@click.option("--host", default=None, help=text("option.host"))
@click.option("--port", type=int, default=None, help=text("option.port"))
@click.option("--processes", type=click.IntRange(1), default=1, show_default=True, help=text("option.processes.api"))
@report_errors
def api(host: str | None, port: int | None, processes: int) -> None:
    """Serve the HTTP API until SIGTERM; needs an up-to-date store."""
    settings = settings_in_force()
    host, port = host or settings.host, settings.port if port is None else port
    if processes > 1:
        from hocba_hub.bootstrap import open_store
        from hocba_hub.cli.supervision import Child, Supervisor, hub_command

        open_store(settings).close()  # what every process would stumble over is told once
        command = hub_command("api", "--host", host, "--port", str(port))
        Supervisor([Child(f"api-{number}", command) for number in range(processes)]).run()
        return
    serve(settings, host, port)


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve in this process; several such processes may share a port."""
    from hocba_hub.api.http.server import server
    from hocba_hub.bootstrap import application
    from hocba_hub.cli.up import address_error, listening
    from hocba_hub.monitoring.logs import configure
    from hocba_hub.monitoring.trace_export import configure_traces

    configure(settings.log_level)
    configure_traces(settings, "api")
    try:
        held = listening(host, port, shared=True)
    except OSError as error:
        raise address_error(host, port, error) from error
    with held:
        held.listen(1024)
        app = application(settings)
        gc.freeze()  # what lives as long as the process is not looked through again and again
        server(app, settings, loop="uvloop", timeout_graceful_shutdown=20).run(sockets=[held])
