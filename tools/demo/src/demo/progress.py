"""Progress of the demo: bars on a terminal, one line per stage anywhere else."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from time import perf_counter
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn
from rich.progress import TimeElapsedColumn as ElapsedColumn

Advance = Callable[[int], None]
"""Callback with the number of newly finished items."""


class Display(Protocol):
    """Display of progress."""

    def stage(self, title: str, total: int) -> AbstractContextManager[Advance]:
        """Show a stage of `total` steps while the context lasts."""


@contextmanager
def display_on(console: Console) -> Iterator[Display]:
    """Show progress on `console`, in the form that fits it."""
    if not console.is_terminal:
        yield PlainDisplay(console)
        return
    columns = (
        TextColumn("{task.description:<24}"),
        BarColumn(),
        TaskProgressColumn(show_speed=True),
        MofNCompleteColumn(),
        ElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield LiveDisplay(progress)


class LiveDisplay:
    """Progress bars."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    @contextmanager
    def stage(self, title: str, total: int) -> Iterator[Advance]:
        """Show a bar of `total` steps."""
        task = self._progress.add_task(title, total=total)
        yield lambda steps: self._progress.advance(task, steps)
        self._progress.stop_task(task)


class PlainDisplay:
    """A line for each stage once it is done."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def stage(self, title: str, total: int) -> Iterator[Advance]:
        """Count `total` steps."""
        done = 0

        def advance(steps: int) -> None:
            nonlocal done
            done += steps

        started = perf_counter()
        yield advance
        self._console.print(f"{title}: {done:,} of {total:,} in {perf_counter() - started:.1f} s")
