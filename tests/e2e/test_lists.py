"""Lists through the gateway: walks while shipments are added, ranges, trails, compression."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import pytest

from domain.shipments.status import Status
from domain.timestamps import format_timestamp
from tests.e2e.checks import assert_error
from tests.e2e.traffic import event_body, shipment_at, shipment_body
from tests.support.api import Api, Response

pytestmark = pytest.mark.stack

FLEET = 24
NEXT = re.compile(r'<([^>]+)>; rel="next"')


def following(response: Response) -> str | None:
    found = NEXT.search(response.headers["Link"])
    return None if found is None else found[1]


async def walk(caller: Api, path: str) -> AsyncIterator[Response]:
    """Follow the links from page to page."""
    at: str | None = path
    while at is not None:
        response = await caller.get(at)
        assert response.status == 200, response.text
        yield response
        at = following(response)


def numbers_on(response: Response) -> list[str]:
    return [shipment["tracking_number"] for shipment in response.body["data"]]


@pytest.fixture
async def fleet(admin: Api, new_client_id: str) -> Sequence[str]:
    """Give the numbers of a new client's shipments."""
    return await asyncio.gather(*(admin.created(shipment_body(new_client_id)) for _ in range(FLEET)))


@pytest.mark.parametrize(
    "query", ["limit=5", "limit=5&status=created,picked_up", "limit=5&tracking_number=99M-{}"]
)
async def test_a_walk_misses_and_doubles_nothing_while_shipments_are_added(
    admin: Api, new_client: Api, new_client_id: str, fleet: Sequence[str], query: str
) -> None:
    start = fleet[0][4]
    expected = {number for number in fleet if "{}" not in query or number[4] == start}
    walked: list[str] = []
    async for response in walk(new_client, f"/shipments?{query.format(start)}"):
        walked += numbers_on(response)
        await admin.created(shipment_body(new_client_id))
    assert len(walked) == len(set(walked))
    assert set(walked) == expected


async def test_events_do_not_reorder_a_walk(driver: Api, new_client: Api, fleet: Sequence[str]) -> None:
    walked: list[str] = []
    async for response in walk(new_client, "/shipments?limit=7"):
        walked += numbers_on(response)
        ids = await driver.batch_reported([event_body(number, Status.PICKED_UP) for number in walked[-7:]])
        await driver.outcome(ids[-1])
    assert sorted(walked) == sorted(fleet)


async def test_a_cursor_is_only_for_its_list(
    admin: Api, client: Api, new_client: Api, fleet: Sequence[str]
) -> None:
    cursor = (await new_client.get("/shipments?limit=5")).body["pagination"]["next_cursor"]
    assert len(fleet) == FLEET
    assert (await new_client.get(f"/shipments?limit=2&cursor={cursor}")).body["pagination"]["offset"] == 5
    for caller, path in (
        (new_client, f"/shipments?cursor={cursor}&status=created"),
        (new_client, f"/shipments?cursor={cursor}x"),
        (client, f"/shipments?cursor={cursor}"),
        (admin, f"/shipments?cursor={cursor}"),
        (admin, f"/dead-letters?cursor={cursor}"),
    ):
        assert_error(await caller.get(path), 400, "VALIDATION_ERROR", "/cursor")


async def test_ranges_and_prefixes(new_client: Api, driver: Api, fleet: Sequence[str]) -> None:
    [newest] = (await new_client.get("/shipments?limit=1")).body["data"]
    created = newest["created_at"]
    after = format_timestamp(datetime.fromisoformat(created) + timedelta(milliseconds=1))
    number = newest["tracking_number"]
    event = await driver.outcome(await driver.reported(event_body(number, Status.PICKED_UP)))
    for query, found in (
        (f"created_from={created}&created_to={after}&tracking_number={number}", [number]),
        (f"created_from={after}", []),
        (f"updated_from={event['recorded_at']}", [number]),
        (f"tracking_number={number[:10]}", [number]),
        ("status=picked_up,delivered", [number]),
    ):
        response = await new_client.get(f"/shipments?{query}")
        assert numbers_on(response) == found, query
        assert response.body["pagination"]["total"] == len(found)
    response = await new_client.get(f"/shipments?limit=100&updated_to={event['recorded_at']}")
    assert set(numbers_on(response)) == set(fleet) - {number}


async def test_links_hold_the_host_that_the_caller_used(new_client: Api, fleet: Sequence[str]) -> None:
    assert len(fleet) == FLEET
    response = await new_client.get("/shipments?limit=5&offset=5", headers={"Host": "evil.example"})
    assert "evil" not in response.headers["Link"]
    assert '</shipments?limit=5&offset=0>; rel="prev"' in response.headers["Link"]
    assert '</shipments?limit=5>; rel="first"' in response.headers["Link"]
    assert response.headers["Cache-Control"] == "private, no-cache"


async def test_lists_are_compressed(new_client: Api, fleet: Sequence[str]) -> None:
    plain = await new_client.get("/shipments?limit=20", headers={"Accept-Encoding": "identity"})
    packed = await new_client.get("/shipments?limit=20", headers={"Accept-Encoding": "gzip"})
    assert len(plain.body["data"]) == min(20, len(fleet))
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert packed.body == plain.body
    assert len(packed.raw) < len(plain.raw) / 3


async def test_a_version_is_known_by_any_of_its_tags(admin: Api, driver: Api) -> None:
    path = f"/shipments/{await shipment_at(Status.PICKED_UP, admin=admin, driver=driver)}"
    for encoding in ("identity", "gzip"):
        tag = (await admin.get(path, headers={"Accept-Encoding": encoding})).headers["ETag"]
        opaque = tag.removeprefix("W/")
        for known in (tag, opaque, f"W/{opaque}", f'"v1", {opaque}', f'"v1-gzip", W/{opaque}', "*"):
            asked = {"Accept-Encoding": encoding, "If-None-Match": known}
            response = await admin.get(path, headers=asked)
            assert (response.status, response.raw) == (304, b""), (encoding, known)
            assert "Content-Encoding" not in response.headers


async def test_a_trail_lists_every_event_with_its_outcome(
    admin: Api, driver: Api, client: Api, other_client: Api
) -> None:
    number = await shipment_at(Status.PICKED_UP, admin=admin, driver=driver)
    too_early = event_body(number, Status.DELIVERED)
    await driver.outcome(await driver.reported(too_early))
    await driver.counted(await driver.reported(too_early), times=2)
    path = f"/shipments/{number}/events"
    for caller in (admin, client):
        events = (await caller.get(path)).body["data"]
        assert sorted(event["status"] for event in events) == ["created", "delivered", "picked_up"]
        assert [event["timestamp"] for event in events] == sorted(event["timestamp"] for event in events)
        rejected = (await caller.get(f"{path}?outcome=rejected")).body["data"]
        assert [(event["reason"], event["attempts"]) for event in rejected] == [("INVALID_TRANSITION", 2)]
        walked = [
            event async for response in walk(caller, f"{path}?limit=1") for event in response.body["data"]
        ]
        assert walked == events
    for caller in (other_client, driver):
        assert_error(await caller.get(path), 403, "FORBIDDEN")


@pytest.mark.parametrize("path", ["/shipments", "/shipments/{}", "/shipments/{}/events", "/dead-letters"])
async def test_head_is_get_without_the_body(admin: Api, path: str) -> None:
    response = await admin.ask("HEAD", path.format(await admin.created(shipment_body())))
    assert (response.status, response.raw) == (200, b"")
    assert response.headers["Cache-Control"] == "private, no-cache"
