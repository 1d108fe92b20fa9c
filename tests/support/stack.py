"""The stack that tests share: started once per run, or named by the environment."""

import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import product
from typing import Protocol

import psutil

from devstack.client import RunningStack, start_stack
from devstack.home.stack_file import Member

__all__ = [
    "ExternalStack",
    "RunningStack",
    "StackAddresses",
    "environment_of",
    "external_stack",
    "frozen",
    "kill",
    "no_room_for",
    "start_stack",
    "terminate",
]


class StackAddresses(Protocol):
    """Addresses of the servers, wherever they run."""

    @property
    def mongo_uri(self) -> str: ...
    @property
    def redis_addr(self) -> str: ...
    @property
    def kafka_brokers(self) -> str: ...
    @property
    def gateway_url(self) -> str: ...
    @property
    def jwt_secret(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalStack:
    """Servers started outside this run."""

    mongo_uri: str
    redis_addr: str
    kafka_brokers: str
    gateway_url: str
    jwt_secret: str = field(repr=False)


def external_stack(env: Mapping[str, str]) -> ExternalStack | None:
    """Return the servers named by `env` under WAYBILL_STACK=external, else None."""
    if env.get("WAYBILL_STACK") != "external":
        return None
    return ExternalStack(
        mongo_uri=env["MONGO_URI"],
        redis_addr=env["REDIS_ADDR"],
        kafka_brokers=env["KAFKA_BROKERS"],
        gateway_url=env.get("WAYBILL_URL", ""),
        jwt_secret=env.get("JWT_SECRET", ""),
    )


def environment_of(stores: StackAddresses) -> dict[str, str]:
    """Return the environment in which `external_stack` finds these stores."""
    return {
        "WAYBILL_STACK": "external",
        "MONGO_URI": stores.mongo_uri,
        "REDIS_ADDR": stores.redis_addr,
        "KAFKA_BROKERS": stores.kafka_brokers,
    }


def kill(stack: RunningStack, group: str, *, index: int = 0, timeout_s: float = 60.0) -> Member:
    """Kill -9 a child, wait for its replacement and return it."""
    killed = stack.signal(group, signal.SIGKILL, index=index)
    return stack.wait_replaced(group, killed, index=index, timeout_s=timeout_s)


def terminate(stack: RunningStack, group: str, *, index: int = 0) -> Member:
    """End a child by SIGTERM, wait for its replacement and return it."""
    return stack.wait_replaced(group, stack.signal(group, signal.SIGTERM, index=index), index=index)


@contextmanager
def frozen(stack: RunningStack, *groups: str, indexes: Iterable[int] = (0,)) -> Iterator[None]:
    """Freeze children while the block lasts; their connections stay, the supervisor takes them for alive."""
    children = list(product(groups, indexes))
    for group, index in children:
        stack.signal(group, signal.SIGSTOP, index=index)
    try:
        yield
    finally:
        for group, index in children:
            stack.signal(group, signal.SIGCONT, index=index)


@contextmanager
def no_room_for(pid: int) -> Iterator[None]:
    """Let no file of a process grow, as on a full disk; a new process in its place may write.

    A store ends by the signal or the error, or waits for room.
    """
    process = psutil.Process(pid)
    soft, hard = process.rlimit(psutil.RLIMIT_FSIZE)
    process.rlimit(psutil.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        with suppress(psutil.NoSuchProcess):
            process.rlimit(psutil.RLIMIT_FSIZE, (soft, hard))
