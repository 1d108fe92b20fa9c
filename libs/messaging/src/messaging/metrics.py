"""Prometheus collectors of Kafka: evaluated at each scrape; the hot path counts plain integers."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from messaging.consumer.change_tail import ChangeTail
from messaging.producer.command_log import KafkaCommandLog
from messaging.producer.idempotent_producer import ResilientProducer


class ProducerMetrics(Collector):
    """Metrics of the producer."""

    def __init__(self, producer: ResilientProducer) -> None:
        self._producer = producer

    def collect(self) -> Iterable[Metric]:
        """See `Collector`."""
        yield GaugeMetricFamily(
            "waybill_producer_connected",
            "1 while a producer is connected to Kafka.",
            value=float(self._producer.is_started),
        )


class CommandLogMetrics(Collector):
    """Metrics of the command log: events in flight and accepted."""

    def __init__(self, log: KafkaCommandLog) -> None:
        self._log = log

    def collect(self) -> Iterable[Metric]:
        """See `Collector`."""
        log = self._log
        yield CounterMetricFamily(
            "waybill_accepted_events", "Events that every in-sync replica has.", value=log.appended
        )
        yield GaugeMetricFamily(
            "waybill_in_flight_events", "Events that wait for Kafka.", value=log.in_flight
        )
        yield GaugeMetricFamily(
            "waybill_in_flight_bytes", "Bytes of the events that wait for Kafka.", value=log.in_flight_bytes
        )


Partitioned = Mapping[str, int] | Mapping[int, int]
"""A number for each partition, by its number or its `Generation.label_of`."""


class Applying(Protocol):
    """A runtime that applies the log, as `PartitionMetrics` reads it."""

    @property
    def lags(self) -> Partitioned:
        """Number of records of each partition that are not applied yet."""

    @property
    def offsets(self) -> Partitioned:
        """Offset up to which each partition is applied."""

    @property
    def halted(self) -> int:
        """Number of halted partitions."""


class PartitionMetrics(Collector):
    """Metrics of a processor's partitions: offset and lag of each."""

    def __init__(self, runtime: Applying) -> None:
        self._runtime = runtime

    def collect(self) -> Iterable[Metric]:
        """See `Collector`."""
        lag = GaugeMetricFamily(
            "waybill_partition_lag", "Records in the log that are not applied yet.", labels=["partition"]
        )
        offset = GaugeMetricFamily(
            "waybill_partition_offset", "Offset up to which all records are applied.", labels=["partition"]
        )
        for partition, behind in self._runtime.lags.items():
            lag.add_metric([str(partition)], behind)
        for partition, done in self._runtime.offsets.items():
            offset.add_metric([str(partition)], done)
        yield lag
        yield offset
        yield GaugeMetricFamily(
            "waybill_partitions_halted", "Partitions that wait for an operator.", value=self._runtime.halted
        )


class Reading(Protocol):
    """A plain consumer, or something that runs one, as `ConsumerMetrics` reads it."""

    @property
    def lags(self) -> Mapping[int, int]:
        """Number of records of each partition that are not handled yet."""

    @property
    def skipped(self) -> int:
        """Number of records that nobody could read."""


class ConsumerMetrics(Collector):
    """Metrics of a plain consumer: the lag of each partition, and the records that nobody could read."""

    def __init__(self, consumer: Reading, group: str) -> None:
        self._consumer = consumer
        self._group = group

    def collect(self) -> Iterable[Metric]:
        """See `Collector`."""
        lag = GaugeMetricFamily(
            "waybill_consumer_lag", "Records that are not handled yet.", labels=["group", "partition"]
        )
        skipped = CounterMetricFamily(
            "waybill_consumer_skipped_records", "Records that nobody could read.", labels=["group"]
        )
        for partition, behind in self._consumer.lags.items():
            lag.add_metric([self._group, str(partition)], behind)
        skipped.add_metric([self._group], self._consumer.skipped)
        yield lag
        yield skipped


class ChangeTailMetrics(Collector):
    """Metrics of the tail of the change feed."""

    def __init__(self, tail: ChangeTail) -> None:
        self._tail = tail

    def collect(self) -> Iterable[Metric]:
        """See `Collector`."""
        yield GaugeMetricFamily(
            "waybill_change_tail_interrupted",
            "1 while open streams get no changes, since the change feed cannot be read.",
            value=float(self._tail.is_wanted and not self._tail.is_following),
        )
