"""`hocba-hub jobs`: what the hub does by itself, and the imports of files."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from hocba_hub.cli.session import actor, now, opened_store, print_table, reason_of, report_errors, shown
from hocba_hub.cli.texts import TEXTS, text

if TYPE_CHECKING:
    from hocba_hub.store.jobs import Job, Run

_REASON = click.option("--reason", help=text("option.reason"))


@click.group(help=text("jobs"))
def jobs() -> None:
    """Jobs."""


@jobs.command("list", help=text("jobs.list"))
@report_errors
def list_() -> None:
    """Show every job."""
    from hocba_hub.store import job_acts

    with opened_store() as store, store.read() as connection:
        found = job_acts.listed(connection)
    rows = [
        (
            job.key, _standing(job), job.schedule or "", shown(job.next_run_at),
            *(("", "", "", "") if job.run is None else _told(job.run)),
        )
        for job in found
    ]  # fmt: skip
    print_table(("job", "standing", "schedule", "next", "newest-run", "started", "progress", "outcome"), rows)


@jobs.command(help=text("jobs.show"))
@click.argument("key")
@report_errors
def show(key: str) -> None:
    """Show one job."""
    _print(_found(key))


@jobs.command(help=text("jobs.history"))
@click.argument("key")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help=text("option.jobs.limit"))
@report_errors
def history(key: str, limit: int) -> None:
    """Show the runs of a job."""
    from hocba_hub.store import jobs as stored

    job = _found(key)
    with opened_store() as store, store.read() as connection:
        runs = stored.history(connection, key, limit=limit)
    if not runs and job.run is not None:  # an import: its run is the file's own row
        runs = [job.run]
    _print_runs(runs)


def _acting(name: str) -> Callable[[str, str | None], None]:
    @jobs.command(name, help=text(f"jobs.{name}"))
    @click.argument("key")
    @_REASON
    @report_errors
    def act(key: str, reason: str | None) -> None:
        from hocba_hub.store import job_acts

        _found(key)
        why = reason_of(reason)
        what = job_acts.JobAct(name)
        with opened_store() as store, store.write() as connection:
            job = job_acts.act(connection, key, what, actor=actor(), reason=why, now=now())
        if job is not None:
            _print(job)

    return act


for _name in ("run", "pause", "resume", "cancel"):
    _acting(_name)


def _found(key: str) -> Job:
    from hocba_hub.store import job_acts

    with opened_store() as store, store.read() as connection:
        found = job_acts.find(connection, key)
        known = [] if found is not None else [job.key for job in job_acts.listed(connection)]
    if found is None:
        raise click.ClickException(text("jobs.unknown", key=key, known=", ".join(known)))
    return found


def _print(job: Job) -> None:
    click.echo(f"{job.key}: {text(f'job.{job.kind}')} · {_standing(job)}")
    for name, value in (("schedule", job.schedule), ("next", shown(job.next_run_at))):
        if value:
            click.echo(f"{text(f'column.{name}')}: {value}")
    if job.run is not None:
        _print_runs([job.run])


def _print_runs(runs: list[Run]) -> None:
    columns = ("id", "asked-by", "state", "started", "seconds", "progress", "outcome", "takeovers")
    rows = []
    for run in runs:
        state, started, progress, result = _told(run)
        seconds = "" if run.ended_at is None else f"{max(0, run.ended_at - run.started_at) / 1000:.1f}"
        rows.append((str(run.id), run.asked_by, state, started, seconds, progress, result, run.takeovers))
    print_table(columns, rows, numbers=("seconds", "takeovers"))


def _standing(job: Job) -> str:
    from hocba_hub.store import job_acts

    if job.paused_at is not None:
        return text("standing.paused", at=shown(job.paused_at), reason=job.pause_reason or "")
    return text(f"standing.{job_acts.standing(job, now())}")


def _told(run: Run) -> tuple[str, str, str, str]:
    """A run's state, start, progress and result, as a table shows them."""
    progress = f"{run.done:,}" if run.total is None else f"{run.done:,} / {run.total:,}"
    counts = ", ".join(f"{_name_of(name)} {count:,}" for name, count in sorted(run.result.items()) if count)
    error = f"job.error.{run.error}"
    wrong = "" if run.error is None else text(error) if error in TEXTS else run.error
    return text(f"run.{run.state}"), shown(run.started_at), progress, wrong or counts


def _name_of(count: str) -> str:
    """What a count of a result is called; a run of an older version may have counted something else."""
    name = f"job.count.{count}"
    return text(name) if name in TEXTS else count
