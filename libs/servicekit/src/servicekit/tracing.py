"""Tracing: W3C Trace Context is always propagated; spans are created only when tracing is enabled.

Without `OTEL_TRACES_EXPORTER` there is no tracer, and only `traceparent_of` of the HTTP middleware runs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from servicekit.settings import ServiceSettings, TelemetrySettings

TRACEPARENT: Final = "traceparent"

_PROPAGATOR: Final = TraceContextTextMapPropagator()


@contextmanager
def tracing(settings: TelemetrySettings, service: ServiceSettings, *, name: str) -> Iterator[Tracer | None]:
    """Yield a tracer that exports by OTLP, or None if tracing is off; flush its spans at exit."""
    if settings.otel_traces_exporter == "none":
        yield None
        return
    # The SDK takes 20 MB and a quarter of a second: imported only when it is used.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    attributes = {
        "service.namespace": "waybill",
        "service.name": name,
        "service.instance.id": service.instance_id,
    }
    provider = TracerProvider(resource=Resource.create(attributes))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        yield provider.get_tracer("waybill")
    finally:
        provider.shutdown()


def context_of(traceparent: str | None) -> Context:
    """Return the context of a `traceparent`; an empty one for None."""
    return _PROPAGATOR.extract({} if traceparent is None else {TRACEPARENT: traceparent}, context=Context())


def traceparent_in(span: Span) -> str | None:
    """Return the `traceparent` of a span; None if it is not sampled."""
    if not span.get_span_context().trace_flags.sampled:
        return None
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, context=trace.set_span_in_context(span))
    return carrier.get(TRACEPARENT)


def is_sampled(traceparent: str | None) -> bool:
    """Return whether the caller has sampled this trace."""
    return (
        traceparent is not None
        and trace.get_current_span(context_of(traceparent)).get_span_context().trace_flags.sampled
    )
