"""Traces (OpenTelemetry): what every room that makes spans shares. Without `HOCBA_TRACES_URL` no span is made.

A card's trace begins with the call that brought it, whose W3C trace context its submission keeps. Every call to a
destination is a span of its own, linked to the cards in it; what it meant for a card is a span in the card's trace.
A replay begins a new trace for each card, linked to the first: that may be weeks old, and forgotten by its keeper.
"""

from __future__ import annotations

from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    TraceFlags,
    Tracer,
    get_tracer,
    set_span_in_context,
)

from hocba_hub import __version__


def tracer() -> Tracer:
    """What makes spans."""
    return get_tracer("hocba_hub", __version__)


def span_context(trace_parent: str | None) -> SpanContext | None:
    """Whom a `traceparent` (W3C Trace Context, section 3.2) names; None for none, or one that is not right."""
    parts = (trace_parent or "").split("-")
    try:
        _, trace_id, span_id, flags = parts
        found = SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
    except ValueError:
        return None
    return found if found.is_valid else None


def child_of(parent: SpanContext | None) -> Context:
    """A context in which a new span is the child of another; or of none, whatever is under way."""
    return Context() if parent is None else set_span_in_context(NonRecordingSpan(parent), Context())


def trace_parent_of(span: Span) -> str:
    """The `traceparent` that names a span."""
    of = span.get_span_context()
    return f"00-{of.trace_id:032x}-{of.span_id:016x}-{of.trace_flags:02x}"
