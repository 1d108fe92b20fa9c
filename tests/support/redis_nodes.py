"""Servers of Redis that tests may break: a primary and a replica behind three Sentinels, or a cluster."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from devstack.home.directory import Home
from devstack.home.ports import LOOPBACK, is_free, redis_names, sentinel_names
from devstack.home.programs import wheel_program
from devstack.parts.redis import DISTRIBUTION, MASTER, WatchedRedis
from devstack.supervision.die_with_parent import dying_with_parent
from storage.settings import RedisSettings
from tests.support.ports import unused_port

MASTERS: Final = 3
SLOTS: Final = 16_384
_BUS_PORT: Final = 10_000
"""What Redis adds to a node's port for the port on which nodes of a cluster talk."""
_QUICK: Final = {"cluster-node-timeout": 1000, "repl-diskless-sync": "yes", "repl-diskless-sync-delay": 0}
_READY_WITHIN_S: Final = 20.0
_POLL_S: Final = 0.02


@dataclass(slots=True)
class RedisNode:
    """A server or a Sentinel in a process of its own."""

    command: tuple[str, ...]
    port: int
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        """Start it, again if need be."""
        self.process = subprocess.Popen(
            dying_with_parent(self.command, death_signal=signal.SIGKILL), stdout=subprocess.DEVNULL
        )

    def kill(self) -> None:
        """End it by SIGKILL, frozen or not."""
        self.process.kill()
        self.process.wait()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Freeze it while the block lasts; its connections stay."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def client(self) -> Redis:
        """Return a client of this server alone."""
        return Redis(port=self.port, socket_timeout=1.0, retry=Retry(NoBackoff(), 0))

    def ask(self, *command: str | int) -> Any:  # noqa: ANN401  # what the command returns
        """Run one command here."""
        with self.client() as client:
            return client.execute_command(*command)


@dataclass(frozen=True, slots=True)
class Watched:
    """A primary, a replica, and the Sentinels."""

    servers: list[RedisNode]
    sentinels: list[RedisNode]

    @property
    def settings(self) -> RedisSettings:
        """Settings of a service."""
        return _settings(self.sentinels, mode="sentinel")

    def primary(self) -> RedisNode:
        """Return the server that the first Sentinel names."""
        port = self._named_by(self.sentinels[0])
        return next(node for node in self.servers if node.port == port)

    def replica(self) -> RedisNode:
        """Return the other one."""
        primary = self.primary()
        return next(node for node in self.servers if node is not primary)

    def fail_over(self) -> None:
        """Let the Sentinels promote the replica, as an operator does."""
        self.sentinels[0].ask("SENTINEL", "FAILOVER", MASTER)

    def settle(self) -> None:
        """Wait until all agree: one primary, and a replica that has what it has."""
        _until(self._is_settled, "a primary with its replica")

    def _is_settled(self) -> bool:
        ports = {self._named_by(node) for node in self.sentinels}
        if len(ports) != 1:
            return False
        primary = next(node for node in self.servers if node.port == ports.copy().pop())
        with primary.client() as client:
            return client.info("replication")["role"] == "master" and _in_step(client)

    @staticmethod
    def _named_by(sentinel: RedisNode) -> int:
        return int(sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)[1])


@dataclass(frozen=True, slots=True)
class RedisCluster:
    """Masters that share the slots, and a replica of the first one."""

    masters: list[RedisNode]
    replica: RedisNode

    @property
    def settings(self) -> RedisSettings:
        """Settings of a service."""
        return _settings([*self.masters, self.replica], mode="cluster")

    def owner(self, key: str) -> RedisNode:
        """Return the master that has the slot of a key."""
        slot = self.slot(key)
        for first, last, (_, port, *_), *_ in self.masters[-1].ask("CLUSTER SLOTS"):
            if first <= slot <= last:
                return next(node for node in (*self.masters, self.replica) if node.port == port)
        raise LookupError(f"nobody has slot {slot}")

    def slot(self, key: str) -> int:
        """Return the slot of a key."""
        return int(self.masters[-1].ask("CLUSTER KEYSLOT", key))

    def begin_move(self, key: str) -> tuple[RedisNode, RedisNode]:
        """Begin to move the slot of a key to the next master; return from which and to which."""
        slot, source = self.slot(key), self.owner(key)
        target = self.masters[(self.masters.index(source) + 1) % len(self.masters)]
        target.ask("CLUSTER SETSLOT", slot, "IMPORTING", _id_of(source))
        source.ask("CLUSTER SETSLOT", slot, "MIGRATING", _id_of(target))
        return source, target

    def end_move(self, key: str, source: RedisNode, target: RedisNode) -> None:
        """Move the keys of the slot of a key, and give the slot away."""
        slot = self.slot(key)
        while keys := source.ask("CLUSTER GETKEYSINSLOT", slot, 100):
            for each in keys:
                source.ask("MIGRATE", LOOPBACK, target.port, each, 0, 1000)
        for node in (target, source, *self.masters):
            node.ask("CLUSTER SETSLOT", slot, "NODE", _id_of(target))

    def flush(self) -> None:
        """Delete every key."""
        for node in self.masters:
            node.ask("FLUSHALL")


@contextmanager
def watched_redis(root: Path) -> Iterator[Watched]:
    """Run a primary, a replica and three Sentinels, as the embedded stack does; restart none that ends."""
    names = sentinel_names(3)
    ports = {name: unused_port() for name in (*redis_names(3), *names)}
    described = WatchedRedis.of(_program(), Home(root), ports, sentinels=3)
    described.prepare()
    watched = Watched(
        servers=[RedisNode(part.command, part.port) for part in described.server_parts()],
        sentinels=[RedisNode(part.command, part.port) for part in described.sentinel_parts()],
    )
    with ExitStack() as running:
        for node in (*watched.servers, *watched.sentinels):
            _start(running, node)
        _until(lambda: all(map(_has_quorum, watched.sentinels)), "Sentinels")
        watched.settle()
        yield watched


@contextmanager
def redis_cluster(root: Path) -> Iterator[RedisCluster]:
    """Run a cluster of three masters, the first of which has a replica."""
    cluster = RedisCluster([_cluster_node(root) for _ in range(MASTERS)], _cluster_node(root))
    with ExitStack() as running:
        for node in (*cluster.masters, cluster.replica):
            _start(running, node)
        for index, node in enumerate(cluster.masters):
            first, last = SLOTS * index // MASTERS, SLOTS * (index + 1) // MASTERS
            node.ask("CLUSTER ADDSLOTS", *range(first, last))
            # Two nodes that begin with one epoch would have to agree first.
            node.ask("CLUSTER SET-CONFIG-EPOCH", index + 1)
            cluster.replica.ask("CLUSTER MEET", LOOPBACK, node.port)
        _until(lambda: all(map(_knows_all, (*cluster.masters, cluster.replica))), "a cluster")
        cluster.replica.ask("CLUSTER REPLICATE", _id_of(cluster.masters[0]))
        _until(lambda: _has_replica(cluster.masters[0]), "a replica")
        yield cluster


def _cluster_node(root: Path) -> RedisNode:
    port = next(port for port in iter(unused_port, None) if is_free(port + _BUS_PORT))
    home = root / str(port)
    home.mkdir()
    options = {"port": port, "bind": LOOPBACK, "dir": home, "cluster-enabled": "yes", "save": "", **_QUICK}
    arguments = (word for name, value in options.items() for word in (f"--{name}", str(value)))
    return RedisNode((str(_program()), *arguments), port)


def _start(running: ExitStack, node: RedisNode) -> None:
    node.start()
    running.callback(node.kill)
    _until(lambda: bool(node.ask("PING")), "a server")


def _program() -> Path:
    return wheel_program(DISTRIBUTION, "redis-server")


def _settings(nodes: list[RedisNode], *, mode: str) -> RedisSettings:
    addresses = ",".join(f"{LOOPBACK}:{node.port}" for node in nodes)
    return RedisSettings.model_validate({"REDIS_ADDR": addresses, "REDIS_MODE": mode})


def _has_quorum(sentinel: RedisNode) -> bool:
    sentinel.ask("SENTINEL CKQUORUM", MASTER)  # an error if not
    return True


def _knows_all(node: RedisNode) -> bool:
    with node.client() as client:
        info = client.cluster("INFO")
    return info["cluster_state"] == "ok" and int(info["cluster_known_nodes"]) == MASTERS + 1


def _has_replica(master: RedisNode) -> bool:
    with master.client() as client:
        return _in_step(client)


def _in_step(primary: Redis) -> bool:
    info = primary.info("replication")
    replica = info.get("slave0", {})
    return bool(replica.get("state") == "online" and replica["offset"] == info["master_repl_offset"])


def _id_of(node: RedisNode) -> str:
    return str(node.ask("CLUSTER MYID").decode())


def _until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while True:
        try:
            if holds():
                return
        except RedisError:
            pass
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {what} within {_READY_WITHIN_S:.0f} s")
        time.sleep(_POLL_S)
