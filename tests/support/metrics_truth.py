"""What every family of /metrics has to say, counted anew from the rows that the hub keeps, and from nothing else."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Connection, select

from hocba_hub import __version__
from hocba_hub.adapters.destination import Destination
from hocba_hub.model.windows import level_of
from hocba_hub.store import audit
from hocba_hub.store.bodies import unpack
from hocba_hub.store.counters import AGE_SECONDS, ATTEMPT_SECONDS, CALL_SECONDS, COMMIT_SECONDS
from hocba_hub.store.tables import (
    acknowledgements,
    attempts,
    deliveries,
    delivery_attempts,
    failure_groups,
    files,
    job_runs,
    jobs,
    keys,
    processes,
    reconcile_differences,
    records,
    replay_items,
    replays,
    report_cards,
    senders,
    unmapped_codes,
    waiting_records,
)
from hocba_hub.store.tables import audit as audit_rows
from hocba_hub.store.tables import destinations as health

Labels = tuple[str, ...]
Samples = dict[tuple[str, Labels], float]
"""Sample name and label values, in the order of the labels' names → value."""
FINAL = {"acknowledged", "refused", "superseded", "cancelled"}
WAITING = ("queued", "leased", "awaiting_ack", "in_doubt", "held", "parked")


def scraped(text: str) -> dict[str, Samples]:
    """What a scrape says, by family; samples of zero are left out, since a counter that never moved is not there."""
    families: dict[str, Samples] = {}
    for family in text_string_to_metric_families(text):
        samples = families.setdefault(family.name, {})
        for sample in family.samples:
            labels = tuple(value for _, value in sorted(sample.labels.items()))
            if sample.value and not sample.name.endswith("_created"):
                samples[sample.name, labels] = sample.value
    return families


@dataclass(frozen=True)
class Approximate:
    """What holds only about: it moves with the time, or the rows leave it open between two figures."""

    low: Mapping[tuple[str, Labels], float]
    high: Mapping[tuple[str, Labels], float]


@dataclass
class Truth:
    """The rows, read once."""

    connection: Connection
    destinations: Mapping[str, Destination]
    now: int
    idempotent_replays: tuple[int, int]
    """Answers that came from the store, at least and at most: only who called has seen them."""
    rows: Sequence[Any] = field(init=False)
    tries: Sequence[Any] = field(init=False)
    calls: Sequence[Any] = field(init=False)

    def __post_init__(self) -> None:
        a, o = attempts.c, delivery_attempts.c
        self.rows = self.connection.execute(select(deliveries)).all()
        self.calls = self.connection.execute(select(attempts)).all()
        self.tries = self.connection.execute(
            select(o.delivery_id, o.meaning, a.id, a.kind, a.destination, a.ended_at)
            .join_from(delivery_attempts, attempts, a.id == o.attempt_id)
            .order_by(o.delivery_id, a.id)
        ).all()


def _counted(name: str, found: Mapping[Labels, float]) -> Samples:
    return {(name, labels): value for labels, value in found.items() if value}


def _records(truth: Truth) -> Samples:
    return _counted(
        "hocba_records_total", Counter((s,) for s in truth.connection.execute(select(records.c.status)).scalars())
    )


def _findings(truth: Truth) -> Samples:
    found: Counter[Labels] = Counter()
    for packed in truth.connection.execute(select(records.c.findings).where(records.c.findings.is_not(None))).scalars():
        for one in orjson.loads(unpack(packed)):
            found[one["code"].partition(".")[0], one["severity"]] += 1
    return _counted("hocba_findings_total", found)


def _replays(truth: Truth) -> Approximate:
    sample = ("hocba_idempotent_replays_total", ())
    return Approximate({sample: truth.idempotent_replays[0]}, {sample: truth.idempotent_replays[1]})


def _sent_again(truth: Truth) -> Sequence[Any]:
    """The records of replays that went out again."""
    return truth.connection.execute(select(replay_items).where(replay_items.c.released_at.is_not(None))).all()


def _ended(truth: Truth) -> Samples:
    found: Counter[Labels] = Counter((row.destination, row.state) for row in truth.rows if row.state in FINAL)
    for item in _sent_again(truth):  # what was replayed had ended before
        if item.state in FINAL:
            found[item.destination, item.state] += 1
    return _counted("hocba_deliveries_ended_total", found)


def _replayed(truth: Truth) -> Samples:
    found: Counter[Labels] = Counter((item.destination,) for item in _sent_again(truth))
    return _counted("hocba_replayed_deliveries_total", found)


def _replay_records(truth: Truth) -> Samples:
    ended = select(replay_items).where(replay_items.c.outcome.is_not(None))
    found: Counter[Labels] = Counter((row.destination, row.outcome) for row in truth.connection.execute(ended))
    return _counted("hocba_replay_records_total", found)


def _replay_stops(truth: Truth) -> Samples:
    stops = (one for one in audit.entries(truth.connection, limit=1_000) if one.action == "stop-replay")
    return _counted("hocba_replay_stops_total", Counter((one.reason,) for one in stops))


def _open_replays(truth: Truth) -> Samples:
    states = truth.connection.execute(select(replays.c.state)).scalars()
    return _counted("hocba_replays", Counter((one,) for one in states if one not in {"done", "cancelled"}))


def _failure_groups(truth: Truth) -> Samples:
    states = truth.connection.execute(select(failure_groups.c.state).where(failure_groups.c.root_id.is_(None)))
    return _counted("hocba_failure_groups", Counter((one,) for one in states.scalars()))


def _outcomes(truth: Truth) -> Approximate:
    """Of what was given back, and of polls that found no verdict, no row is kept: they make up the records of calls."""
    found: Counter[Labels] = Counter((row.destination, row.kind, row.meaning) for row in truth.tries)
    of_calls: Counter[Labels] = Counter()
    for call in truth.calls:
        if call.ended_at is not None:
            of_calls[call.destination, call.kind] += call.records
    low = dict(found)
    high = dict(found)
    for (destination, kind), records_of_kind in of_calls.items():
        rest = records_of_kind - sum(n for (d, k, _), n in found.items() if (d, k) == (destination, kind))
        if kind == "poll":
            low[destination, kind, "awaiting_ack"] = low[destination, kind, "released"] = 0
            high[destination, kind, "awaiting_ack"] = high[destination, kind, "released"] = rest
        else:
            low[destination, kind, "released"] = high[destination, kind, "released"] = rest
    name = "hocba_delivery_outcomes_total"
    return Approximate({(name, k): v for k, v in low.items()}, {(name, k): v for k, v in high.items()})


def _attempts(truth: Truth) -> Samples:
    return _counted(
        "hocba_attempts_total",
        Counter((call.destination, call.kind, call.outcome) for call in truth.calls if call.ended_at is not None),
    )


def _sends(truth: Truth) -> dict[int, list[Any]]:
    sends: dict[int, list[Any]] = {}
    for row in truth.tries:
        if row.kind == "send":
            sends.setdefault(row.delivery_id, []).append(row)
    return sends


def _scheduled(truth: Truth) -> Approximate:
    """A send that failed for a time is tried again, unless the window had closed or a newer version was there.

    Whether a superseded delivery was overtaken by the end of its last call or after it, its rows do not tell.
    """
    states = {row.id: row.state for row in truth.rows}
    low: Counter[Labels] = Counter()
    high: Counter[Labels] = Counter()
    for delivery, sends in _sends(truth).items():
        for number, row in enumerate(sends):
            if row.meaning != "transient":
                continue
            is_last = number == len(sends) - 1
            is_sure = not is_last or states[delivery] not in {"parked", "superseded"}
            low[row.destination,] += is_sure
            high[row.destination,] += is_sure or states[delivery] == "superseded"
    name = "hocba_retries_scheduled_total"
    return Approximate({(name, k): v for k, v in low.items()}, {(name, k): v for k, v in high.items()})


def _executed(truth: Truth) -> Samples:
    """A send after one that counted; what is missing over there, and a person's replay, begin anew."""
    found: Counter[Labels] = Counter()
    tried: Counter[int] = Counter()
    for row in truth.tries:
        if row.kind == "send":
            found[row.destination,] += tried[row.delivery_id] > 0
            tried[row.delivery_id] += row.meaning != "precondition"
        if row.meaning == "refused":  # only a replay leads on from there
            tried[row.delivery_id] = 0
    return _counted("hocba_retries_executed_total", found)


def _takeovers(truth: Truth) -> Samples:
    return _counted(
        "hocba_lease_takeovers_total",
        Counter((c.destination,) for c in truth.calls if c.ended_at is not None and c.ended_at >= c.expires_at),
    )


def _depth(truth: Truth) -> Samples:
    return _counted(
        "hocba_deliveries", Counter((row.destination, row.state) for row in truth.rows if row.state in WAITING)
    )


def _histogram(
    name: str, bounds: Sequence[float], values: Mapping[Labels, Sequence[float]], labels: Sequence[str]
) -> Samples:
    """With `le` at its place among the labels' names."""
    place = sorted([*labels, "le"]).index("le")
    found: Samples = {}
    for key, some in values.items():
        found[f"{name}_count", key] = len(some)
        found[f"{name}_sum", key] = sum(some)
        for bound in (*bounds, float("inf")):
            said = "+Inf" if bound == float("inf") else format(bound, "g")
            under = sum(value <= bound for value in some)
            if under:
                found[f"{name}_bucket", (*key[:place], said, *key[place:])] = under
    return found


def _durations(truth: Truth) -> Samples:
    values: dict[Labels, list[float]] = {}
    for call in truth.calls:
        if call.ended_at is not None:
            values.setdefault((call.destination, call.kind), []).append((call.ended_at - call.leased_at) / 1000)
    return _histogram("hocba_attempt_duration_seconds", ATTEMPT_SECONDS, values, ("destination", "kind"))


def _ages(truth: Truth) -> Samples:
    values: dict[Labels, list[float]] = {}
    for row in truth.rows:
        if row.state == "acknowledged":
            values.setdefault((row.destination,), []).append((row.settled_at - row.accepted_at) / 1000)
    return _histogram("hocba_acknowledgement_age_seconds", AGE_SECONDS, values, ("destination",))


def _oldest(truth: Truth) -> Approximate:
    name, oldest = "hocba_oldest_due_age_seconds", {}
    for destination in truth.destinations:
        due = [
            row.next_attempt_at
            for row in truth.rows
            if row.destination == destination and row.state in {"queued", "held"} and row.lease_id is None
        ]
        oldest[destination] = max(0, truth.now - min(due, default=truth.now)) / 1000
    return Approximate(
        {(name, (d,)): max(age - 5, 0) for d, age in oldest.items()},
        {(name, (d,)): age + 5 for d, age in oldest.items()},
    )


def _overdue(truth: Truth) -> Samples:
    found: Counter[Labels] = Counter()
    for row in truth.rows:
        limit = truth.now - truth.destinations[row.destination].acknowledgement.overdue_seconds * 1000
        found[row.destination,] += row.state == "awaiting_ack" and row.awaiting_since < limit
    return _counted("hocba_acknowledgements_overdue", found)


def _health(truth: Truth) -> dict[str, Any]:
    return {row.name: row for row in truth.connection.execute(select(health))}


def _verdicts(truth: Truth) -> Approximate:
    """Rows are kept of late ones only: how many came in time is between none and all that ended."""
    late: Counter[Labels] = Counter()
    for row in truth.connection.execute(select(acknowledgements).where(acknowledgements.c.kind == "late")):
        late[row.destination, "late"] += row.times
    ended = Counter((row.destination, "in_time") for row in truth.rows if row.awaiting_since and row.state in FINAL)
    name = "hocba_acknowledgements_total"
    low = {(name, labels): value for labels, value in late.items()}
    # A delivery that was replayed had its verdict before.
    return Approximate(low, low | {(name, labels): value + 1_000 for labels, value in ended.items()})


def _heard(truth: Truth) -> Approximate:
    """What was no verdict, and what nobody knew, leaves no row."""
    found: Counter[Labels] = Counter()
    for row in truth.connection.execute(select(acknowledgements).where(acknowledgements.c.kind != "late")):
        found[row.destination, row.kind, row.source] += row.times
    name = "hocba_acknowledgements_heard_total"
    low = {(name, labels): value for labels, value in found.items()}
    unknown = {
        (name, (destination, reception, source)): float("inf")
        for destination in truth.destinations
        for reception in ("unknown", "not-a-verdict")
        for source in ("poll", "push")
    }
    return Approximate(low, low | unknown)


def _undecided(truth: Truth) -> Samples:
    rows = truth.connection.execute(
        select(acknowledgements.c.destination).where(
            acknowledgements.c.kind == "contradictory", acknowledgements.c.decided_at.is_(None)
        )
    )
    return _counted("hocba_acknowledgements_undecided", Counter((destination,) for destination in rows.scalars()))


def _objective(truth: Truth) -> Samples:
    return _counted(
        "hocba_acknowledgement_objective_ratio",
        {(name,): one.acknowledgement.objective for name, one in truth.destinations.items()},
    )


def _breaker(truth: Truth) -> Samples:
    return _counted("hocba_breaker_open", {(n,): (r.open_until or 0) > truth.now for n, r in _health(truth).items()})


def _paused(truth: Truth) -> Samples:
    return _counted("hocba_destination_paused", {(n,): r.paused_at is not None for n, r in _health(truth).items()})


def _cap(truth: Truth) -> Samples:
    known = _health(truth)
    return _counted(
        "hocba_concurrency_cap",
        {
            (name,): min((known[name].cap if name in known else None) or one.limits.concurrency, one.limits.concurrency)
            for name, one in truth.destinations.items()
        },
    )


def _build(_: Truth) -> Samples:
    return {("hocba_build_info", (platform.python_version(), __version__)): 1}


def _starts(truth: Truth) -> Samples:
    return _counted(
        "hocba_process_starts_total",
        Counter((kind,) for kind in truth.connection.execute(select(processes.c.kind)).scalars()),
    )


def _processes(truth: Truth) -> Approximate:
    """Who was killed is taken for alive for thirty seconds; give or take what a scrape takes."""
    rows = truth.connection.execute(select(processes).where(processes.c.ended_at.is_(None))).all()

    def heard_of(seconds: float) -> Samples:
        since = truth.now - seconds * 1000
        return _counted("hocba_processes", Counter((row.kind,) for row in rows if row.seen_at > since))

    return Approximate(heard_of(25), heard_of(35))


def _responses(_: Truth) -> Approximate:
    """No row is kept of an answer; that they are counted, `tests/contract/api/test_presence.py` shows."""
    name = "hocba_http_responses_total"
    return Approximate({(name, ("202",)): 1}, {(name, (str(status),)): float("inf") for status in range(200, 600)})


def _job_runs(truth: Truth) -> Samples:
    ended = select(job_runs.c.kind, job_runs.c.state).where(job_runs.c.ended_at.is_not(None))
    found: Counter[Labels] = Counter((row.kind, row.state) for row in truth.connection.execute(ended))
    for state in truth.connection.execute(select(files.c.state)).scalars():
        found["import", state] += state in {"done", "failed", "cancelled"}
    return _counted("hocba_job_runs_total", found)


def _last_done(truth: Truth) -> dict[str, list[tuple[int, float] | None]]:
    """Kind -> for each job the end and the seconds of its last run that was done; None where none was."""
    found: dict[str, list[tuple[int, float] | None]] = {}
    for job in truth.connection.execute(select(jobs)):
        done = select(job_runs).where(job_runs.c.key == job.key, job_runs.c.state == "done")
        run = truth.connection.execute(done.order_by(job_runs.c.ended_at.desc()).limit(1)).one_or_none()
        found.setdefault(job.kind, []).append(
            None if run is None else (run.ended_at, (run.ended_at - run.started_at) / 1000)
        )
    imported = select(files).where(files.c.state == "done").order_by(files.c.id.desc()).limit(1)
    file = truth.connection.execute(imported).one_or_none()
    found["import"] = [None if file is None else (file.changed_at, (file.changed_at - file.created_at) / 1000)]
    return found


def _job_success(truth: Truth) -> Samples:
    return _counted(
        "hocba_job_last_success_timestamp_seconds",
        {
            (kind,): min(one[0] for one in each if one) / 1000
            for kind, each in _last_done(truth).items()
            if None not in each
        },
    )


def _job_seconds(truth: Truth) -> Samples:
    return _counted(
        "hocba_job_last_duration_seconds",
        {(kind,): max((one[1] for one in each if one), default=0) for kind, each in _last_done(truth).items()},
    )


def _job_late(truth: Truth) -> Approximate:
    """Whoever is at a job meanwhile may have ended: how late it was between nothing and now."""
    late: Counter[Labels] = Counter()
    for job in truth.connection.execute(select(jobs)):
        late[job.kind,] = max(late[job.kind,], max(0, truth.now - (job.next_run_at or truth.now)) // 1000)
    name = "hocba_job_late_seconds"
    return Approximate({}, {(name, labels): value + 10 for labels, value in late.items()} | {(name, ("import",)): 10})


def _selected(truth: Truth) -> Samples:
    chosen = truth.connection.execute(select(replay_items.c.destination)).scalars()
    return _counted("hocba_replay_records_selected_total", Counter((one,) for one in chosen))


def _calls(truth: Truth) -> Approximate:
    """As many as there are answers, of whatever length; no row is kept of them."""
    found: Samples = {}
    for surface in ("client", "console", "operator", "other", "soap"):
        name = "hocba_http_request_duration_seconds"
        found[f"{name}_count", (surface,)] = found[f"{name}_sum", (surface,)] = float("inf")
        for bound in (*CALL_SECONDS, float("inf")):
            said = "+Inf" if bound == float("inf") else format(bound, "g")
            found[f"{name}_bucket", (said, surface)] = float("inf")
    return Approximate({("hocba_http_request_duration_seconds_count", ("client",)): 1}, found)


def _commits(truth: Truth) -> Approximate:
    """Each process tells of one every five seconds, and none is kept."""
    name = "hocba_store_commit_duration_seconds"
    found: Samples = {(f"{name}_count", ()): float("inf"), (f"{name}_sum", ()): float("inf")}
    for bound in (*COMMIT_SECONDS, float("inf")):
        found[f"{name}_bucket", ("+Inf" if bound == float("inf") else format(bound, "g"),)] = float("inf")
    return Approximate({(f"{name}_count", ()): 1}, found)


def _import_files(truth: Truth) -> Samples:
    states = truth.connection.execute(select(files.c.state)).scalars()
    return _counted("hocba_import_files", Counter((one,) for one in states if one in {"receiving", "waiting"}))


def _import_records(truth: Truth) -> Samples:
    rows = truth.connection.execute(select(files).where(files.c.state == "waiting"))
    return _counted("hocba_import_records_waiting", {(): sum((row.total or 0) - row.position for row in rows)})


def _unmapped(truth: Truth) -> Samples:
    rows = truth.connection.execute(select(unmapped_codes)).all()
    return _counted("hocba_unmapped_codes", {(): sum(row.fill_id is None and row.list_id is None for row in rows)})


def _waiting_for_codes(truth: Truth) -> Samples:
    return _counted(
        "hocba_records_waiting_for_codes", {(): len(truth.connection.execute(select(waiting_records.c.card_id)).all())}
    )


def _silent(name: str, column: str) -> Callable[[Truth], Samples]:
    def found(truth: Truth) -> Samples:
        last: dict[Any, int] = {}
        for row in truth.connection.execute(select(senders)):
            who = getattr(row, column)
            last[who] = max(last.get(who, 0), row.last_at)
        week = 7 * 86_400_000
        return _counted(name, {(): sum(week <= truth.now - at < 2 * week for at in last.values())})

    return found


def _stuck(truth: Truth) -> Approximate:
    name, since = "hocba_stuck_age_seconds", {}
    for row in truth.rows:
        if row.state in {"awaiting_ack", "in_doubt"} and row.lease_id is None:
            place = (row.destination, row.state)
            since[place] = min(since.get(place, truth.now), row.next_attempt_at)
    for call in truth.calls:
        if call.ended_at is None:
            place = (call.destination, "leased")
            since[place] = min(since.get(place, truth.now), call.expires_at)
    ages = {place: max(0, truth.now - at) / 1000 for place, at in since.items()}
    return Approximate(
        {(name, place): max(age - 5, 0) for place, age in ages.items()},
        {(name, place): age + 5 for place, age in ages.items()},
    )


def _precondition(truth: Truth) -> Samples:
    codes = {(row.destination, row.code) for row in truth.rows if row.state == "held"}
    ours = {(destination,) for destination, code in codes if code != "window-closed"}
    return _counted("hocba_precondition_missing", dict.fromkeys(ours, 1))


def _window_open(truth: Truth) -> Samples:
    """No destination of these tests has windows: all are open, and none closes."""
    assert not any(one.windows for one in truth.destinations.values())
    levels = ("primary", "lower-secondary", "upper-secondary", "continuing")
    return _counted("hocba_window_open", {(name, level): 1 for name in truth.destinations for level in levels})


def _open_differences(truth: Truth) -> Samples:
    found: Counter[Labels] = Counter()
    for name in truth.destinations:
        of_it = select(job_runs.c.id).where(job_runs.c.key == f"reconcile:{name}", job_runs.c.state == "done")
        runs = list(truth.connection.execute(of_it).scalars())
        x = reconcile_differences.c
        left = select(x.kind).where(x.run_id == max(runs, default=0), x.repaired_at.is_(None))
        found.update((name, kind) for kind in truth.connection.execute(left).scalars())
    return _counted("hocba_reconciliation_differences", found)


def _last_round(truth: Truth) -> Approximate:
    """A scheduler that runs is heard of every five seconds."""
    at = max((row.round_at or 0 for row in truth.connection.execute(select(processes))), default=0)
    sample = ("hocba_scheduler_last_round_timestamp_seconds", ())
    return Approximate({sample: at / 1000 - 10}, {sample: at / 1000 + 10})


def _redis(_: Truth) -> Samples:
    return {("hocba_redis_up", ()): 1}


def _size(_: Truth) -> Approximate:
    sample = ("hocba_store_size_bytes", ())
    return Approximate({sample: 50_000}, {sample: 1e12})


def _disk(name: str) -> Callable[[Truth], Approximate]:
    def found(_: Truth) -> Approximate:
        volumes = {(name, (volume,)): 1e15 for volume in ("files", "store", "watched")}
        return Approximate({(name, ("files",)): 1}, volumes)

    return found


def _credential_ends(truth: Truth) -> Samples:
    """One client of these tests has one key that ends, and no successor of it."""
    rows = truth.connection.execute(select(keys).where(keys.c.ends_at.is_not(None), keys.c.revoked_at.is_(None)))
    ends = [row.ends_at / 1000 for row in rows]
    return {("hocba_credential_end_timestamp_seconds", ("", "client-key")): min(ends)} if ends else {}


def _audit_rows(truth: Truth) -> Samples:
    return _counted("hocba_audit_entries_total", {(): len(truth.connection.execute(select(audit_rows.c.id)).all())})


def _cards(truth: Truth) -> Samples:
    """All cards of these tests are of the year before that of the board: so many are expected, and missing."""
    levels = Counter(
        level_of(row.circular, row.grade)
        for row in truth.connection.execute(select(report_cards))
        if not row.recalled and row.school_year == "2025-2026"
    )
    return {
        ("hocba_cards", (count, destination, level)): cards
        for destination in truth.destinations
        for level, cards in levels.items()
        for count in ("expected", "missing")
    }


def _clears(truth: Truth) -> Approximate:
    """At some time to come, where anything moves."""
    name = "hocba_backlog_clears_timestamp_seconds"
    return Approximate({}, {(name, (one,)): float("inf") for one in truth.destinations})


def _nothing(_: Truth) -> Samples:
    return {}


FAMILIES: Mapping[str, Callable[[Truth], Samples | Approximate]] = {
    "hocba_records": _records,
    "hocba_findings": _findings,
    "hocba_idempotent_replays": _replays,
    "hocba_deliveries_ended": _ended,
    "hocba_delivery_outcomes": _outcomes,
    "hocba_attempts": _attempts,
    "hocba_retries_scheduled": _scheduled,
    "hocba_retries_executed": _executed,
    "hocba_lease_takeovers": _takeovers,
    "hocba_replayed_deliveries": _replayed,
    "hocba_replay_records": _replay_records,
    "hocba_replay_stops": _replay_stops,
    "hocba_replays": _open_replays,
    "hocba_failure_groups": _failure_groups,
    "hocba_job_runs": _job_runs,
    "hocba_job_last_success_timestamp_seconds": _job_success,
    "hocba_job_last_duration_seconds": _job_seconds,
    "hocba_job_late_seconds": _job_late,
    "hocba_process_starts": _starts,
    "hocba_processes": _processes,
    "hocba_http_responses": _responses,
    "hocba_deliveries": _depth,
    "hocba_attempt_duration_seconds": _durations,
    "hocba_acknowledgement_age_seconds": _ages,
    "hocba_oldest_due_age_seconds": _oldest,
    "hocba_acknowledgements_overdue": _overdue,
    "hocba_acknowledgements": _verdicts,
    "hocba_acknowledgements_heard": _heard,
    "hocba_acknowledgements_undecided": _undecided,
    "hocba_acknowledgement_objective_ratio": _objective,
    "hocba_breaker_open": _breaker,
    "hocba_destination_paused": _paused,
    "hocba_concurrency_cap": _cap,
    "hocba_build_info": _build,
    "hocba_replay_records_selected": _selected,
    "hocba_http_request_duration_seconds": _calls,
    "hocba_store_commit_duration_seconds": _commits,
    "hocba_import_files": _import_files,
    "hocba_import_records_waiting": _import_records,
    "hocba_unmapped_codes": _unmapped,
    "hocba_records_waiting_for_codes": _waiting_for_codes,
    "hocba_schools_silent": _silent("hocba_schools_silent", "school_code"),
    "hocba_clients_silent": _silent("hocba_clients_silent", "client_id"),
    "hocba_stuck_age_seconds": _stuck,
    "hocba_precondition_missing": _precondition,
    "hocba_window_open": _window_open,
    "hocba_window_closes_timestamp_seconds": _nothing,
    "hocba_reconciliation_differences": _open_differences,
    "hocba_scheduler_last_round_timestamp_seconds": _last_round,
    "hocba_redis_up": _redis,
    "hocba_store_size_bytes": _size,
    "hocba_disk_free_bytes": _disk("hocba_disk_free_bytes"),
    "hocba_disk_size_bytes": _disk("hocba_disk_size_bytes"),
    "hocba_credential_end_timestamp_seconds": _credential_ends,
    "hocba_audit_entries": _audit_rows,
    "hocba_cards": _cards,
    "hocba_backlog_clears_timestamp_seconds": _clears,
    "hocba_audit_chain_faults": _nothing,
}
"""Every family of /metrics."""


def differences(told: Mapping[str, Samples], truth: Truth) -> list[str]:
    """What a scrape says otherwise than the rows; families that only one of them knows."""
    found = [f"{name}: no truth is known" for name in told.keys() - FAMILIES.keys()]
    found += [f"{name}: not told" for name in FAMILIES.keys() - told.keys()]
    for name, make in FAMILIES.items():
        said, wanted = told.get(name, {}), make(truth)
        low, high = (wanted.low, wanted.high) if isinstance(wanted, Approximate) else (wanted, wanted)
        for sample in sorted({*said, *low, *high}, key=str):
            bounds = low.get(sample, 0), high.get(sample, 0)
            slack = 1e-6 * max(1, *map(abs, bounds))
            if not bounds[0] - slack <= said.get(sample, 0) <= bounds[1] + slack:
                found.append(f"{sample}: told {said.get(sample, 0)}, the rows say {bounds}")
    return found
