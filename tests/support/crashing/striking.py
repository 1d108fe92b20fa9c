"""Fault injection into a step of a service: its method is replaced by one that does the same, and faults."""

import asyncio
import functools
import inspect
import os
import signal
import time
from collections.abc import Callable
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any, Final, NamedTuple

STALL_S: Final = 8.0
"""Longer than the session timeout of the tests' processors."""


class Act(StrEnum):
    """The fault at a point."""

    KILL = "kill"  # nothing is flushed, closed or said
    FREEZE = "freeze"  # until somebody sends SIGCONT
    STALL = "stall"  # the event loop is blocked for STALL_S
    HANG = "hang"  # the step never ends, the loop continues


class Side(Enum):
    """Side of the step on which the fault occurs."""

    BEFORE = "before"
    AFTER = "after"
    ANSWERED = "answered"  # after the future that the step returned is done


def _always(*_args: object) -> bool:
    return True


class Step(NamedTuple):
    """One step of a service: a method of one of its classes, with the side of the fault.

    Attributes:
        when: asked with the method's own arguments; a call for which it is False is not counted.
    """

    owner: type
    method: str
    side: Side
    when: Callable[..., bool] = _always


def struck(point: Enum, *, on_call: int = 1, act: Act = Act.KILL) -> dict[str, str]:
    """Return the environment of a test build that faults at a point."""
    return {"STRIKE_AT": point.name, "STRIKE_ON": str(on_call), "STRIKE_BY": act.value}


def watched(passed: Path) -> dict[str, str]:
    """Return the environment of a test build that writes the name of each point it passes to a file."""
    return {"NOTE_PASSED_IN": str(passed)}


def arm(step: Step, on_call: int, act: Act = Act.KILL) -> None:
    """Arm the fault for the n-th call of a step."""
    _put_into(step, _Strike(step, on_call, act))


def note(point: Enum, passed: str) -> None:
    """Record the first time that the process passes a point."""
    _put_into(point.value, _Note(point.value, point.name, passed))


def _put_into(step: Step, strike: "_Strike") -> None:
    method = getattr(step.owner, step.method)

    @functools.wraps(method)
    async def struck(*args: Any, **named: Any) -> Any:  # noqa: ANN401  # whatever the method takes and gives
        await strike(Side.BEFORE, args)
        result = await method(*args, **named)
        if step.side is Side.ANSWERED:
            await result
        await strike(Side.ANSWERED, args)
        await strike(Side.AFTER, args)
        return result

    @functools.wraps(method)
    def struck_at_once(*args: Any, **named: Any) -> Any:  # noqa: ANN401  # as above
        strike.at_once(Side.BEFORE, args)
        result = method(*args, **named)
        strike.at_once(Side.AFTER, args)
        return result

    setattr(step.owner, step.method, struck if inspect.iscoroutinefunction(method) else struck_at_once)


class _Strike:
    """Fault on the n-th call, once."""

    def __init__(self, step: Step, on_call: int, act: Act) -> None:
        self._step = step
        self._left = on_call
        self._act = act

    async def __call__(self, side: Side, args: tuple[Any, ...]) -> None:
        if self._is_due(side, args):
            if self._act is Act.HANG:
                await asyncio.Event().wait()
            _act(self._act)

    def at_once(self, side: Side, args: tuple[Any, ...]) -> None:
        if self._is_due(side, args):
            _act(self._act)

    def _is_due(self, side: Side, args: tuple[Any, ...]) -> bool:
        if side is not self._step.side or not self._step.when(*args):
            return False
        self._left -= 1
        return self._left == 0


class _Note(_Strike):
    """Writer of a point's name, instead of a fault."""

    def __init__(self, step: Step, name: str, passed: str) -> None:
        super().__init__(step, 1, Act.KILL)
        self._name = name
        self._passed = Path(passed)

    async def __call__(self, side: Side, args: tuple[Any, ...]) -> None:
        self.at_once(side, args)

    def at_once(self, side: Side, args: tuple[Any, ...]) -> None:
        if self._is_due(side, args):
            with self._passed.open("a") as passed:
                passed.write(f"{self._name}\n")


def _act(act: Act) -> None:
    if act is Act.STALL:
        time.sleep(STALL_S)
    else:
        os.kill(os.getpid(), signal.SIGSTOP if act is Act.FREEZE else signal.SIGKILL)
