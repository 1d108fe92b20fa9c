"""POST /shipments: its response, and that repeating a request with its key creates nothing."""

import asyncio
from uuid import uuid4

import pytest

from domain.shipments.tracking_number import is_tracking_number
from tests.e2e.checks import INSTANT, assert_error
from tests.e2e.traffic import shipment_body
from tests.support.api import Api

pytestmark = pytest.mark.stack

AT_ONCE = 20


@pytest.fixture
def key() -> str:
    return uuid4().hex


async def test_a_new_shipment_can_be_read_at_its_location(client: Api) -> None:
    asked = shipment_body(None)
    response = await client.create(asked)

    body = response.body
    assert response.status == 201
    assert set(body) == {"tracking_number", "status", "created_at", "client_id"}
    assert (body["status"], body["client_id"]) == ("created", "client_001")
    assert is_tracking_number(body["tracking_number"])
    assert INSTANT.fullmatch(body["created_at"])
    assert response.headers["Location"] == f"/shipments/{body['tracking_number']}"
    shipment = (await client.get(response.headers["Location"])).body
    assert {name: shipment[name] for name in asked} == asked
    assert (shipment["current_status"], shipment["version"]) == ("created", 1)
    assert shipment["created_at"] == body["created_at"]
    assert [entry["status"] for entry in shipment["status_history"]] == ["created"]


async def test_without_a_key_every_request_is_another_shipment(client: Api) -> None:
    first, second = [await client.created(shipment_body()) for _ in range(2)]

    assert first != second


async def test_the_same_key_and_body_return_the_same_shipment(client: Api, key: str) -> None:
    first = await client.create(shipment_body(), key=key)
    again = await client.create(shipment_body(), key=key)

    assert (again.status, again.body) == (201, first.body)
    assert again.headers["Location"] == first.headers["Location"]


async def test_the_same_key_with_another_body_is_a_conflict_and_changes_nothing(
    client: Api, admin: Api, key: str
) -> None:
    first = await client.create(shipment_body(weight_kg=1.0), key=key)
    number = first.body["tracking_number"]
    before = await admin.shipment(number)

    assert_error(await client.create(shipment_body(weight_kg=2.0), key=key), 422, "IDEMPOTENCY_CONFLICT")
    assert await admin.shipment(number) == before
    assert (await client.create(shipment_body(weight_kg=1.0), key=key)).body == first.body


async def test_the_same_key_of_two_users_makes_two_shipments(
    client: Api, other_client: Api, key: str
) -> None:
    mine, theirs = [await each.create(shipment_body(None), key=key) for each in (client, other_client)]

    assert (mine.status, theirs.status) == (201, 201)
    assert mine.body["tracking_number"] != theirs.body["tracking_number"]
    assert (mine.body["client_id"], theirs.body["client_id"]) == ("client_001", "client_002")


@pytest.mark.race
async def test_many_requests_with_one_key_at_once_make_one_shipment(
    new_client: Api, admin: Api, key: str
) -> None:
    responses = await asyncio.gather(
        *(new_client.create(shipment_body(None), key=key) for _ in range(AT_ONCE))
    )

    assert {response.status for response in responses} == {201}
    assert all(response.body == responses[0].body for response in responses)
    assert (await new_client.get("/shipments")).body["pagination"]["total"] == 1
    creation = await admin.outcome(f"evt_{responses[0].body['tracking_number']}_created")
    assert (creation["outcome"], creation["duplicates"], creation["conflicts"]) == ("applied", AT_ONCE - 1, 0)


@pytest.mark.race
async def test_different_bodies_with_one_key_at_once_make_one_shipment(
    new_client: Api, admin: Api, key: str
) -> None:
    responses = await asyncio.gather(
        *(new_client.create(shipment_body(None, weight_kg=1.0 + n), key=key) for n in range(AT_ONCE))
    )

    assert sorted(response.status for response in responses) == [201, *[422] * (AT_ONCE - 1)]
    assert (await new_client.get("/shipments")).body["pagination"]["total"] == 1
    [number] = [response.body["tracking_number"] for response in responses if response.status == 201]
    creation = await admin.outcome(f"evt_{number}_created")
    assert (creation["duplicates"], creation["conflicts"]) == (0, AT_ONCE - 1)


@pytest.mark.parametrize("unfit", ["", " ", "x" * 256, "tab\there"])
async def test_a_malformed_key_is_rejected(client: Api, unfit: str) -> None:
    assert_error(await client.create(shipment_body(), key=unfit), 400, "VALIDATION_ERROR")


async def test_each_fault_of_a_shipment_is_named(client: Api) -> None:
    body = shipment_body()
    body["origin"] = {"address": "", "coordinates": {"lat": 91, "lng": 0}}
    body["package"] = {"weight_kg": 0}
    body["colour"] = "red"
    del body["destination"]

    response = await client.create(body)

    pointers = [detail["pointer"] for detail in response.body["details"]]
    assert_error(response, 400, "VALIDATION_ERROR", *pointers)
    faulty = {"/origin/address", "/origin/coordinates/lat", "/package/weight_kg", "/colour", "/destination"}
    assert set(pointers) == faulty
