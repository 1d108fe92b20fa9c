"""Live streams through the gateway: as they come, uncompressed, resumed elsewhere, ended within a minute."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing

import aiohttp
import pytest

from domain.shipments.status import Status
from tests.e2e.traffic import event_body, shipment_body
from tests.support.access_table import CALLERS, access_table
from tests.support.api import Api
from tests.support.event_streams import Event, EventStream, followed
from tests.support.extra_replica import extra_replica
from tests.support.stack import RunningStack, StackAddresses, kill
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.stack, pytest.mark.timeout(150)]

CREATED = Event(1, {"version": 1, "current_status": "created"})
PICKED_UP = Event(2, {"version": 2, "current_status": "picked_up"})
IN_WAREHOUSE = Event(3, {"version": 3, "current_status": "in_warehouse"})
NEXT_STATUS_WITHIN_S = 5.0
ROUTES = {route: row for route, row in access_table().items() if route.endswith("/stream")}
UNKNOWN = "99M-20000000000E"
SERVICES = {"query-api": "/shipments/{}/stream", "portal": "/track/{}/stream"}


@pytest.fixture
async def number(admin: Api) -> str:
    return await admin.created(shipment_body("client_001"))


@pytest.fixture
async def http(stack: StackAddresses, tokens: Mapping[str, str]) -> AsyncIterator[aiohttp.ClientSession]:
    """Give connections of an administrator whose client would take compressed bodies."""
    headers = {
        "Accept-Encoding": "gzip, deflate, br, zstd",
        "Authorization": f"Bearer {tokens['admin_user']}",
    }
    async with aiohttp.ClientSession(stack.gateway_url, auto_decompress=False, headers=headers) as session:
        yield session


@pytest.mark.parametrize("path", SERVICES.values())
async def test_changes_come_through_the_gateway_as_they_happen(
    http: aiohttp.ClientSession, driver: Api, number: str, path: str
) -> None:
    async with http.get(path.format(number)) as response:
        stream = EventStream(response)
        assert await stream.event() == CREATED
        begun = time.monotonic()
        await driver.reported(event_body(number, Status.PICKED_UP))
        assert await stream.event(timeout_s=10) == PICKED_UP
        assert time.monotonic() - begun < NEXT_STATUS_WITHIN_S

    assert response.headers["Content-Type"] == "text/event-stream"
    assert "Content-Encoding" not in response.headers
    assert "no-store" in response.headers["Cache-Control"]
    assert "Set-Cookie" not in response.headers


async def test_another_replica_takes_over_when_one_is_killed(
    own_stack: RunningStack, driver: Api, http: aiohttp.ClientSession, number: str
) -> None:
    path = SERVICES["portal"].format(number)
    with extra_replica(own_stack, "portal", "portal-9") as (process, port):
        other = f"http://127.0.0.1:{port}"
        await wait_for(lambda: _is_ready(http, other), timeout_s=30, what="another replica")
        async with http.get(other + path) as response:
            stream = EventStream(response)
            assert await stream.event() == CREATED
            process.kill()
            await driver.reported(event_body(number, Status.PICKED_UP))
            with pytest.raises(aiohttp.ClientError):
                await stream.event()

    begun = time.monotonic()
    async with http.get(path, headers={"Last-Event-ID": "1"}) as response:
        assert await EventStream(response).event() == PICKED_UP
    assert time.monotonic() - begun < NEXT_STATUS_WITHIN_S


async def test_client_that_reconnects_has_the_next_status_after_its_replica_was_killed(
    own_stack: RunningStack, driver: Api, http: aiohttp.ClientSession, number: str
) -> None:
    async with aclosing(followed(http, SERVICES["query-api"].format(number))) as events:
        assert await anext(events) == CREATED
        await asyncio.to_thread(kill, own_stack, "query-api")
        await driver.reported(event_body(number, Status.PICKED_UP))
        async with asyncio.timeout(15):  # with one replica: the time it takes to start another
            assert await anext(events) == PICKED_UP
        await driver.reported(event_body(number, Status.IN_WAREHOUSE))
        async with asyncio.timeout(NEXT_STATUS_WITHIN_S):
            assert await anext(events) == IN_WAREHOUSE


@pytest.mark.parametrize(
    ("route", "caller", "status"),
    [(route, caller, row[place]) for route, row in ROUTES.items() for place, caller in enumerate(CALLERS)],
)
async def test_stream_responds_to_each_caller_as_in_the_table(
    callers: Mapping[str, Api], number: str, route: str, caller: str, status: int
) -> None:
    path = route.removeprefix("GET ").format(number=number, unknown=UNKNOWN)
    response = await callers[caller].ask("HEAD", path)
    assert response.status == status


async def test_number_of_nobody_has_no_stream(http: aiohttp.ClientSession) -> None:
    for typed in (UNKNOWN, "nonsense"):
        async with http.get(f"/track/{typed}/stream") as response:
            assert response.status == 404


async def _is_ready(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(f"{url}/health/ready") as response:
            return response.ok
    except aiohttp.ClientError:
        return False
