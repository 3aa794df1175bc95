"""`hocba-hub watch`: files that are dropped into a folder, imported.

A file is claimed by renaming it into `working/`, under an id that is also that of its import: whoever is killed leaves
it there, and another watcher of the folder, or the same one started again, goes on with it.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from hocba_hub.cli.session import report_errors, settings_in_force
from hocba_hub.cli.texts import text
from hocba_hub.model.ids import uuid7

if TYPE_CHECKING:
    from hocba_hub.cli.importing import LocalImport

log = logging.getLogger(__name__)

_UNFINISHED = (".part", ".partial", ".tmp", ".filepart", ".crdownload")
"""Endings that programs give to files that they are still writing."""
_ID_LENGTH = 36


@click.command(help=text("watch"))
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--client", required=True, help=text("option.files.client"))
@click.option("--profile", help=text("option.files.profile"))
@click.option("--settle", type=click.FloatRange(0), default=5.0, show_default=True, help=text("option.watch.settle"))
@click.option("--every", type=click.FloatRange(0.05), default=2.0, show_default=True, help=text("option.watch.every"))
@click.option("--not-checkable", is_flag=True, help=text("option.files.not-checkable"))
@click.option("--once", is_flag=True, help=text("option.watch.once"))
@report_errors
def watch(
    folder: Path, client: str, profile: str | None, settle: float, every: float, *, not_checkable: bool, once: bool
) -> None:
    """Import what is dropped into a folder."""
    from hocba_hub.cli.importing import local_import
    from hocba_hub.monitoring.logs import configure
    from hocba_hub.store.engine import StoreError

    settings = settings_in_force()
    configure(settings.log_level)
    stop = threading.Event()

    def ask_to_stop(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of signal handlers
        stop.set()

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, ask_to_stop)
    with local_import(settings, client, profile, tells_unchecked=not_checkable) as local:
        watcher = Watcher(folder, local, stop, settle)
        watcher.round()
        if once:
            stop.wait(settle)
            watcher.round()
            return
        while not stop.wait(every):
            try:
                watcher.round()
            except StoreError as error:
                log.warning("the store cannot be used, files wait: %s", error)


@dataclass
class Watcher:
    """Imports what it finds in a folder."""

    folder: Path
    local: LocalImport
    stop: threading.Event
    settle_seconds: float
    _seen: dict[str, tuple[tuple[int, int], float]] = field(default_factory=dict)
    """Name → size and time of the last change, and since when they are those."""

    def round(self) -> None:
        """Go on with what was left in `working/`, then claim what is new and has not changed for a while."""
        for name in ("working", "done", "failed"):
            (self.folder / name).mkdir(exist_ok=True)
        for path in sorted((self.folder / "working").iterdir()):
            self._go_on(path)
        for name in self._settled():
            if self.stop.is_set():
                return
            target = self.folder / "working" / f"{uuid7()}-{name}"
            try:
                (self.folder / name).rename(target)
            except FileNotFoundError:
                continue  # another watcher was quicker
            self._go_on(target)

    def _settled(self) -> list[str]:
        seen: dict[str, tuple[tuple[int, int], float]] = {}
        now = time.monotonic()
        with os.scandir(self.folder) as entries:
            for entry in entries:
                is_hidden = entry.name.startswith(".") or entry.name.lower().endswith(_UNFINISHED)
                if is_hidden or not entry.is_file(follow_symlinks=False):
                    continue
                found = entry.stat(follow_symlinks=False)
                state = (found.st_size, found.st_mtime_ns)
                before = self._seen.get(entry.name)
                seen[entry.name] = before if before is not None and before[0] == state else (state, now)
        self._seen = seen
        return sorted(name for name, (_, since) in seen.items() if now - since >= self.settle_seconds)

    def _go_on(self, path: Path) -> None:
        """Import a claimed file and put it, with what became of it, where it belongs; unless somebody else does."""
        from hocba_hub.intake.files.forms import form_of_name

        if self.stop.is_set() or path.name.startswith("."):
            return
        file_id, name = path.name[:_ID_LENGTH], path.name[_ID_LENGTH + 1 :]
        with _alone(path) as is_mine:
            if not is_mine:
                return
            form = form_of_name(name)
            if form is None:
                _put(path, self.folder / "failed", file_id, name)
                click.echo(text("files.form-unknown", name=name))
                return
            ended = self.local.run(self.local.enter(path, name, form, file_id=file_id), self.stop)
            if ended is None:
                return
            kept = ended.state == "done" and ended.accepted > 0
            target = _linked(path, self.folder / ("done" if kept else "failed"), file_id, name)
            self.local.write_result(ended, target.with_name(f"{target.name}.result.ndjson"))
            self.local.write_workbook(ended, target.parent, target.name)
            path.unlink()
            click.echo(
                text("files.ended", name=name, state=ended.state, accepted=ended.accepted, rejected=ended.rejected)
            )


@contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Whether the file is there and nobody else works on it; nobody will until the block ends, or this process does."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield False
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_there = path.stat().st_ino == os.fstat(file.fileno()).st_ino
        except (BlockingIOError, FileNotFoundError):
            is_there = False
        yield is_there


def _put(path: Path, folder: Path, file_id: str, name: str) -> None:
    _linked(path, folder, file_id, name)
    path.unlink()


def _linked(path: Path, folder: Path, file_id: str, name: str) -> Path:
    """A second name of the file in a folder: its own, or one with the id where another file has that name."""
    for target in (folder / name, folder / f"{file_id}-{name}"):
        try:
            target.hardlink_to(path)
        except FileExistsError:
            if not target.samefile(path):
                continue
        return target
    raise FileExistsError(folder / name)
