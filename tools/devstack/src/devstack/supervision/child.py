"""One supervised child process: start until ready, wait for its exit, stop."""

import asyncio
import os
import signal
from asyncio.subprocess import Process
from contextlib import suppress

from devstack.errors import PartFailedError, PrerequisiteError, StackError
from devstack.home.programs import explain_death
from devstack.home.stack_file import Member
from devstack.supervision.launcher import Launcher, describe_exit, kill_group, rotate, tail
from devstack.supervision.part import NotReadyError, Part

_POLL_S = 0.05


class Child:
    """A part with its process, running or about to."""

    def __init__(self, part: Part, launcher: Launcher) -> None:
        self.part = part
        self._launcher = launcher
        self._process: Process | None = None
        self._member: Member | None = None

    @property
    def pid(self) -> int:
        """The process id of the last start, ready or not."""
        return self._started.pid

    @property
    def running(self) -> bool:
        """Whether a process of this child exists now."""
        return self._process is not None and self._process.returncode is None

    @property
    def member(self) -> Member:
        """The child's entry in `stack.json`: the last process that was ready."""
        if self._member is None:
            raise RuntimeError(f"{self.part.name} was never ready")
        return self._member

    async def start(self) -> None:
        """Start the process and wait until its server is ready.

        Raises:
            PartFailedError: it died, or was not ready in time.
            PrerequisiteError: it died because the machine lacks something.
        """
        rotate(self._launcher.log(self.part.name))
        self._process = await self._launcher.spawn(
            self.part.name, self.part.command, environment=self.part.environment
        )
        death = asyncio.create_task(self._process.wait())
        readiness = asyncio.create_task(self._until_ready())
        try:
            await asyncio.wait((death, readiness), return_when=asyncio.FIRST_COMPLETED)
            if death.done():
                raise self._explain(death.result())
            readiness.result()
            self._member = Member(pid=self.pid, port=self.part.port)
        finally:
            death.cancel()
            readiness.cancel()
            await asyncio.gather(death, readiness, return_exceptions=True)

    async def wait(self) -> int:
        """Wait until the process ends and return its exit code, negative for a signal."""
        return await self._started.wait()

    async def stop(self) -> bool:
        """Terminate the process, kill it if it does not end in time; True if it ended by itself."""
        if not self.running:
            return True
        process = self._started
        # Not by process.send_signal: that polls first, and may so take the exit code from asyncio's watcher.
        with suppress(ProcessLookupError):
            os.kill(process.pid, self.part.stop_signal)
            os.kill(process.pid, signal.SIGCONT)  # one that is paused would not notice
        try:
            await asyncio.wait_for(process.wait(), self.part.drain_timeout_s)
        except TimeoutError:
            self.kill()
            await process.wait()
            return False
        kill_group(process.pid)  # what it may have left behind
        return True

    def kill(self) -> None:
        """Kill the process and its descendants; does not wait."""
        if self.running:
            kill_group(self._started.pid)

    @property
    def _started(self) -> Process:
        if self._process is None:
            raise RuntimeError(f"{self.part.name} was never started")
        return self._process

    async def _until_ready(self) -> None:
        last = "no answer"
        try:
            async with asyncio.timeout(self.part.ready_timeout_s):
                while True:
                    try:
                        return await self.part.probe()
                    except NotReadyError as exc:
                        last = str(exc)
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            raise PartFailedError(
                f"{self.part.name} was not ready after {self.part.ready_timeout_s:.0f} s: {last}",
                details=tail(self._launcher.log(self.part.name)),
            ) from None

    def _explain(self, code: int) -> StackError:
        lines = tail(self._launcher.log(self.part.name))
        if reason := explain_death(self.part.name, exit_code=code, log_tail=lines):
            return PrerequisiteError(reason)
        return PartFailedError(f"{self.part.name} died at its start: {describe_exit(code)}", details=lines)
