"""Kafka, MongoDB and Redis that speak TLS alone, with certificates of a test's own authority."""

import asyncio
import base64
import os
import ssl
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from pymongo import AsyncMongoClient
from redis.asyncio import Redis

from devstack.console.terminal import Screen, StackConsole
from devstack.home.ports import choose_ports, is_free
from devstack.home.programs import find_java, wheel_program
from devstack.parts import mongod, redis
from devstack.parts.kafka import Broker, Cluster, server_properties
from devstack.parts.kafka_jars import kafka_jars
from devstack.settings import StackSettings
from devstack.supervision.child import Child
from devstack.supervision.launcher import Launcher
from devstack.supervision.part import Part

USER = "waybill"
PASSWORD = "a-password-of-tests-7c1e"  # noqa: S105
NAMES = ("kafka", "kafka-controller", "kafka-secured", "mongod", "redis", "redis-secured")


@dataclass(frozen=True, slots=True)
class Papers:
    """An authority's certificate, and a server's: with its key as OpenSSL takes it, and as Java does."""

    authority: Path
    server: Path
    java: Path

    @classmethod
    def issued(cls, directory: Path) -> "Papers":
        """Make an authority, and let it sign for a server on this machine."""
        authority = trustme.CA()
        server = authority.issue_cert("127.0.0.1", "localhost")
        papers = cls(directory / "authority.pem", directory / "server.pem", directory / "java.pem")
        authority.cert_pem.write_to_path(str(papers.authority))
        server.private_key_and_cert_chain_pem.write_to_path(str(papers.server))
        key = load_pem_private_key(server.private_key_pem.bytes(), password=None)
        pkcs8 = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        chain = b"".join(blob.bytes() for blob in server.cert_chain_pems)
        papers.java.write_bytes(pkcs8 + chain)
        return papers


@dataclass(frozen=True, slots=True)
class Secured:
    """Addresses of the servers."""

    papers: Papers
    kafka_brokers: str
    mongo_uri: str
    redis_addr: str


@asynccontextmanager
async def secured_servers(home: Path) -> AsyncIterator[Secured]:
    """Run the three servers while the context lasts."""
    papers = Papers.issued(home)
    ports = choose_ports(NAMES, remembered={}, is_free=is_free, seed=os.getpid())
    with (home / "lock").open("w") as lock:
        launcher = Launcher(home, {}, lock.fileno())
        parts = [
            _mongod(home, ports["mongod"], papers),
            redis.redis_part(
                wheel_program(redis.DISTRIBUTION, "redis-server"), data=home, port=ports["redis"]
            ),
            await _kafka(home, ports, papers, launcher),
        ]
        children = [Child(part, launcher) for part in parts]
        try:
            await asyncio.gather(*(child.start() for child in children))
            await _refuse_plain_mongo(ports["mongod"])
            await _ask_for_password(ports["redis"])
            async with _tls_in_front(ports["redis"], ports["redis-secured"], papers):
                yield Secured(
                    papers,
                    kafka_brokers=f"127.0.0.1:{ports['kafka-secured']}",
                    mongo_uri=mongod.mongo_uri(ports["mongod"]),
                    redis_addr=f"127.0.0.1:{ports['redis-secured']}",
                )
        finally:
            for child in children:
                child.kill()
            await asyncio.gather(*(child.wait() for child in children), return_exceptions=True)


def _mongod(home: Path, port: int, papers: Papers) -> Part:
    data = home / "mongod"
    data.mkdir()
    part = mongod.mongod_part(
        wheel_program(mongod.DISTRIBUTION, "mongod"), data=data, port=port, cache_gb=0.25
    )
    tls = (
        *("--tlsMode", "preferTLS"),  # until its probe has made it a replica set
        *("--tlsCertificateKeyFile", str(papers.server)),
        *("--tlsCAFile", str(papers.authority)),
        "--tlsAllowConnectionsWithoutCertificates",
    )
    return replace(part, command=(*part.command, *tls))


async def _refuse_plain_mongo(port: int) -> None:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient("127.0.0.1", port, directConnection=True)
    await client.admin.command({"setParameter": 1, "tlsMode": "requireTLS"})
    await client.close()


async def _ask_for_password(port: int) -> None:
    async with Redis(port=port) as client:
        await client.config_set("requirepass", PASSWORD)


async def _kafka(home: Path, ports: dict[str, int], papers: Papers, launcher: Launcher) -> Part:
    settings = StackSettings.from_environment(os.environ, stores_only=True)
    console = StackConsole(Screen(quiet=True), file=home / "supervisor.log")
    broker = Broker(
        number=1, home=home / "kafka", port=ports["kafka"], controller_port=ports["kafka-controller"]
    )
    broker.home.mkdir()
    cluster = Cluster(
        java=find_java(os.environ),
        jars=await kafka_jars(launcher, settings.cache, console=console),
        heap_mb=256,
        brokers=(broker,),
    )
    plain = server_properties(broker, cluster.brokers)
    broker.properties.write_text(plain + _secured_properties(broker, ports["kafka-secured"], papers))
    await launcher.run("kafka-format", _format(cluster, broker), environment={})
    [part] = cluster.parts()
    return part


def _secured_properties(broker: Broker, port: int, papers: Papers) -> str:
    """Return the settings of a second listener; of two lines with one name the later wins."""
    listeners = f"PLAINTEXT://127.0.0.1:{broker.port},SECURED://127.0.0.1:{port}"
    settings = {
        "listeners": f"{listeners},CONTROLLER://127.0.0.1:{broker.controller_port}",
        "advertised.listeners": listeners,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SECURED:SASL_SSL,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.secured.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(papers.java),
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _format(cluster: Cluster, broker: Broker) -> tuple[str, ...]:
    cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    return (
        *(str(cluster.java), "-Xmx128m", "-cp", f"{cluster.jars}/*", "kafka.tools.StorageTool"),
        *("format", f"--cluster-id={cluster_id}", "-c", str(broker.properties), "--standalone"),
        *("--add-scram", f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"),
    )


@asynccontextmanager
async def _tls_in_front(port: int, secured_port: int, papers: Papers) -> AsyncIterator[None]:
    """Terminate TLS in front of a server that was built without it."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(papers.server)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_copy(reader, behind_writer), _copy(behind_reader, writer))

    async with await asyncio.start_server(serve, "127.0.0.1", secured_port, ssl=context):
        yield


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()
