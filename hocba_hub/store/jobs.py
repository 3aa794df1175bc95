"""Jobs: what the hub does by itself again and again, or what takes long; and their runs, kept as a history.

    running ─▶ done         it came to its end
        ├────▶ failed       it could not; `error` says why. The schedule, or a person, begins a new run
        └────▶ cancelled    somebody wanted no more of it

At most one run of a job is open, over all machines: a unique index says so. Whoever is at it holds a lease and moves
the cursor in the same commit as what it has done, so that a killed run goes on where it was, and one whose lease was
taken over, paused or cancelled writes nothing more. The import of a file is a job whose run is the file's own row
(`store/job_acts.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, null, select, update

from hocba_hub.model.ids import uuid7
from hocba_hub.store.bulk import upsert
from hocba_hub.store.counters import Counters
from hocba_hub.store.tables import job_runs, jobs

BY_SCHEDULE = "schedule"
"""Who asked for a run that the schedule began."""
_j, _r = jobs.c, job_runs.c


class RunState(StrEnum):
    """How a run stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Planned:
    """A job as the configuration has it."""

    kind: str
    schedule: str | None
    """Cron, in Vietnam's time; None for a job that runs only when somebody asks."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run; times in milliseconds."""

    id: int
    key: str
    asked_by: str
    """`schedule`, or who asked for it."""
    started_at: int
    ended_at: int | None
    state: str
    cursor: Any
    done: int
    total: int | None
    result: Mapping[str, int]
    error: str | None
    """Why it failed: a code."""
    holder: str | None
    lease_id: str | None
    leased_until: int
    attempts: int
    """To go on with it, since it last got further."""
    takeovers: int
    """How often it was taken over from a process that died."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job with its newest run; times in milliseconds."""

    key: str
    kind: str
    schedule: str | None
    next_run_at: int | None
    paused_at: int | None
    pause_reason: str | None
    succeeded_at: int | None
    """When a run was last done."""
    seconds: float | None
    """That this run took."""
    run: Run | None


def plan(
    connection: Connection, planned: Mapping[str, Planned], following: Callable[[str, int], int], now: int
) -> None:
    """Bring the jobs in line with the configuration; a job whose schedule is as before keeps its next time.

    `following` says when a schedule has its next time after a moment. What the configuration no longer has is
    forgotten once it does not run; its history stays.
    """
    known = {row.key: row for row in connection.execute(select(jobs))}
    for key, one in sorted(planned.items()):
        row = known.get(key)
        if row is not None and row.schedule == one.schedule:
            continue
        values = {
            "schedule": one.schedule,
            "next_run_at": None if one.schedule is None else following(one.schedule, now),
        }
        statement = upsert(connection, jobs).values(key=key, kind=one.kind, **values)
        connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values))
    for key in sorted(known.keys() - planned.keys()):
        if _open(connection, key) is None:
            connection.execute(delete(jobs).where(_j.key == key))


def due(connection: Connection, now: int) -> list[str]:
    """The jobs that have an open run which nobody holds, or whose time has come; the longest due first."""
    held_until = (
        select(_r.leased_until)
        .where(_r.key == _j.key, _r.ended_at.is_(None))
        .scalar_subquery()
    )  # fmt: skip
    since = func.coalesce(held_until, _j.next_run_at)
    query = select(_j.key).where(_j.paused_at.is_(None), since <= now).order_by(since, _j.key)
    return list(connection.execute(query).scalars())


def take(
    connection: Connection, key: str, holder: str, *, now: int, until: int, following: Callable[[str, int], int]
) -> Run | None:
    """Go on with the open run of a job, or begin the one that is due; the lease ends at `until`.

    None if there is nothing to do: somebody is at it, it is paused, or its time has not come.
    """
    job = _locked(connection, key)
    if job is None or job.paused_at is not None:
        return None
    run = _open(connection, key)
    if run is None:
        if job.next_run_at is None or job.next_run_at > now:
            return None
        later = None if job.schedule is None else following(job.schedule, now)
        connection.execute(update(jobs).where(_j.key == key).values(next_run_at=later))
        run = _begin(connection, job, BY_SCHEDULE, now)
    elif run.leased_until > now:
        return None
    values = {
        "holder": holder,
        "lease_id": uuid7(),
        "leased_until": until,
        "attempts": run.attempts + 1,
        "takeovers": run.takeovers + (run.lease_id is not None),
    }
    return _run(connection.execute(update(job_runs).where(_r.id == run.id).values(values).returning(job_runs)).one())


def ask(connection: Connection, key: str, actor: str, now: int) -> Run | None:
    """Begin a run at once, or give the one that is open; None if there is no such job. The caller rings."""
    job = _locked(connection, key)
    if job is None:
        return None
    return _open(connection, key) or _begin(connection, job, actor, now)


def last_result(connection: Connection, key: str) -> Mapping[str, int] | None:
    """What came of the newest run of a job that was done; None if none was."""
    query = select(_r.result).where(_r.key == key, _r.state == RunState.DONE).order_by(_r.id.desc()).limit(1)
    found: Mapping[str, int] | None = connection.execute(query).scalar()
    return found


def advance(
    connection: Connection,
    lease_id: str,
    *,
    cursor: Any,  # noqa: ANN401 - whatever JSON holds
    done: int,
    total: int | None,
    result: Mapping[str, int],
) -> bool:
    """Move the cursor, in the transaction of what was done before it; False if the lease is lost."""
    values = {
        "cursor": null() if cursor is None else cursor,
        "done": done,
        "total": total,
        "result": dict(result),
        "attempts": 0,
    }
    return _held(connection, lease_id, values)


def renew(connection: Connection, lease_id: str, until: int) -> bool:
    """Put off the end of a lease; False if it was taken over, paused or cancelled."""
    return _held(connection, lease_id, {"leased_until": until})


def release(connection: Connection, lease_id: str, *, until: int = 0) -> None:
    """Give an unfinished run back: anybody may go on with it from `until` on; this attempt does not count."""
    _held(connection, lease_id, {"lease_id": None, "holder": None, "leased_until": until, "attempts": 0})


def finish(connection: Connection, run: Run, state: RunState, *, error: str | None = None, now: int) -> bool:
    """End a run that this process holds; False if its lease is lost."""
    assert run.lease_id is not None  # noqa: S101 - it is held
    if not _held(connection, run.lease_id, {"lease_id": None, "state": state, "error": error, "ended_at": now}):
        return False
    if state is RunState.DONE:
        seconds = max(0, now - run.started_at) / 1000
        connection.execute(update(jobs).where(_j.key == run.key).values(succeeded_at=now, seconds=seconds))
    count(connection, run.key.partition(":")[0], state)
    return True


def pause(connection: Connection, key: str, reason: str, now: int) -> bool:
    """Let a job rest: no run begins, and an open one stops before its next step. False if there is no such job."""
    paused = update(jobs).where(_j.key == key).values(paused_at=now, pause_reason=reason)
    _let_go(connection, key)
    return bool(connection.execute(paused).rowcount)


def resume(connection: Connection, key: str) -> bool:
    """Let a job go on; the caller rings. False if there is no such job."""
    resumed = update(jobs).where(_j.key == key).values(paused_at=None, pause_reason=None)
    return bool(connection.execute(resumed).rowcount)


def cancel(connection: Connection, key: str, now: int) -> Run | None:
    """End the open run of a job, before its next step; the run, or None if none is open."""
    job = _locked(connection, key)
    run = _open(connection, key)
    if job is None or run is None:
        return None
    values = {"lease_id": None, "state": RunState.CANCELLED, "ended_at": now}
    connection.execute(update(job_runs).where(_r.id == run.id).values(values))
    count(connection, job.kind, RunState.CANCELLED)
    return run


def listed(connection: Connection) -> list[Job]:
    """Every job with its newest run, by key."""
    newest = select(func.max(_r.id)).where(_r.key == _j.key).scalar_subquery()
    ids = connection.execute(select(newest).select_from(jobs)).scalars()
    runs = {row.key: _run(row) for row in connection.execute(select(job_runs).where(_r.id.in_(list(ids))))}
    return [_job(row, runs.get(row.key)) for row in connection.execute(select(jobs).order_by(_j.key))]


def find(connection: Connection, key: str) -> Job | None:
    """A job with its newest run; None if there is none."""
    row = connection.execute(select(jobs).where(_j.key == key)).one_or_none()
    return None if row is None else _job(row, next(iter(history(connection, key, limit=1)), None))


def history(connection: Connection, key: str, *, before: int | None = None, limit: int = 100) -> list[Run]:
    """The runs of a job, the newest first; `before` is the id of the last one seen."""
    query = select(job_runs).where(_r.key == key).order_by(_r.id.desc()).limit(limit)
    if before is not None:
        query = query.where(_r.id < before)
    return [_run(row) for row in connection.execute(query)]


def last_done(connection: Connection, key: str, *, before: int) -> Run | None:
    """The newest run that was done of those before one, by its id."""
    query = select(job_runs).where(_r.key == key, _r.id < before, _r.state == RunState.DONE)
    row = connection.execute(query.order_by(_r.id.desc()).limit(1)).one_or_none()
    return None if row is None else _run(row)


def forget_runs(connection: Connection, *, before: int, limit: int = 2_000) -> int:
    """Forget some runs that began, and ended, before a moment; how many."""
    old = select(_r.id).where(_r.started_at < before, _r.ended_at.is_not(None)).limit(limit)
    return connection.execute(delete(job_runs).where(_r.id.in_(old))).rowcount


def count(connection: Connection, kind: str, state: RunState) -> None:
    """Count a run that ended."""
    counters = Counters()
    counters.add("job_runs", kind, state)
    counters.write(connection)


def _locked(connection: Connection, key: str) -> Row[Any] | None:
    """The job's row, which nobody else begins or ends a run of meanwhile."""
    return connection.execute(select(jobs).where(_j.key == key).with_for_update()).one_or_none()


def _open(connection: Connection, key: str) -> Run | None:
    row = connection.execute(select(job_runs).where(_r.key == key, _r.ended_at.is_(None))).one_or_none()
    return None if row is None else _run(row)


def _begin(connection: Connection, job: Row[Any], asked_by: str, now: int) -> Run:
    values = {
        "key": job.key, "kind": job.kind, "asked_by": asked_by, "started_at": now, "state": RunState.RUNNING,
        "result": {}, "leased_until": 0, "attempts": 0, "takeovers": 0, "cursor": null(),
    }  # fmt: skip
    return _run(connection.execute(insert(job_runs).values(values).returning(job_runs)).one())


def _let_go(connection: Connection, key: str) -> None:
    """Take the open run from whoever is at it."""
    rest = {"lease_id": None, "holder": None, "leased_until": 0}
    connection.execute(update(job_runs).where(_r.key == key, _r.ended_at.is_(None)).values(rest))


def _held(connection: Connection, lease_id: str, values: Mapping[str, Any]) -> bool:
    mine = update(job_runs).where(_r.lease_id == lease_id, _r.ended_at.is_(None))
    return bool(connection.execute(mine.values(values)).rowcount)


def _job(row: Row[Any], run: Run | None) -> Job:
    return Job(**{name: getattr(row, name) for name in Job.__slots__ if name != "run"}, run=run)


def _run(row: Row[Any]) -> Run:
    return Run(**{name: getattr(row, name) for name in Run.__slots__})
