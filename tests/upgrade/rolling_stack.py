"""A stack on one data folder, first of the last release as a whole, then each replica by a chosen release."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from devstack.client import RunningStack, start_stack
from messaging.settings import KafkaSettings
from storage.settings import MongoSettings
from tests.faults.proxied_stack import DATABASE
from tests.faults.schedule import SESSION_S
from tests.support.ports import unused_port
from tests.support.stack import terminate
from tests.upgrade.chosen_releases import FOLDER, TOOLBOX
from tests.upgrade.release import PRESENT, Release

T = TypeVar("T")

REPLICAS: Final = 2
PREPARATIONS: Final = ("topics", "schema")


@dataclass(frozen=True, slots=True)
class Seat:
    """One replica: its service, and its place in `stack.json`."""

    service: str
    index: int

    def __str__(self) -> str:
        """Return the name that its supervisor gives it."""
        return f"{self.service}-{self.index + 1}"


READERS_FIRST: Final = tuple(
    Seat(service, index)
    for service in ("processor", "webhooks", "query-api", "portal", "ingest-api")
    for index in range(REPLICAS)
)
"""The order of an upgrade: who lets new content in comes last. A rollback takes the opposite one."""


@dataclass(slots=True)
class RollingStack:
    """The stack, with the same data, ports and secrets throughout.

    Attributes:
        running: the release that runs each replica.
    """

    home: Path
    last: Release
    starter: ThreadPoolExecutor
    port: int = field(default_factory=unused_port)
    running: dict[Seat, Release] = field(default_factory=dict)
    _stack: RunningStack | None = None

    @property
    def stack(self) -> RunningStack:
        """The running stack."""
        if self._stack is None:
            raise RuntimeError("no stack is running")
        return self._stack

    @property
    def url(self) -> str:
        """URL of the gateway, also while none is running."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def kafka(self) -> KafkaSettings:
        """Address of Kafka."""
        return KafkaSettings(KAFKA_BROKERS=self.stack.kafka_brokers)  # type: ignore[call-arg]

    @property
    def mongo(self) -> MongoSettings:
        """Address of the database."""
        return MongoSettings(MONGO_URI=self.stack.mongo_uri, MONGO_DB=DATABASE)  # type: ignore[call-arg]

    async def start_last(self) -> None:
        """Start the last release as a whole: its supervisor, its gateway, its services."""
        await self._start(self.last.python, "devstack")
        self._take_note(self.last)

    async def take_up(self) -> None:
        """Stop, and start again on the same data: the present supervisor, the last release's services."""
        await self.stop()
        choices = self.home / FOLDER
        choices.mkdir(exist_ok=True)
        for name in (TOOLBOX, *map(str, READERS_FIRST)):
            (choices / name).write_text(str(self.last.python))
        await self._start(PRESENT.python, "tests.upgrade.chosen_releases")
        self._take_note(self.last)

    async def hand_back(self) -> None:
        """Stop, and start the last release as a whole again, on data that the present one has written."""
        await self.stop()
        await self.start_last()

    async def prepare_stores(self, release: Release) -> None:
        """Create the topics and take the schema steps of a release, beside the running services."""
        for name in PREPARATIONS:
            code, said = await self.operate(release, name)
            assert code == 0, said

    async def operate(self, release: Release, *command: str) -> tuple[int, str]:
        """Run `waybill-admin` of a release on the stores; return its exit code and what it said."""
        process = await asyncio.create_subprocess_exec(
            *(str(release.python), "-m", "toolbox", *command),
            env=_environment_of(self.stack.member("processor").pid),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        return process.returncode or 0, said.decode()

    async def replace(self, seat: Seat, release: Release) -> None:
        """Stop a replica by SIGTERM, and wait until another release runs in its place and is ready."""
        (self.home / FOLDER / str(seat)).write_text(str(release.python))
        member = await asyncio.to_thread(terminate, self.stack, seat.service, index=seat.index)
        assert _program_of(member.pid) == str(release.python)
        self.running[seat] = release

    async def stop(self) -> None:
        """Stop whatever runs."""
        if self._stack is not None:
            await self._in_starter(self._stack.stop)
            self._stack = None

    async def _start(self, python: Path, module: str) -> None:
        replicas = ("PROCESSORS", *(f"{name}_REPLICAS" for name in ("INGEST", "QUERY", "WEBHOOKS", "PORTAL")))
        env = {
            **os.environ,
            **dict.fromkeys(replicas, str(REPLICAS)),
            "ENV": "development",
            "PROCESSOR_SESSION_TIMEOUT_S": str(SESSION_S),
            "WAYBILL_HOME": str(self.home),
        }
        program = (str(python), "-m", module)
        self._stack = await self._in_starter(
            partial(start_stack, self.home, env=env, port=self.port, program=program)
        )

    def _take_note(self, release: Release) -> None:
        self.running = dict.fromkeys(READERS_FIRST, release)
        for seat in READERS_FIRST:
            pid = self.stack.members()[seat.service][seat.index].pid
            assert _program_of(pid) == str(release.python)

    async def _in_starter(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.starter, work)


@asynccontextmanager
async def rolling_stack(home: Path, last: Release) -> AsyncIterator[RollingStack]:
    """Give a stack that is not started yet; it is stopped at the end.

    It is started from a thread that lives as long: meanwhile the loop serves the receivers of webhooks.
    """
    with ThreadPoolExecutor(1) as starter:
        stack = RollingStack(home, last, starter)
        try:
            yield stack
        finally:
            await stack.stop()


def _environment_of(pid: int) -> dict[str, str]:
    entries = Path(f"/proc/{pid}/environ").read_text().rstrip("\0").split("\0")
    return dict(entry.split("=", 1) for entry in entries)


def _program_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0]
