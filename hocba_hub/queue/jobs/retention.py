"""The job `retention`: what is too old is forgotten, a little at a time. Accepted cards are not touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from hocba_hub.intake.files.spool import Spool
from hocba_hub.model.clock import DAY_MS
from hocba_hub.queue.jobs.runner import JobRun
from hocba_hub.settings import Settings
from hocba_hub.store import files, idempotency, jobs, processes, replays, retention, sessions
from hocba_hub.store.files import FileState

_PROCESS_DAYS = 1
_USAGE_DAYS = 3
_FROZEN_DAYS = 1
"""A replay that nobody begins gives its records free."""


class _Forget(Protocol):
    def __call__(self, connection: Connection, *, before: int) -> int: ...


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    """As the run's result has it."""
    days: int
    forget: _Forget
    """Forgets some of what is older than a moment; how many."""


@dataclass(frozen=True)
class Retention:
    """Forgets what the settings say is too old."""

    settings: Settings

    def __call__(self, run: JobRun) -> None:
        """One kind of rows after the other, then the spool."""
        rules = self._rules()
        run.total = len(rules) + 1
        while (number := int(run.cursor or 0)) < len(rules):
            run.give_way()
            rule = rules[number]
            before = run.clock() - rule.days * DAY_MS
            with run.step() as connection:
                forgotten = rule.forget(connection, before=before)
                run.result[rule.name] += forgotten
                if not forgotten:
                    run.cursor, run.done = number + 1, number + 1
        _clear(Spool(self.settings.files_folder), run, self.settings.files_days)
        with run.step():
            run.done = run.total

    def _rules(self) -> Sequence[_Rule]:
        kept = self.settings
        return (
            _Rule("answers", kept.idempotency_days, idempotency.purge),
            _Rule("rejected_records", kept.findings_days, retention.forget_rejected),
            _Rule("open_findings", kept.findings_days, retention.forget_open_findings),
            _Rule("file_findings", kept.findings_days, retention.forget_file_findings),
            _Rule("rejected_bytes", kept.rejected_days, retention.forget_rejected_bytes),
            _Rule("failure_counts", kept.findings_days, retention.forget_failure_counts),
            _Rule("processes", _PROCESS_DAYS, processes.forget),
            _Rule("bodies", kept.bodies_days, retention.forget_bodies),
            _Rule("frozen_replays", _FROZEN_DAYS, replays.forget_frozen),
            _Rule("usage", _USAGE_DAYS, retention.forget_usage),
            _Rule("sessions", kept.console_hours // 24 + 1, sessions.forget),
            _Rule("job_runs", kept.jobs_days, jobs.forget_runs),
        )


def _clear(spool: Spool, run: JobRun, days: int) -> None:
    """Remove what lies in the spool of files that ended, or were not gone on with, for so long."""
    before = run.clock() - days * DAY_MS
    for file_id in list(spool.ids()):
        with run.store.read() as connection:
            file = files.find(connection, file_id)
        if file is not None and (file.state == FileState.WAITING or file.changed_at >= before):
            continue
        run.give_way()
        with run.step() as connection:
            files.forget(connection, file_id)
            run.result["spooled_files"] += 1
        spool.remove(file_id)
