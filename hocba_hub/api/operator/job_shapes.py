"""The shapes of jobs and their runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from hocba_hub.api.openapi import examples
from hocba_hub.api.shapes import Moment, Shape, shown_as
from hocba_hub.store.job_acts import Standing, standing
from hocba_hub.store.jobs import Job, Run, RunState


class RunEntry(Shape):
    """One run of a job. / Một lần chạy."""

    id: int = Field(description="0 of an import. / Bằng 0 với việc nhập tệp.")
    asked_by: str = Field(description="`schedule`, or who asked for it. / `schedule`, hoặc người yêu cầu.")
    started_at: Moment
    ended_at: Moment | None = None
    state: RunState
    done: int = Field(description="How much of `total` is done. / Đã làm bao nhiêu trong `total`.")
    total: int | None = Field(None, description="Absent where nobody can tell. / Không có nếu chưa biết.")
    result: Mapping[str, int] = Field(description="What came of it, in counts. / Kết quả, đếm.")
    error: str | None = Field(None, description="Why it failed: a code. / Vì sao hỏng: một mã.")
    takeovers: int = Field(description="From processes that died. / Số lần nhận lại từ tiến trình đã chết.")


class JobEntry(Shape):
    """A job, with its newest run. / Một việc, với lần chạy gần nhất."""

    model_config = shown_as(examples.JOB)

    key: str
    kind: str
    standing: Standing
    schedule: str | None = Field(
        None, description="Cron, in Vietnam's time; absent: on demand only. / Lịch cron, giờ Việt Nam."
    )
    next_run_at: Moment | None = None
    paused_at: Moment | None = None
    pause_reason: str | None = None
    run: RunEntry | None = None


class JobList(Shape):
    """Every job, and the imports that have not ended. / Mọi việc, và các tệp chưa nhập xong."""

    jobs: Sequence[JobEntry]


def job_entry(job: Job, now: int) -> JobEntry:
    """A job as an answer has it."""
    return JobEntry(
        key=job.key,
        kind=job.kind,
        standing=standing(job, now),
        schedule=job.schedule,
        next_run_at=job.next_run_at,
        paused_at=job.paused_at,
        pause_reason=job.pause_reason,
        run=None if job.run is None else run_entry(job.run),
    )


def run_entry(run: Run) -> RunEntry:
    """A run as an answer has it."""
    return RunEntry.model_validate(run)
