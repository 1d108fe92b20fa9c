"""Append a command to the log, and wait for what becomes of it."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

from domain.access.permissions import Principal
from domain.ports.core import CommandLog, Reply, ReplyInbox
from domain.shipments.commands import Command
from servicekit.logs import bind_to_request


@dataclass(frozen=True, slots=True)
class SubmissionContext:
    """Who asks for a change, on which condition, and how long they wait for its outcome.

    Attributes:
        wait_s: 0 to be answered as soon as the log has it.
        traceparent: as the request had it; it goes with the command.
        expected_versions: versions of which the shipment must have one, None where any will do.
    """

    principal: Principal
    wait_s: float = 0.0
    traceparent: str | None = None
    expected_versions: tuple[int, ...] | None = None


class CommandSubmitter:
    """The log, with an answer to what is appended."""

    def __init__(self, log: CommandLog, inbox: ReplyInbox) -> None:
        self._log = log
        self._inbox = inbox
        self._waits: set[asyncio.Timeout] = set()
        self._stopping = False

    def stop_waiting(self) -> None:
        """Wait for nothing any more: what is appended has its answer, even if that says nothing yet."""
        self._stopping = True
        for wait in self._waits:
            if not wait.expired():  # its time may be up without its task having run yet
                wait.reschedule(0)

    async def append(self, command: Command, asker: SubmissionContext) -> Reply | None:
        """Append a command; blocks until it is judged, at most `wait_s` after the log has it.

        Returns:
            The answer, None if there is none in time, or no way for one to arrive.

        Raises:
            NotPublished: the log does not hold the command.
            PublishUnknown: the log may hold it.
        """
        bind_to_request(event_id=command.event_id)
        if asker.wait_s <= 0 or not self._inbox.is_open:
            await self._log.append([command], traceparent=asker.traceparent)
            return None
        with self._inbox.expect() as (address, answer):
            await self._log.append([command], reply_to=address, traceparent=asker.traceparent)
            return await self._wait(answer, 0 if self._stopping else asker.wait_s)

    async def _wait(self, answer: Awaitable[Reply], wait_s: float) -> Reply | None:
        try:
            async with asyncio.timeout(wait_s) as wait:
                self._waits.add(wait)
                try:
                    return await answer
                finally:
                    self._waits.discard(wait)
        except TimeoutError:
            return None
