"""Composition root: the parts of a stack and their start order."""

import asyncio
import os
from collections.abc import Mapping

from devstack.console.banner import services_banner, stores_banner
from devstack.console.terminal import Screen, StackConsole
from devstack.home.directory import Home
from devstack.home.port_claims import PortClaims
from devstack.home.ports import assign_ports, require_gateway_port
from devstack.home.programs import wheel_program
from devstack.parts import gateway, kafka, services
from devstack.settings import StackSettings
from devstack.stores import Stores, port_names
from devstack.supervision.launcher import Launcher
from devstack.supervision.part import Part
from devstack.supervision.signals import StopSignals
from devstack.supervision.supervisor import Supervisor
from devstack.together import together


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
        names = port_names(settings, home)
        if not settings.stores_only:
            names += [name for replicas in self._replicas.values() for name in replicas]
            names.append(gateway.INNER)
        self._claims = PortClaims()
        self._ports = assign_ports(names, file=home.ports_file, seed=os.getpid(), claims=self._claims)
        self._stores = Stores(
            settings=settings,
            home=home,
            ports=self._ports,
            launcher=launcher,
            supervisor=supervisor,
            console=console,
        )
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
            await self._stores.start()
            if not self._settings.stores_only:
                await self._prepare_stores()
                await together(*(self._supervisor.start(part) for part in self._front()))
        self._supervisor.watch()
        self._console.say(self._banner())
        await self._supervisor.broken()

    async def _check_settings(self) -> None:
        service, *_, front_door = self._front()
        if unused := unused_settings(self._settings.inherited, service.environment):
            self._console.say(f"  set by the stack itself, not as given: {', '.join(unused)}")
        await together(
            services.check_settings(self._launcher, {**service.environment, **self._replication()}),
            gateway.check_gateway(self._launcher, front_door),
        )

    async def _prepare_stores(self) -> None:
        environment = {**self._addresses.as_environment(), **self._replication()}
        with self._console.step("topics, schema"):
            await together(
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
        shared = self._addresses.through(self._stores.links).as_environment()
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
            mongo_uri=self._stores.mongo_uri,
            redis_addr=self._stores.redis_addr,
            redis_mode=self._stores.redis_mode,
            kafka_brokers=self._stores.kafka_brokers,
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
