"""GET /track/{tracking_number}/stream."""

import asyncio

import pytest

from domain.shipments.status import Status
from domain.shipments.tracking_number import NOBODY, is_tracking_number, number_to_find
from tests.support.builders import NUMBER, RECORDED_AT, consumed_all, creation, ends_at, plan_for
from tests.support.event_streams import Event, EventStream
from tests.support.fakes import InMemoryShipmentStore
from tests.unit.portal.conftest import Client, World


@pytest.fixture(autouse=True)
async def shipment(world: World) -> None:
    store = InMemoryShipmentStore(world.documents)
    fence = await store.acquire("shipments.events/0", owner="test", end_offset=ends_at(0))
    await store.commit([(fence, plan_for(consumed_all(creation())))], recorded_at=RECORDED_AT)


@pytest.mark.parametrize("typed", [NUMBER, NUMBER.lower()])
async def test_anybody_with_the_number_follows_a_shipment(portal: Client, world: World, typed: str) -> None:
    response = await portal.get(f"/track/{typed}/stream")
    stream = EventStream(response)

    assert await stream.event() == Event(1, {"version": 1, "current_status": "created"})
    world.changes.tell(NUMBER, 2, Status.PICKED_UP)
    assert await stream.event() == Event(2, {"version": 2, "current_status": "picked_up"})

    assert response.headers["Cache-Control"] == "no-store, no-transform"
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert "Set-Cookie" not in response.headers
    response.close()


@pytest.mark.parametrize(
    "typed", ["99M-7N2K4C9QX1T5", NUMBER[:-1], "nonsense", "9" * 4_000, "%00", "%ED%A0%80"]
)
async def test_what_is_not_there_cannot_be_followed(portal: Client, world: World, typed: str) -> None:
    response = await portal.get(f"/track/{typed}/stream")

    assert response.status == 404
    assert not any(world.changes.listeners.values())


@pytest.mark.parametrize("typed", ["", "nonsense", NUMBER[:-1], "\0", "\ud800", NUMBER + "0"])
def test_any_text_has_one_number_to_look_up(typed: str) -> None:
    assert number_to_find(typed) == NOBODY


def test_number_of_nobody_is_none_that_a_shipment_can_have() -> None:
    assert not is_tracking_number(NOBODY)
    assert number_to_find(NUMBER.lower()) == NUMBER


async def test_streams_end_when_the_replica_stops(portal: Client) -> None:
    stream = EventStream(await portal.get(f"/track/{NUMBER}/stream"))
    await stream.event()

    async with asyncio.timeout(5):
        await portal.server.close()
        assert await stream.event() is None
