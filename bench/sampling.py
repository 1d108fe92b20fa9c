"""Resources held by the processes of a stack over time, and whether they grow."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

import psutil
from aiokafka import AIOKafkaConsumer, TopicPartition
from pymongo import MongoClient
from redis import Redis

from devstack.client import RunningStack
from devstack.home.stack_file import SERVICES
from messaging.topics import Topics

RSS_TOLERANCE: Final = 0.05
HANDLES: Final = 10
"""Number of files or connections that is no growth: pools vary."""

KEYS: Final = 24
"""The duplicate filter's sets of the twelve partitions, of an hour that began meanwhile."""

PERMANENT: Final = frozenset({"revocations"})
"""Prefixes of Redis keys that are meant to stay: the feed of revoked tokens, trimmed as it is written."""


@dataclass(slots=True)
class Samples:
    """Samples by series, in order of time, and everything that violates a bound."""

    series: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    eternal_keys: set[str] = field(default_factory=set)

    def add(self, name: str, value: float) -> None:
        """Add to a series."""
        self.series[name].append(value)

    def quarters(self, name: str) -> tuple[float, float]:
        """Return the median of the second quarter and of the last."""
        values = self.series[name]
        quarter = max(1, len(values) // 4)
        return median(values[quarter : 2 * quarter] or values), median(values[-quarter:])

    def broken(self) -> Iterator[str]:
        """Return the violated bounds."""
        for group in SERVICES:
            second, last = self.quarters(f"{group} RSS MiB")
            if last > second * (1 + RSS_TOLERANCE):
                yield f"{group}: {second:.1f} MiB in the second quarter, {last:.1f} in the last"
            for what in ("files", "connections", "threads"):
                yield from self._growing(f"{group} {what}", HANDLES)
        yield from self._growing("MongoDB connections", HANDLES)
        yield from self._growing("Redis keys", KEYS)
        if self.eternal_keys:
            yield f"Redis keys without an end: {', '.join(sorted(self.eternal_keys))}"

    def _growing(self, name: str, tolerance: float) -> Iterator[str]:
        second, last = self.quarters(name)
        if last > second + tolerance:
            yield f"{name}: {second:.0f} in the second quarter, {last:.0f} in the last"


class Sampler:
    """Sampler of a stack."""

    def __init__(self, stack: RunningStack) -> None:
        self._stack = stack
        self._mongo: MongoClient[dict[str, Any]] = MongoClient(stack.mongo_uri)
        self._redis = Redis(port=stack.member("redis").port, decode_responses=True)

    async def ends(self) -> dict[int, int]:
        """Return the end of the log, by partition."""
        async with self._consumer() as consumer:
            ends = await consumer.end_offsets(await asyncio.to_thread(self._partitions))
            return {at.partition: end for at, end in ends.items()}

    async def watch(self, samples: Samples, over: asyncio.Event, *, every_s: float) -> None:
        """Take samples until it is `over`."""
        async with self._consumer() as consumer:
            while not over.is_set():
                due = time.monotonic() + every_s
                await asyncio.to_thread(self._look, samples)
                samples.add("consumer lag", await self._lag(consumer))
                with suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), due - time.monotonic())
        self._redis.close()
        await asyncio.to_thread(self._mongo.close)

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(bootstrap_servers=self._stack.kafka_brokers, enable_auto_commit=False)
        await consumer.start()
        try:
            yield consumer
        finally:
            await consumer.stop()

    def _look(self, samples: Samples) -> None:
        for group, members in self._stack.members().items():
            processes = [psutil.Process(member.pid) for member in members]
            samples.add(f"{group} RSS MiB", sum(each.memory_info().rss for each in processes) / 2**20)
            samples.add(f"{group} files", sum(each.num_fds() for each in processes))
            samples.add(f"{group} threads", sum(each.num_threads() for each in processes))
            connections = sum(len(each.net_connections("tcp")) for each in processes)
            samples.add(f"{group} connections", connections)
        status = self._mongo.admin.command("serverStatus")
        samples.add("MongoDB connections", status["connections"]["current"])
        keys = list(self._redis.scan_iter(count=1000))
        samples.add("Redis keys", len(keys))
        samples.eternal_keys |= self._eternal(keys)

    def _eternal(self, keys: Sequence[str]) -> set[str]:
        with self._redis.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.ttl(key)
            ends = pipeline.execute() if keys else []
        prefixes = {key.partition(":")[0] for key, end in zip(keys, ends, strict=True) if end == -1}
        return prefixes - PERMANENT

    async def _lag(self, consumer: AIOKafkaConsumer) -> float:
        passed = await asyncio.to_thread(self._fences)
        ends = await consumer.end_offsets(list(passed))
        return float(sum(end - passed[partition] for partition, end in ends.items()))

    def _partitions(self) -> list[TopicPartition]:
        return list(self._fences())

    def _fences(self) -> dict[TopicPartition, int]:
        """Return how far each partition is applied: every one is owned, so every one has its fence."""
        fences = self._mongo["shipping_system"]["partition_fences"].find()
        return {
            TopicPartition(Topics().events, int(fence["_id"].rpartition("/")[2])): fence["next_offset"]
            for fence in fences
        }
