"""Composition root: the parts of a stack and their start order."""

import asyncio
import os
from collections.abc import Awaitable, Mapping
from dataclasses import replace

from devstack.console.banner import services_banner, stores_banner
from devstack.console.terminal import Screen, StackConsole
from devstack.home.directory import Home
from devstack.home.port_claims import PortClaims
from devstack.home.ports import (
    LOOPBACK,
    assign_ports,
    broker_name,
    controller_name,
    require_gateway_port,
    sentinel_names,
    store_ports,
)
from devstack.home.programs import find_java, wheel_program
from devstack.parts import gateway, kafka, mongod, redis, services
from devstack.parts.kafka_classes import class_archive
from devstack.parts.kafka_jars import alone_in, kafka_jars
from devstack.settings import StackSettings
from devstack.supervision.launcher import Launcher
from devstack.supervision.part import Part
from devstack.supervision.signals import StopSignals
from devstack.supervision.supervisor import Supervisor


def run_in_foreground(settings: StackSettings) -> None:
    """Run a stack with progress on the terminal, until SIGINT or SIGTERM.

    Raises:
        StackError: see `run_stack`.
    """
    home = Home(settings.home)
    home.prepare()
    console = StackConsole(Screen(highlight=False), file=home.logs / "supervisor.log")
    asyncio.run(run_stack(settings, console, home=home))


async def run_stack(settings: StackSettings, console: StackConsole, *, home: Home) -> None:
    """Run the stack until SIGINT or SIGTERM; returns once all of it is gone.

    Raises:
        StackError: an expected failure; started parts are stopped.
    """
    if not settings.stores_only:
        require_gateway_port(settings.gateway_port)
    async with home.locked() as lock:
        home.stack_file.unlink(missing_ok=True)  # of a supervisor that crashed
        launcher = Launcher(home.logs, settings.inherited, lock, int(settings.log_mb * 1_000_000))
        supervisor = Supervisor(launcher, console, stack_file=home.stack_file)
        stack = Stack(settings, home, launcher=launcher, supervisor=supervisor, console=console)
        with StopSignals(on_second=supervisor.kill) as signals:
            try:
                await signals.run_until_stopped(stack.serve())
                console.say("stopping; Ctrl-C again to kill")
            finally:
                await supervisor.stop()
    console.say("stopped")


class Stack:
    """The parts of one stack, wired."""

    def __init__(
        self,
        settings: StackSettings,
        home: Home,
        *,
        launcher: Launcher,
        supervisor: Supervisor,
        console: StackConsole,
    ) -> None:
        self._settings = settings
        self._home = home
        self._launcher = launcher
        self._supervisor = supervisor
        self._console = console
        self._replicas = {
            "ingest-api": services.replica_names("ingest-api", settings.ingest_replicas),
            "processor": services.replica_names("processor", settings.processors),
            "query-api": services.replica_names("query-api", settings.query_replicas),
            "webhooks": services.replica_names("webhooks", settings.webhooks_replicas),
            "portal": services.replica_names("portal", settings.portal_replicas),
        }
        self._sentinels = sentinel_names(settings.redis_sentinels)
        names = [*store_ports(settings.kafka_brokers, redis_sentinels=settings.redis_sentinels)]
        if not settings.stores_only:
            names += [name for replicas in self._replicas.values() for name in replicas]
            names.append(gateway.INNER)
        self._claims = PortClaims()
        self._ports = assign_ports(names, file=home.ports_file, seed=os.getpid(), claims=self._claims)
        self._addresses = self._service_addresses()

    async def serve(self) -> None:
        """Start everything, publish `stack.json`, then watch until cancelled.

        Raises:
            StackError: a part could not be started.
        """
        for note in self._settings.notes:
            self._console.say(f"  {note}")
        with self._console.progress():
            if not self._settings.stores_only:
                await self._check_settings()
            await _together(self._start_mongod(), self._start_redis(), self._start_kafka())
            if not self._settings.stores_only:
                await self._prepare_stores()
                await _together(*(self._supervisor.start(part) for part in self._front()))
        self._supervisor.watch()
        self._console.say(self._banner())
        await self._supervisor.broken()

    async def _check_settings(self) -> None:
        service, *_, front_door = self._front()
        if unused := unused_settings(self._settings.inherited, service.environment):
            self._console.say(f"  set by the stack itself, not as given: {', '.join(unused)}")
        await _together(
            services.check_settings(self._launcher, {**service.environment, **self._replication()}),
            gateway.check_gateway(self._launcher, front_door),
        )

    async def _start_mongod(self) -> None:
        part = mongod.mongod_part(
            wheel_program(mongod.DISTRIBUTION, "mongod"),
            data=self._home.data("mongod"),
            port=self._ports["mongod"],
            cache_gb=self._settings.mongo_cache_gb,
        )
        await self._supervisor.start(part)

    async def _start_redis(self) -> None:
        program = wheel_program(redis.DISTRIBUTION, "redis-server")
        if not self._sentinels:
            part = redis.redis_part(program, data=self._home.data("redis"), port=self._ports["redis"])
            await self._supervisor.start(part)
            return
        watched = redis.WatchedRedis.of(
            program, self._home, self._ports, sentinels=self._settings.redis_sentinels
        )
        watched.prepare()
        await _together(*(self._supervisor.start(part) for part in watched.server_parts()))
        # All at once: each is ready when it knows the others.
        await _together(*(self._supervisor.start(part) for part in watched.sentinel_parts()))

    async def _start_kafka(self) -> None:
        java = await asyncio.to_thread(find_java, self._settings.inherited)
        cache = self._settings.cache
        async with alone_in(cache):
            cluster = kafka.Cluster(
                java=java,
                jars=await kafka_jars(self._launcher, cache, console=self._console),
                heap_mb=self._settings.kafka_heap_mb,
                brokers=tuple(self._broker(number) for number in self._broker_numbers),
            )
            classes = await class_archive(self._launcher, cluster, console=self._console)
        cluster = replace(cluster, classes=classes)
        await cluster.prepare(self._launcher)
        # All at once: none is ready before most of them are there.
        await _together(*(self._supervisor.start(part) for part in cluster.parts()))

    def _broker(self, number: int) -> kafka.Broker:
        return kafka.Broker(
            number=number,
            home=self._home.data(broker_name(number)),
            port=self._ports[broker_name(number)],
            controller_port=self._ports[controller_name(number)],
        )

    @property
    def _broker_numbers(self) -> range:
        return range(1, self._settings.kafka_brokers + 1)

    async def _prepare_stores(self) -> None:
        environment = {**self._addresses.as_environment(), **self._replication()}
        with self._console.step("topics, schema"):
            await _together(
                *(
                    self._launcher.run(name, services.preparation(name), environment=environment)
                    for name in services.PREPARATIONS
                )
            )

    def _replication(self) -> dict[str, str]:
        """Return the replication settings of the topics, as far as the environment does not set them."""
        factor, min_insync = kafka.replication(self._settings.kafka_brokers)
        fitting = {"KAFKA_REPLICATION_FACTOR": str(factor), "KAFKA_MIN_INSYNC_REPLICAS": str(min_insync)}
        return {name: self._settings.inherited.get(name) or value for name, value in fitting.items()}

    def _front(self) -> list[Part]:
        shared = self._addresses.through(self._settings.links).as_environment()
        ports = {group: [self._ports[name] for name in names] for group, names in self._replicas.items()}
        found = services.addresses_of_services(ports, api_port=self._ports[gateway.INNER])
        environment = {**shared, **self._replication(), **found}
        parts = [
            services.service_part(group, name, port=self._ports[name], environment=environment)
            for group, names in self._replicas.items()
            for name in names
        ]
        return [*parts, self._gateway()]

    def _gateway(self) -> Part:
        return gateway.gateway_part(
            wheel_program(gateway.DISTRIBUTION, "haproxy"),
            data=self._home.data("gateway"),
            port=self._settings.gateway_port,
            inner_port=self._ports[gateway.INNER],
            replicas={
                service: [self._ports[name] for name in self._replicas[service]]
                for service in gateway.UPSTREAMS
            },
        )

    def _service_addresses(self) -> services.Addresses:
        return services.Addresses(
            mongo_uri=mongod.mongo_uri(self._ports["mongod"]),
            redis_addr=",".join(f"{LOOPBACK}:{self._ports[name]}" for name in self._sentinels or ["redis"]),
            redis_mode="sentinel" if self._sentinels else "server",
            kafka_brokers=",".join(
                f"{LOOPBACK}:{self._ports[broker_name(number)]}" for number in self._broker_numbers
            ),
            environment=self._settings.environment,
            log_level=self._settings.inherited.get("LOG_LEVEL") or "info",
            jwt_secret=self._settings.jwt_secret or self._home.jwt_secret(),
            webhooks_keys=self._settings.webhooks_keys or self._home.webhooks_keys(),
            webhooks_networks=self._settings.inherited.get("WEBHOOKS_ALLOWED_NETWORKS")
            or services.LOOPBACK_NETWORKS,
        )

    def _banner(self) -> str:
        if not self._settings.stores_only:
            return services_banner(
                gateway_port=self._settings.gateway_port,
                logs=self._home.logs,
                environment=self._settings.environment,
            )
        return stores_banner(
            mongo_uri=self._addresses.mongo_uri,
            redis_addr=self._addresses.redis_addr,
            kafka_brokers=self._addresses.kafka_brokers,
            logs=self._home.logs,
        )


def unused_settings(given: Mapping[str, str], used: Mapping[str, str]) -> list[str]:
    """Return the variables that have no effect, because the stack gives its children other values."""
    return sorted(name for name, value in used.items() if given.get(name, value) not in ("", value))


async def _together(*work: Awaitable[None]) -> None:
    """Await all; the first failure cancels the rest and is raised itself, not as a group."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
