"""When jobs run: the defaults, the file of schedules, and what is refused in it."""

from __future__ import annotations

from datetime import datetime

import pytest
import yaml

from hocba_hub.model.clock import VIETNAM
from hocba_hub.queue.jobs.schedules import DEFAULTS, PER_DESTINATION, ScheduleError, following, planned

DESTINATIONS = ("ministry", "province")


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=VIETNAM).timestamp() * 1000)


@pytest.mark.parametrize(
    ("schedule", "moment", "then"),
    [
        ("0 2 * * *", "2026-05-31 01:59:59", "2026-05-31 02:00"),
        ("0 2 * * *", "2026-05-31 02:00", "2026-06-01 02:00"),
        ("*/10 * * * *", "2026-12-31 23:55", "2027-01-01 00:00"),
        ("* * * * * */5", "2026-05-31 02:00:01", "2026-05-31 02:00:05"),
    ],
)
def test_a_schedule_is_read_in_vietnams_time(schedule: str, moment: str, then: str):
    assert following(schedule, at(moment)) == at(then)


def test_every_kind_runs_as_by_default_and_each_destination_has_its_own():
    jobs = planned(None, DESTINATIONS)
    assert {job.kind for job in jobs.values()} == set(DEFAULTS)
    for kind, schedule in DEFAULTS.items():
        keys = [f"{kind}:{name}" for name in DESTINATIONS] if kind in PER_DESTINATION else [kind]
        assert [jobs[key].schedule for key in keys] == [schedule] * len(keys)


def test_the_file_changes_and_switches_off():
    jobs = planned(yaml.safe_load("retention: 5 3 * * *\nrecheck: off"), DESTINATIONS)
    assert (jobs["retention"].schedule, jobs["recheck"].schedule) == ("5 3 * * *", None)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("- retention", "must map jobs to times"),
        ("retentions: 5 3 * * *", "There is no job retentions; the jobs are:"),
        ("retention: at night", "retention: not a cron expression"),
        ("retention: '@daily'", "retention: not a cron expression"),
        ("retention: 5 3 * * * * 2026", "retention: not a cron expression"),
        ("retention: 99 3 * * *", "retention: not a cron expression"),
        ("retention: 5", "retention: not a cron expression"),
        ("retention: 0 0 31 2 *", "never comes"),
        ("recheck:nowhere: 0 0 * * *", "There is no job recheck:nowhere"),
    ],
)
def test_what_is_not_understood_is_refused(document: str, told: str):
    with pytest.raises(ScheduleError, match=told):
        planned(yaml.safe_load(document), DESTINATIONS)
