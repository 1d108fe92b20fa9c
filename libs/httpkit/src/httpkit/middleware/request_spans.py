"""Spans of requests, and the trace context that they propagate (W3C Trace Context)."""

import re
from collections.abc import Callable
from typing import Any, Final

from aiohttp import web
from opentelemetry.trace import SpanKind, StatusCode, Tracer

from httpkit.response.errors import Handler
from servicekit.logs import bind_to_request
from servicekit.tracing import TRACEPARENT, context_of, traceparent_in

_FORM: Final = re.compile(
    "(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?P<rest>-[!-~]*+)?"
)
_LONGEST: Final = 256
_FIRST_FAULT: Final = 500
_UNTRACED: Final = re.compile("/health.*|/metrics")
_OWN: Final = web.RequestKey("own_traceparent", str)


def traceparent_of(request: web.Request) -> str | None:
    """Return the `traceparent` for a request's commands: our span if it is sampled, else the client's."""
    return request.get(_OWN) or _given_traceparent(request)


def _given_traceparent(request: web.Request) -> str | None:
    """Return the `traceparent` of a request; None if it is absent or invalid, which is not an error."""
    given = request.headers.getall(TRACEPARENT, [])
    if len(given) != 1 or len(given[0]) > _LONGEST:
        return None
    found = _FORM.fullmatch(given[0])
    # Later versions may append fields; the first has none.
    if found is None or (found["version"] == "00" and found["rest"] is not None):
        return None
    return given[0]


def trace_requests(app: web.Application, tracer: Tracer | None) -> None:
    """Create a span for each request of an app, except health and metrics; does nothing without a tracer."""
    if tracer is not None:
        # After the first, which gives each request its id and clears what the previous one has bound.
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
