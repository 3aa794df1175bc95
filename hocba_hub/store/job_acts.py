"""What people see of jobs and do with them: those of the schedule, and the imports of files, which are jobs too.

An import's key is `import:` and the file's id, and its only run is the file's own row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection

from hocba_hub.model.errors import HubError
from hocba_hub.model.replays import ReplayError
from hocba_hub.store import audit, files, jobs, replays
from hocba_hub.store.files import IMPORT, File, FileState
from hocba_hub.store.jobs import Job, Run, RunState
from hocba_hub.store.replays import REPLAY, Replay

_IMPORTS_SHOWN = 50


class JobAct(StrEnum):
    """What people do with a job."""

    RUN = "run"
    """Begin a run at once; of a failed import: try it again."""
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    """End the run that is open."""


class Standing(StrEnum):
    """How a job stands."""

    RUNNING = "running"
    """A process is at it."""
    WAITING = "waiting"
    """A run is open, and a process will go on with it."""
    PAUSED = "paused"
    IDLE = "idle"
    """No run is open."""


class ActNotPossibleError(HubError):
    """The job stands in the way of the act; `code` is a problem's: `job.paused`, `job.not-open`, `job.not-failed`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def standing(job: Job, now: int) -> Standing:
    """How a job stands at a moment (milliseconds)."""
    if job.paused_at is not None:
        return Standing.PAUSED
    if job.run is None or job.run.ended_at is not None:
        return Standing.IDLE
    return Standing.RUNNING if job.run.lease_id is not None and job.run.leased_until > now else Standing.WAITING


def listed(connection: Connection) -> list[Job]:
    """Every job by key, then the newest imports that have not ended."""
    waiting = files.newest(connection, limit=_IMPORTS_SHOWN, state=FileState.WAITING)
    return [*jobs.listed(connection), *(_import_job(file) for file in waiting)]


def find(connection: Connection, key: str) -> Job | None:
    """A job, or an import that has begun or ended; None if there is none of this key."""
    file = _file(connection, key)
    if file is None:
        return None if _file_id(key) else jobs.find(connection, key)
    return None if file.state == FileState.RECEIVING else _import_job(file)


@dataclass(frozen=True, slots=True)
class KindHealth:
    """How the jobs of one kind stand; of several jobs, the one that stands worst."""

    kind: str
    succeeded_at: int | None
    """When a run was last done (milliseconds); None while one of the jobs has never been."""
    seconds: float
    """That the longest of the last runs took."""
    late_seconds: float
    """For how long the longest-waiting has been due and nobody is at it."""


def health(connection: Connection, now: int) -> list[KindHealth]:
    """How each kind of job stands at a moment (milliseconds), by kind; paused jobs are never late."""
    by_kind: dict[str, list[Job]] = {}
    for job in jobs.listed(connection):
        by_kind.setdefault(job.kind, []).append(job)
    found = [
        KindHealth(
            kind,
            None if any(job.succeeded_at is None for job in all_) else min(job.succeeded_at or 0 for job in all_),
            max(job.seconds or 0 for job in all_),
            max(_late(job, now) for job in all_) / 1000,
        )
        for kind, all_ in by_kind.items()
    ]
    done = files.newest(connection, limit=1, state=FileState.DONE)
    waiting = [_import_job(file) for file in files.oldest_free(connection, now)]
    found.append(
        KindHealth(
            IMPORT,
            done[0].changed_at if done else None,
            (done[0].changed_at - done[0].created_at) / 1000 if done else 0,
            max((_late(job, now) for job in waiting), default=0) / 1000,
        )
    )
    return sorted(found, key=lambda one: one.kind)


def _late(job: Job, now: int) -> int:
    """For how many milliseconds a job has been due and nobody is at it."""
    match standing(job, now):
        case Standing.WAITING if job.run is not None:
            since = job.run.leased_until or job.run.started_at
        case Standing.IDLE if job.next_run_at is not None:
            since = job.next_run_at
        case _:
            return 0
    return max(0, now - since)


def act(connection: Connection, key: str, what: JobAct, *, actor: str, reason: str, now: int) -> Job | None:
    """Do something with a job, with the audit trail in the same transaction; the job then, None if there is none.

    The caller rings for what is due now.

    Raises:
        ActNotPossibleError: the job stands in the way.
    """
    if find(connection, key) is None:
        return None
    file_id, replay_id = _file_id(key), _replay_id(key)
    if replay_id is not None:
        _with_replay(connection, replay_id, what, actor, reason, now)
    elif file_id is None:
        _with_job(connection, key, what, actor, reason, now)
    else:
        _with_import(connection, file_id, what, now)
    audit.write(connection, at=now, actor=actor, action=f"{what}-job", reason=reason, detail={"job": key})
    return find(connection, key)


def _with_job(connection: Connection, key: str, what: JobAct, actor: str, reason: str, now: int) -> None:  # noqa: PLR0917
    match what:
        case JobAct.RUN:
            job = jobs.find(connection, key)
            if job is not None and job.paused_at is not None:
                raise ActNotPossibleError("job.paused")
            jobs.ask(connection, key, actor, now)
        case JobAct.PAUSE:
            jobs.pause(connection, key, reason, now)
        case JobAct.RESUME:
            jobs.resume(connection, key)
        case JobAct.CANCEL:
            if jobs.cancel(connection, key, now) is None:
                raise ActNotPossibleError("job.not-open")


def _with_replay(  # noqa: PLR0917 - who did what, why, when
    connection: Connection, replay_id: int, what: JobAct, actor: str, reason: str, now: int
) -> None:
    acts: dict[JobAct, Callable[..., Replay | None]] = {
        JobAct.RUN: replays.resume,
        JobAct.PAUSE: replays.pause,
        JobAct.RESUME: replays.resume,
        JobAct.CANCEL: replays.cancel,
    }
    try:
        acts[what](connection, replay_id, actor=actor, reason=reason, now=now)
    except ReplayError as error:
        raise ActNotPossibleError("job.not-open") from error


def _with_import(connection: Connection, file_id: str, what: JobAct, now: int) -> None:
    acts: dict[JobAct, tuple[Callable[[], bool], str]] = {
        JobAct.RUN: (lambda: files.try_again(connection, file_id, now=now), "job.not-failed"),
        JobAct.PAUSE: (lambda: files.pause(connection, file_id, now=now), "job.not-open"),
        JobAct.RESUME: (lambda: files.resume(connection, file_id), "job.not-open"),
        JobAct.CANCEL: (lambda: files.cancel(connection, file_id, now=now), "job.not-open"),
    }
    do, otherwise = acts[what]
    if not do():
        raise ActNotPossibleError(otherwise)


def _file_id(key: str) -> str | None:
    kind, _, file_id = key.partition(":")
    return file_id if kind == IMPORT else None


def _replay_id(key: str) -> int | None:
    kind, _, replay_id = key.partition(":")
    return int(replay_id) if kind == REPLAY and replay_id.isdecimal() else None


def _file(connection: Connection, key: str) -> File | None:
    file_id = _file_id(key)
    return None if file_id is None else files.find(connection, file_id)


_STATES = {
    FileState.WAITING: RunState.RUNNING,
    FileState.DONE: RunState.DONE,
    FileState.FAILED: RunState.FAILED,
    FileState.CANCELLED: RunState.CANCELLED,
}


def _import_job(file: File) -> Job:
    key, has_ended = f"{IMPORT}:{file.id}", file.state != FileState.WAITING
    run = Run(
        id=0,
        key=key,
        asked_by=f"client:{file.client_id}",
        started_at=file.created_at,
        ended_at=file.changed_at if has_ended else None,
        state=_STATES[FileState(file.state)],
        cursor=None,
        done=file.position,
        total=file.total,
        result={"accepted": file.accepted, "rejected": file.rejected},
        error=file.code,
        holder=None if has_ended else file.holder,
        lease_id=file.lease_id,
        leased_until=file.leased_until,
        attempts=file.attempts,
        takeovers=0,
    )
    return Job(key, IMPORT, None, None, file.paused_at, None, None, None, run)
