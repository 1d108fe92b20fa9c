"""Death between two statements: a process kills itself before the n-th statement of some modules."""

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

Place = tuple[str, int]


@contextmanager
def traced(folder: str, on_statement: Callable[[Place], None]) -> Iterator[None]:
    """Call `on_statement` before each statement of the modules below `folder`."""

    def local(frame: FrameType, event: str, _arg: Any) -> Any:  # noqa: ANN401  # as `sys.settrace` has it
        if event == "line":
            on_statement((frame.f_code.co_filename, frame.f_lineno))
        return local

    def enter(frame: FrameType, _event: str, _arg: Any) -> Any:  # noqa: ANN401  # as above
        return local if frame.f_code.co_filename.startswith(folder) else None

    sys.settrace(enter)
    try:
        yield
    finally:
        sys.settrace(None)


def statements_of(folder: str, work: Callable[[], object]) -> list[Place]:
    """Return the statements that `work` runs, in their order."""
    places: list[Place] = []
    with traced(folder, places.append):
        work()
    return places


def visits_up_to(most: int, places: list[Place]) -> list[int]:
    """Return the indexes of the statements that have run fewer than `most` times before."""
    seen: Counter[Place] = Counter()
    kept = []
    for index, place in enumerate(places):
        seen[place] += 1
        if seen[place] <= most:
            kept.append(index)
    return kept


def die_at(index: int, folder: str, work: Callable[[], object]) -> None:
    """Do `work`, and kill this process before its statement number `index`."""
    left = index

    def count(_place: Place) -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    with traced(folder, count):
        work()


def forked(work: Callable[[], object]) -> int:
    """Do `work` in a fork of this process, which must have no threads; return its wait status."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        work()
    except BaseException:  # noqa: BLE001  # the fork must not go on with its parent's work
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)
