"""One test's Waybill without HTTP: topics, a database, a consumer group, and processors on them."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess

from opentelemetry.trace import Tracer

from domain.shipments.commands import Command
from httpkit.settings import HttpSettings
from messaging.log.looking import generations_of
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from processor.app import run_processor
from processor.settings import LoopSettings, Settings
from servicekit.settings import Environment, ServiceSettings
from storage.mongo.database import Database
from storage.mongo.schema import PARTITION_FENCES, STATUS_EVENTS
from storage.settings import MongoSettings, RedisSettings
from tests.support.crashing.processes import END_WITHIN_S, service_process
from tests.support.history import Observed, Sent, observe, violations
from tests.support.topics import end_offsets, is_caught_up, read_topic, write_commands
from tests.support.waiting import wait_for

SESSION_TIMEOUT_S = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Topics, database and group for processors. Those of one `seat` follow each other at once."""

    kafka: KafkaSettings
    mongo: MongoSettings
    redis: RedisSettings
    database: Database
    group: str
    max_batch: int = 10

    @property
    def topics(self) -> Topics:
        """The topics."""
        return Topics(self.kafka.topic_prefix)

    def settings(self, instance: str, *, seat: str | None = None) -> Settings:
        """Return the settings of a processor in this process."""
        return Settings(
            service=ServiceSettings(env=Environment.DEVELOPMENT, instance_id=instance),
            http=HttpSettings(port=0),
            kafka=self.kafka,
            mongo=self.mongo,
            redis=self.redis,
            loop=LoopSettings(
                group=self.group,
                group_instance=seat,
                max_batch=self.max_batch,
                session_timeout_s=SESSION_TIMEOUT_S,
                drain_s=5.0,
            ),
        )

    def environment(self, instance: str, *, seat: str | None = None) -> dict[str, str]:
        """Return the environment of a processor in a process of its own."""
        return {
            **os.environ,
            "ENV": "development",
            "LOG_LEVEL": "warning",
            "INSTANCE_ID": instance,
            "PORT": "0",
            "KAFKA_BROKERS": self.kafka.brokers,
            "KAFKA_TOPIC_PREFIX": self.kafka.topic_prefix,
            "KAFKA_PARTITIONS": str(self.kafka.partitions),
            "MONGO_URI": self.mongo.uri,
            "MONGO_DB": self.mongo.database,
            "REDIS_ADDR": self.redis.address,
            "REDIS_DB": str(self.redis.db),
            "PROCESSOR_GROUP": self.group,
            "PROCESSOR_GROUP_INSTANCE": seat or "",
            "PROCESSOR_MAX_BATCH": str(self.max_batch),
            "PROCESSOR_SESSION_TIMEOUT_S": str(SESSION_TIMEOUT_S),
        }

    async def send(self, commands: Iterable[Command], *, reply_to: str | None = None) -> None:
        """Append commands to the log, with `reply_to` as the waiting caller, if any."""
        await write_commands(self.kafka, self.topics.events, *commands, reply_to=reply_to)

    async def finished(self, *, timeout_s: float = 30.0) -> None:
        """Wait until the whole current log is applied or dead-lettered; publishing may be in progress."""
        ends: dict[str, int] = {}
        for generation in await generations_of(self.kafka):
            whole = self.kafka.model_copy(update={"partitions": generation.partitions})
            found = await end_offsets(whole, generation.topic)
            ends |= {generation.name_of(number): end for number, end in found.items()}

        async def applied() -> bool:
            fences = {
                fence["_id"]: fence["next_offset"] async for fence in self.database[PARTITION_FENCES].find()
            }
            return all(fences.get(name, 0) == end for name, end in ends.items())

        await wait_for(applied, timeout_s=timeout_s, what="the end of the log")

    async def committed(self, *, timeout_s: float = 30.0) -> None:
        """Wait until the group has committed the whole log."""
        await wait_for(
            lambda: is_caught_up(self.kafka, self.group, self.topics.events),
            timeout_s=timeout_s,
            what="the last commit",
        )

    async def recorded(self, count: int, *, timeout_s: float = 30.0) -> None:
        """Wait until at least `count` events have an outcome."""
        events = self.database[STATUS_EVENTS]

        async def enough() -> bool:
            return await events.count_documents({}) >= count

        await wait_for(enough, timeout_s=timeout_s, what=f"{count} outcomes")

    async def owners(self) -> set[str]:
        """Return the owners of the partitions."""
        return {fence["owner"] async for fence in self.database[PARTITION_FENCES].find()}

    async def is_owned(self) -> bool:
        """Return whether every partition has had an owner."""
        return await self.database[PARTITION_FENCES].count_documents({}) == self.kafka.partitions

    async def applied(self) -> set[str]:
        """Return the ids of the applied events."""
        return set(await self.database[STATUS_EVENTS].distinct("_id", {"outcome": "applied"}))

    async def dead_lettered(self) -> set[bytes]:
        """Return the bytes of all dead letters."""
        return {record.value for record in await read_topic(self.kafka, self.topics.dead_letters)}

    async def observed(self, *, published: bool = False) -> Observed:
        """Return the state of the log and of MongoDB; `published`: of the derived topics, too."""
        return await observe(self.kafka, self.database, published=published)

    async def violations(self, sent: Iterable[Command], *, published: bool = False) -> list[str]:
        """Return every violation after `sent`, each as often as it occurs.

        Args:
            sent: all that stands in the log, and can be read.
            published: the derived topics are checked, too; all processors must have ended.
        """
        counts = Counter(command.event_id for command in sent)
        return violations(await self.observed(published=published), [Sent(*item) for item in counts.items()])


@asynccontextmanager
async def processing(
    site: Site, instance: str = "inside", *, seat: str | None = None, tracer: Tracer | None = None
) -> AsyncIterator[None]:
    """Run a processor in this process while the context lasts, then end it as SIGTERM does."""
    stop = asyncio.Event()
    task = asyncio.create_task(run_processor(site.settings(instance, seat=seat), stop, tracer=tracer))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, END_WITHIN_S)


@contextmanager
def processor_process(
    site: Site, instance: str, *, seat: str | None = None, env: Mapping[str, str] | None = None
) -> Iterator[BaseProcess]:
    """Run a processor in a process of its own, and end it with the context if it still runs.

    Args:
        site: where.
        instance: its name.
        seat: see `Site`.
        env: what is wrong with it; see `tests.support.crashing`.
    """
    with service_process("processor", {**site.environment(instance, seat=seat), **(env or {})}) as process:
        yield process
