"""Processes under measurement beside a stack: contenders, simulated processors, the bare handler."""

import os
import signal
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Final

from devstack.client import RunningStack
from devstack.supervision.die_with_parent import dying_with_parent

ROOT: Final = Path(__file__).parents[1]
END_S: Final = 20.0

Process = subprocess.Popen[bytes]


def processor_environment(stack: RunningStack, *, prefix: str, group: str) -> dict[str, str]:
    """Return the environment of a processor of its own group, on the stack's servers."""
    return {
        **os.environ,
        "ENV": "development",
        "KAFKA_BROKERS": stack.kafka_brokers,
        "KAFKA_TOPIC_PREFIX": prefix,
        "LOG_LEVEL": "error",
        "MONGO_URI": stack.mongo_uri,
        "PORT": "0",
        "PROCESSOR_GROUP": group,
        "PYTHONPATH": str(ROOT),  # `python -m bench…` finds its module from anywhere
        "REDIS_ADDR": stack.redis_addr,
    }


def start(
    command: tuple[str, ...],
    *,
    environment: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    output: IO[bytes] | None = None,
) -> Process:
    """Start a process that ends with this one."""
    return subprocess.Popen(
        dying_with_parent(command, death_signal=signal.SIGKILL),
        env=environment,
        cwd=cwd,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )


def end(processes: Iterable[Process]) -> None:
    """End processes, all at once; one that has not ended in time is killed."""
    ending = list(processes)
    for process in ending:
        process.terminate()
    for process in ending:
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
