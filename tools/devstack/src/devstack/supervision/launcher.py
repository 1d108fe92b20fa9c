"""Launcher of programs in their own session, tied to this process, with a log file each."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, Process
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from devstack.errors import PartFailedError
from devstack.supervision.die_with_parent import dying_with_parent

LARGEST_LOG_BYTES = 20_000_000
_BLOCK_BYTES = 1 << 20
KEPT_LOGS = 3
_TAIL_LINES = 8
# Of a foreign locale Java would take the names of files, and mongod its end if the machine does not have it.
_UTF_8 = {"LC_ALL": "C.UTF-8"}
_TAIL_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class Launcher:
    """Launcher of children; call it from the main thread, whose death ends them."""

    logs: Path
    environment: Mapping[str, str]
    lock: int
    largest_log_bytes: int = LARGEST_LOG_BYTES

    def bound_logs(self) -> None:
        """Rotate all logs that have grown large; blocks while they are copied."""
        for log in self.logs.glob("*.log"):
            rotate(log, largest_bytes=self.largest_log_bytes)

    def log(self, name: str) -> Path:
        """Return the log file of the child `name`."""
        return self.logs / f"{name}.log"

    async def spawn(self, name: str, command: tuple[str, ...], *, environment: Mapping[str, str]) -> Process:
        """Start `command` with its output appended to its log; does not wait for it."""
        with self.log(name).open("ab") as output:
            return await asyncio.create_subprocess_exec(
                *dying_with_parent(command, death_signal=signal.SIGKILL),
                stdin=DEVNULL,
                stdout=output,
                stderr=output,
                env={**self.environment, **environment, **_UTF_8},
                start_new_session=True,  # so that Ctrl-C in the terminal reaches the supervisor only
                pass_fds=(self.lock,),
            )

    async def run(self, name: str, command: tuple[str, ...], *, environment: Mapping[str, str]) -> None:
        """Run `command` to its end.

        Raises:
            PartFailedError: it ended with another code than 0.
        """
        rotate(self.log(name))
        process = await self.spawn(name, command, environment=environment)
        try:
            code = await process.wait()
        finally:
            kill_group(process.pid)
            await process.wait()  # else its end is reported to a loop that is closed by then
        if code != 0:
            raise PartFailedError(f"{name} failed: {describe_exit(code)}", details=tail(self.log(name)))


def describe_exit(code: int) -> str:
    """Describe in words how a process ended."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def kill_group(pid: int) -> None:
    """Send SIGKILL to the session that `pid` leads, if any process of it is left."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def rotate(log: Path, *, largest_bytes: int = LARGEST_LOG_BYTES) -> None:
    """Rotate a log that has grown large to `.1`; `.1` becomes `.2`, and so on up to `KEPT_LOGS`.

    It is copied and truncated, because its program has it open; output of the microseconds between the last
    read and the truncation is lost. A missing log is ignored.
    """
    with suppress(FileNotFoundError):
        if log.stat().st_size <= largest_bytes:
            return
        for number in range(KEPT_LOGS - 1, 0, -1):
            with suppress(FileNotFoundError):
                _aside(log, number).replace(_aside(log, number + 1))
        with log.open("rb") as written, _aside(log, 1).open("wb") as kept:
            while block := written.read(_BLOCK_BYTES):  # to the end, also of what comes meanwhile
                kept.write(block)
            os.truncate(log, 0)


def _aside(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")


def tail(log: Path) -> tuple[str, ...]:
    """Return the last lines of a log that are not blank."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    return tuple(deque((line for line in lines if line.strip()), maxlen=_TAIL_LINES))
