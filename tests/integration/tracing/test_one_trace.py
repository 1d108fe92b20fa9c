"""From the request through Kafka to the transaction, one trace: the services' own code, on real servers."""

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

from domain.shipments.status import Status
from messaging.codec import TRACEPARENT, header
from tests.e2e.traffic import event_body, shipment_body
from tests.integration.tracing.conftest import Traces, traces_of_share
from tests.support.ingest import ingesting
from tests.support.site import Site, processing
from tests.support.topics import read_topic
from tests.support.waiting import wait_for

pytestmark = pytest.mark.stack

CLIENT_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SAMPLED = f"00-{CLIENT_TRACE}-00f067aa0ba902b7-01"
NOT_SAMPLED = f"00-{CLIENT_TRACE}-00f067aa0ba902b7-00"


def span_id(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.span_id)


def trace_id(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.trace_id)


async def transactions(traces: Traces, count: int) -> list[ReadableSpan]:
    """Wait for the spans of so many transactions."""

    async def ended() -> bool:
        return len(traces.spans("process")) >= count

    await wait_for(ended, timeout_s=20, what="the processor's spans")
    return traces.spans("transaction")


async def test_an_event_leaves_one_connected_trace(site: Site, traces: Traces) -> None:
    async with ingesting(site, tracer=traces.tracer) as admin, processing(site, tracer=traces.tracer):
        await admin.post("/shipments", shipment_body(), headers={TRACEPARENT: SAMPLED})
        (transaction,) = await transactions(traces, 1)
    (request,) = traces.spans("POST /shipments")
    (sent,) = traces.spans("send ")
    (processed,) = traces.spans("process ")
    way = [request, sent, processed, transaction]
    assert {format(trace_id(span), "032x") for span in way} == {CLIENT_TRACE}
    parents = [span.parent.span_id if span.parent else None for span in way]
    assert parents == [int(SAMPLED.split("-")[2], 16), *(span_id(span) for span in way[:3])]
    kinds = [SpanKind.SERVER, SpanKind.PRODUCER, SpanKind.CONSUMER, SpanKind.CLIENT]
    assert [span.kind for span in way] == kinds
    assert request.attributes
    assert request.attributes["http.response.status_code"] in {201, 202}


async def test_a_batch_has_one_span_in_each_trace_that_is_in_it(site: Site, traces: Traces) -> None:
    async with ingesting(site, tracer=traces.tracer) as admin:
        numbers = [(await admin.post("/shipments", shipment_body())).body["tracking_number"] for _ in "ab"]
        for number in numbers:
            events = [event_body(number, status) for status in (Status.PICKED_UP, Status.IN_WAREHOUSE)]
            await admin.post("/events/batch", {"events": events})
        async with processing(site, tracer=traces.tracer):
            await site.finished()
            await transactions(traces, 4)
    batches = {trace_id(span) for span in traces.spans("POST /events/batch")}
    processed = [span for span in traces.spans("process") if trace_id(span) in batches]
    assert {trace_id(span) for span in processed} == batches
    counts = [(span.attributes or {})["messaging.batch.message_count"] for span in processed]
    assert sum(int(str(count)) for count in counts) == 4


async def test_what_nobody_samples_costs_no_header_and_no_span(site: Site) -> None:
    none = traces_of_share(share=0.0)
    async with ingesting(site, tracer=none.tracer) as admin, processing(site, tracer=none.tracer):
        await admin.post("/shipments", shipment_body())
        await admin.post("/shipments", shipment_body(), headers={TRACEPARENT: NOT_SAMPLED})
        await site.finished()
    first, second = sorted(
        (header(record.headers, TRACEPARENT) for record in await read_topic(site.kafka, site.topics.events)),
        key=str,
    )
    assert none.exporter.get_finished_spans() == ()
    assert (first, second) == (NOT_SAMPLED, None)


async def test_without_a_tracer_the_clients_trace_is_passed_on(site: Site) -> None:
    async with ingesting(site) as admin:
        await admin.post("/shipments", shipment_body(), headers={TRACEPARENT: SAMPLED, "Prefer": "wait=0"})
    (record,) = await read_topic(site.kafka, site.topics.events)
    assert header(record.headers, TRACEPARENT) == SAMPLED
