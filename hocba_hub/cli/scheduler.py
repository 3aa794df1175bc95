"""`hocba-hub scheduler`: only the scheduler."""

from __future__ import annotations

import signal
from types import FrameType

import click

from hocba_hub.cli.texts import text
from hocba_hub.settings import Settings

_EVERY_SECONDS = 1.0
"""Between two looks for files that wait for their import."""


@click.command(help=text("scheduler"))
def scheduler() -> None:
    """Ring for what is due and take over expired leases, until SIGTERM. Any number may run."""
    from hocba_hub.bootstrap import housekeeping, import_process, worker_process
    from hocba_hub.monitoring.logs import configure
    from hocba_hub.queue.scheduler import schedule

    settings = Settings()
    configure(settings.log_level)
    process = worker_process(settings)

    def stop(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of signal handlers
        process.stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    tasks = housekeeping(settings, process.engine.store)
    import_process(settings, process).rounds(_EVERY_SECONDS, may_import=False)
    schedule(process.engine, process.doorbell, process.stop, housekeeping=tasks)
