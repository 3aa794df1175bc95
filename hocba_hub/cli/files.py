"""`hocba-hub files`: what clients sent as files, and importing one from this machine."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

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
)
from hocba_hub.cli.texts import language, text


@click.group(help=text("files"))
def files() -> None:
    """Files."""


@files.command("list", help=text("files.list"))
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help=text("option.files.limit"))
@report_errors
def list_(limit: int) -> None:
    """Show the newest files."""
    from hocba_hub.store import files as stored

    with opened_store() as store, store.read() as connection:
        found = stored.newest(connection, limit=limit)
    columns = ("id", "file", "form", "state", "created", "records", "imported", "accepted", "rejected", "code")
    rows = [
        (
            one.id, one.name, one.form, one.state, shown(one.created_at), "" if one.total is None else one.total,
            one.position, one.accepted, one.rejected, one.code or "",
        )
        for one in found
    ]  # fmt: skip
    print_table(columns, rows, numbers=("records", "imported", "accepted", "rejected"))


@files.command(help=text("files.show"))
@click.argument("file_id", metavar="ID")
@report_errors
def show(file_id: str) -> None:
    """Show how far a file is, and what was found of it."""
    from hocba_hub.store import files as stored

    with opened_store() as store, store.read() as connection:
        file = stored.find(connection, file_id)
    if file is None:
        raise click.ClickException(text("files.missing"))
    click.echo(text("files.ended", name=file.name, state=file.state, accepted=file.accepted, rejected=file.rejected))
    if file.code:
        from hocba_hub.api.problems.problem_kinds import KINDS

        kind = KINDS[file.code]
        click.echo(f"{file.code}: {kind.detail_vi if language() == 'vi' else kind.detail_en}")
    if file.findings:
        message = f"message_{language()}"
        rows = [(one.get("part", ""), one["pointer"], one["code"], one[message]) for one in file.findings]
        print_table(("part", "places", "code", "finding"), rows)


@files.command(help=text("files.cancel"))
@click.argument("file_id", metavar="ID")
@click.option("--reason", help=text("option.reason"))
@report_errors
def cancel(file_id: str, reason: str | None) -> None:
    """Want no more of a file."""
    from hocba_hub.intake.files.spool import Spool
    from hocba_hub.store import audit
    from hocba_hub.store import files as stored

    settings, why = settings_in_force(), reason_of(reason)
    with opened_store() as store, store.write() as connection:
        if not stored.cancel(connection, file_id, now=now()):
            raise click.ClickException(text("files.ended-already"))
        audit.write(connection, at=now(), actor=actor(), action="cancel-file", reason=why, detail={"file": file_id})
    Spool(settings.files_folder).remove(file_id)
    click.echo(text("files.cancelled"))


@files.command(help=text("files.retry"))
@click.argument("file_id", metavar="ID")
@click.option("--reason", help=text("option.reason"))
@report_errors
def retry(file_id: str, reason: str | None) -> None:
    """Let the import of a failed file be tried again."""
    from hocba_hub.store import audit
    from hocba_hub.store import files as stored

    why = reason_of(reason)
    with opened_store() as store, store.write() as connection:
        if not stored.try_again(connection, file_id, now=now()):
            raise click.ClickException(text("files.not-failed"))
        audit.write(connection, at=now(), actor=actor(), action="retry-file", reason=why, detail={"file": file_id})
    click.echo(text("files.waits"))


@files.command("import", help=text("files.import"))
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--client", required=True, help=text("option.files.client"))
@click.option("--profile", help=text("option.files.profile"))
@click.option("--result", type=click.Path(dir_okay=False, path_type=Path), help=text("option.files.result"))
@click.option("--workbook", type=click.Path(dir_okay=False, path_type=Path), help=text("option.files.workbook"))
@click.option("--not-checkable", is_flag=True, help=text("option.files.not-checkable"))
@report_errors
def import_(
    path: Path, client: str, profile: str | None, result: Path | None, workbook: Path | None, *, not_checkable: bool
) -> None:
    """Import a file of this machine, and show how far it is."""
    import shutil

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    from hocba_hub.cli.importing import local_import, whole_file
    from hocba_hub.intake.files.forms import form_of_name

    form = form_of_name(path.name)
    if form is None:
        raise click.ClickException(text("files.form-unknown", name=path.name))
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        local_import(settings_in_force(), client, profile, tells_unchecked=not_checkable) as local,
        Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress,
    ):
        task = progress.add_task("", total=None)
        file = local.enter(path, path.name, form)
        ended = local.run(
            file,
            threading.Event(),
            lambda so_far: progress.update(task, total=so_far.total, completed=so_far.position),
        )
        assert ended is not None  # noqa: S101 - nobody stops it but by ending this process
        if result is not None:
            local.write_result(ended, result)
        marked = local.spool.workbook(ended.id)
        if workbook is not None and marked.exists():
            with whole_file(workbook) as target:
                shutil.copyfile(marked, target)
    facts = {"state": ended.state, "accepted": ended.accepted, "rejected": ended.rejected}
    click.echo(f"{ended.id}  {text('files.ended', name=path.name, **facts)}")
    sys.exit(2 if ended.state == "failed" else 1 if ended.rejected else 0)
