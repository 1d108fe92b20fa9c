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
from devstack.home.ports import LOOPBACK, member_name
from messaging.settings import KafkaSettings
from storage.mongo.database import Database, open_database
from storage.settings import MongoSettings
from tests.faults.schedule import REPLICAS, SESSION_S, SINGLE_SERVERS, Shape
from tests.support.ports import unused_port
from tests.support.proxy import Proxy

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

    def link(self, store: str, index: int = 0) -> Proxy:
        """Return the proxy before a store, or before one of its members."""
        return self.links[member_name(index + 1) if store == "mongod" else store]

    def heal(self) -> None:
        """Let all links work."""
        for link in self.links.values():
            link.heal()


@asynccontextmanager
async def open_proxied_stack(root: Path, shape: Shape = SINGLE_SERVERS) -> AsyncIterator[ProxiedStack]:
    """Start a stack in `root` with its services behind proxies; stop it at the end.

    There is no proxy before a store that tells its clients the addresses of its own servers. Members of
    MongoDB advertise their proxies, so that one is cut off from clients and other members alike.
    """
    ports = reserve_store_ports(root, kafka_brokers=shape.brokers, mongo_members=shape.members)
    stores = [*map(member_name, range(1, shape.members + 1)), "redis", "kafka"]
    async with AsyncExitStack() as opened:
        links = {
            store: await opened.enter_async_context(
                Proxy(f"{LOOPBACK}:{ports[store]}", disguise=store == "kafka").running()
            )
            for store in stores
            if store not in shape.unlinked
        }
        stack = await _start(opened, root, links, shape)
        settings = MongoSettings(MONGO_URI=stack.mongo_uri, MONGO_DB=DATABASE)  # type: ignore[call-arg]
        database = await opened.enter_async_context(open_database(settings))
        yield ProxiedStack(stack, links, database)
        for link in links.values():
            link.heal()  # what stops must be able to say good-bye


def several_brokers(count: int) -> dict[str, str]:
    """Return the settings of a Kafka of so many brokers, as small as they can be."""
    return {
        "WAYBILL_KAFKA_BROKERS": str(count),
        "WAYBILL_KAFKA_HEAP_MB": "256",
        # JVMs that start often and never live long: what the second compiler costs it never brings in.
        "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1",
    }


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
        "WAYBILL_MONGO_MEMBERS": str(shape.members),
        **(several_brokers(shape.brokers) if shape.brokers > 1 else {}),
        "WAYBILL_LINKS": ",".join(f"{store}={link.address}" for store, link in links.items()),
    }
    stack = await loop.run_in_executor(starter, partial(start_stack, root, env=env, port=unused_port()))

    async def stop() -> None:
        await loop.run_in_executor(starter, stack.stop)

    opened.push_async_callback(stop)
    return stack
