"""Live streams of the API."""

import time
from dataclasses import replace
from typing import Final

from httpx2 import EventSource, ServerSentEvent

from waybill._async.connection import AsyncConnection
from waybill.errors import WaybillError
from waybill.transport import Call, log_retry, require_content_type
from waybill.waiting import AsyncStream, async_sleep

FIRST_PAUSE_S: Final = 1.0
"""Pause before connecting again, until the server names one."""
LONGEST_PAUSE_S: Final = 60
SILENCE_S: Final = 45.0
"""Longer than the 15 s between the server's comments."""
LASTED_S: Final = 5.0
"""A stream that lasted as long has worked: its failure is the first one."""
EVENT_STREAM: Final = "text/event-stream"


async def server_sent_events(
    connection: AsyncConnection, call: Call, last_id: str | None
) -> AsyncStream[ServerSentEvent]:
    """Yield the events of a stream without end: whenever it ends or breaks off, it is opened again.

    Args:
        connection: to the API.
        call: opens the stream.
        last_id: id of the last event that the caller has seen; None: none.

    Raises:
        ApiError: the API refuses the stream, or something else answers.
        ConnectionFailed: the stream could not be opened again, after all retries.
    """
    attempts = connection.attempts(call)
    pause_s = FIRST_PAUSE_S
    while True:
        headers = {"Accept": EVENT_STREAM, **({} if last_id is None else {"Last-Event-ID": last_id})}
        delay_s, opened_s = pause_s, None
        try:
            async with connection.stream(replace(call, headers=headers, slow_s=SILENCE_S)) as response:
                require_content_type(response, EVENT_STREAM)
                opened_s = time.monotonic()
                async for event in EventSource(response):
                    attempts = connection.attempts(call)
                    last_id = event.id or last_id
                    if event.retry is not None:
                        pause_s = min(max(event.retry, 0), LONGEST_PAUSE_S * 1000) / 1000
                    delay_s = pause_s
                    if event.data:
                        yield event
            attempts = connection.attempts(call)
        except WaybillError as failure:
            if opened_s is not None and time.monotonic() - opened_s > LASTED_S:
                attempts = connection.attempts(call)
            delay_s = attempts.next_delay_s(failure)
            log_retry(call, failure, delay_s)
        await async_sleep(delay_s)
