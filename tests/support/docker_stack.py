"""WAYBILL_STACK=docker: the stores in containers of compose's images, services and gateway as processes."""

import asyncio
import os
import secrets
import signal
import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml
from testcontainers.core.container import DockerContainer

from devstack.home.ports import LOOPBACK, choose_ports, is_free
from devstack.home.programs import wheel_program
from devstack.home.stack_file import SERVICES
from devstack.parts import gateway, mongod, services
from devstack.supervision.die_with_parent import dying_with_parent
from devstack.supervision.part import NotReadyError, Part, Probe
from devstack.supervision.probes import kafka_probe, mongod_probe, redis_probe
from tests.support.printed_calls import ROOT
from tests.support.stack import ExternalStack

READY_WITHIN_S = 90.0
END_WITHIN_S = 20.0
_POLL_S = 0.2


@contextmanager
def docker_stack(home: Path) -> Iterator[ExternalStack]:
    """Run the whole of Waybill while the context lasts."""
    names = ("mongo", "redis", "kafka", "gateway", gateway.INNER, *SERVICES)
    ports = choose_ports(names, remembered={}, is_free=is_free, seed=os.getpid())
    addresses = services.Addresses(
        mongo_uri=mongod.mongo_uri(ports["mongo"]),
        redis_addr=f"{LOOPBACK}:{ports['redis']}",
        kafka_brokers=f"{LOOPBACK}:{ports['kafka']}",
        environment="development",
        log_level="info",
        jwt_secret=secrets.token_hex(32),
        webhooks_keys=urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    )
    with ExitStack() as stack:
        for container in _stores(ports):
            stack.enter_context(container)
        _wait_until_ready(
            mongod_probe(ports["mongo"], replica_set=mongod.REPLICA_SET),
            redis_probe(ports["redis"]),
            kafka_probe(ports["kafka"]),
        )
        _prepare(addresses)
        parts = [*_services(ports, addresses), _gateway(ports, home)]
        for part in parts:
            stack.enter_context(_running(part, home))
        _wait_until_ready(*(part.probe for part in parts))
        yield ExternalStack(
            mongo_uri=addresses.mongo_uri,
            redis_addr=addresses.redis_addr,
            kafka_brokers=addresses.kafka_brokers,
            gateway_url=f"http://{LOOPBACK}:{ports['gateway']}",
            jwt_secret=addresses.jwt_secret,
        )


def _stores(ports: Mapping[str, int]) -> Iterator[DockerContainer]:
    """Describe the stores; each has the same port inside and outside, since it advertises its address."""
    composed: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    port = ports["kafka"]
    listening = {
        "KAFKA_LISTENERS": f"PLAINTEXT://:{port},CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{LOOPBACK}:{port}",
    }
    commands = {
        "mongo": f"mongod --replSet {mongod.REPLICA_SET} --bind_ip_all --port {ports['mongo']}",
        "redis": f"redis-server --port {ports['redis']}",
    }
    environments = {"kafka": {**composed["kafka"]["environment"], **listening}}
    for name in ("mongo", "redis", "kafka"):
        container = DockerContainer(composed[name]["image"])
        published: dict[str, Any] = {str(ports[name]): (LOOPBACK, ports[name])}
        container.ports.update(published)
        container.env.update(environments.get(name, {}))
        yield container.with_command(commands[name]) if name in commands else container


def _prepare(addresses: services.Addresses) -> None:
    for name in services.PREPARATIONS:
        environment = {**os.environ, **addresses.as_environment()}
        subprocess.run(services.preparation(name), env=environment, check=True)


def _services(ports: Mapping[str, int], addresses: services.Addresses) -> list[Part]:
    found = services.addresses_of_services(
        {group: [ports[group]] for group in SERVICES}, api_port=ports[gateway.INNER]
    )
    return [
        services.service_part(
            group, f"{group}-1", port=ports[group], environment={**addresses.as_environment(), **found}
        )
        for group in SERVICES
    ]


def _gateway(ports: Mapping[str, int], home: Path) -> Part:
    return gateway.gateway_part(
        wheel_program(gateway.DISTRIBUTION, "haproxy"),
        data=home,
        port=ports["gateway"],
        inner_port=ports[gateway.INNER],
        replicas={service: [ports[service]] for service in gateway.UPSTREAMS},
    )


@contextmanager
def _running(part: Part, home: Path) -> Iterator[None]:
    with (home / f"{part.name}.log").open("wb") as log:
        process = subprocess.Popen(
            dying_with_parent(part.command, death_signal=signal.SIGKILL),
            env={**os.environ, **part.environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(*probes: Probe) -> None:
    async def all_ready() -> None:
        async with asyncio.timeout(READY_WITHIN_S):
            await asyncio.gather(*map(_until_ready, probes))

    asyncio.run(all_ready())


async def _until_ready(probe: Probe) -> None:
    while True:
        try:
            return await probe()
        except NotReadyError:
            await asyncio.sleep(_POLL_S)
