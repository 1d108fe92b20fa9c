"""A stack in production's form, under an everyday load, watched by a real Prometheus."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from devstack.client import RunningStack, start_stack
from tests.observability.day import ordinary_day
from tests.support.prometheus import Prometheus, watching

STARTED_WITHIN_S = 240.0
WATCHED_S = 20.0


@dataclass(frozen=True, slots=True)
class Watched:
    """The watched stack and its Prometheus.

    Attributes:
        private: what was sent and must not be written down.
    """

    stack: RunningStack
    prometheus: Prometheus
    private: frozenset[str]


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Give a stack after a day's work, watched from before it began."""
    home = tmp_path_factory.mktemp("observed")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    # Debug, so that what may be written down at all is looked at, too.
    env = {**os.environ, "ENV": "production", "LOG_LEVEL": "debug"}
    with (
        start_stack(home / "stack", env=env, port=port, timeout_s=STARTED_WITHIN_S) as stack,
        watching(stack, home / "prometheus") as prometheus,
    ):
        time.sleep(2)  # a first look at everything, before it happens: a rise needs two
        private = asyncio.run(ordinary_day(stack, for_s=WATCHED_S))
        time.sleep(3)  # a last look
        yield Watched(stack, prometheus, private)
