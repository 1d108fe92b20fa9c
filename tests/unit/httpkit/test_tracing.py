"""Tracing: off by default; if enabled, spans are exported by OpenTelemetry's own variables."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from httpkit.middleware.request_spans import traceparent_of
from httpkit.routes import Route
from servicekit.settings import ServiceSettings, TelemetrySettings
from servicekit.tracing import is_sampled, tracing
from tests.unit.httpkit.conftest import Serve

SERVICE = ServiceSettings(instance_id="host-1")


class Collector(HTTPServer):
    """Receiver of OTLP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Take)
        self.taken: list[ExportTraceServiceRequest] = []


class Take(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        thread = threading.Thread(target=collector.serve_forever, daemon=True)
        thread.start()
        yield collector
        collector.shutdown()
        thread.join()


def test_tracer_is_absent_unless_enabled() -> None:
    with tracing(TelemetrySettings(), SERVICE, name="processor") as tracer:
        assert tracer is None


def test_spans_are_exported_by_otlp(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
    with tracing(TelemetrySettings(otel_traces_exporter="otlp"), SERVICE, name="processor") as tracer:
        assert tracer is not None
        tracer.start_span("one").end()
    resource = collector.taken[0].resource_spans[0]
    said = {each.key: each.value.string_value for each in resource.resource.attributes}
    assert (said["service.name"], said["service.instance.id"]) == ("processor", "host-1")
    assert [span.name for span in resource.scope_spans[0].spans] == ["one"]


async def fail(_request: web.Request) -> web.Response:
    raise KeyError


async def echo(request: web.Request) -> web.Response:
    return web.Response(text=str(traceparent_of(request)))


async def test_each_request_except_probes_has_a_span(serve: Serve) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    routes = (Route("GET", "/ids/{id}", echo, None), Route("GET", "/fail", fail, None))
    client = await serve(*routes, tracer=provider.get_tracer("test"))
    carried = await (await client.get("/ids/1")).text()
    for path in ("/fail", "/nothing", "/metrics", "/health/live"):
        await client.get(path)
    spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == ["GET /ids/{id}", "GET /fail", "GET unmatched"]
    assert [span.status.status_code for span in spans] == [
        StatusCode.UNSET,
        StatusCode.ERROR,
        StatusCode.UNSET,
    ]
    context = spans[0].context
    assert context is not None
    assert carried.startswith(f"00-{context.trace_id:032x}-{context.span_id:016x}-")
    assert is_sampled(carried)
