"""The place of the one event that a stream has still to send."""

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """An event of a stream: its id, by which a client resumes, and its data, one line."""

    id: int
    data: bytes


class EventSlot:
    """Holds the newest event until it is sent; a newer one replaces it, an older one is dropped.

    Attributes:
        is_closed: the stream ends as soon as it can.
    """

    def __init__(self, *, after: int | None = None) -> None:
        """Create it, for a client that has the events up to `after`; None: it has none."""
        self.is_closed = False
        self._last_id = -1 if after is None else after
        self._waiting: ServerEvent | None = None
        self._changed = asyncio.Event()

    def put(self, event: ServerEvent) -> None:
        """Put an event; dropped unless its id is higher than that of every event before it."""
        if event.id > self._last_id:
            self._last_id = event.id
            self._waiting = event
            self._changed.set()

    def close(self) -> None:
        """End the stream."""
        self.is_closed = True
        self._changed.set()

    async def take(self, timeout_s: float) -> ServerEvent | None:
        """Return the event as soon as there is one; None at the timeout, or when the slot is closed."""
        if not self._changed.is_set():
            try:
                async with asyncio.timeout(timeout_s):
                    await self._changed.wait()
            except TimeoutError:
                return None
        event, self._waiting = self._waiting, None
        if not self.is_closed:
            self._changed.clear()
        return event
