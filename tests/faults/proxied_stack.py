"""The stack of a random schedule: two replicas of each service, and a proxy before each store."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from devstack.client import RunningStack, reserve_store_ports, start_stack
from devstack.home.ports import LOOPBACK
from messaging.settings import KafkaSettings
from storage.mongo.database import Database, open_database
from storage.settings import MongoSettings
from tests.faults.schedule import REPLICAS, SESSION_S, SINGLE_SERVERS, Shape
from tests.support.ports import unused_port
from tests.support.proxy import Proxy

STORES = ("mongod", "redis", "kafka")
GROUP = "waybill-processor"
DATABASE = "shipping_system"


@dataclass(frozen=True, slots=True)
class ProxiedStack:
    """A running stack, with the proxies between its services and its stores."""

    stack: RunningStack
    links: Mapping[str, Proxy]
    database: Database

    @property
    def kafka(self) -> KafkaSettings:
        """Address of Kafka, not through its link."""
        return KafkaSettings(KAFKA_BROKERS=self.stack.kafka_brokers)  # type: ignore[call-arg]

    def heal(self) -> None:
        """Let all links work."""
        for link in self.links.values():
            link.heal()


@asynccontextmanager
async def open_proxied_stack(root: Path, shape: Shape = SINGLE_SERVERS) -> AsyncIterator[ProxiedStack]:
    """Start a stack in `root` with its services behind proxies; stop it at the end.

    There is no proxy before a store that tells its clients the addresses of its own servers.
    """
    ports = reserve_store_ports(root)
    async with AsyncExitStack() as opened:
        links = {
            store: await opened.enter_async_context(
                Proxy(f"{LOOPBACK}:{ports[store]}", disguise=store == "kafka").running()
            )
            for store in STORES
            if store != "redis" or not shape.sentinels
        }
        stack = await _start(opened, root, links, shape)
        settings = MongoSettings(MONGO_URI=stack.mongo_uri, MONGO_DB=DATABASE)  # type: ignore[call-arg]
        database = await opened.enter_async_context(open_database(settings))
        yield ProxiedStack(stack, links, database)
        for link in links.values():
            link.heal()  # what stops must be able to say good-bye


async def _start(
    opened: AsyncExitStack, root: Path, links: Mapping[str, Proxy], shape: Shape
) -> RunningStack:
    """Start the stack from a thread that lives as long: meanwhile the loop must serve the proxies."""
    starter = opened.enter_context(ThreadPoolExecutor(1))
    loop = asyncio.get_running_loop()
    env = {
        **os.environ,
        "ENV": "development",
        "PROCESSORS": str(REPLICAS),
        "INGEST_REPLICAS": str(REPLICAS),
        "WEBHOOKS_REPLICAS": str(REPLICAS),
        "PROCESSOR_SESSION_TIMEOUT_S": str(SESSION_S),
        "WAYBILL_REDIS_SENTINELS": str(shape.sentinels),
        "WAYBILL_LINKS": ",".join(f"{store}={link.address}" for store, link in links.items()),
    }
    stack = await loop.run_in_executor(starter, partial(start_stack, root, env=env, port=unused_port()))

    async def stop() -> None:
        await loop.run_in_executor(starter, stack.stop)

    opened.push_async_callback(stop)
    return stack
