"""Where traces go: to an OpenTelemetry collector (OTLP over HTTP), if the settings name one."""

from __future__ import annotations

import logging

from opentelemetry import trace

from hocba_hub import __version__
from hocba_hub.settings import Settings

_QUEUE, _BATCH, _EVERY_MS = 20_000, 2_000, 1_000
"""Spans that wait at most, that go at once, and how often; what is more than can wait is lost, and never waited for."""


def configure_traces(settings: Settings, kind: str) -> None:
    """Send the spans of this process, one of `kind`, to the collector; do nothing if there is none."""
    if settings.traces_url is None:
        return
    # Only whoever traces pays for loading these.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased  # noqa: PLC0415

    resource = Resource.create({
        "service.name": "hocba-hub", "service.version": __version__, "hocba.process": kind,
    })  # fmt: skip
    provider = TracerProvider(resource=resource, sampler=ParentBased(TraceIdRatioBased(settings.traces_share)))
    exporter = OTLPSpanExporter(endpoint=settings.traces_url, timeout=5)
    provider.add_span_processor(
        BatchSpanProcessor(
            exporter, max_queue_size=_QUEUE, max_export_batch_size=_BATCH, schedule_delay_millis=_EVERY_MS
        )
    )
    trace.set_tracer_provider(provider)
    # A collector that is away is nobody's trouble but its own: once a minute in the log is enough.
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
