"""Fan-out on a real Kafka and a real MongoDB, with endpoints and published changes.

As a program: fan out, and die between the messages of a batch and its deliveries.

fanning_out.py BROKERS PREFIX GROUP MONGO_URI DATABASE
"""

import asyncio
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.processing.batch import Verdict
from domain.shipments.commands import Command
from messaging.producer.change_feed import KafkaChangeFeed
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from storage.mongo.database import Database, open_database
from storage.mongo.schema import WEBHOOK_DELIVERIES, WEBHOOK_ENDPOINTS, WEBHOOK_MESSAGES
from storage.settings import MongoSettings
from tests.support.builders import consumed_all, plan_for
from tests.support.producing import producer_on
from tests.support.topics import committed_offsets, is_caught_up, write_values
from tests.support.waiting import wait_for
from webhooks.fanout.fan_out import FanOut, consumer_settings
from webhooks.stores.deliveries import MongoDeliveryStore

Document = dict[str, Any]


@dataclass
class Feed:
    """A change feed, its endpoints, and what fan-out makes of them.

    Attributes:
        woken: how often a dispatcher was woken.
        held: number of deliveries that were counted as held.
    """

    kafka: KafkaSettings
    database: Database
    group: str = field(default_factory=lambda: f"test-{uuid.uuid4().hex}")
    woken: int = 0
    held: int = 0

    @property
    def topic(self) -> str:
        """The topic of changes."""
        return Topics(self.kafka.topic_prefix).changes

    def fan_out(self, database: Database | None = None, *, instance: str = "a") -> FanOut:
        """Build a replica."""

        def wake() -> None:
            self.woken += 1

        def count_held(held: int) -> None:
            self.held += held

        settings = consumer_settings(self.kafka, group=self.group, instance=instance)
        opened = self.database if database is None else database
        return FanOut(settings, opened, wake, count_held=count_held)

    async def endpoint(
        self, name: str, *, age: timedelta = timedelta(0), **fields: str | list[str] | None
    ) -> str:
        """Insert an endpoint, for all of client_001 unless `fields` say otherwise; return its id."""
        now = datetime.now(UTC)
        given: Document = {"client_id": "client_001", "types": ["shipment.*"], "state": "active", **fields}
        stamps: Document = {"created_at": now - age, "updated_at": now, "next_due_at": None, "work": 0}
        await self.database[WEBHOOK_ENDPOINTS].insert_one({"_id": f"wh_{name}"} | given | stamps)
        return f"wh_{name}"

    async def change_endpoint(self, endpoint_id: str, **fields: str) -> None:
        """Change an endpoint, as a management route does."""
        changed = {"$set": {**fields, "updated_at": datetime.now(UTC)}}
        await self.database[WEBHOOK_ENDPOINTS].update_one({"_id": endpoint_id}, changed)

    async def publish(self, *commands: Command) -> Sequence[Verdict]:
        """Publish what a processor does when these are all that has happened."""
        verdicts = plan_for(consumed_all(*commands)).verdicts
        await self.publish_again(verdicts)
        return verdicts

    async def publish_again(self, verdicts: Sequence[Verdict]) -> None:
        """Publish verdicts, once more if need be."""
        async with producer_on(self.kafka) as producer:
            await KafkaChangeFeed(producer, Topics(self.kafka.topic_prefix)).publish(verdicts)

    async def write(self, value: bytes | None) -> None:
        """Append a value that no processor would."""
        await write_values(self.kafka, self.topic, [(b"key", value)])

    async def caught_up(self, *, timeout_s: float = 50.0) -> None:
        """Wait until all that is published has been fanned out and committed."""
        await wait_for(
            lambda: is_caught_up(self.kafka, self.group, self.topic),
            timeout_s=timeout_s,
            what="all of it fanned out",
        )

    async def committed(self) -> dict[int, int]:
        """Return what the group has committed."""
        return await committed_offsets(self.kafka, self.group, self.topic)

    async def messages(self) -> dict[str, Document]:
        """Return the messages, by the id of their change."""
        return {each["_id"]: each async for each in self.database[WEBHOOK_MESSAGES].find()}

    async def deliveries(self) -> list[Document]:
        """Return the deliveries, by endpoint and version."""
        order = [("endpoint_id", 1), ("tracking_number", 1), ("version", 1)]
        return await self.database[WEBHOOK_DELIVERIES].find().sort(order).to_list()

    async def delivered(self) -> list[tuple[str, str, int, str]]:
        """Return endpoint, type, version and state of each delivery."""
        found = await self.deliveries()
        return [(each["endpoint_id"], each["type"], each["version"], each["state"]) for each in found]


@asynccontextmanager
async def running(*replicas: FanOut) -> AsyncIterator[None]:
    """Run replicas while the context lasts, then stop them as SIGTERM does."""
    tasks = [asyncio.create_task(each.run()) for each in replicas]
    try:
        yield
    finally:
        for each in replicas:
            each.stop()
        await asyncio.gather(*tasks)


async def main(brokers: str, prefix: str, group: str, mongo_uri: str, database: str) -> None:
    """Fan out until deliveries are to be inserted; die there."""

    async def die(*_args: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    MongoDeliveryStore.insert = die  # type: ignore[assignment,method-assign]  # the point of death
    kafka = KafkaSettings(KAFKA_BROKERS=brokers, KAFKA_TOPIC_PREFIX=prefix)  # type: ignore[call-arg]  # pydantic's alias
    settings = MongoSettings(MONGO_URI=mongo_uri, MONGO_DB=database)  # type: ignore[call-arg]  # as above
    async with open_database(settings) as opened:
        await Feed(kafka, opened, group).fan_out(instance="dying").run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
