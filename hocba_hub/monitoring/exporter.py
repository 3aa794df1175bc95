"""/metrics: a collector that reads the store when it is asked, so that any API process tells the same, whole truth.

Totals and depth come from the counters that the store keeps in the transactions themselves; nothing is counted in
process memory, so a killed process takes no figure with it (but what it had answered in its last five seconds). Labels
are bounded: destinations, states, kinds and meanings from closed lists, never a school, a client or a pupil.
What each family means stands in `metrics.yaml`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, Exemplar, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from hocba_hub.model.delivery import FINAL, DeliveryState, Meaning
from hocba_hub.monitoring.catalogue import Family, catalogue
from hocba_hub.monitoring.readings import Observed, Sample
from hocba_hub.queue.jobs.schedules import DEFAULTS
from hocba_hub.store import exemplars
from hocba_hub.store.counters import AGE_SECONDS, ATTEMPT_SECONDS, CALL_SECONDS, COMMIT_SECONDS, sums
from hocba_hub.store.files import IMPORT
from hocba_hub.store.jobs import RunState
from hocba_hub.store.processes import KINDS
from hocba_hub.store.replays import REPLAY

_FRESH_SECONDS = 0.5
_ENDS = (RunState.DONE, RunState.FAILED, RunState.CANCELLED)
_BOUNDS: Mapping[str, Sequence[float]] = {
    "attempt_seconds": ATTEMPT_SECONDS,
    "acknowledgement_age_seconds": AGE_SECONDS,
    "http_request_seconds": CALL_SECONDS,
    "store_commit_seconds": COMMIT_SECONDS,
}
_Sums = Mapping[str, Mapping[tuple[str, ...], float]]


def exposition(observed: Observed, accept: str) -> tuple[bytes, str]:
    """All metrics and their media type: OpenMetrics with exemplars where `accept` asks for it, else Prometheus's text.

    Raises:
        StoreError: the store is away.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StoreCollector(observed))
    encode, media_type = choose_encoder(accept)
    return encode(registry), media_type


class Exposition:
    """What /metrics answers. It needs no key, so the store is read twice a second at most, whoever asks how often."""

    def __init__(self, observed: Observed) -> None:
        """`observed` is what is read."""
        self._observed = observed
        self._lock = threading.Lock()
        self._made: dict[str, tuple[float, bytes]] = {}

    def answer(self, accept: str) -> tuple[bytes, str]:
        """As `exposition`, or what that said less than half a second ago.

        Raises:
            StoreError: the store is away.
        """
        media_type = choose_encoder(accept)[1]
        with self._lock:
            made_at, body = self._made.get(media_type, (-_FRESH_SECONDS, b""))
            if time.monotonic() - made_at >= _FRESH_SECONDS:
                body, _ = exposition(self._observed, accept)
                self._made[media_type] = (time.monotonic(), body)
        return body, media_type


class StoreCollector(Collector):
    """Every metric of the hub, read from the store at each scrape."""

    def __init__(self, observed: Observed) -> None:
        """`observed` is what is read."""
        self._observed = observed

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering the collector must not read the store."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Read the store once, in one view, and yield the metrics."""
        with self._observed.store.read() as connection:
            counted = sums(connection)
            traces = exemplars.newest(connection)
            read = [*self._observed.samples(connection), *self._depth(counted)]
        by_family: dict[str, list[Sample]] = {name: [] for name in catalogue().families}
        for sample in read:
            by_family[sample.family].append(sample)
        for name, each in self._beginning().items():
            tally = counted.setdefault(str(catalogue().families[name].tally), {})
            for labels in each:
                tally.setdefault(labels, 0)
        for name, family in catalogue().families.items():
            yield _metric(name, family, by_family[name], counted, traces)

    def _beginning(self) -> Mapping[str, Sequence[tuple[str, ...]]]:
        """Series that are there from the beginning, with zero: Prometheus sees no rise in one that begins at one."""
        names = sorted(self._observed.destinations)
        each = [(name,) for name in names]
        return {
            "hocba_records": [("accepted",), ("rejected",), ("unchanged",)],
            "hocba_deliveries_ended": [(name, state) for name in names for state in sorted(FINAL)],
            "hocba_delivery_outcomes": [(name, "send", meaning) for name in names for meaning in Meaning],
            "hocba_acknowledgements": [(name, timing) for name in names for timing in ("in_time", "late")],
            "hocba_lease_takeovers": each,
            "hocba_retries_scheduled": each,
            "hocba_retries_executed": each,
            "hocba_process_starts": [(kind,) for kind in KINDS],
            "hocba_job_runs": [(kind, state) for kind in (*DEFAULTS, REPLAY, IMPORT) for state in _ENDS],
            "hocba_http_responses": [("200",), ("202",), ("422",), ("500",), ("503",)],
        }

    def _depth(self, counted: _Sums) -> Iterator[Sample]:
        depth = counted.get("depth", {})
        for destination in sorted(self._observed.destinations):
            for state in DeliveryState:
                if state not in FINAL:
                    yield Sample("hocba_deliveries", (destination, state), depth.get((destination, state), 0))


def _metric(
    name: str,
    family: Family,
    read: Sequence[Sample],
    counted: _Sums,
    traces: Mapping[exemplars.Place, exemplars.Exemplar],
) -> Metric:
    if family.type == "histogram":
        histogram = HistogramMetricFamily(name, family.en, labels=family.labels)
        return _filled(histogram, str(family.tally), counted, traces)
    of_type = CounterMetricFamily if family.type == "counter" else GaugeMetricFamily
    metric = of_type(name, family.en, labels=family.labels)
    if family.type == "counter":
        for values, total in sorted(counted.get(family.tally or "", {}).items()):
            metric.add_metric(values, total)
    for sample in read:
        metric.add_metric(sample.labels, float(sample.value))
    return metric


def _filled(
    metric: HistogramMetricFamily,
    tally: str,
    counted: _Sums,
    traces: Mapping[exemplars.Place, exemplars.Exemplar],
) -> HistogramMetricFamily:
    """Fill `metric` from the counters that `Counters.observe` wrote under `tally`."""
    buckets = counted.get(f"{tally}_bucket", {})
    for values, total in sorted(counted.get(f"{tally}_sum", {}).items()):
        running = 0.0
        cumulated: list[tuple[str, float] | tuple[str, float, Exemplar]] = []
        for bound in (*(format(b, "g") for b in _BOUNDS[tally]), "+Inf"):
            running += buckets.get((*values, bound), 0)
            trace = traces.get((tally, " ".join((*values, bound))))
            if trace is None:
                cumulated.append((bound, running))
            else:
                exemplar = Exemplar({"trace_id": trace.trace_id}, trace.value, trace.at / 1000)
                cumulated.append((bound, running, exemplar))
        metric.add_metric(values, buckets=cumulated, sum_value=total)
    return metric
