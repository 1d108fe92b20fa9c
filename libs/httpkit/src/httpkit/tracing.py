"""Traces: W3C Trace Context is passed on always; spans are made only where somebody has asked for them.

Without `OTEL_TRACES_EXPORTER` there is no tracer, and nothing of this runs but `traceparent_of`.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from aiohttp import web
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from httpkit.errors import Handler
from httpkit.logs import bind_to_request
from httpkit.settings import ServiceSettings, TelemetrySettings

TRACEPARENT: Final = "traceparent"

_FORM: Final = re.compile(
    "(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?P<rest>-[!-~]*+)?"
)
_LONGEST: Final = 256
_FIRST_FAULT: Final = 500
_UNTRACED: Final = re.compile("/health.*|/metrics")
_OWN: Final = web.RequestKey("own_traceparent", str)
_PROPAGATOR: Final = TraceContextTextMapPropagator()


def traceparent_of(request: web.Request) -> str | None:
    """Return what a request's commands carry on: our span if it is sampled, else what the client sent."""
    return request.get(_OWN) or _given_traceparent(request)


def _given_traceparent(request: web.Request) -> str | None:
    """Return the `traceparent` of a request; None if there is none, or none that is valid: it is no fault."""
    given = request.headers.getall(TRACEPARENT, [])
    if len(given) != 1 or len(given[0]) > _LONGEST:
        return None
    found = _FORM.fullmatch(given[0])
    # Later versions may append fields; the first has none.
    if found is None or (found["version"] == "00" and found["rest"] is not None):
        return None
    return given[0]


@contextmanager
def tracing(settings: TelemetrySettings, service: ServiceSettings, *, name: str) -> Iterator[Tracer | None]:
    """Give a tracer whose spans are exported by OTLP, the last ones when the context ends; or None."""
    if settings.otel_traces_exporter == "none":
        yield None
        return
    # The SDK takes 20 MB and a quarter of a second: not for those who do not use it.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    who = {"service.namespace": "waybill", "service.name": name, "service.instance.id": service.instance_id}
    provider = TracerProvider(resource=Resource.create(who))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        yield provider.get_tracer("waybill")
    finally:
        provider.shutdown()


def trace_requests(app: web.Application, tracer: Tracer | None) -> None:
    """Make a span of each request of an app but those of health and metrics; nothing without a tracer."""
    if tracer is not None:
        # Behind the first, which gives each request its id and clears what the last one has bound.
        app.middlewares.insert(1, _trace_middleware(tracer))


def _trace_middleware(tracer: Tracer) -> Callable[..., Any]:
    @web.middleware
    async def in_span(request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        route = resource.canonical if resource is not None else "unmatched"
        if _UNTRACED.fullmatch(route):
            return await handler(request)
        with tracer.start_as_current_span(
            f"{request.method} {route}",
            context=context_of(_given_traceparent(request)),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": request.method, "http.route": route},
        ) as span:
            own = traceparent_in(span)
            if own is not None:
                request[_OWN] = own
                bind_to_request(trace_id=own.split("-")[1])
            response = await handler(request)
            span.set_attribute("http.response.status_code", response.status)
            if response.status >= _FIRST_FAULT:
                span.set_status(StatusCode.ERROR)
            return response

    return in_span


def context_of(traceparent: str | None) -> Context:
    """Return the context that a `traceparent` describes: that of no span, if it is None."""
    return _PROPAGATOR.extract({} if traceparent is None else {TRACEPARENT: traceparent}, context=Context())


def traceparent_in(span: Span) -> str | None:
    """Return the `traceparent` of a span; None if it is not sampled."""
    if not span.get_span_context().trace_flags.sampled:
        return None
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, context=trace.set_span_in_context(span))
    return carrier.get(TRACEPARENT)


def is_sampled(traceparent: str | None) -> bool:
    """Say whether whoever passed this on has sampled its trace."""
    return (
        traceparent is not None
        and trace.get_current_span(context_of(traceparent)).get_span_context().trace_flags.sampled
    )
