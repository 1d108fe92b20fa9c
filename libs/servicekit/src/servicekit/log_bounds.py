"""Keeps a flood of failures from becoming one of lines: some of each name a second, the rest is counted."""

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


class LineBound:
    """Lets `LINES_PER_S` lines of one name pass each second; then one tells how many there were more.

    Lines of the level debug pass: whoever asks for them wants them all.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._windows: dict[str, _Window] = {}

    def __call__(self, _logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """Pass a line, as a processor of structlog.

        Raises:
            DropEvent: enough lines of its name were passed this second.
        """
        if method != "debug" and event["event"] != SUPPRESSED and not self.passes(str(event["event"])):
            raise structlog.DropEvent
        return event

    def filter(self, record: logging.LogRecord) -> bool:
        """Pass a line of a library, as a filter of `logging`; its name is what it says without its values."""
        return self.passes(f"{record.name}: {record.msg}")

    def passes(self, name: str) -> bool:
        """Count a line and say whether it may be written."""
        now_s = self._clock()
        window = self._windows.get(name)
        if window is None or now_s - window.since_s >= _WINDOW_S:
            self._publish_results(name)
            if len(self._windows) >= MOST_NAMES:
                self._windows.clear()
            window = self._windows[name] = _Window(now_s)
        window.lines += 1
        if window.lines == LINES_PER_S + 1:
            self._tell_later(name)
        return window.lines <= LINES_PER_S

    def _tell_later(self, name: str) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # told with the next line of that name
        # In a context of its own: what the request at hand has bound does not speak for the others.
        loop.call_later(_WINDOW_S, self._publish_results, name, context=contextvars.Context())

    def _publish_results(self, name: str) -> None:
        window = self._windows.pop(name, None)
        if window is not None and window.lines > LINES_PER_S:
            _log.warning(SUPPRESSED, line=name, count=window.lines - LINES_PER_S)


class _Window:
    __slots__ = ("lines", "since_s")

    def __init__(self, since_s: float) -> None:
        self.since_s = since_s
        self.lines = 0
