"""Free loopback ports for the children, remembered so that a restarted stack keeps its addresses."""

import errno
import json
import random
import socket
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from devstack.errors import PortTakenError, StackError
from devstack.home.atomic_file import write_atomically
from devstack.home.port_claims import PortClaims

LOOPBACK = "127.0.0.1"
# Below the kernel's range for outgoing connections, which would otherwise take a port between two starts.
CANDIDATES = range(20_000, 32_000)


def store_ports(kafka_brokers: int, *, redis_sentinels: int = 0, mongo_members: int = 1) -> tuple[str, ...]:
    """Name the ports of the stores."""
    brokers, members = range(1, kafka_brokers + 1), range(1, mongo_members + 1)
    return (
        *map(member_name, members),
        *redis_names(redis_sentinels),
        *sentinel_names(redis_sentinels),
        *map(broker_name, brokers),
        *map(controller_name, brokers),
    )


def member_name(number: int) -> str:
    """Name a member of MongoDB's replica set, its directory and its port: `mongod`, `mongod-2`, ..."""
    return "mongod" if number == 1 else f"mongod-{number}"


def redis_names(sentinels: int) -> tuple[str, ...]:
    """Name the servers of Redis, their directories and ports: with Sentinels a primary and a replica."""
    return ("redis", "redis-2") if sentinels else ("redis",)


def sentinel_names(count: int) -> tuple[str, ...]:
    """Name the Sentinels of Redis, their directories and ports."""
    return tuple(f"redis-sentinel-{number}" for number in range(1, count + 1))


def broker_name(number: int) -> str:
    """Name a broker of Kafka, its directory and its port: `kafka`, `kafka-2`, ..."""
    return "kafka" if number == 1 else f"kafka-{number}"


def controller_name(number: int) -> str:
    """Name the port on which a broker is a controller."""
    return f"{broker_name(number)}-controller"


def is_free(port: int) -> bool:
    """Say whether a server could listen on `port` of the loopback address now."""
    return _listen_error(port) is None


def require_gateway_port(port: int) -> None:
    """Check that the gateway can have `port`.

    Raises:
        PortTakenError: another program listens there.
        StackError: this user may not listen there.
    """
    match _listen_error(port):
        case None:
            return
        case errno.EACCES:
            raise StackError(f"this user may not listen on port {port}: set WAYBILL_PORT to one above 1023")
        case _:
            raise PortTakenError(f"port {port} is taken by another program: stop it or set WAYBILL_PORT")


def choose_ports(
    names: Iterable[str], *, remembered: Mapping[str, int], is_free: Callable[[int], bool], seed: int
) -> dict[str, int]:
    """Give every name its remembered port if that is still free, else another free one.

    Ports remembered for other names stay reserved for them.

    Raises:
        StackError: no candidate is free.
    """
    chosen = dict(remembered)
    shuffled = random.Random(seed)  # noqa: S311 - spreads stacks that start together; nothing secret
    for name in names:
        if name in chosen and is_free(chosen[name]):
            continue
        taken = {port for other, port in chosen.items() if other != name}
        candidates = shuffled.sample(CANDIDATES, k=1000)
        found = next((port for port in candidates if port not in taken and is_free(port)), None)
        if found is None:
            raise StackError(f"no free port for {name} between {CANDIDATES.start} and {CANDIDATES.stop}")
        chosen[name] = found
    return chosen


def assign_ports(
    names: Iterable[str], *, file: Path, seed: int, claims: PortClaims | None = None
) -> dict[str, int]:
    """Choose a port for every name and remember the choice in `file`.

    Args:
        names: of what listens.
        file: the remembered choice, JSON.
        seed: of the order in which ports are tried.
        claims: keeps the chosen ports from other stacks for as long as this process lives; without it they
            are claimed only while they are chosen.

    Raises:
        StackError: no candidate is free.
    """
    held = PortClaims() if claims is None else claims

    def is_ours(port: int) -> bool:
        if not held.take(port):
            return False
        if not is_free(port):
            held.release(port)
            return False
        return True

    chosen = choose_ports(names, remembered=_remembered(file), is_free=is_ours, seed=seed)
    if claims is None:
        held.release()
    write_atomically(file, json.dumps(chosen, indent=2, sort_keys=True) + "\n")
    return chosen


def _remembered(file: Path) -> dict[str, int]:
    try:
        content = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return {}  # never more than a preference
    if not isinstance(content, dict):
        return {}
    return {str(name): port for name, port in content.items() if isinstance(port, int)}


def _listen_error(port: int) -> int | None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers do; without it a port just closed counts as taken for a minute.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError as exc:
            return exc.errno
    return None
