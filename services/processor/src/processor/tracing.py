"""Spans of applied batches, if tracing is enabled.

A batch has records of many traces. Each sampled trace gets a span of the batch, and in it a span of the
batch's transaction: both have the duration of the whole batch.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer

from domain.ports.core import Fence
from domain.processing.batch import Plan
from messaging.codec import TRACEPARENT, header
from messaging.dead_letters.records import Record
from messaging.log.generations import LogPartition
from processor.use_cases.ports import Ports
from processor.use_cases.shipment_partition import ShipmentPartition
from servicekit.tracing import context_of, is_sampled
from storage.mongo.database import Database
from storage.mongo.processing.shipment_store import MongoShipmentStore

_SPANS: Final[dict[str, Sequence[Span]]] = {}
"""Spans of the batches in flight, by partition: a transaction is of several."""


class TracedPartition(ShipmentPartition):
    """Partition that adds a span of the batch to each sampled trace with records in it."""

    def __init__(
        self, partition: LogPartition, ports: Ports, tracer: Tracer, *, owner: str, cache_size: int
    ) -> None:
        super().__init__(partition, ports, owner=owner, cache_size=cache_size)
        self._tracer = tracer

    async def handle(self, records: Sequence[Record]) -> bool:
        """See `PartitionHandler.handle`."""
        traced = Counter(
            traceparent
            for record in records
            if len(record.headers) > 1 and is_sampled(traceparent := header(record.headers, TRACEPARENT))
        )
        if not traced:
            return await super().handle(records)
        spans = [self._span(records[0], traceparent, count) for traceparent, count in traced.items()]
        partition = f"{records[0].topic}/{records[0].partition}"
        _SPANS[partition] = spans
        try:
            with _ended(spans):
                return await super().handle(records)
        finally:
            if _SPANS.get(partition) is spans:  # else of the partition's next owner in this process
                del _SPANS[partition]

    def _span(self, first: Record, traceparent: str | None, count: int) -> Span:
        return self._tracer.start_span(
            f"process {first.topic}",
            context=context_of(traceparent),
            kind=SpanKind.CONSUMER,
            attributes={
                "messaging.system": "kafka",
                "messaging.operation.type": "process",
                "messaging.destination.name": first.topic,
                "messaging.destination.partition.id": str(first.partition),
                "messaging.batch.message_count": count,
            },
        )


class TracedShipmentStore(MongoShipmentStore):
    """Store that adds a span of the transaction to each span of its batch."""

    def __init__(self, database: Database, tracer: Tracer) -> None:
        super().__init__(database)
        self._tracer = tracer

    async def commit(self, plans: Sequence[tuple[Fence, Plan]], *, recorded_at: datetime) -> list[Fence]:
        """See `ShipmentStore.commit`."""
        spans = [
            self._tracer.start_span(
                "transaction shipments",
                context=trace.set_span_in_context(span),
                kind=SpanKind.CLIENT,
                attributes={
                    "db.system.name": "mongodb",
                    "db.operation.batch.size": len(plan.events) + len(plan.shipments) + 1,
                },
            )
            for fence, plan in plans
            for span in _SPANS.get(fence.partition, ())
        ]
        with _ended(spans):
            return await super().commit(plans, recorded_at=recorded_at)


@contextmanager
def _ended(spans: Sequence[Span]) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        for span in spans:
            span.record_exception(error)
            span.set_status(StatusCode.ERROR, type(error).__name__)
        raise
    finally:
        for span in spans:
            span.end()
