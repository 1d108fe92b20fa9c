"""Two regions on this machine: two embedded stacks, and the blocks of docs/multi-region.md to run on them.

The stack of whichever region is active has the same port, as a name in DNS would lead there.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from devstack.client import RunningStack, start_stack
from devstack.store_addresses import addresses_in
from devstack.supervision.die_with_parent import dying_with_parent
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from storage.mongo.database import Database, open_database
from storage.mongo.schema import PARTITION_FENCES
from storage.settings import MongoSettings
from tests.faults.proxied_stack import DATABASE
from tests.faults.regions.mirror import ROOT, mirror_program
from tests.support.pages import blocks
from tests.support.ports import unused_port
from tests.support.topics import read_topic
from tests.support.waiting import wait_for

T = TypeVar("T")
Process = subprocess.Popen[bytes]

PAGE: Final = "docs/multi-region.md"
DONE_WITHIN_S: Final = 120.0
_ENDS_WITHIN_S: Final = 20.0
_SECRET: Final = "of-both-regions-" * 3
_SMALL: Final = {
    "ENV": "development",
    "JWT_SECRET": _SECRET,
    "LIMIT_SHIPMENT_PER_HOUR": "1000000",
    "WAYBILL_KAFKA_HEAP_MB": "256",
    # As for three brokers: JVMs that never live long.
    "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1",
}


def block(name: str) -> str:
    """Return the commands of the page that operators run at a step."""
    [found] = [each.text for each in blocks(PAGE) if each.note.endswith(f"make region-drill runs it: {name}")]
    return found


@dataclass(slots=True)
class Region:
    """One region: its home, and its stack while it runs."""

    home: Path
    prefix: str = ""
    stack: RunningStack | None = None

    @property
    def running(self) -> RunningStack:
        """The stack, which must run."""
        assert self.stack is not None
        return self.stack

    @property
    def kafka(self) -> KafkaSettings:
        """Settings of its Kafka."""
        return KafkaSettings(KAFKA_BROKERS=self.running.kafka_brokers, KAFKA_TOPIC_PREFIX=self.prefix)  # type: ignore[call-arg]

    @property
    def log(self) -> dict[str, str]:
        """Settings of its log: the prefix of the topics, and a group that has never read another one."""
        return {"KAFKA_TOPIC_PREFIX": self.prefix, "PROCESSOR_GROUP": f"{self.prefix}waybill-processor"}

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """Give its database."""
        settings = MongoSettings(MONGO_URI=self.running.mongo_uri, MONGO_DB=DATABASE)  # type: ignore[call-arg]
        async with open_database(settings) as database:
            yield database


@dataclass(slots=True)
class Drill:
    """The drill's processes: they end with the thread that starts them, at the latest."""

    root: Path
    port: int = field(default_factory=unused_port)
    _thread: ThreadPoolExecutor = field(default_factory=partial(ThreadPoolExecutor, 1))
    _processes: list[Process] = field(default_factory=list)
    _regions: list[Region] = field(default_factory=list)

    def region(self, name: str) -> Region:
        """Return a region with an empty home."""
        region = Region(self.root / name)
        self._regions.append(region)
        return region

    async def start(self, region: Region, *, stores_only: bool = False) -> None:
        """Start the stack of a region, or its stores alone."""
        env = {**os.environ, **_SMALL, **region.log}
        start = partial(start_stack, region.home, env=env, stores_only=stores_only, port=self.port)
        region.stack = await self._in_thread(start)

    async def stop(self, region: Region) -> None:
        """Stop it in order."""
        await self._in_thread(region.running.stop)
        region.stack = None

    async def lose(self, region: Region) -> None:
        """Kill everything of a region at once; its disks stay."""
        stack = region.running
        children = [member.pid for group in stack.members().values() for member in group]
        for pid in (stack.process.pid, *children):  # the supervisor first, which would restart the others
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await self._in_thread(stack.process.wait)
        region.stack = None

    async def run(self, region: Region, name: str, **variables: str) -> None:
        """Run a block of the page on the stores of a region, to its end."""
        process = await self._spawn(region, block(name), name, variables)
        assert await self._in_thread(process.wait) == 0, (self.root / f"{name}.log").read_text()

    async def begin(self, region: Region, name: str, **variables: str) -> Process:
        """Start a block of the page that runs on: the mirror, a processor."""
        process = await self._spawn(region, block(name), name, variables)
        self._processes.append(process)
        return process

    async def mirror(self, active: Region, passive: Region) -> Process:
        """Start the mirror, in the passive region."""
        brokers = {
            "ACTIVE_BROKERS": active.running.kafka_brokers,
            "PASSIVE_BROKERS": passive.running.kafka_brokers,
        }
        own = {"MIRROR_REPLICAS": "1", "MIRROR_PORT": str(unused_port())}
        return await self.begin(passive, "mirror", **brokers, **own)

    async def end(self, process: Process, number: signal.Signals = signal.SIGTERM) -> None:
        """End what `begin` has started, and all that it has started."""
        self._processes.remove(process)
        with suppress(ProcessLookupError):
            if number is signal.SIGKILL:
                os.killpg(process.pid, number)
            else:  # make passes it on
                os.kill(process.pid, number)
        try:
            await self._in_thread(partial(process.wait, _ENDS_WITHIN_S))
        except subprocess.TimeoutExpired:  # MirrorMaker waits for the brokers that are gone
            os.killpg(process.pid, signal.SIGKILL)
            await self._in_thread(process.wait)

    async def close(self) -> None:
        """End everything."""
        for process in [*self._processes]:
            await self.end(process, signal.SIGKILL)
        for region in self._regions:
            if region.stack is not None:
                await self.stop(region)
        self._thread.shutdown()

    async def _spawn(self, region: Region, script: str, name: str, variables: dict[str, str]) -> Process:
        inherited = {each: value for each, value in os.environ.items() if not each.startswith("MAKE")}
        programs = f"{mirror_program(self.root).parent}:{Path(sys.executable).parent}:{inherited['PATH']}"
        port = {"HOST": "127.0.0.1", "PORT": str(unused_port()), "INSTANCE_ID": f"{region.home.name}-alone"}
        env = {
            **inherited,
            **_SMALL,
            **addresses_in(region.running.home.stack_file),
            **port,
            "WAYBILL_HOME": str(region.home),
            **region.log,
            "PATH": programs,
            **variables,
        }
        command = dying_with_parent(("bash", "-euo", "pipefail", "-c", script), death_signal=signal.SIGTERM)

        def popen() -> Process:
            with (self.root / f"{name}.log").open("ab") as output:
                return subprocess.Popen(  # what the page says
                    command,
                    cwd=ROOT,
                    env=env,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )

        return await self._in_thread(popen)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


@asynccontextmanager
async def drilling(root: Path) -> AsyncIterator[Drill]:
    """Give a drill; whatever it has started ends with the context."""
    drill = Drill(root)
    try:
        yield drill
    finally:
        await drill.close()


async def applied(region: Region) -> None:
    """Wait until the fences of a region are past every record of its log."""
    records = await read_topic(region.kafka, Topics(region.prefix).events)
    ends = {record.partition: record.offset + 1 for record in records}
    name = Topics(region.prefix).events

    async def done() -> bool:
        async with region.database() as database:
            fences = {each["_id"]: each["next_offset"] async for each in database[PARTITION_FENCES].find()}
        return all(fences.get(f"{name}/{number}", 0) >= end for number, end in ends.items())

    await wait_for(done, timeout_s=DONE_WITHIN_S, what="all records applied")


async def mirrored(source: Region, target: Region) -> None:
    """Wait until the target's log has all records that the source's has now."""
    wanted = await keys(source)

    async def done() -> bool:
        return not wanted - await keys(target)

    await wait_for(done, timeout_s=DONE_WITHIN_S, what="the end of the mirror")


async def keys(region: Region) -> Counter[tuple[int, bytes]]:
    """Return the records of a region's log, by partition and bytes; some are sent twice at once."""
    records = await read_topic(region.kafka, Topics(region.prefix).events)
    return Counter((record.partition, record.value) for record in records)
