"""Apache Kafka: one JVM, or several that replicate; each is broker and controller (KRaft)."""

import base64
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from devstack.errors import PrerequisiteError
from devstack.home.atomic_file import write_atomically
from devstack.home.ports import LOOPBACK, broker_name
from devstack.supervision.launcher import Launcher
from devstack.supervision.part import Part
from devstack.supervision.probes import kafka_probe

_LOGGING = (f"-Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.xml').as_uri()}",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """One broker, which is also a controller: its files, and its ports."""

    number: int
    home: Path
    port: int
    controller_port: int

    @property
    def name(self) -> str:
        """Name of its log."""
        return broker_name(self.number)

    @property
    def properties(self) -> Path:
        """Its `server.properties`."""
        return self.home / "server.properties"

    @property
    def data(self) -> Path:
        """Its log directory, which has an identity once it is formatted."""
        return self.home / "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """All brokers, and the programs that each runs in its own JVM.

    Attributes:
        classes: an archive of loaded classes, which halves the time of a start; None: there is none.
    """

    java: Path
    jars: Path
    heap_mb: int
    brokers: tuple[Broker, ...]
    classes: Path | None = None

    def parts(self) -> tuple[Part, ...]:
        """Describe the brokers; `prepare` comes first."""
        return tuple(self._part(broker) for broker in self.brokers)

    async def prepare(self, launcher: Launcher) -> None:
        """Write every `server.properties`, and the first time give the log directories their identity.

        Raises:
            PrerequisiteError: the home's brokers were once more, or fewer.
            PartFailedError: Kafka's StorageTool failed.
        """
        count = len(self.brokers)
        formatted = self.brokers[0].home / "formatted"
        if formatted.exists() and (before := int(formatted.read_text() or "1")) != count:
            raise PrerequisiteError(
                f"{self.brokers[0].home} is of a Kafka with WAYBILL_KAFKA_BROKERS={before}, not {count}:"
                " set that, or WAYBILL_HOME to another directory"
            )
        for broker in self.brokers:
            write_atomically(broker.properties, server_properties(broker, self.brokers))
        if not formatted.exists():
            await self._format(launcher)
            write_atomically(formatted, f"{count}\n")

    async def _format(self, launcher: Launcher) -> None:
        cluster_id = _new_cluster_id()
        for broker in self.brokers:
            # A first start that was interrupted may have left half a format; no broker ever ran on it.
            shutil.rmtree(broker.data, ignore_errors=True)
            await launcher.run(
                f"{broker.name}-format", self._format_command(broker, cluster_id), environment={}
            )

    def _format_command(self, broker: Broker, cluster_id: str) -> tuple[str, ...]:
        return (
            *(str(self.java), "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            *self._program("kafka.tools.StorageTool"),
            # with "=", for one id in 64 begins with "-"
            *("format", f"--cluster-id={cluster_id}", "-c", str(broker.properties)),
            *(["--standalone"] if len(self.brokers) == 1 else []),
        )

    def _part(self, broker: Broker) -> Part:
        command = (
            *(str(self.java), f"-Xms{self.heap_mb}m", f"-Xmx{self.heap_mb}m"),
            "-XX:+UseParallelGC",  # two cores: shorter code paths than G1's, and short pauses in a small heap
            "-XX:+ExitOnOutOfMemoryError",  # the supervisor restarts it; a broker that limps helps nobody
            *self._program("kafka.Kafka"),
            str(broker.properties),
        )
        return Part(
            group="kafka", name=broker.name, command=command, port=broker.port, probe=kafka_probe(broker.port)
        )

    def _program(self, name: str) -> tuple[str, ...]:
        # One that does not fit this Java or these jars is ignored.
        shared = () if self.classes is None else (f"-XX:SharedArchiveFile={self.classes}",)
        return (*shared, *_LOGGING, "-cp", f"{self.jars}/*", name)


def replication(brokers: int) -> tuple[int, int]:
    """Return the replication factor, and how many replicas must have a record before it is acknowledged.

    At most three replicas, of which one may be away; a single replica may not, or nothing could be written.
    """
    factor = min(3, brokers)
    return factor, max(1, factor - 1)


def server_properties(broker: Broker, cluster: Sequence[Broker]) -> str:
    """Return the configuration of one broker of a cluster."""
    factor, min_insync = replication(len(cluster))
    settings = {
        "process.roles": "broker,controller",
        "node.id": str(broker.number),
        "listeners": f"PLAINTEXT://{LOOPBACK}:{broker.port},CONTROLLER://{LOOPBACK}:{broker.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{broker.port}",
        "controller.listener.names": "CONTROLLER",
        **_quorum(cluster),
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(broker.data),
        "auto.create.topics.enable": "false",
        "min.insync.replicas": str(min_insync),
        "offsets.topic.replication.factor": str(factor),
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": str(factor),
        "transaction.state.log.min.isr": str(min_insync),
        "transaction.state.log.num.partitions": "4",
        "group.initial.rebalance.delay.ms": "0",
        # A killed broker may register again only when its old session has run out (default 9 s).
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "1000",
        "num.network.threads": "2",
        "num.io.threads": "4",
    }
    return "".join(f"{name}={_escaped(value)}\n" for name, value in settings.items())


def _escaped(value: str) -> str:
    """Return a value escaped for a Java properties file, whatever its characters."""
    units = value.replace("\\", "\\\\").encode("utf-16-be")
    numbers = (int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2))
    return "".join(chr(number) if number < 128 else f"\\u{number:04x}" for number in numbers)  # noqa: PLR2004  # ASCII


def _quorum(cluster: Sequence[Broker]) -> dict[str, str]:
    """Return the addresses by which controllers find each other.

    Several are listed here, because an address stored by the quorum could not change while they are down; a
    single one stores its own, as in the first homes.
    """
    if len(cluster) == 1:
        return {"controller.quorum.bootstrap.servers": f"{LOOPBACK}:{cluster[0].controller_port}"}
    voters = (f"{broker.number}@{LOOPBACK}:{broker.controller_port}" for broker in cluster)
    return {"controller.quorum.voters": ",".join(voters)}


def _new_cluster_id() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
