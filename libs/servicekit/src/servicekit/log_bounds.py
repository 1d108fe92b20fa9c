"""Rate limit of the log: some lines of each name per second, the rest is counted."""

import asyncio
import contextvars
import logging
import time
from collections.abc import Callable
from typing import Final

import structlog
from structlog.typing import EventDict, WrappedLogger

LINES_PER_S: Final = 10
MOST_NAMES: Final = 1000
SUPPRESSED: Final = "lines_suppressed"

_WINDOW_S: Final = 1.0
_log = structlog.get_logger(__name__)


class LogRateLimit:
    """Rate limit of `LINES_PER_S` lines per name and second; one line then reports the number suppressed.

    Lines of level debug always pass: the level was chosen to see them all.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._windows: dict[str, _Window] = {}

    def __call__(self, _logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """Pass or drop a line; a processor of structlog.

        Raises:
            DropEvent: the limit of its name is reached for this second.
        """
        if method != "debug" and event["event"] != SUPPRESSED and not self.passes(str(event["event"])):
            raise structlog.DropEvent
        return event

    def filter(self, record: logging.LogRecord) -> bool:
        """Pass or drop a line of a library, named by its message without values; a filter of `logging`."""
        return self.passes(f"{record.name}: {record.msg}")

    def passes(self, name: str) -> bool:
        """Count a line and return whether it may be written."""
        now_s = self._clock()
        window = self._windows.get(name)
        if window is None or now_s - window.since_s >= _WINDOW_S:
            self._report_suppressed(name)
            if len(self._windows) >= MOST_NAMES:
                self._windows.clear()
            window = self._windows[name] = _Window(now_s)
        window.lines += 1
        if window.lines == LINES_PER_S + 1:
            self._report_later(name)
        return window.lines <= LINES_PER_S

    def _report_later(self, name: str) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # reported with the next line of that name
        # In a context of its own: the fields of the current request do not belong to the others' lines.
        loop.call_later(_WINDOW_S, self._report_suppressed, name, context=contextvars.Context())

    def _report_suppressed(self, name: str) -> None:
        window = self._windows.pop(name, None)
        if window is not None and window.lines > LINES_PER_S:
            _log.warning(SUPPRESSED, line=name, count=window.lines - LINES_PER_S)


class _Window:
    __slots__ = ("lines", "since_s")

    def __init__(self, since_s: float) -> None:
        self.since_s = since_s
        self.lines = 0
