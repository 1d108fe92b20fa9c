"""Event streams through a real HAProxy: at once, as they are, and closed when their client leaves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp
import pytest
from aiohttp import web

from httpkit.middleware.http_metrics import new_registry
from httpkit.routes import Route
from httpkit.server.app_server import build_app, serving
from httpkit.server.health import Health
from httpkit.settings import HttpSettings
from httpkit.streaming.event_slot import EventSlot, ServerEvent
from httpkit.streaming.event_stream import TIMING, StreamTiming, last_event_id, send_events
from tests.integration.devstack.door import open_door
from tests.support.event_streams import HEARTBEAT, Event, EventStream
from tests.support.waiting import wait_until

pytestmark = pytest.mark.stack

PATH: Final = "/track/99M-1/stream"
READ_BODY_S: Final = 20
LONG: Final = StreamTiming(heartbeat_s=8.0, lifetime_s=(READ_BODY_S + 5.0, READ_BODY_S + 5.0))
TAKES_ANY: Final = {"Accept-Encoding": "gzip, deflate, br, zstd"}


@dataclass
class Streams:
    """A gateway with a service of streams behind it."""

    http: aiohttp.ClientSession
    slots: list[EventSlot] = field(default_factory=list)
    open: int = 0


@asynccontextmanager
async def gateway_with_streams(directory: Path, timing: StreamTiming = TIMING) -> AsyncIterator[Streams]:
    async with open_door(directory) as door:
        streams = Streams(door.session)

        async def stream(request: web.Request) -> web.StreamResponse:
            slot = EventSlot(after=last_event_id(request))
            streams.slots.append(slot)
            streams.open += 1
            try:
                return await send_events(request, slot, timing=timing)
            finally:
                streams.open -= 1

        [portal] = door.services["portal"]
        await portal.stop()
        http = HttpSettings(port=portal.port, shutdown_timeout_s=0.1)
        routes = [Route("GET", "/track/{number}/stream", stream, None, is_json=False)]
        app = build_app(http, routes, health=Health({}), registry=new_registry("test"))
        async with serving(app, http):
            yield streams


async def test_stream_comes_at_once_and_as_it_is(tmp_path: Path) -> None:
    async with gateway_with_streams(tmp_path) as streams:
        async with streams.http.get(PATH, headers=TAKES_ANY) as response:
            stream = EventStream(response)
            assert (await stream.block() or "").startswith("retry: ")
            for version in (1, 2, 3):
                streams.slots[0].put(ServerEvent(version, b'{"version":%d}' % version))
                assert await stream.event(timeout_s=2) == Event(version, {"version": version})
        assert "Content-Encoding" not in response.headers
        assert response.headers["Cache-Control"] == "no-store, no-transform"

        async with streams.http.get(PATH, headers={"Last-Event-ID": "7"}) as response:
            await EventStream(response).block()
            streams.slots[1].put(ServerEvent(7, b"{}"))
            streams.slots[1].put(ServerEvent(8, b"{}"))
            assert await EventStream(response).event() == Event(8, {})


async def test_stream_is_closed_when_its_client_leaves(tmp_path: Path) -> None:
    async with gateway_with_streams(tmp_path) as streams:
        response = await streams.http.get(PATH)
        await EventStream(response).block()
        assert streams.open == 1
        response.close()
        await wait_until(lambda: streams.open == 0, timeout_s=5, what="the stream is closed")


async def test_stream_outlives_the_time_of_a_body_and_ends_well(tmp_path: Path) -> None:
    async with gateway_with_streams(tmp_path, LONG) as streams:
        begun = asyncio.get_running_loop().time()
        async with streams.http.get(PATH) as response:
            stream = EventStream(response)
            await stream.block()
            while (block := await stream.block(timeout_s=15)) is not None:
                assert block == HEARTBEAT
        lasted_s = asyncio.get_running_loop().time() - begun

    assert lasted_s > READ_BODY_S
