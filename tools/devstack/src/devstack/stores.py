"""The stores of one stack: MongoDB, Redis and Kafka, their start and their addresses."""

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace

from devstack.console.terminal import StackConsole
from devstack.home.directory import Home
from devstack.home.ports import (
    LOOPBACK,
    broker_name,
    controller_name,
    member_name,
    sentinel_names,
    store_ports,
)
from devstack.home.programs import find_java, wheel_program
from devstack.parts import kafka, mongod, redis, replica_set
from devstack.parts.kafka_classes import class_archive
from devstack.parts.kafka_jars import alone_in, kafka_jars
from devstack.settings import StackSettings
from devstack.supervision.launcher import Launcher
from devstack.supervision.supervisor import Supervisor
from devstack.together import together


def port_names(settings: StackSettings, home: Home) -> list[str]:
    """Name the ports of the stores, also of those members of MongoDB that are about to leave."""
    names = store_ports(
        settings.kafka_brokers,
        redis_sentinels=settings.redis_sentinels,
        mongo_members=settings.mongo_members,
    )
    return [*names, *map(member_name, _surplus(settings, home))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The stores of one stack, wired.

    Attributes:
        ports: by the names of `port_names`.
    """

    settings: StackSettings
    home: Home
    ports: Mapping[str, int]
    launcher: Launcher
    supervisor: Supervisor
    console: StackConsole

    @property
    def mongo_uri(self) -> str:
        """MONGO_URI of the stack."""
        return mongod.mongo_uri(*(self.ports[member_name(number)] for number in self._member_numbers))

    @property
    def redis_addr(self) -> str:
        """REDIS_ADDR of the stack: its Sentinels, if it has any."""
        names = sentinel_names(self.settings.redis_sentinels) or ("redis",)
        return ",".join(f"{LOOPBACK}:{self.ports[name]}" for name in names)

    @property
    def redis_mode(self) -> str:
        """REDIS_MODE of the stack."""
        return "sentinel" if self.settings.redis_sentinels else "server"

    @property
    def kafka_brokers(self) -> str:
        """KAFKA_BROKERS of the stack."""
        return ",".join(f"{LOOPBACK}:{self.ports[broker_name(number)]}" for number in self._broker_numbers)

    @property
    def links(self) -> Mapping[str, str]:
        """Links that services are given as addresses; those of several members are known from their set."""
        links = self.settings.links
        if self.settings.mongo_members == 1:
            return links
        return {store: address for store, address in links.items() if not store.startswith("mongod")}

    async def start(self) -> None:
        """Start all of them and wait until they are ready.

        Raises:
            StackError: one could not be started.
        """
        await together(self._start_mongod(), self._start_redis(), self._start_kafka())

    async def _start_mongod(self) -> None:
        surplus = _surplus(self.settings, self.home)
        if self.settings.mongo_members > 1 or surplus:
            await self._start_replica_set(surplus)
            return
        part = mongod.mongod_part(
            wheel_program(mongod.DISTRIBUTION, "mongod"),
            data=self.home.data("mongod"),
            port=self.ports["mongod"],
            cache_gb=self.settings.mongo_cache_gb,
        )
        await self.supervisor.start(part)

    async def _start_replica_set(self, surplus: tuple[int, ...]) -> None:
        """Start all members at once; those that are too many leave the set, and their copies are deleted."""
        members = replica_set.ReplicaSet(
            program=wheel_program(mongod.DISTRIBUTION, "mongod"),
            members=tuple(map(self._member, self._member_numbers)),
            surplus=tuple(map(self._member, surplus)),
            cache_gb=self.settings.mongo_cache_gb,
        )
        await together(*(self.supervisor.start(part) for part in members.parts()), members.arrange())
        for member in members.surplus:
            name = member_name(member.number)
            await self.supervisor.end(name)
            await asyncio.to_thread(shutil.rmtree, member.data)
            self.console.note(f"{name} has left the replica set of MongoDB; its copy of the data is deleted")

    def _member(self, number: int) -> replica_set.Member:
        name = member_name(number)
        port = self.ports[name]
        return replica_set.Member(
            number=number,
            data=self.home.data(name),
            port=port,
            address=self.settings.links.get(name, f"{LOOPBACK}:{port}"),
        )

    @property
    def _member_numbers(self) -> range:
        return range(1, self.settings.mongo_members + 1)

    async def _start_redis(self) -> None:
        program = wheel_program(redis.DISTRIBUTION, "redis-server")
        if not self.settings.redis_sentinels:
            part = redis.redis_part(program, data=self.home.data("redis"), port=self.ports["redis"])
            await self.supervisor.start(part)
            return
        watched = redis.WatchedRedis.of(
            program, self.home, self.ports, sentinels=self.settings.redis_sentinels
        )
        watched.prepare()
        await together(*(self.supervisor.start(part) for part in watched.server_parts()))
        # All at once: each is ready when it knows the others.
        await together(*(self.supervisor.start(part) for part in watched.sentinel_parts()))

    async def _start_kafka(self) -> None:
        java = await asyncio.to_thread(find_java, self.settings.inherited)
        cache = self.settings.cache
        async with alone_in(cache):
            cluster = kafka.Cluster(
                java=java,
                jars=await kafka_jars(self.launcher, cache, console=self.console),
                heap_mb=self.settings.kafka_heap_mb,
                brokers=tuple(self._broker(number) for number in self._broker_numbers),
            )
            classes = await class_archive(self.launcher, cluster, console=self.console)
        cluster = replace(cluster, classes=classes)
        await cluster.prepare(self.launcher)
        # All at once: none is ready before most of them are there.
        await together(*(self.supervisor.start(part) for part in cluster.parts()))

    def _broker(self, number: int) -> kafka.Broker:
        return kafka.Broker(
            number=number,
            home=self.home.data(broker_name(number)),
            port=self.ports[broker_name(number)],
            controller_port=self.ports[controller_name(number)],
        )

    @property
    def _broker_numbers(self) -> range:
        return range(1, self.settings.kafka_brokers + 1)


def _surplus(settings: StackSettings, home: Home) -> tuple[int, ...]:
    """Return the numbers of the members of an earlier start that are more than there are to be."""
    return tuple(number for number in home.numbered("mongod") if number > settings.mongo_members)
