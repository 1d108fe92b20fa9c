"""Reading: pages and filters, one shipment and its versions."""

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from domain.shipments.event_identity import creation_event_id
from domain.shipments.status import Status
from domain.shipments.tracking_number import derive_tracking_number
from tests.e2e.checks import INSTANT, assert_error, assert_retry_after
from tests.e2e.traffic import PATH_TO, event_body, shipment_at, shipment_body
from tests.support.api import Api, Json

pytestmark = pytest.mark.stack

FLEET = 7


@pytest.fixture
async def fleet(admin: Api, new_client_id: str) -> Sequence[str]:
    """Give the numbers of a new client's shipments, in the order of their creation."""
    return [await admin.created(shipment_body(new_client_id)) for _ in range(FLEET)]


async def test_a_scan_keeps_the_offset_of_its_own_clock(admin: Api, driver: Api) -> None:
    number = await admin.created(shipment_body())
    event = event_body(number, "picked_up") | {"timestamp": "2026-11-02T08:15:00-06:00"}
    event_id = await driver.reported(event)
    await driver.outcome(event_id)
    assert await driver.reported(event | {"timestamp": "2026-11-02T14:15:00Z"}) == event_id
    seen = await driver.counted(event_id, times=2)
    assert (seen["timestamp"], seen["utc_offset"]) == ("2026-11-02T14:15:00.000Z", "-06:00")
    assert (seen["duplicates"], seen["conflicts"]) == (1, 0), "another zone is not another event"
    created, picked_up = (await admin.shipment(number))["status_history"]
    assert (created.get("utc_offset"), picked_up["utc_offset"]) == (None, "-06:00")
    trail = (await admin.get(f"/shipments/{number}/events")).body["data"]
    assert [each.get("utc_offset") for each in trail] == ["-06:00", None]


async def test_who_signed_is_in_history_trail_and_outcome(admin: Api, client: Api, driver: Api) -> None:
    number = await shipment_at(Status.IN_TRANSIT, admin=admin, driver=driver)
    event = event_body(number, Status.DELIVERED) | {"signed_by": "María Peña"}
    seen = await driver.outcome(await driver.reported(event))
    history = (await client.shipment(number))["status_history"]
    trail = (await client.get(f"/shipments/{number}/events")).body["data"]
    signed = [
        next(entry for entry in entries if entry["status"] == "delivered") for entries in (history, trail)
    ]
    assert [each["signed_by"] for each in (seen, *signed)] == ["María Peña"] * 3
    assert not [entry for entry in history if "signed_by" in entry and entry["status"] != "delivered"]


def scan(number: str, code: str) -> Json:
    """Return an event with a checkpoint to report."""
    event = event_body(number, code)
    return {("checkpoint" if name == "status" else name): value for name, value in event.items()}


WAIT = {"Prefer": "wait=30"}


async def test_a_checkpoint_before_the_way_or_behind_it_is_rejected(admin: Api, driver: Api) -> None:
    says = {
        Status.CREATED: "the shipment is created; checkpoints may follow once it is picked up",
        Status.CANCELLED: "the shipment is cancelled; nothing can follow",
        Status.DELIVERED: "the shipment is delivered; nothing can follow",
    }
    for status, message in says.items():
        number = await shipment_at(status, admin=admin, driver=driver)
        response = await driver.post("/events", scan(number, "returning"), headers=WAIT)
        assert assert_error(response, 409, "INVALID_TRANSITION")["message"] == message


async def test_a_parcel_passes_hubs_and_fails_a_delivery_between_its_statuses(
    admin: Api, client: Api, driver: Api
) -> None:
    number = await admin.created(shipment_body())
    walk = [*(event_body(number, status) for status in PATH_TO[Status.IN_TRANSIT])]
    hubs = [scan(number, code) for code in ("arrived_at_hub", "departed_hub", "our_own", "delivery_failed")]
    for event in (walk[0], hubs[0], hubs[1], *walk[1:], hubs[2], hubs[3]):
        response = await driver.post("/events", event, headers=WAIT)
        assert response.status == 200, response.text
    shipment = await client.shipment(number)
    assert (shipment["current_status"], shipment["version"]) == ("in_transit", 8)
    last = {name: hubs[3][name] for name in ("checkpoint", "timestamp", "location")}
    assert shipment["last_checkpoint"] == last
    walked = [(entry["status"], entry.get("checkpoint")) for entry in shipment["status_history"]]
    assert walked == [
        ("created", None),
        ("picked_up", None),
        ("picked_up", "arrived_at_hub"),
        ("picked_up", "departed_hub"),
        ("in_warehouse", None),
        ("in_transit", None),
        ("in_transit", "our_own"),
        ("in_transit", "delivery_failed"),
    ]
    await driver.outcome(await driver.reported(event_body(number, Status.DELIVERED)))
    assert "last_checkpoint" not in await client.shipment(number)


async def test_a_checkpoint_is_sent_again_and_contradicted_like_any_event(
    admin: Api, client: Api, driver: Api
) -> None:
    number = await admin.created(shipment_body())
    hub = scan(number, "arrived_at_hub")
    early = await driver.post("/events", scan(number, "arrived_at_hub"), headers=WAIT)
    assert_error(early, 409, "INVALID_TRANSITION")
    for event in (event_body(number, Status.PICKED_UP), hub):
        assert (await driver.post("/events", event, headers=WAIT)).status == 200
    again = await driver.post("/events", hub, headers=WAIT)
    assert again.status == 200
    otherwise = await driver.post("/events", hub | {"checkpoint": "on_hold"}, headers=WAIT)
    assert_error(otherwise, 409, "IDEMPOTENCY_CONFLICT")
    event = await driver.outcome(again.body["event_id"])
    assert (event["checkpoint"], event["status"], event["outcome"]) == (
        "arrived_at_hub",
        "picked_up",
        "applied",
    )
    assert (event["duplicates"], event["conflicts"]) == (1, 1)
    trail = (await client.get(f"/shipments/{number}/events?limit=100")).body["data"]
    assert [each.get("checkpoint") for each in trail].count("arrived_at_hub") == 2, "the rejected one too"


ORDER: dict[str, Any] = {
    "reference": "order 4711/ñ",
    "estimated_delivery": {"earliest": "2026-11-05T09:00:00-06:00", "latest": "2026-11-05T18:00:00-06:00"},
}
EXPECTED = {"earliest": "2026-11-05T15:00:00.000Z", "latest": "2026-11-06T00:00:00.000Z"}


async def test_a_client_finds_its_shipments_by_their_reference(
    admin: Api, client: Api, new_client: Api, new_client_id: str
) -> None:
    first = await new_client.created(shipment_body(new_client_id) | ORDER)
    other = await new_client.created(shipment_body(new_client_id))
    foreign = await admin.created(shipment_body() | ORDER)
    shipment = await new_client.shipment(first)
    assert (shipment["reference"], shipment["estimated_delivery"]) == (ORDER["reference"], EXPECTED)
    assert not {"reference", "estimated_delivery"} & (await new_client.shipment(other)).keys()

    changed = await new_client.ask("PATCH", f"/shipments/{other}", json=ORDER, headers={"Prefer": "wait=30"})
    assert changed.status == 200, changed.text
    assert (await new_client.shipment(other))["estimated_delivery"] == EXPECTED
    query = f"/shipments?reference={quote(ORDER['reference'], safe='')}"
    own = (await new_client.get(query)).body
    assert [each["tracking_number"] for each in own["data"]] == [other, first]
    assert own["pagination"]["total"] == 2
    assert (await new_client.get(f"{query}&client_id=client_001")).status == 403
    named = (await admin.get(f"{query}&client_id={new_client_id}")).body["data"]
    assert [each["tracking_number"] for each in named] == [other, first]
    everywhere = [each["tracking_number"] for each in (await admin.get(query)).body["data"]]
    assert {first, other, foreign} <= {*everywhere}
    elsewhere = [each["tracking_number"] for each in (await client.get(query)).body["data"]]
    assert foreign in elsewhere
    assert not {first, other} & {*elsewhere}


@pytest.mark.parametrize(
    ("query", "listed"),
    [
        ("", range(7)),
        ("?limit=7", range(7)),
        ("?limit=6", range(6)),
        ("?limit=1", range(1)),
        ("?limit=3&offset=3", range(3, 6)),
        ("?limit=3&offset=4", range(4, 7)),
        ("?limit=3&offset=6", range(6, 7)),
        ("?offset=7", range(7, 7)),
        ("?limit=100&offset=1000", range(1000, 1000)),
    ],
)
async def test_a_page_is_a_part_of_the_list_newest_first(
    fleet: Sequence[str], new_client: Api, query: str, listed: range
) -> None:
    response = await new_client.get(f"/shipments{query}")

    newest_first = fleet[::-1]
    shown = [shipment["tracking_number"] for shipment in response.body["data"]]
    assert shown == [newest_first[place] for place in listed]
    page = response.body["pagination"]
    assert (page["total"], page["offset"]) == (FLEET, listed.start)
    assert page["has_next"] == (listed.stop < FLEET)


async def test_without_being_asked_a_page_holds_ten(admin: Api, new_client: Api, new_client_id: str) -> None:
    await asyncio.gather(*(admin.created(shipment_body(new_client_id)) for _ in range(11)))

    body = (await new_client.get("/shipments")).body

    assert len(body["data"]) == 10
    assert body["pagination"] | {"next_cursor": None} == {
        "total": 11,
        "limit": 10,
        "offset": 0,
        "has_next": True,
        "next_cursor": None,
    }


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"),
        ("limit=101", "/limit"),
        ("limit=-1", "/limit"),
        ("limit=abc", "/limit"),
        ("limit=", "/limit"),
        ("limit=1.5", "/limit"),
        ("limit=10&limit=20", "/limit"),
        ("offset=-1", "/offset"),
        ("offset=abc", "/offset"),
        ("offset=99999999999999999999", "/offset"),
        ("status=lost", "/status"),
        ("client_id=", "/client_id"),
        ("stauts=created", "/stauts"),
    ],
)
@pytest.mark.parametrize("path", ["/shipments", "/auth/users"])
async def test_a_query_that_means_nothing_is_refused_by_name(
    admin: Api, path: str, query: str, pointer: str
) -> None:
    assert_error(await admin.get(f"{path}?{query}"), 400, "VALIDATION_ERROR", pointer)


async def test_filters_choose_by_status_and_by_client(
    admin: Api, driver: Api, new_client: Api, new_client_id: str, fleet: Sequence[str]
) -> None:
    moved = fleet[2]
    await driver.outcome(await driver.reported(event_body(moved, Status.PICKED_UP)))

    async def listed(caller: Api, query: str) -> list[str]:
        body = (await caller.get(f"/shipments?limit=100&{query}")).body
        assert body["pagination"]["total"] == len(body["data"])
        return [shipment["tracking_number"] for shipment in body["data"]]

    others = [number for number in reversed(fleet) if number != moved]
    assert await listed(new_client, "status=picked_up") == [moved]
    assert await listed(new_client, "status=created") == others
    assert await listed(new_client, "status=delivered") == []
    assert await listed(new_client, f"client_id={new_client_id}") == list(reversed(fleet))
    assert await listed(admin, f"client_id={new_client_id}") == list(reversed(fleet))
    assert await listed(admin, f"client_id={new_client_id}&status=picked_up") == [moved]
    assert await listed(admin, f"client_id={uuid4().hex}") == []


async def test_an_admin_finds_every_clients_shipments_by_status(admin: Api, driver: Api) -> None:
    number = await shipment_at(Status.CANCELLED, admin=admin, driver=driver)

    body = (await admin.get("/shipments?status=cancelled&limit=1")).body

    assert [shipment["tracking_number"] for shipment in body["data"]] == [number]


async def test_a_shipment_shows_all_its_fields_and_history(admin: Api, driver: Api) -> None:
    number = await shipment_at(Status.DELIVERED, admin=admin, driver=driver)

    shipment = await admin.shipment(number)

    history = shipment["status_history"]
    asked = shipment_body("client_001")
    assert {name: shipment[name] for name in asked} == asked
    assert [entry["status"] for entry in history] == ["created", *PATH_TO[Status.DELIVERED]]
    assert (shipment["current_status"], shipment["version"]) == ("delivered", 5)
    assert shipment["updated_at"] == history[-1]["recorded_at"]
    for entry in history:
        assert INSTANT.fullmatch(entry["timestamp"])
        assert INSTANT.fullmatch(entry["recorded_at"])
    assert history[-1]["location"] == {"lat": 4.6482, "lng": -74.1025, "address": "Bodega Fontibón"}
    assert history[-1]["source"] == "scanner-1"


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_an_unchanged_resource_is_304_compressed_or_not(admin: Api, driver: Api, encoding: str) -> None:
    number = await shipment_at(Status.IN_TRANSIT, admin=admin, driver=driver)
    path, accepting = f"/shipments/{number}", {"Accept-Encoding": encoding}
    first = await admin.get(path, headers=accepting)
    tag = first.headers["ETag"]
    assert first.body == await admin.shipment(number)
    assert first.headers.get("Content-Encoding", "identity") == encoding

    again = await admin.get(path, headers=accepting | {"If-None-Match": tag})
    assert (again.status, again.raw) == (304, b"")
    assert again.headers["ETag"]

    await driver.outcome(await driver.reported(event_body(number, Status.DELIVERED)))
    changed = await admin.get(path, headers=accepting | {"If-None-Match": tag})
    assert (changed.status, changed.body["current_status"]) == (200, "delivered")
    assert changed.headers["ETag"] != tag


async def test_versions_are_hidden_from_other_clients(admin: Api, other_client: Api) -> None:
    number = await admin.created(shipment_body("client_001"))

    response = await other_client.get(f"/shipments/{number}", headers={"If-None-Match": "*"})

    assert_error(response, 403, "FORBIDDEN")


async def test_a_missing_resource_has_its_own_error_code(admin: Api) -> None:
    unknown = derive_tracking_number("nobody", uuid4().hex, 0)

    assert_error(await admin.get(f"/shipments/{unknown}"), 404, "SHIPMENT_NOT_FOUND")
    assert_error(await admin.get("/shipments/99M-0"), 404, "SHIPMENT_NOT_FOUND")
    not_yet = await admin.get(f"/events/{creation_event_id(unknown)}")
    assert_error(not_yet, 404, "EVENT_NOT_FOUND")
    assert_retry_after(not_yet)
    assert_error(await admin.get("/events/evt_1"), 404, "EVENT_NOT_FOUND")
