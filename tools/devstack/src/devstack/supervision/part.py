"""What the supervisor needs to know of a program: how to start it and how to ask whether it is ready."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field


class NotReadyError(Exception):
    """The server does not answer as it should yet; its text says how."""


Probe = Callable[[], Awaitable[None]]
"""Asks the server once; raises `NotReadyError` while it is not ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One child process to be; `group` is its key in `stack.json`, `name` is unique."""

    group: str
    name: str
    command: tuple[str, ...]
    port: int
    probe: Probe
    environment: Mapping[str, str] = field(default_factory=dict)
    ready_timeout_s: float = 60.0
    drain_timeout_s: float = 20.0
