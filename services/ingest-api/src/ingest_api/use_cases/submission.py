"""Submission of commands to the log, with a wait for the outcome."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

from domain.access.permissions import Principal
from domain.ports.core import CommandLog, Reply, ReplyInbox
from domain.shipments.commands import Command
from servicekit.logs import bind_to_request


@dataclass(frozen=True, slots=True)
class SubmissionContext:
    """The caller of a change, its preconditions, and the wait for its outcome.

    Attributes:
        wait_s: 0 to return as soon as the log has the command.
        traceparent: as the request had it; it is sent with the command.
        expected_versions: versions of which the shipment must have one; None for any.
    """

    principal: Principal
    wait_s: float = 0.0
    traceparent: str | None = None
    expected_versions: tuple[int, ...] | None = None


class CommandSubmitter:
    """Appends commands to the log and waits for the processor's replies."""

    def __init__(self, log: CommandLog, inbox: ReplyInbox) -> None:
        self._log = log
        self._inbox = inbox
        self._waits: set[asyncio.Timeout] = set()
        self._stopping = False

    def stop_waiting(self) -> None:
        """End all waits, now and in future: appends return without a reply."""
        self._stopping = True
        for wait in self._waits:
            if not wait.expired():  # it may have expired without its task having run yet
                wait.reschedule(0)

    async def append(self, command: Command, context: SubmissionContext) -> Reply | None:
        """Append a command and wait for its reply, at most `wait_s` after the log has it.

        Returns:
            The reply; None if none arrives in time, or the inbox is closed.

        Raises:
            NotPublished: the log does not hold the command.
            PublishUnknown: the log may hold it.
        """
        bind_to_request(event_id=command.event_id)
        if context.wait_s <= 0 or not self._inbox.is_open:
            await self._log.append([command], traceparent=context.traceparent)
            return None
        with self._inbox.expect() as (address, reply):
            await self._log.append([command], reply_to=address, traceparent=context.traceparent)
            return await self._wait(reply, 0 if self._stopping else context.wait_s)

    async def _wait(self, reply: Awaitable[Reply], wait_s: float) -> Reply | None:
        try:
            async with asyncio.timeout(wait_s) as wait:
                self._waits.add(wait)
                try:
                    return await reply
                finally:
                    self._waits.discard(wait)
        except TimeoutError:
            return None
