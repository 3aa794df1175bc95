"""Jobs on both stores: when they run, one run at a time, taken over, paused, cancelled, given up."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from hocba_hub.queue.jobs.retention import Retention
from hocba_hub.queue.jobs.runner import JobFailedError, JobRun, JobWorker, Work
from hocba_hub.settings import Settings
from hocba_hub.store import files, jobs
from hocba_hub.store.engine import Store
from hocba_hub.store.job_acts import ActNotPossibleError, JobAct, Standing, act, find, health, listed, standing
from hocba_hub.store.jobs import Job, Planned, Run
from hocba_hub.store.tables import clients, job_runs, processes
from tests.support.jobs import job_worker

MINUTE = 60_000
EVERY_MINUTE = {"count": Planned("count", "* * * * *")}


class Counting:
    """A job of `total` steps, which notes each that was committed."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.seen: list[int] = []
        self.before: Callable[[int], None] = lambda _: None
        """Called within each step."""

    def __call__(self, run: JobRun) -> None:
        run.total = self.total
        while run.done < self.total:
            run.give_way()
            with run.step():
                self.before(run.done)
                self.seen.append(run.done)
                run.cursor = {"at": run.done + 1}
                run.done += 1
                run.result["counted"] += 1


class Stage:
    """A clock, and workers over one store."""

    def __init__(self, store: Store) -> None:
        self.store, self.now = store, 1_800_000_000_000 + 30_000
        self.worker(Counting(0))  # writes the job down

    def worker(self, work: Work, holder: str = "one", **more: float) -> JobWorker:
        return job_worker(self.store, EVERY_MINUTE, {"count": work}, clock=lambda: self.now, holder=holder, **more)

    def job(self, key: str = "count") -> Job:
        with self.store.read() as connection:
            found = find(connection, key)
        assert found is not None
        return found

    def run(self) -> Run:
        run = self.job().run
        assert run is not None
        return run

    def act(self, what: JobAct, key: str = "count") -> Job | None:
        with self.store.write() as connection:
            return act(connection, key, what, actor="os:lan", reason="to see", now=self.now)

    def due(self) -> list[str]:
        with self.store.read() as connection:
            return jobs.due(connection, self.now)


@pytest.fixture
def stage(store: Store) -> Stage:
    return Stage(store)


def test_a_job_runs_when_its_time_comes_and_once(stage: Stage):
    work = Counting(3)
    worker = stage.worker(work)
    worker.poll()
    assert (work.seen, stage.job().run) == ([], None)
    assert stage.job().next_run_at == stage.now + 30_000
    stage.now += 5 * MINUTE  # five times were missed: it runs once
    worker.poll()
    worker.poll()
    assert work.seen == [0, 1, 2]
    run = stage.run()
    assert (run.state, run.done, run.total, run.result, run.asked_by) == ("done", 3, 3, {"counted": 3}, "schedule")
    assert stage.job().next_run_at == stage.now + 30_000
    assert standing(stage.job(), stage.now) is Standing.IDLE


def test_two_workers_never_run_one_job_side_by_side(stage: Stage):
    stage.now += MINUTE
    others = Counting(4)
    stage.worker(Between(2, lambda: stage.worker(others, "other").poll())).poll()
    assert others.seen == []
    assert stage.run().result == {"counted": 4}


def test_the_store_itself_refuses_a_second_open_run(stage: Stage):
    row = {"key": "k", "kind": "k", "asked_by": "a", "started_at": 1, "state": "running", "result": {}}
    row |= {"leased_until": 0, "attempts": 0, "takeovers": 0}
    with stage.store.write() as connection:
        connection.execute(insert(job_runs), row | {"ended_at": 2, "state": "done"})
        connection.execute(insert(job_runs), row)
    with pytest.raises(IntegrityError), stage.store.write() as connection:
        connection.execute(insert(job_runs), row)


def test_a_dead_workers_run_is_taken_over_where_it_was(stage: Stage):
    class Dead(BaseException):
        pass

    def dies(step: int) -> None:
        if step == 2:
            raise Dead

    first, second = Counting(4), Counting(4)
    first.before = dies
    stage.now += MINUTE
    with pytest.raises(Dead):
        stage.worker(first).run("count")
    assert (stage.run().state, stage.run().done, stage.run().cursor) == ("running", 2, {"at": 2})
    worker = stage.worker(second, "other")
    worker.poll()
    assert second.seen == []  # the lease still runs
    assert standing(stage.job(), stage.now) is Standing.RUNNING
    stage.now += 6_001
    assert standing(stage.job(), stage.now) is Standing.WAITING
    worker.poll()
    assert (first.seen[:2], second.seen) == ([0, 1], [2, 3])
    assert (stage.run().takeovers, stage.run().holder, stage.run().result) == (1, "other", {"counted": 4})


def test_a_long_run_gives_way_and_goes_on(stage: Stage):
    work = Counting(3)
    stage.now += MINUTE
    worker = stage.worker(work, slice_seconds=-1)  # over before it begins
    worker.run("count")
    assert (work.seen, stage.due()) == ([], ["count"])
    worker = stage.worker(work)
    worker.run("count")
    assert (work.seen, stage.run().state, stage.run().takeovers) == ([0, 1, 2], "done", 0)


class Between(Counting):
    """Does something between two steps, as others do meanwhile."""

    def __init__(self, step: int, do: Callable[[], object]) -> None:
        super().__init__(4)
        self.step, self.do = step, do

    def __call__(self, run: JobRun) -> None:
        real = run.give_way

        def give_way() -> None:
            if run.done == self.step:
                self.do()
            real()

        run.give_way = give_way  # type: ignore[method-assign]
        super().__call__(run)


def test_a_paused_run_stops_before_its_next_step_and_resumes_there(stage: Stage):
    stage.now += MINUTE
    work = Between(2, lambda: stage.act(JobAct.PAUSE))
    stage.worker(work).poll()
    # The third step was undone as it was to be committed: the run was no longer this worker's.
    assert (stage.run().done, stage.run().state, stage.run().result) == (2, "running", {"counted": 2})
    assert (standing(stage.job(), stage.now), stage.job().pause_reason) == (Standing.PAUSED, "to see")
    stage.now += 10 * MINUTE
    rest = Counting(4)
    stage.worker(rest).poll()
    assert (rest.seen, stage.due()) == ([], [])
    with pytest.raises(ActNotPossibleError, match=r"job\.paused"):
        stage.act(JobAct.RUN)
    stage.act(JobAct.RESUME)
    stage.worker(rest).poll()
    assert (rest.seen, stage.run().state) == ([2, 3], "done")


def test_a_run_that_is_cancelled_under_way_ends_and_the_schedule_goes_on(stage: Stage):
    stage.now += MINUTE
    stage.worker(Between(2, lambda: stage.act(JobAct.CANCEL))).poll()
    assert (stage.run().state, stage.run().done) == ("cancelled", 2)
    with pytest.raises(ActNotPossibleError, match=r"job\.not-open"):
        stage.act(JobAct.CANCEL)
    stage.now += MINUTE
    stage.worker(Counting(1)).poll()
    assert stage.run().state == "done"


def test_whoever_lost_its_run_writes_nothing_more(stage: Stage):
    """A process stands still for longer than its lease, and goes on when another has taken over."""
    stage.now += MINUTE
    others = Counting(4)

    def another_takes_over() -> None:
        stage.now += 6_001
        stage.worker(others, "other").poll()

    stage.worker(Between(2, another_takes_over)).poll()
    assert others.seen == [2, 3]
    assert (stage.run().state, stage.run().result, stage.run().takeovers) == ("done", {"counted": 4}, 1)


def test_a_run_that_is_asked_for_begins_at_once_and_only_one(stage: Stage):
    stage.worker(Counting(1))
    job = stage.act(JobAct.RUN)
    again = stage.act(JobAct.RUN)
    assert job is not None
    assert again is not None
    assert job.run is not None
    assert again.run is not None
    assert (job.run.id, job.run.asked_by) == (again.run.id, "os:lan")
    assert stage.due() == ["count"]
    with stage.store.write() as connection:
        assert act(connection, "nothing", JobAct.RUN, actor="a", reason="r", now=1) is None


def test_a_failed_run_says_why_and_the_schedule_goes_on(stage: Stage):
    def fails(_: JobRun) -> None:
        raise JobFailedError("no-inventory")

    def breaks(_: JobRun) -> None:
        raise ValueError("Nguyễn Văn A")

    for work, error in ((fails, "no-inventory"), (breaks, "unexpected")):
        stage.now += MINUTE
        stage.worker(work).poll()
        assert (stage.run().state, stage.run().error) == ("failed", error)
    stage.now += MINUTE
    worker = stage.worker(Counting(1))
    worker.works = {}
    worker.poll()
    assert stage.run().error == "unknown-kind"


def test_a_run_that_kills_its_processes_is_given_up(stage: Stage):
    class Dead(BaseException):
        pass

    def dies(_: JobRun) -> None:
        raise Dead

    stage.now += MINUTE
    for _ in range(5):
        with pytest.raises(Dead):
            stage.worker(dies).run("count")
        stage.now += 6_001
    stage.worker(dies).run("count")
    assert (stage.run().state, stage.run().error) == ("failed", "given-up")


def test_the_jobs_follow_the_configuration_and_keep_their_time(stage: Stage):
    worker = stage.worker(Counting(1))
    before = stage.job().next_run_at
    stage.now += 10_000
    worker.plan()
    assert stage.job().next_run_at == before
    worker.planned = {"count": Planned("count", None), "more": Planned("count", "0 2 * * *")}
    worker.plan()
    assert (stage.job().schedule, stage.job().next_run_at) == (None, None)
    worker.planned = {}
    stage.act(JobAct.RUN)
    worker.plan()
    with stage.store.read() as connection:
        assert [job.key for job in listed(connection)] == ["count"]  # it runs
    worker.run("count")
    worker.plan()
    with stage.store.read() as connection:
        assert listed(connection) == []
        assert len(jobs.history(connection, "count")) == 1


def test_health_tells_the_job_that_stands_worst(stage: Stage):
    stage.worker(Counting(1)).poll()
    with stage.store.read() as connection:
        before = {one.kind: one for one in health(connection, stage.now + 90_000)}
    assert (before["count"].succeeded_at, before["count"].late_seconds) == (None, 60)
    assert (before["import"].succeeded_at, before["import"].late_seconds) == (None, 0)
    stage.now += MINUTE
    stage.worker(Counting(1)).poll()
    with stage.store.read() as connection:
        after = {one.kind: one for one in health(connection, stage.now)}
    assert (after["count"].succeeded_at, after["count"].late_seconds) == (stage.now, 0)


def test_an_import_is_a_job(stage: Stage):
    with stage.store.write() as connection:
        connection.execute(insert(clients).values(id=1, name="v", schools=["*"], created_at=1))
        file_id = files.create(connection, 1, name="a.csv", form="csv", profile="p", now=stage.now)
        key = f"import:{file_id}"
        assert find(connection, key) is None  # nothing of it has come
        files.complete(connection, file_id, size=1, sha256="x", now=stage.now)
        assert [job.key for job in listed(connection)] == ["count", key]
    assert standing(stage.job(key), stage.now) is Standing.WAITING
    with pytest.raises(ActNotPossibleError, match=r"job\.not-failed"):
        stage.act(JobAct.RUN, key)
    stage.act(JobAct.PAUSE, key)
    assert standing(stage.job(key), stage.now) is Standing.PAUSED
    with stage.store.write() as connection:
        assert files.due(connection, stage.now) == []
        assert files.lease(connection, file_id, "one", now=stage.now, until=stage.now + 1) is None
    stage.act(JobAct.RESUME, key)
    with stage.store.write() as connection:
        held = files.lease(connection, file_id, "one", now=stage.now, until=stage.now + 1_000)
        assert held is not None
        assert held.lease_id is not None
        assert files.finish(connection, held.lease_id, code="hub.fault", now=stage.now)
    assert stage.job(key).run.error == "hub.fault"  # type: ignore[union-attr]
    stage.act(JobAct.RUN, key)
    stage.act(JobAct.CANCEL, key)
    assert stage.job(key).run.state == "cancelled"  # type: ignore[union-attr]


def test_retention_forgets_in_steps_and_goes_on_after_each(store: Store, monkeypatch: pytest.MonkeyPatch):
    stage = Stage(store)
    old = stage.now - 3 * 86_400_000
    with store.write() as connection:
        rows = [{"holder": str(n), "kind": "api", "started_at": old, "seen_at": old} for n in range(3)]
        connection.execute(insert(processes), rows)
    retention = {"retention": Planned("retention", "* * * * *")}
    real = JobRun.give_way
    steps: list[str] = []

    def give_way(run: JobRun) -> None:
        steps.append(run.key)
        if len(steps) % 2 == 0:
            run._must_give_way = lambda: True
        real(run)

    monkeypatch.setattr(JobRun, "give_way", give_way)
    worker = job_worker(store, retention, {"retention": Retention(Settings())}, clock=lambda: stage.now)
    stage.now += MINUTE
    for _ in range(30):
        worker.poll()
    run = stage.job("retention").run
    assert run is not None
    assert (run.state, run.result["processes"], run.done == run.total) == ("done", 3, True)
