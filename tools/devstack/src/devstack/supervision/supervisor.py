"""Supervisor of children: starts them, restarts the dead with backoff, stops them in order."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from devstack.console.terminal import StackConsole
from devstack.errors import StackError
from devstack.home.stack_file import collect, write_members
from devstack.supervision.backoff import Backoff
from devstack.supervision.child import Child
from devstack.supervision.launcher import Launcher, describe_exit
from devstack.supervision.part import Part

LOGS_EVERY_S = 2.0

# What uses something stops before what it uses.
STOP_ORDER: tuple[tuple[str, ...], ...] = (
    ("gateway",),
    ("ingest-api", "processor", "query-api"),
    ("redis-sentinel",),
    ("kafka", "redis", "mongod"),
)


class Supervisor:
    """Owner of every child of one stack."""

    def __init__(self, launcher: Launcher, console: StackConsole, *, stack_file: Path) -> None:
        self._launcher = launcher
        self._console = console
        self._stack_file = stack_file
        self._children: list[Child] = []
        self._keepers: list[asyncio.Task[None]] = []

    async def start(self, part: Part) -> None:
        """Start one part and wait until it is ready.

        Raises:
            StackError: it died or was not ready in time.
        """
        child = Child(part, self._launcher)
        self._children.append(child)
        with self._console.step(part.name):
            await child.start()

    async def end(self, name: str) -> None:
        """Stop one part for good; only before `watch`."""
        [child] = [child for child in self._children if child.part.name == name]
        await self._stop(child)
        self._children.remove(child)

    def watch(self) -> None:
        """Begin to restart children that die, and publish `stack.json`: everything is ready."""
        self._keepers = [asyncio.create_task(self._keep(child)) for child in self._children]
        self._keepers.append(asyncio.create_task(self._bound_logs()))
        self._publish()

    async def broken(self) -> None:
        """Wait forever, unless watching itself fails: then raise its error."""
        await asyncio.gather(*self._keepers)

    async def stop(self) -> None:
        """Stop every child in order; a child that does not end in time is killed."""
        self._stack_file.unlink(missing_ok=True)
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for groups in STOP_ORDER:
            await asyncio.gather(*(self._stop(child) for child in self._in_groups(groups)))

    def kill(self) -> None:
        """Kill every child at once; `stop`, if it is waiting, then returns."""
        for child in self._children:
            child.kill()

    async def _keep(self, child: Child) -> None:
        backoff, up_since = Backoff(), time.monotonic()
        while True:
            code = await child.wait()
            backoff = backoff.after(uptime_s=time.monotonic() - up_since)
            self._console.note(
                f"{child.part.name} (pid {child.pid}) died: {describe_exit(code)};"
                f" restart {backoff.failures} in {backoff.delay_s:.1f} s"
            )
            await asyncio.sleep(backoff.delay_s)
            up_since = time.monotonic()
            if await self._restart(child):
                self._publish()

    async def _bound_logs(self) -> None:
        while True:
            with suppress(OSError):  # a full disk must not take the stack down
                await asyncio.to_thread(self._launcher.bound_logs)
            await asyncio.sleep(LOGS_EVERY_S)

    async def _restart(self, child: Child) -> bool:
        begun = time.monotonic()
        try:
            await child.start()
        except (StackError, OSError) as exc:
            self._console.note(f"restart failed: {exc}")
            child.kill()  # it may live and never become ready
            return False
        took_s = time.monotonic() - begun
        self._console.note(f"{child.part.name} (pid {child.pid}) is ready again after {took_s:.1f} s")
        return True

    async def _stop(self, child: Child) -> None:
        if not await child.stop():
            self._console.note(f"{child.part.name} did not end by itself and was killed")

    def _in_groups(self, groups: Sequence[str]) -> Iterable[Child]:
        return (child for child in self._children if child.part.group in groups)

    def _publish(self) -> None:
        with suppress(OSError):  # a full disk, or a home removed while in use, must not take the stack down
            write_members(
                self._stack_file, collect((child.part.group, child.member) for child in self._children)
            )
