"""Output of a start: a line per part, notices, the banner; notices also go to a file."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from devstack.console.printable import printable


class Screen(Console):
    """A console that goes quiet when nobody reads it any more; rich's own would end the program."""

    def on_broken_pipe(self) -> None:
        """Stop printing."""
        self.quiet = True


class StackConsole:
    """Progress of a start and later events, on a console and in `supervisor.log`."""

    def __init__(self, console: Console, *, file: Path) -> None:
        self._console = console
        self._file = file
        self._waiting: dict[str, float] = {}
        self._live: Live | None = None

    @contextmanager
    def progress(self) -> Iterator[None]:
        """Show what is being waited for, on a terminal, until the block ends."""
        if not self._console.is_terminal:
            yield
            return
        with Live(get_renderable=self._pending, console=self._console, transient=True) as self._live:
            yield
        self._live = None

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Print how long the block took; a failure prints nothing, since the error does."""
        begun = time.monotonic()
        self._waiting[name] = begun
        if self._live is None:
            self._say(f"  {name:<16}starting")
        try:
            yield
        finally:
            del self._waiting[name]
        self._say(f"  {name:<16}ready {time.monotonic() - begun:5.1f} s")

    def note(self, text: str) -> None:
        """Print an event, with its time."""
        text = printable(text)
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with suppress(OSError), self._file.open("a") as file:  # a full disk must not take the stack down
            file.write(f"{now} {text}\n")
        self._say(f"{now} {text}")

    def say(self, text: str) -> None:
        """Print a text as it is."""
        self._say(text)

    def _say(self, text: str) -> None:
        with suppress(OSError):  # a closed terminal must not take the stack down
            self._console.print(Text(text), soft_wrap=True)

    def _pending(self) -> Table:
        table = Table.grid(padding=(0, 1))
        now = time.monotonic()
        for name, begun in self._waiting.items():
            table.add_row(f"  {name:<15}", Text(f"starting {now - begun:2.0f} s", style="yellow"))
        return table
