"""A reader of event streams, as strict as the standard: blocks of lines, each with a field or a comment."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession

HEARTBEAT = ":"
DEFAULT_RETRY_MS = 1_000
LIFE_S = 60.0


@dataclass(frozen=True, slots=True)
class Event:
    """One event."""

    id: int
    data: dict[str, Any]


class EventStream:
    """The blocks of a response, in their order.

    Attributes:
        retry_ms: what the server has asked for last.
    """

    def __init__(self, response: ClientResponse) -> None:
        self.retry_ms: int | None = None
        self._response = response

    async def block(self, *, timeout_s: float = 5.0) -> str | None:
        """Return the next block without its end, or None at the end of the stream.

        Raises:
            TimeoutError: there was none in time.
        """
        async with asyncio.timeout(timeout_s):
            lines: list[str] = []
            while line := await self._response.content.readline():
                if line == b"\n":
                    return "\n".join(lines)
                lines.append(line.decode().removesuffix("\n"))
        assert not lines, f"the stream ends within a block: {lines}"
        return None

    async def event(self, *, timeout_s: float = 5.0) -> Event | None:
        """Return the next event, past heartbeats; None at the end of the stream."""
        async with asyncio.timeout(timeout_s):
            while (block := await self.block(timeout_s=timeout_s)) is not None:
                fields = dict(line.split(": ", 1) for line in block.splitlines() if line != HEARTBEAT)
                if "retry" in fields:
                    self.retry_ms = int(fields["retry"])
                if "data" in fields:
                    return Event(int(fields["id"]), json.loads(fields["data"]))
        return None


async def followed(
    http: ClientSession, url: str, *, headers: Mapping[str, str] = MappingProxyType({})
) -> AsyncGenerator[Event, None]:
    """Follow a stream as our page does: reconnect when it ends or cannot be opened, resume by version."""
    known: dict[str, str] = {}
    while True:
        retry_ms = DEFAULT_RETRY_MS
        with suppress(ClientError, TimeoutError):
            async with http.get(url, headers={**headers, **known}) as response:
                stream = EventStream(response)
                while response.status == HTTPStatus.OK and (event := await stream.event(timeout_s=LIFE_S)):
                    known["Last-Event-ID"] = str(event.id)
                    yield event
                retry_ms = stream.retry_ms or retry_ms
        await asyncio.sleep(retry_ms / 1000)
