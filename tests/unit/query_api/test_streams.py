"""GET /shipments/{tracking_number}/stream."""

import asyncio
from collections.abc import Collection, Mapping

import pytest

from domain.access.permissions import Principal
from domain.errors import StoreUnavailable
from domain.ports.live import CurrentStatus
from domain.ports.queries import Scope
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber
from tests.support.builders import NUMBER, creation, report
from tests.support.event_streams import Event, EventStream
from tests.support.waiting import wait_until
from tests.unit.query_api.conftest import ADMIN, CLIENT, DRIVER, OTHER_CLIENT, Api, World
from tests.unit.query_api.test_shipments import store

PATH = f"/shipments/{NUMBER}/stream"
PICKED_UP = Event(2, {"version": 2, "current_status": "picked_up"})
IN_TRANSIT = Event(4, {"version": 4, "current_status": "in_transit"})


@pytest.fixture(autouse=True)
async def shipment(world: World) -> None:
    await store(world, [creation(), report(Status.PICKED_UP)])


@pytest.mark.parametrize("who", [ADMIN, CLIENT])
async def test_stream_has_the_status_and_then_each_change(api: Api, world: World, who: Principal) -> None:
    response = await api.get(PATH, who)
    stream = EventStream(response)

    assert await stream.event() == PICKED_UP
    world.changes.tell(NUMBER, 4, Status.IN_TRANSIT)
    assert await stream.event() == IN_TRANSIT
    response.close()


async def test_stream_resumes_after_the_version_that_the_client_has(api: Api, world: World) -> None:
    response = await api.get(PATH, headers={"Last-Event-ID": "2"})
    stream = EventStream(response)
    await stream.block()

    world.changes.tell(NUMBER, 4, Status.IN_TRANSIT)

    assert await stream.event() == IN_TRANSIT
    response.close()


async def test_change_that_comes_while_the_status_is_read_is_not_missed(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = world.statuses.current

    async def read_and_change(
        asked: Collection[TrackingNumber], scope: Scope
    ) -> Mapping[TrackingNumber, CurrentStatus]:
        before = await read(asked, scope)
        world.changes.tell(NUMBER, 4, Status.IN_TRANSIT)
        return before

    monkeypatch.setattr(world.statuses, "current", read_and_change)

    response = await api.get(PATH)
    assert await EventStream(response).event() == IN_TRANSIT
    response.close()


async def test_nobody_listens_when_the_client_has_left(api: Api, world: World) -> None:
    response = await api.get(PATH)
    await EventStream(response).event()
    assert len(world.changes.listeners[NUMBER]) == 1

    response.close()
    for version in range(5, 1_000):  # a server of aiohttp's own notices when it writes
        world.changes.tell(NUMBER, version, Status.IN_TRANSIT)
    await wait_until(lambda: not world.changes.listeners[NUMBER])


@pytest.mark.parametrize(
    ("path", "who", "status", "code"),
    [
        (PATH, OTHER_CLIENT, 403, "FORBIDDEN"),
        (PATH, DRIVER, 403, "FORBIDDEN"),
        (PATH, None, 401, "AUTHENTICATION_REQUIRED"),
        ("/shipments/99M-7N2K4C9QX1T5/stream", ADMIN, 404, "SHIPMENT_NOT_FOUND"),
        ("/shipments/nonsense/stream", ADMIN, 404, "SHIPMENT_NOT_FOUND"),
        (f"{PATH}?from=1", ADMIN, 400, "VALIDATION_ERROR"),
    ],
)
async def test_what_cannot_be_followed_is_an_error_and_no_stream(
    api: Api, world: World, path: str, who: Principal | None, status: int, code: str
) -> None:
    response = await api.get(path, who, headers={"Accept": "text/event-stream"})

    assert (response.status, (await response.json())["error"]) == (status, code)
    assert not any(world.changes.listeners.values())


async def test_stream_is_503_while_the_store_is_away(api: Api, world: World) -> None:
    world.statuses.fail_next("current", StoreUnavailable("away"))

    response = await api.get(PATH)

    assert response.status == 503
    assert response.headers["Retry-After"]
    assert not any(world.changes.listeners.values())


async def test_streams_end_when_the_replica_stops(api: Api) -> None:
    stream = EventStream(await api.get(PATH))
    await stream.event()

    async with asyncio.timeout(5):
        await api.client.server.close()
        assert await stream.event() is None
