"""HTTP metrics, and the route that exposes them."""

import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from aiohttp import hdrs, web
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from httpkit.budgets import Budget
from httpkit.response.errors import Handler
from httpkit.routes import Route

BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
UNMATCHED: Final = "unmatched"
RESPONDED_AT: Final = web.RequestKey("responded_at", float)
"""`time.perf_counter()` at the begin of a response that takes long by design: its end says nothing."""

_LABELS: Final = ("method", "route", "status")

Child = tuple[Counter, Histogram]


def new_registry(service: str) -> CollectorRegistry:
    """Return a registry with the metrics of the process; one per service, nothing is registered at import."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    Gauge(
        "waybill_build_info",
        "Always 1; the labels name the running version.",
        ["service", "version"],
        registry=registry,
    ).labels(service, _version_of(service)).set(1)
    return registry


def _version_of(service: str) -> str:
    try:
        return version(f"waybill-{service}")
    except PackageNotFoundError:
        return "unknown"


class HttpMetrics:
    """Counts and durations of requests, by route template and never by path."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter("http_requests", "Requests completed.", _LABELS, registry=registry)
        self._durations = Histogram(
            "http_request_duration_seconds",
            "From the end of the request's head to the response.",
            _LABELS,
            buckets=BUCKETS_S,
            registry=registry,
        )
        self._children: dict[tuple[web.AbstractRoute | None, int], Child] = {}

    def observe(self, route: web.AbstractRoute, status: int, duration_s: float) -> None:
        """Count one completed request."""
        # Each request that has no route has a route object of its own: one key for all, or the table grows.
        known = route if route.resource is not None else None
        child = self._children.get((known, status))
        if child is None:
            child = self._children[known, status] = self._resolve(known, status)
        requests, durations = child
        requests.inc()
        durations.observe(duration_s)

    def _resolve(self, route: web.AbstractRoute | None, status: int) -> Child:
        if route is None or route.resource is None:
            labels = ("*", UNMATCHED, str(status))
        else:
            labels = (route.method, route.resource.canonical, str(status))
        return self._requests.labels(*labels), self._durations.labels(*labels)


def metrics_middleware(metrics: HttpMetrics) -> Callable[..., Any]:
    """Return the middleware that measures each request."""

    @web.middleware
    async def measure(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.perf_counter()
        response = await handler(request)
        responded_at = request.get(RESPONDED_AT) or time.perf_counter()
        metrics.observe(request.match_info.route, response.status, responded_at - started)
        return response

    return measure


def metrics_route(registry: CollectorRegistry) -> Route:
    """Return the route that exposes a registry to Prometheus; the gateway does not forward it."""

    async def show(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE_LATEST})

    return Route(hdrs.METH_GET, "/metrics", show, None, budget=Budget.EXEMPT, is_json=False)
