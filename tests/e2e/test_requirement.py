"""The requirement's examples work literally: each request as quoted, its status, the fields of its response.

Values that no two systems share (numbers, ids, tokens, times of processing) are compared by their form. Where
the design differs from the requirement, the test says so.
"""

from typing import Any

import pytest

from tests.e2e import requirement
from tests.e2e.checks import INSTANT, assert_error
from tests.e2e.requirement import read
from tests.support.api import Api, Json, Response

pytestmark = pytest.mark.stack

JSON = {"Content-Type": "application/json"}
OF_ITS_OWN = {"token", "event_id", "created_at", "updated_at", "total", "has_next"}
"""Members whose values are another system's."""


def assert_has(response: Any, example: Any, path: str = "") -> None:  # noqa: ANN401  # JSON
    """Check that a response has the fields of an example, with its values; it may have more."""
    if isinstance(example, dict):
        for name, value in example.items():
            assert name in response, f"{path}/{name} is missing"
            if name not in OF_ITS_OWN:
                assert_has(response[name], value, f"{path}/{name}")
            else:
                assert type(response[name]) is type(value), f"{path}/{name}"
    elif isinstance(example, list):
        assert len(response) == len(example), path
        for index, (one, other) in enumerate(zip(response, example, strict=True)):
            assert_has(one, other, f"{path}/{index}")
    elif path.endswith("/timestamp"):
        assert INSTANT.fullmatch(response), path
    else:
        assert response == example, path


async def send(api: Api, path: str, example: str, *numbers: str) -> Response:
    """POST an example as it is quoted, but for the numbers of its shipments."""
    for named, ours in zip((requirement.NUMBER, requirement.OTHER_NUMBER), numbers, strict=False):
        example = example.replace(named, ours)
    return await api.ask("POST", path, data=example.encode(), headers=JSON)


async def registered(admin: Api) -> str:
    """Register the shipment of the example, and check the response."""
    response = await send(admin, "/shipments", requirement.CREATE)
    assert response.status == 201, response.text
    number = str(response.body["tracking_number"])
    assert set(response.body) == set(read(requirement.CREATED))
    assert_has(response.body, read(requirement.CREATED, number))
    return number


async def history_sent(driver: Api, number: str) -> Json:
    """Send the history of the second example, and return the expected history with our number."""
    details: Json = read(requirement.DETAILS, number)
    for line in details["status_history"][1:]:
        await driver.outcome(await driver.reported({"tracking_number": number, **line}))
    return details


async def test_getting_a_token(nobody: Api) -> None:
    response = await send(nobody, "/auth/login", requirement.LOGIN)
    assert response.status == 200
    assert set(response.body) == set(read(requirement.LOGGED_IN))
    assert_has(response.body, read(requirement.LOGGED_IN))
    bearer = {"Authorization": f"Bearer {response.body['token']}"}
    for path in ("/shipments", "/auth/users"):
        assert (await nobody.get(path, headers=bearer)).status == 200


async def test_create_shipment_then_get_its_details_and_list_it(admin: Api, client: Api, driver: Api) -> None:
    number = await registered(admin)
    details = await history_sent(driver, number)
    shown = await client.shipment(number)
    assert_has(shown, details)
    sent = [line["timestamp"].replace("Z", ".000Z") for line in details["status_history"][1:]]
    assert [line["timestamp"] for line in shown["status_history"][1:]] == sent

    listed = await client.get(requirement.LIST_PATH)
    example = read(requirement.LISTED, number)
    assert listed.status == 200
    assert_has(
        {**listed.body, "data": listed.body["data"][:1]},
        {**example, "data": []}
        | {
            "data": [{name: value for name, value in example["data"][0].items() if name != "tracking_number"}]
        },
    )
    assert number in [each["tracking_number"] for each in listed.body["data"]]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("status=created,picked_up,in_warehouse,in_transit,delivered,cancelled", 200),
        ("client_id=client_001", 200),
        ("limit=100", 200),
        ("limit=101", 400),
    ],
)
async def test_query_parameters_of_the_list(admin: Api, query: str, status: int) -> None:
    assert (await admin.get(f"/shipments?{query}")).status == status


async def test_a_list_without_parameters_has_ten_from_the_first(admin: Api) -> None:
    pagination = (await admin.get("/shipments")).body["pagination"]
    assert (pagination["limit"], pagination["offset"]) == (10, 0)


async def test_post_single_event(admin: Api, driver: Api) -> None:
    number = await registered(admin)
    response = await send(driver, "/events", requirement.EVENT, number)
    assert response.status == 202
    assert set(response.body) == set(read(requirement.QUEUED))
    assert_has(response.body, read(requirement.QUEUED, number))


async def test_post_batch_events(admin: Api) -> None:
    """The design adds `events`, with the id of each."""
    first, second = await registered(admin), await registered(admin)
    response = await send(admin, "/events/batch", requirement.BATCH, first, second)
    assert response.status == 202
    assert set(response.body) == {*read(requirement.BATCH_QUEUED), "events"}
    assert_has(response.body, read(requirement.BATCH_QUEUED))


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_health_check(nobody: Api, method: str) -> None:
    response = await nobody.ask(method, "/health")
    assert response.status == 200
    assert set(response.body) == set(read(requirement.HEALTH))
    assert_has(response.body, read(requirement.HEALTH))


async def test_every_error_has_the_format_of_the_example(admin: Api, driver: Api) -> None:
    """The example has 400 and the table 409: the design takes 409 (ADR 0007)."""
    number = await registered(admin)
    await history_sent(driver, number)
    event = read(requirement.EVENT, number) | {"status": "picked_up", "timestamp": "2025-02-12T15:06:00Z"}
    response = await driver.post("/events", event, headers={"Prefer": "wait=10"})
    assert_error(response, 409, read(requirement.ERROR)["error"])
    assert set(response.body) == set(read(requirement.ERROR))


async def test_common_status_codes(nobody: Api, admin: Api, client: Api, other_client: Api) -> None:
    """200, 201, 202 and 409 are in the tests above; 500 has no request that asks for it."""
    number = await registered(client)
    assert_error(await admin.ask("POST", "/shipments", data=b"{", headers=JSON), 400, "INVALID_JSON")
    missing = {name: value for name, value in read(requirement.CREATE).items() if name != "weight_kg"}
    assert_error(await admin.post("/shipments", missing), 400, "VALIDATION_ERROR", "/weight_kg")
    assert_error(await nobody.get("/shipments"), 401, "AUTHENTICATION_REQUIRED")
    bearer = {"Authorization": "Bearer eyJhbGciOiJIUzI1NiIs..."}
    assert_error(await nobody.get("/shipments", headers=bearer), 401, "INVALID_TOKEN")
    assert_error(await other_client.get(f"/shipments/{number}"), 403, "FORBIDDEN")
    assert_error(await admin.get(f"/shipments/{requirement.NUMBER}"), 404, "SHIPMENT_NOT_FOUND")


async def test_lower_case_numbers_are_read_written_and_searched(admin: Api, driver: Api) -> None:
    number = await registered(admin)
    typed = number.lower()
    assert (await admin.shipment(typed))["tracking_number"] == number
    event = read(requirement.EVENT, typed) | {"status": "picked_up"}
    response = await driver.post("/events", event, headers={"Prefer": "wait=10"})
    assert (response.status, response.body["tracking_number"]) == (200, number)
    found = await admin.get(f"/shipments?tracking_number={typed}")
    assert [each["tracking_number"] for each in found.body["data"]] == [number]
    trail = await admin.get(f"/shipments/{typed}/events?source=driver_app")
    assert [each["status"] for each in trail.body["data"]] == ["picked_up"]
