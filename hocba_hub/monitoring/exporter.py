"""/metrics: a collector that reads the store when it is asked, so that any API process tells the same, whole truth.

Totals and depth come from the counters that the store keeps in the transactions themselves; nothing is counted in
process memory, so a killed process takes no figure with it (but the HTTP answers of its last five seconds). Labels are
bounded: destinations, states, kinds and meanings from closed lists, never a school, a client or a pupil.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from hocba_hub import __version__
from hocba_hub.adapters.destination import Destination
from hocba_hub.model.clock import Clock
from hocba_hub.model.delivery import FINAL, DeliveryState
from hocba_hub.model.keys import DestinationName
from hocba_hub.store.acknowledgements import undecided as undecided_acks
from hocba_hub.store.counters import AGE_SECONDS, ATTEMPT_SECONDS, sums
from hocba_hub.store.destination_health import acks_overdue, destinations_health, oldest_due
from hocba_hub.store.engine import Store
from hocba_hub.store.failures import open_groups
from hocba_hub.store.job_acts import KindHealth
from hocba_hub.store.job_acts import health as job_health
from hocba_hub.store.processes import alive
from hocba_hub.store.replays import open_states

_COUNTERS: Sequence[tuple[str, str, str, tuple[str, ...]]] = (
    ("records", "hocba_records", "Records of submissions, by what became of them", ("status",)),
    ("findings", "hocba_findings", "Findings, by the family of their code", ("family", "severity")),
    ("replays", "hocba_idempotent_replays", "Calls answered from a stored answer", ()),
    ("ended", "hocba_deliveries_ended", "Deliveries that reached a final state", ("destination", "state")),
    (
        "outcomes",
        "hocba_delivery_outcomes",
        "Outcomes of attempts, for each record",
        ("destination", "kind", "meaning"),
    ),
    ("attempts", "hocba_attempts", "Calls, by their gravest outcome", ("destination", "kind", "outcome")),
    ("retries_scheduled", "hocba_retries_scheduled", "Deliveries put back to be tried again", ("destination",)),
    ("retries_executed", "hocba_retries_executed", "Deliveries sent again", ("destination",)),
    ("lease_takeovers", "hocba_lease_takeovers", "Leases of dead workers that were taken over", ("destination",)),
    ("process_starts", "hocba_process_starts", "Processes that were started, or started again", ("kind",)),
    ("http_responses", "hocba_http_responses", "Answers of the API, told every five seconds", ("status",)),
    (
        "acknowledgements",
        "hocba_acknowledgements",
        "Verdicts that came later, by whether they came within the destination's objective",
        ("destination", "timing"),
    ),
    (
        "acknowledgements_heard",
        "hocba_acknowledgements_heard",
        "Verdicts that were not waited for, by how they came and what became of them",
        ("destination", "source", "reception"),
    ),
    ("job_runs", "hocba_job_runs", "Runs of jobs that ended, by how", ("kind", "state")),
    ("replayed", "hocba_replayed_deliveries", "Deliveries that a person sent again", ("destination",)),
    (
        "replay_records",
        "hocba_replay_records",
        "Records of replays, by what became of them",
        ("destination", "outcome"),
    ),
    ("replay_stops", "hocba_replay_stops", "Replays that stopped by themselves, by why", ("code",)),
)
"""Counter in the store → name, help and labels of the metric."""


class StoreCollector(Collector):
    """Every metric of the hub, read from the store at each scrape."""

    def __init__(self, store: Store, destinations: Mapping[DestinationName, Destination], clock: Clock) -> None:
        """Only the given destinations are shown."""
        self._store, self._destinations, self._clock = store, destinations, clock

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering the collector must not read the store."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Read the store once, in one view, and yield the metrics."""
        with self._store.read() as connection:
            counted = sums(connection)
            yield from self._from_store(connection)
        for name, metric, text, labels in _COUNTERS:
            family = CounterMetricFamily(metric, text, labels=labels)
            for values, total in sorted(counted.get(name, {}).items()):
                family.add_metric(values, total)
            yield family
        depth = GaugeMetricFamily(
            "hocba_deliveries", "Deliveries by the state they are in", labels=("destination", "state")
        )
        waiting = [state for state in DeliveryState if state not in FINAL]
        for destination in sorted(self._destinations):
            for state in waiting:
                depth.add_metric((destination, state), counted.get("depth", {}).get((destination, state), 0))
        yield depth
        attempts = HistogramMetricFamily(
            "hocba_attempt_duration_seconds", "Time from lease to settlement of a call", labels=("destination", "kind")
        )
        yield _histogram(counted, "attempt_seconds", attempts, ATTEMPT_SECONDS)
        ages = HistogramMetricFamily(
            "hocba_acknowledgement_age_seconds",
            "Time from acceptance to the destination's acknowledgement",
            labels=("destination",),
        )
        yield _histogram(counted, "acknowledgement_age_seconds", ages, AGE_SECONDS)
        build = GaugeMetricFamily("hocba_build_info", "Version that runs", labels=("version", "python"))
        build.add_metric((__version__, platform.python_version()), 1)
        yield build

    def _from_store(self, connection: Connection) -> Iterator[Metric]:
        now = self._clock()
        label = ("destination",)
        oldest = GaugeMetricFamily(
            "hocba_oldest_due_age_seconds", "How long the longest-waiting due delivery is overdue", labels=label
        )
        overdue = GaugeMetricFamily(
            "hocba_acknowledgements_overdue", "Deliveries whose verdict is overdue", labels=label
        )
        undecided = GaugeMetricFamily(
            "hocba_acknowledgements_undecided", "Contradictory verdicts that wait for a person", labels=label
        )
        objective = GaugeMetricFamily(
            "hocba_acknowledgement_objective_ratio", "Share of the verdicts that should come in time", labels=label
        )
        breaker = GaugeMetricFamily("hocba_breaker_open", "1 while the destination is not called", labels=label)
        paused = GaugeMetricFamily("hocba_destination_paused", "1 while a person has paused it", labels=label)
        cap = GaugeMetricFamily("hocba_concurrency_cap", "Calls that may be under way at once", labels=label)
        known = destinations_health(connection)
        for name, destination in sorted(self._destinations.items()):
            since = oldest_due(connection, name, now)
            oldest.add_metric((name,), (now - since) / 1000 if since is not None else 0)
            limit = now - round(destination.acknowledgement.overdue_seconds * 1000)
            overdue.add_metric((name,), acks_overdue(connection, name, limit))
            undecided.add_metric((name,), undecided_acks(connection, name))
            objective.add_metric((name,), destination.acknowledgement.objective)
            health = known.get(name)
            breaker.add_metric((name,), int(health is not None and (health.open_until or 0) > now))
            paused.add_metric((name,), int(health is not None and health.paused_at is not None))
            most = destination.limits.concurrency
            cap.add_metric((name,), min(health.cap or most, most) if health is not None else most)
        running = GaugeMetricFamily(
            "hocba_processes", "Processes that were heard of in the last thirty seconds", labels=("kind",)
        )
        for kind, number in alive(connection, now).items():
            running.add_metric((kind,), number)
        yield from (oldest, overdue, undecided, objective, breaker, paused, cap, running)
        yield from _of_jobs(job_health(connection, now))
        groups = GaugeMetricFamily(
            "hocba_failure_groups", "Causes of failures, by how the people who mend them stand", labels=("state",)
        )
        for group_state, number in open_groups(connection, now).items():
            groups.add_metric((group_state,), number)
        replays = GaugeMetricFamily(
            "hocba_replays", "Replays that have not ended, by how they stand", labels=("state",)
        )
        for state, number in open_states(connection).items():
            replays.add_metric((state,), number)
        yield from (groups, replays)


def _of_jobs(found: Iterable[KindHealth]) -> Iterator[Metric]:
    label = ("kind",)
    succeeded = GaugeMetricFamily(
        "hocba_job_last_success_timestamp_seconds",
        "When a run was last done, of the job of this kind for which that is longest ago; absent if one never was",
        labels=label,
    )
    seconds = GaugeMetricFamily(
        "hocba_job_last_duration_seconds",
        "What the last run that was done took, of the job that took longest",
        labels=label,
    )
    late = GaugeMetricFamily(
        "hocba_job_late_seconds", "How long a job of this kind has been due, and nobody is at it", labels=label
    )
    for one in found:
        if one.succeeded_at is not None:
            succeeded.add_metric((one.kind,), one.succeeded_at / 1000)
        seconds.add_metric((one.kind,), one.seconds)
        late.add_metric((one.kind,), one.late_seconds)
    yield from (succeeded, seconds, late)


def _histogram(
    counted: Mapping[str, Mapping[tuple[str, ...], float]],
    name: str,
    family: HistogramMetricFamily,
    bounds: Sequence[float],
) -> HistogramMetricFamily:
    """Fill `family` from the counters that `Counters.observe` wrote under `name`."""
    buckets = counted.get(f"{name}_bucket", {})
    for values, total in sorted(counted.get(f"{name}_sum", {}).items()):
        running = 0.0
        cumulated = []
        for bound in (*(format(b, "g") for b in bounds), "+Inf"):
            running += buckets.get((*values, bound), 0)
            cumulated.append((bound, running))
        family.add_metric(values, buckets=cumulated, sum_value=total)
    return family
