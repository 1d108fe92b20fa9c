"""Metrics of the writing side."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from domain.errors import NotPublished
from messaging.metrics import CommandLogMetrics, ProducerMetrics
from messaging.producer.command_log import KafkaCommandLog
from messaging.topics import Topics
from tests.support.builders import creation
from tests.support.records import RecordingProducer


def registry_of(log: KafkaCommandLog, producer: RecordingProducer) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(CommandLogMetrics(log))
    registry.register(ProducerMetrics(producer))
    return registry


async def test_only_what_was_acknowledged_counts_as_accepted() -> None:
    producer = RecordingProducer()
    log = KafkaCommandLog(producer, Topics(), max_in_flight=10)
    registry = registry_of(log, producer)
    await log.append([creation()])
    producer.fail_next("append", NotPublished("no"))
    with pytest.raises(NotPublished):
        await log.append([creation()])
    assert registry.get_sample_value("waybill_accepted_events_total") == 1
    assert registry.get_sample_value("waybill_in_flight_events") == 0
    assert registry.get_sample_value("waybill_in_flight_bytes") == 0


async def test_what_waits_is_in_flight() -> None:
    class Slow(RecordingProducer):
        async def append(self, *_: object) -> None:
            await asyncio.sleep(0)
            raise NotPublished(str(registry.get_sample_value("waybill_in_flight_events")))

    producer = Slow()
    log = KafkaCommandLog(producer, Topics(), max_in_flight=10)
    registry = registry_of(log, producer)
    with pytest.raises(NotPublished, match="2"):
        await log.append([creation(), creation()])


def test_a_producer_that_has_not_started_is_not_connected() -> None:
    producer = RecordingProducer()
    log = KafkaCommandLog(producer, Topics(), max_in_flight=10)
    assert registry_of(log, producer).get_sample_value("waybill_producer_connected") == 0
