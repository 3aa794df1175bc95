"""`hocba-hub scheduler`: only the scheduler."""

from __future__ import annotations

import signal
from types import FrameType

import click

from hocba_hub.cli.session import report_errors, settings_in_force
from hocba_hub.cli.texts import text


@click.command(help=text("scheduler"))
@report_errors
def scheduler() -> None:
    """Ring for what is due and take over expired leases, until SIGTERM. Any number may run."""
    from hocba_hub.bootstrap import delivering, importing, job_worker, presence
    from hocba_hub.monitoring.logs import configure
    from hocba_hub.queue.scheduler import schedule

    settings = settings_in_force()
    configure(settings.log_level)
    deliveries = delivering(settings)
    store, stop = deliveries.engine.store, deliveries.stop

    def ask_to_stop(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of signal handlers
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    with presence(store, "scheduler") as present:
        ring = [importing(settings, store).ring, job_worker(settings, store).ring]
        schedule(deliveries.engine, deliveries.doorbell, stop, ring=ring, done=present.round_done)
