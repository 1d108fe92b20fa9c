"""Description of a program for the supervisor: how to start it and how to probe its readiness."""

import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field


class NotReadyError(Exception):
    """The server is not ready yet; the text says why."""


Probe = Callable[[], Awaitable[None]]
"""Asks the server once; raises `NotReadyError` while it is not ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Description of one child process; `group` is its key in `stack.json`, `name` is unique."""

    group: str
    name: str
    command: tuple[str, ...]
    port: int
    probe: Probe
    environment: Mapping[str, str] = field(default_factory=dict)
    ready_timeout_s: float = 60.0
    stop_signal: signal.Signals = signal.SIGTERM
    drain_timeout_s: float = 20.0
