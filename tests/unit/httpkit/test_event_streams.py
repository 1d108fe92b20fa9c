"""Event streams: their form, their bounds and their end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiohttp import ClientResponse, ClientSession, web
from prometheus_client import CollectorRegistry, generate_latest

from httpkit.middleware.http_metrics import new_registry
from httpkit.routes import Route
from httpkit.server.app_server import build_app, serving
from httpkit.server.health import Health
from httpkit.settings import StreamSettings
from httpkit.streaming.event_slot import EventSlot, ServerEvent
from httpkit.streaming.event_stream import TIMING, StreamTiming, last_event_id, send_events
from httpkit.streaming.open_streams import OpenStreams
from tests.support.event_streams import HEARTBEAT, Event, EventStream
from tests.support.waiting import wait_until
from tests.unit.httpkit.conftest import HTTP

QUICK = StreamTiming(heartbeat_s=0.05, lifetime_s=(30.0, 30.0))
LIMITS = StreamSettings(per_address=2, per_replica=3)


@dataclass
class Streaming:
    """A server with one stream for each request to `/stream`."""

    url: str
    http: ClientSession
    registry: CollectorRegistry
    slots: list[EventSlot]

    def metric(self, line: str) -> bool:
        """Say whether the metrics have a line."""
        return line in generate_latest(self.registry).decode().splitlines()

    @property
    def open(self) -> int:
        """How many streams are open, as the metrics say."""
        return int(self.registry.get_sample_value("waybill_streams_open") or 0)


@asynccontextmanager
async def streaming(timing: StreamTiming = QUICK) -> AsyncIterator[Streaming]:
    registry = new_registry("test")
    streams = OpenStreams(LIMITS, registry)
    slots: list[EventSlot] = []

    async def stream(request: web.Request) -> web.StreamResponse:
        slot = EventSlot(after=last_event_id(request))
        with streams.admit(request, slot):
            slots.append(slot)
            return await send_events(request, slot, timing=timing)

    routes = [Route("GET", "/stream", stream, None, is_json=False)]
    http = HTTP.model_copy(update={"trusted_proxies": 1, "shutdown_timeout_s": 5.0})
    app = build_app(http, routes, health=Health({}), registry=registry)
    app.on_shutdown.append(streams.close_all)
    async with ClientSession() as session, serving(app, http) as runner:
        host, port = runner.addresses[0]
        yield Streaming(f"http://{host}:{port}/stream", session, registry, slots)


def event(number: int) -> ServerEvent:
    return ServerEvent(number, b'{"version":%d}' % number)


async def test_stream_has_the_form_of_server_sent_events() -> None:
    async with streaming() as server, server.http.get(server.url) as response:
        stream = EventStream(response)
        server.slots[0].put(event(3))

        assert await stream.event() == Event(3, {"version": 3})
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/event-stream"
        assert response.headers["Cache-Control"] == "no-store, no-transform"
        assert response.headers["X-Accel-Buffering"] == "no"
        assert 1_000 <= (stream.retry_ms or 0) <= 2_000


async def test_quiet_stream_begins_at_once_and_sends_heartbeats() -> None:
    async with streaming() as server, server.http.get(server.url) as response:
        stream = EventStream(response)
        assert (await stream.block() or "").startswith("retry: ")
        assert [await stream.block() for _ in range(3)] == [HEARTBEAT] * 3


async def test_stream_sends_the_newest_event_alone() -> None:
    slot = EventSlot()
    for number in (1, 2, 4, 3, 4):
        slot.put(event(number))

    assert await slot.take(0.01) == event(4)
    assert await slot.take(0.01) is None


@pytest.mark.parametrize(
    ("known", "sent"),
    [
        ("2", [3]),
        ("3", []),
        ("4", []),
        ("0", [3]),
        ("", [3]),
        ("-4", [3]),
        ("four", [3]),
        ("٤", [3]),
        ("4" * 5_000, [3]),
        ("4.0", [3]),
    ],
)
async def test_client_resumes_after_the_version_that_it_has(known: str, sent: list[int]) -> None:
    quick = StreamTiming(heartbeat_s=0.05, lifetime_s=(0.1, 0.1))
    async with streaming(quick) as server:
        async with server.http.get(server.url, headers={"Last-Event-ID": known}) as response:
            stream = EventStream(response)
            await stream.block()
            server.slots[0].put(event(3))
            first = await stream.event()
        assert [first.id] if first else sent == []


async def test_stream_ends_by_itself() -> None:
    async with streaming(StreamTiming(heartbeat_s=1.0, lifetime_s=(0.05, 0.1))) as server:
        async with server.http.get(server.url) as response:
            assert await EventStream(response).event() is None
        assert server.open == 0


def test_streams_end_within_a_minute_before_the_gateway_ends_them() -> None:
    assert TIMING.heartbeat_s == 15
    assert 45 <= TIMING.lifetime_s[0] < TIMING.lifetime_s[1] < 60


async def test_stream_of_a_client_that_has_left_is_closed_at_once() -> None:
    slow = StreamTiming(heartbeat_s=30.0, lifetime_s=(30.0, 30.0))
    async with streaming(slow) as server:
        response = await server.http.get(server.url)
        await EventStream(response).block()
        assert server.open == 1
        response.close()
        await wait_until(lambda: server.open == 0, what="the place is free")


async def test_addresses_have_bounds_of_their_own_and_the_replica_has_one() -> None:
    async with streaming() as server:
        async with (
            await _opened(server, "10.0.0.1"),
            await _opened(server, "10.0.0.1"),
            await _opened(server, "10.0.0.1") as third,
            await _opened(server, "10.0.0.2"),
            await _opened(server, "10.0.0.3") as fourth,
        ):
            assert (third.status, fourth.status) == (503, 503)
            assert int(third.headers["Retry-After"]) > 0
            assert (await third.json())["error"] == "SERVICE_UNAVAILABLE"
            assert server.open == 3
            assert server.metric('waybill_streams_rejected_total{limit="address"} 1.0')
            assert server.metric('waybill_streams_rejected_total{limit="replica"} 1.0')
        await wait_until(lambda: server.open == 0)
        async with await _opened(server, "10.0.0.1") as again:
            assert again.status == 200


async def test_streams_end_at_once_when_the_process_stops() -> None:
    slow = StreamTiming(heartbeat_s=30.0, lifetime_s=(30.0, 30.0))
    begun = asyncio.get_running_loop().time()
    async with ClientSession() as session:
        async with streaming(slow) as server:
            response = await session.get(server.url)
            stream = EventStream(response)
            await stream.block()
        assert await stream.event() is None
    assert asyncio.get_running_loop().time() - begun < 4.0


async def test_head_of_a_stream_has_its_headers_and_no_end_to_wait_for() -> None:
    slow = StreamTiming(heartbeat_s=30.0, lifetime_s=(30.0, 30.0))
    async with streaming(slow) as server, server.http.head(server.url) as response:
        assert (response.status, response.headers["Content-Type"]) == (200, "text/event-stream")


async def test_duration_of_a_stream_ends_where_its_response_begins() -> None:
    async with streaming(StreamTiming(heartbeat_s=1.0, lifetime_s=(0.3, 0.3))) as server:
        async with server.http.get(server.url) as response:
            assert await EventStream(response).event() is None
        labels = {"method": "GET", "route": "/stream", "status": "200"}
        took = server.registry.get_sample_value("http_request_duration_seconds_sum", labels)
        assert took is not None
        assert took < 0.2


async def test_event_after_a_heartbeat_is_sent_as_it_comes() -> None:
    async with streaming() as server, server.http.get(server.url) as response:
        stream = EventStream(response)
        await stream.block()
        assert await stream.block() == HEARTBEAT
        server.slots[0].put(event(1))
        assert await stream.event() == Event(1, {"version": 1})
        server.slots[0].put(event(2))
        assert await stream.event() == Event(2, {"version": 2})


async def test_closed_slot_gives_what_was_put_and_ends() -> None:
    slot = EventSlot()
    slot.put(event(1))
    slot.close()
    assert await slot.take(5.0) == event(1)
    assert slot.is_closed
    assert await slot.take(5.0) is None


async def _opened(server: Streaming, address: str) -> ClientResponse:
    response = await server.http.get(server.url, headers={"X-Forwarded-For": address})
    if response.status == 200:
        await EventStream(response).block()
    return response
