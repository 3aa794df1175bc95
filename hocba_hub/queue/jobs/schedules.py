"""When jobs run: cron expressions in Vietnam's time, from the defaults or the file that the settings name.

RQ's own cron is not used: it keeps its times in Redis, where they may vanish, and is one process. Here the next time of
each job is a row of the store, and an emptied Redis changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from croniter import CroniterBadDateError, croniter

from hocba_hub.model.clock import VIETNAM
from hocba_hub.model.errors import HubError
from hocba_hub.store.jobs import Planned

DEFAULTS: Mapping[str, str | None] = {
    "retention": "17 * * * *",
    "recheck": "*/10 * * * *",
    "acknowledgements": "* * * * *",
    "code-lists": "30 2 * * *",
    "reconcile": "0 3 * * *",
    "identity": "45 * * * *",
    "failure-groups": None,
    "audit-anchors": "* * * * *",
    "audit-verify": "7 * * * *",
    "certificates": "12 */6 * * *",
    "deadlines": "*/5 * * * *",
    "weekly-report": "0 6 * * 1",
    "yearly-report": "0 6 1 12 *",
}
"""Kind of a job -> when it runs; kinds that are about something run for each of it."""
PER_DESTINATION = frozenset({"acknowledgements", "code-lists", "reconcile", "identity", "certificates"})
"""Kinds of which each destination has a job of its own, as `kind:destination`."""


class ScheduleError(HubError):
    """The file of schedules is not understood."""


def following(schedule: str, moment: int) -> int:
    """The first time of a schedule after a moment (milliseconds)."""
    start = datetime.fromtimestamp(moment / 1000, VIETNAM)
    seconds: float = croniter(schedule, start).get_next(float)
    return round(seconds * 1000)


def planned(document: Any, destinations: Iterable[str]) -> dict[str, Planned]:  # noqa: ANN401 - YAML
    """The jobs of this hub, by key.

    `document` maps a kind, or the key of one job, to its cron expression, or to `off` for a job that runs only when
    somebody asks; what it does not name runs as in `DEFAULTS`.

    Raises:
        ScheduleError: it is no such mapping, names a job that there is not, or a time that never comes.
    """
    if not isinstance(document, Mapping | None):
        raise ScheduleError("The file of schedules must map jobs to times, as  retention: '17 * * * *'.")
    jobs: dict[str, Planned] = {}
    names = sorted(destinations)
    for kind, default in DEFAULTS.items():
        for key in [f"{kind}:{name}" for name in names] if kind in PER_DESTINATION else [kind]:
            jobs[key] = Planned(kind, default)
    given = document or {}
    # A kind first, then single jobs: these win.
    for name in sorted(given, key=lambda name: ":" in str(name)):
        meant = [key for key, job in jobs.items() if name in {key, job.kind}]
        if not meant:
            known = ", ".join(sorted(jobs.keys() | DEFAULTS.keys()))
            raise ScheduleError(f"There is no job {name}; the jobs are: {known}.")
        for key in meant:
            jobs[key] = Planned(jobs[key].kind, _schedule(str(name), given[name]))
    return jobs


def _schedule(name: str, value: Any) -> str | None:  # noqa: ANN401 - YAML
    if value is None or value is False or value == "off":
        return None
    wrong = f"{name}: not a cron expression of five fields, or six with seconds last, nor `off`."
    if not isinstance(value, str) or not croniter.is_valid(value) or len(value.split()) not in {5, 6}:
        raise ScheduleError(wrong)
    try:
        following(value, 0)
    except CroniterBadDateError as error:
        raise ScheduleError(f"{name}: {value} never comes.") from error
    return value
