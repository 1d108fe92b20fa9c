"""Traces kept in memory, and a site as the processor's tests have it."""

from dataclasses import dataclass, field

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Tracer

from tests.integration.processor.conftest import site

__all__ = ["site"]


@dataclass(frozen=True, slots=True)
class Traces:
    """A tracer of one process, and what it has made."""

    tracer: Tracer
    exporter: InMemorySpanExporter = field(repr=False)

    def spans(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if span.name.startswith(name)]


def traces_of_share(*, share: float = 1.0) -> Traces:
    """Return a tracer that samples a share of the traces that begin here."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(share)))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Traces(provider.get_tracer("test"), exporter)


@pytest.fixture
def traces() -> Traces:
    return traces_of_share()
