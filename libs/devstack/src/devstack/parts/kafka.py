"""Apache Kafka as broker and controller in one JVM (KRaft)."""

import base64
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from devstack.atomic_file import write_atomically
from devstack.launcher import Launcher
from devstack.part import Part
from devstack.ports import LOOPBACK
from devstack.probes import kafka_probe

_LOGGING = (f"-Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.xml').as_uri()}",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """One broker: where its programs and files are, and on which ports it listens."""

    java: Path
    jars: Path
    home: Path
    port: int
    controller_port: int
    heap_mb: int

    def part(self) -> Part:
        """Describe the broker; `prepare` comes first."""
        command = (
            *(str(self.java), f"-Xms{self.heap_mb}m", f"-Xmx{self.heap_mb}m"),
            "-XX:+UseParallelGC",  # two cores: shorter code paths than G1's, and short pauses in a small heap
            "-XX:+ExitOnOutOfMemoryError",  # the supervisor restarts it; a broker that limps helps nobody
            *_LOGGING,
            *("-cp", f"{self.jars}/*", "kafka.Kafka", str(self._properties)),
        )
        return Part(
            group="kafka", name="kafka", command=command, port=self.port, probe=kafka_probe(self.port)
        )

    async def prepare(self, launcher: Launcher) -> None:
        """Write `server.properties`, and the first time give the log directory its identity.

        Raises:
            PartFailedError: Kafka's StorageTool failed.
        """
        content = server_properties(self._data, port=self.port, controller_port=self.controller_port)
        write_atomically(self._properties, content)
        formatted = self.home / "formatted"
        if formatted.exists():
            return
        # A first start that was interrupted may have left half a format; no broker ever ran on it.
        shutil.rmtree(self._data, ignore_errors=True)
        await launcher.run("kafka-format", self._format_command(), environment={})
        formatted.touch()

    def _format_command(self) -> tuple[str, ...]:
        return (
            *(str(self.java), "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", *_LOGGING),
            *("-cp", f"{self.jars}/*", "kafka.tools.StorageTool"),
            # with "=", for one id in 64 begins with "-"
            *("format", "--standalone", f"--cluster-id={_new_cluster_id()}", "-c", str(self._properties)),
        )

    @property
    def _properties(self) -> Path:
        return self.home / "server.properties"

    @property
    def _data(self) -> Path:
        return self.home / "data"


def server_properties(data: Path, *, port: int, controller_port: int) -> str:
    """Return the broker's configuration."""
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.bootstrap.servers": f"{LOOPBACK}:{controller_port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(data),
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "group.initial.rebalance.delay.ms": "0",
        # A killed broker may register again only when its old session has run out (default 9 s).
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "1000",
        "num.network.threads": "2",
        "num.io.threads": "4",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _new_cluster_id() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
