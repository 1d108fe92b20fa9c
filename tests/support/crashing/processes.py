"""Test builds in separate processes, forked from one that has loaded the services: quick to start."""

import multiprocessing
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Final

from tests.support.crashing.builds import run
from tests.support.waiting import wait_for

END_WITHIN_S: Final = 20.0
KILLED: Final = -signal.SIGKILL

_FORKS: Final = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["pytest", "tests.support.crashing.builds"])


@contextmanager
def service_process(service: str, env: Mapping[str, str]) -> Iterator[BaseProcess]:
    """Run a service with this environment, and end it with the context if it still runs."""
    process = _FORKS.Process(target=run, args=(service, dict(env)), name=service, daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.terminate()
        process.join(END_WITHIN_S)
        if process.is_alive():
            process.kill()
            process.join()


def send_signal(process: BaseProcess, number: signal.Signals) -> None:
    """Send a signal to a process that has not ended yet."""
    if process.pid is not None and process.is_alive():
        os.kill(process.pid, number)


async def exit_code(process: BaseProcess, *, timeout_s: float = 30.0) -> int:
    """Wait until a process has ended, and return its exit code."""

    async def ended() -> bool:
        return process.exitcode is not None

    await wait_for(ended, timeout_s=timeout_s, what="the end of a process")
    return int(process.exitcode or 0)
