"""`hocba-hub worker`: only the delivery workers, or only a worker that runs jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hocba_hub.cli.session import report_errors, settings_in_force
from hocba_hub.cli.texts import text

if TYPE_CHECKING:
    from hocba_hub.settings import Settings


@click.command(help=text("worker"))
@click.option("--processes", type=click.IntRange(1), default=None, help=text("option.processes.worker"))
@click.option("--jobs", is_flag=True, help=text("option.worker.jobs"))
@report_errors
def worker(processes: int | None, *, jobs: bool) -> None:
    """Deliver, or run jobs, until SIGTERM: finishes what is under way, then ends."""
    settings = settings_in_force()
    if jobs:
        _run_jobs(settings)
        return
    processes = processes or settings.worker_processes
    if processes > 1:
        from hocba_hub.bootstrap import open_store
        from hocba_hub.cli.supervision import Child, Supervisor, hub_command

        open_store(settings).close()  # what every process would stumble over is told once
        command = hub_command("worker", "--processes", "1")
        Supervisor([Child(f"worker-{number}", command) for number in range(processes)]).run()
        return
    from hocba_hub.bootstrap import delivering, presence
    from hocba_hub.monitoring.logs import configure
    from hocba_hub.monitoring.trace_export import configure_traces
    from hocba_hub.queue.worker import work

    configure(settings.log_level)
    configure_traces(settings, "worker")
    deliveries = delivering(settings)
    with presence(deliveries.engine.store, "worker"):
        work("drain", deliveries, settings.redis_url, poll_seconds=settings.poll_store_seconds)


def _run_jobs(settings: Settings) -> None:
    from hocba_hub.bootstrap import job_worker, presence
    from hocba_hub.monitoring.logs import configure
    from hocba_hub.monitoring.trace_export import configure_traces
    from hocba_hub.queue.worker import work

    configure(settings.log_level)
    configure_traces(settings, "jobs")
    jobs = job_worker(settings)
    with presence(jobs.store, "jobs"):
        work("job", jobs, settings.redis_url, poll_seconds=settings.poll_store_seconds)
