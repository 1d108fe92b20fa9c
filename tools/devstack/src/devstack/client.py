"""Start a stack from a program and talk to its supervisor: for tests, benches and demos."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from devstack.errors import PartFailedError
from devstack.home.directory import Home
from devstack.home.ports import LOOPBACK, assign_ports, store_ports
from devstack.home.stack_file import Member, Members, read_members
from devstack.parts.mongod import mongo_uri
from devstack.store_addresses import redis_addresses
from devstack.supervision.die_with_parent import dying_with_parent

PROGRAM = (sys.executable, "-m", "devstack")
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class RunningStack:
    """A stack that this process started and owns."""

    home: Home
    process: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        """Use the stack for a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the stack."""
        self.stop()

    @property
    def mongo_uri(self) -> str:
        """MONGO_URI of this stack: all members."""
        return mongo_uri(*(member.port for member in self.members()["mongod"]))

    @property
    def redis_addr(self) -> str:
        """REDIS_ADDR of this stack: its server, or all of its Sentinels."""
        return redis_addresses(self.members())["REDIS_ADDR"]

    @property
    def kafka_brokers(self) -> str:
        """KAFKA_BROKERS of this stack: all of them."""
        return ",".join(f"{LOOPBACK}:{broker.port}" for broker in self.members()["kafka"])

    @property
    def gateway_url(self) -> str:
        """URL of the API; only with services."""
        return f"http://{LOOPBACK}:{self.member('gateway').port}"

    @property
    def jwt_secret(self) -> str:
        """Signing secret of this home's services, unless JWT_SECRET was given at the start."""
        return self.home.jwt_secret()

    def members(self) -> Members:
        """Read which children run now.

        Raises:
            PartFailedError: the stack is not up.
        """
        members = read_members(self.home.stack_file)
        if members is None:
            raise PartFailedError(f"no stack is up in {self.home.root}", details=_last_lines(self.home))
        return members

    def member(self, group: str, index: int = 0) -> Member:
        """Return one child by its key in `stack.json` and its place there."""
        return self.members()[group][index]

    def signal(self, group: str, number: signal.Signals, *, index: int = 0) -> Member:
        """Send a signal to one child and return that child."""
        member = self.member(group, index)
        os.kill(member.pid, number)
        return member

    def wait_replaced(self, group: str, old: Member, *, index: int = 0, timeout_s: float = 60.0) -> Member:
        """Block until the supervisor has replaced `old` by a new, ready child.

        Raises:
            TimeoutError: it did not in time.
        """
        _wait_until(
            lambda: self.member(group, index).pid != old.pid, timeout_s=timeout_s, what=f"a new {group}"
        )
        return self.member(group, index)

    def stop(self, *, timeout_s: float = 45.0) -> int:
        """Stop the stack, block until all of it is gone, and return the supervisor's exit code.

        Raises:
            TimeoutError: it did not stop in time; it was then killed, and its children with it.
        """
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired as exc:
            self.process.kill()
            self.process.wait()
            raise TimeoutError(f"the stack did not stop within {timeout_s:.0f} s") from exc


def reserve_store_ports(home: Path, *, kafka_brokers: int = 1, mongo_members: int = 1) -> dict[str, int]:
    """Choose the ports of a home's stores before its stack starts; it uses those that are still free.

    So a proxy can know `mongod`, `redis` and `kafka` before the services ask for them through it.
    """
    place = Home(home.absolute())
    place.root.mkdir(parents=True, exist_ok=True)
    return assign_ports(
        store_ports(kafka_brokers, mongo_members=mongo_members), file=place.ports_file, seed=os.getpid()
    )


def start_stack(
    home: Path,
    *,
    env: Mapping[str, str],
    stores_only: bool = False,
    port: int | None = None,
    program: tuple[str, ...] = PROGRAM,
    timeout_s: float = 120.0,
) -> RunningStack:
    """Start `python -m devstack run` on `home` and block until everything is ready.

    Call it from the main thread: the stack stops when the calling thread ends, so that a killed
    test run leaves nothing behind. `env` is the supervisor's whole environment, `program` another command
    line in the place of this release's.

    Raises:
        PartFailedError: the supervisor ended or was not ready in time; `details` is its output.
    """
    place = Home(home.absolute())
    place.logs.mkdir(parents=True, exist_ok=True)
    place.stack_file.unlink(missing_ok=True)
    command = (*program, "run", *(["--stores-only"] if stores_only else []))
    ports = {} if port is None else {"WAYBILL_PORT": str(port)}
    with _output(place).open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own module
            dying_with_parent(command, death_signal=signal.SIGTERM),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**env, **ports, "WAYBILL_HOME": str(place.root)},
            start_new_session=True,
        )
    stack = RunningStack(place, process)
    _wait_ready(stack, timeout_s=timeout_s)
    return stack


def _wait_ready(stack: RunningStack, *, timeout_s: float) -> None:
    def settled() -> bool:
        return stack.process.poll() is not None or stack.home.stack_file.exists()

    try:
        _wait_until(settled, timeout_s=timeout_s, what="the stack")
    except TimeoutError as exc:
        stack.stop()
        raise PartFailedError(str(exc), details=_last_lines(stack.home)) from exc
    except BaseException:
        stack.stop()
        raise
    if stack.process.poll() is not None:
        raise PartFailedError(
            f"the stack ended with exit code {stack.process.returncode}", details=_last_lines(stack.home)
        )


def _wait_until(condition: Callable[[], bool], *, timeout_s: float, what: str) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {what} within {timeout_s:.0f} s")
        time.sleep(_POLL_S)


def _output(home: Home) -> Path:
    return home.logs / "devstack.out"


def _last_lines(home: Home) -> list[str]:
    return _output(home).read_text(errors="replace").splitlines()[-30:] if _output(home).exists() else []
