"""One event stream: a `text/event-stream` response (HTML Living Standard, "Server-sent events").

Proxies must neither buffer nor compress it, and one that ends a response after a minute must not see one:
the stream ends by itself before that, and the client resumes with `Last-Event-ID`, on any replica.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web

from httpkit.middleware.http_metrics import RESPONDED_AT
from httpkit.server.connections import Connection
from httpkit.streaming.event_slot import EventSlot

MEDIA_TYPE: Final = "text/event-stream"

_HEADERS: Final = {
    hdrs.CONTENT_TYPE: MEDIA_TYPE,
    hdrs.CACHE_CONTROL: "no-store, no-transform",  # a proxy that compresses would collect events first
    "X-Accel-Buffering": "no",
}
_HEARTBEAT: Final = b":\n\n"
_LAST_EVENT_ID: Final = "Last-Event-ID"
_MAX_ID_DIGITS: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTiming:
    """Times of a stream; those of many are spread, so that they do not reconnect together.

    Attributes:
        heartbeat_s: a comment is sent when nothing else was for that long.
        lifetime_s: the shortest and the longest life, below the 60 s of Caddy, with a domain.
        retry_ms: the shortest and the longest pause before a client reconnects.
    """

    heartbeat_s: float = 15.0
    lifetime_s: tuple[float, float] = (50.0, 58.0)
    retry_ms: tuple[int, int] = (1_000, 2_000)


TIMING: Final = StreamTiming()


def last_event_id(request: web.Request) -> int | None:
    """Return the id up to which the client has the events; None: it has none, or names none of ours."""
    text = request.headers.get(_LAST_EVENT_ID, "")
    is_id = text.isascii() and text.isdigit() and len(text) <= _MAX_ID_DIGITS
    return int(text) if is_id else None


async def send_events(
    request: web.Request, slot: EventSlot, *, timing: StreamTiming = TIMING
) -> web.StreamResponse:
    """Send what is put into the slot, until it is closed, the client leaves, or the stream's life is over.

    Args:
        request: of the client.
        slot: closed when the client leaves.
        timing: of this stream.
    """
    response = web.StreamResponse(headers=_HEADERS)
    request[RESPONDED_AT] = time.perf_counter()
    try:
        await response.prepare(request)
        if request.method != hdrs.METH_HEAD:
            with _closed_with_connection(request, slot):
                await _send_until_over(response, slot, timing)
            await response.write_eof()
    except ConnectionError:
        pass  # the client has left
    return response


async def _send_until_over(response: web.StreamResponse, slot: EventSlot, timing: StreamTiming) -> None:
    clock = asyncio.get_running_loop().time
    ends_at = clock() + random.uniform(*timing.lifetime_s)  # noqa: S311  # no secret
    await response.write(b"retry: %d\n\n" % random.randint(*timing.retry_ms))  # noqa: S311  # no secret
    while not slot.is_closed and (left_s := ends_at - clock()) > 0:
        event = await slot.take(min(timing.heartbeat_s, left_s))
        if event is not None:
            await response.write(b"id: %d\ndata: %b\n\n" % (event.id, event.data))
        elif not slot.is_closed:
            await response.write(_HEARTBEAT)


@contextlib.contextmanager
def _closed_with_connection(request: web.Request, slot: EventSlot) -> Iterator[None]:
    """Close the slot when the client disconnects, not at the next heartbeat: its place is free at once."""
    connection = request.protocol
    if not isinstance(connection, Connection):
        yield  # a server of aiohttp's own
        return
    connection.when_lost(slot.close)
    try:
        yield
    finally:
        connection.when_lost(None)
