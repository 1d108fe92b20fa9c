"""PATCH and DELETE /shipments/{number}, and waiting for outcomes: through the gateway, to the last store."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from domain.shipments.status import Status
from domain.shipments.tracking_number import derive_tracking_number
from tests.e2e.checks import assert_error
from tests.e2e.traffic import PATH_TO, event_body, shipment_at, shipment_body
from tests.support.api import Api, Json, Response

pytestmark = pytest.mark.stack

CHANGES: Json = {
    "origin": {"address": "Carrera 7 #71-21"},
    "package": {"weight_kg": 3.25, "dimensions": {"length": 31, "width": 21, "height": 11}},
}
Headers = dict[str, str]
NOBODYS = derive_tracking_number("nobody", "no key", 0)
AT_ONCE = 20


async def patch(api: Api, number: str, changes: Json = CHANGES, prefer: str = "wait=30") -> Response:
    return await api.ask("PATCH", f"/shipments/{number}", json=changes, headers={"Prefer": prefer})


async def cancel(api: Api, number: str, prefer: str = "wait=30") -> Response:
    return await api.ask("DELETE", f"/shipments/{number}", headers={"Prefer": prefer})


Change = Callable[[Api, str], Awaitable[Response]]


@pytest.mark.parametrize("who", ["admin", "client"])
async def test_an_amendment_changes_only_the_fields_it_names(
    request: pytest.FixtureRequest, admin: Api, who: str
) -> None:
    caller: Api = request.getfixturevalue(who)
    number = await admin.created(shipment_body())
    before = await admin.shipment(number)
    response = await patch(caller, number)
    assert response.status == 200, response.text
    assert response.headers["Preference-Applied"] == "wait=30"
    event_id = response.body["event_id"]
    assert response.body == {
        "tracking_number": number,
        "status": "created",
        "version": 2,
        "event_id": event_id,
    }
    after = await admin.shipment(number)
    assert after["origin"] == {**before["origin"], **CHANGES["origin"]}
    assert after["package"] == {**before["package"], **CHANGES["package"]}
    assert after["updated_at"] > before["updated_at"]
    touched = {"origin", "package", "version", "updated_at"}
    assert {name for name in after if after[name] != before[name]} == touched
    event = await caller.outcome(event_id)
    assert (event["outcome"], event["source"], event["status"]) == ("applied", "api", "created")
    assert event["changes"] == CHANGES


async def test_fields_are_merged_one_by_one_and_flat_ones_too(client: Api) -> None:
    number = await client.created(shipment_body(None))
    before = await client.shipment(number)
    for changes in ({"height_cm": 12.5}, {"package": {"dimensions": {"width": 22}}}, {"origin_address": "x"}):
        assert (await patch(client, number, changes)).status == 200
    after = await client.shipment(number)
    assert after["package"]["dimensions"] == {"length": 30, "width": 22, "height": 12.5}
    assert after["origin"] == before["origin"] | {"address": "x"}
    assert (after["package"]["weight_kg"], after["version"]) == (before["package"]["weight_kg"], 4)


async def test_no_shipment_has_only_some_of_its_dimensions(client: Api) -> None:
    body = shipment_body(None)
    del body["package"]["dimensions"]
    number = await client.created(body)
    refused = await patch(client, number, {"height_cm": 12.5})
    assert_error(refused, 409, "INCOMPLETE_DIMENSIONS")
    event = await client.outcome(refused.headers["Location"].removeprefix("/events/"))
    assert (event["outcome"], event["reason"]) == ("rejected", "INCOMPLETE_DIMENSIONS")
    assert (await patch(client, number, {"length_cm": 1, "width_cm": 2, "height_cm": 3})).status == 200
    assert (await patch(client, number, {"height_cm": 12.5})).status == 200
    package = (await client.shipment(number))["package"]
    assert package["dimensions"] == {"length": 1, "width": 2, "height": 12.5}


@pytest.mark.parametrize("who", ["admin", "client"])
async def test_a_cancellation_is_a_transition_and_the_shipment_stays(
    request: pytest.FixtureRequest, admin: Api, who: str
) -> None:
    caller: Api = request.getfixturevalue(who)
    number = await admin.created(shipment_body())
    response = await cancel(caller, number)
    assert (response.status, response.body["status"], response.body["version"]) == (200, "cancelled", 2)
    shipment = await admin.shipment(number)
    assert [entry["status"] for entry in shipment["status_history"]] == ["created", "cancelled"]
    assert shipment["status_history"][1]["source"] == "api"
    assert_error(await cancel(caller, number), 409, "INVALID_TRANSITION")


@pytest.mark.parametrize("change", [patch, cancel])
async def test_a_shipment_of_another_client_cannot_be_changed(
    change: Change, admin: Api, other_client: Api, driver: Api, nobody: Api
) -> None:
    number = await admin.created(shipment_body("client_001"))
    before = await admin.shipment(number)
    refused = await change(other_client, number)
    assert_error(refused, 403, "FORBIDDEN")
    assert "client_001" not in refused.text
    assert_error(await change(driver, number), 403, "FORBIDDEN")
    assert (await change(nobody, number)).status == 401
    assert_error(await change(other_client, NOBODYS), 404, "SHIPMENT_NOT_FOUND")
    assert_error(await change(admin, "99M-000000000001"), 400, "VALIDATION_ERROR")
    assert await admin.shipment(number) == before


@pytest.mark.parametrize("status", list(PATH_TO))
async def test_permissions_to_change_depend_on_role_and_status(
    admin: Api, client: Api, driver: Api, status: Status
) -> None:
    number = await shipment_at(status, admin=admin, driver=driver)
    untouched = status is Status.CREATED
    over = status in {Status.DELIVERED, Status.CANCELLED}
    assert (await patch(client, number)).status == (200 if untouched else 409)
    assert (await patch(admin, number)).status == (409 if over else 200)
    assert (await cancel(client, number)).status == (200 if untouched else 409)
    if not untouched:
        early = status in {Status.PICKED_UP, Status.IN_WAREHOUSE}
        assert (await cancel(admin, number)).status == (200 if early else 409)


@pytest.mark.race
async def test_concurrent_changes_are_applied_one_after_the_other(admin: Api) -> None:
    number = await admin.created(shipment_body())
    responses = await asyncio.gather(
        *(patch(admin, number, {"package": {"weight_kg": 1.0 + n}}) for n in range(AT_ONCE))
    )
    assert {response.status for response in responses} == {200}
    assert sorted(response.body["version"] for response in responses) == list(range(2, AT_ONCE + 2))
    last = max(responses, key=lambda response: int(response.body["version"]))
    weight = 1.0 + responses.index(last)
    shipment = await admin.shipment(number)
    assert (shipment["version"], shipment["package"]["weight_kg"]) == (AT_ONCE + 1, weight)


def tag_of(version: int) -> Headers:
    return {"If-Match": f'"v{version}"'}


async def test_a_change_of_another_version_is_412_and_changes_nothing(admin: Api, client: Api) -> None:
    number = await admin.created(shipment_body("client_001"))
    path = f"/shipments/{number}"
    tag = (await client.get(path)).headers["ETag"]
    amended = await client.ask("PATCH", path, json=CHANGES, headers={"If-Match": tag})
    assert (amended.status, amended.headers["ETag"]) == (200, '"v2"')
    before = await admin.shipment(number)
    for method, body in (("PATCH", CHANGES), ("DELETE", None)):
        for headers in (
            {"If-Match": tag},
            {"If-Match": f"W/{amended.headers['ETag']}"},
            {"If-None-Match": "*"},
        ):
            stale = await client.ask(method, path, json=body, headers=headers)
            assert_error(stale, 412, "PRECONDITION_FAILED")
            event = await client.outcome(stale.headers["Location"].rpartition("/")[2])
            assert (event["outcome"], event["reason"]) == ("rejected", "PRECONDITION_FAILED")
    assert await admin.shipment(number) == before
    late = await client.ask("DELETE", path, headers={"If-Match": tag, "Prefer": "wait=0"})
    assert (await client.outcome(late.body["event_id"]))["reason"] == "PRECONDITION_FAILED"
    cancelled = await client.ask("DELETE", path, headers={"If-Match": f"{tag}, {amended.headers['ETag']}"})
    assert (cancelled.status, cancelled.body["version"]) == (200, 3)


async def test_the_etag_of_a_compressed_response_is_a_valid_condition(admin: Api) -> None:
    number = await admin.created(shipment_body())
    path = f"/shipments/{number}"
    packed = await admin.get(path, headers={"Accept-Encoding": "gzip"})
    tag = packed.headers["ETag"]
    assert (packed.headers["Content-Encoding"], tag) == ("gzip", 'W/"v1-gzip"')
    amended = await admin.ask("PATCH", path, json=CHANGES, headers={"If-Match": tag})
    assert amended.status == 200, amended.text
    stale = await admin.ask("DELETE", path, headers={"If-Match": tag})
    assert_error(stale, 412, "PRECONDITION_FAILED")
    assert_error(await admin.get(path, headers={"If-Match": tag}), 412, "PRECONDITION_FAILED")


async def test_one_of_many_changes_of_one_version_is_applied(admin: Api) -> None:
    number = await admin.created(shipment_body())
    responses = await asyncio.gather(
        *(
            admin.ask(
                "PATCH", f"/shipments/{number}", json={"package": {"weight_kg": 1.0 + n}}, headers=tag_of(1)
            )
            for n in range(AT_ONCE)
        )
    )
    assert sorted(response.status for response in responses) == [200, *[412] * (AT_ONCE - 1)]
    assert (await admin.shipment(number))["version"] == 2


async def test_a_condition_on_a_missing_or_foreign_shipment_is_rejected(
    admin: Api, other_client: Api
) -> None:
    number = await admin.created(shipment_body("client_001"))
    for tag in ({"If-Match": "*"}, tag_of(7)):
        assert_error(
            await admin.ask("DELETE", f"/shipments/{NOBODYS}", headers=tag), 404, "SHIPMENT_NOT_FOUND"
        )
        assert_error(await other_client.ask("DELETE", f"/shipments/{number}", headers=tag), 403, "FORBIDDEN")
    malformed = await admin.ask("DELETE", f"/shipments/{number}", headers={"If-Match": "v1"})
    assert_error(malformed, 400, "VALIDATION_ERROR")


async def test_a_write_without_versions_ignores_no_condition(admin: Api, driver: Api) -> None:
    number = await admin.created(shipment_body())
    event = event_body(number, Status.PICKED_UP)
    for headers in ({"If-Match": '"v1"'}, {"If-None-Match": "*"}):
        assert_error(await driver.post("/events", event, headers=headers), 412, "PRECONDITION_FAILED")
    path, body = f"/quarantine/{number}", {"reason": "a bug"}
    only_new, only_old = {"If-None-Match": "*"}, {"If-Match": "*"}
    assert_error(await admin.ask("PUT", path, json=body, headers=only_old), 412, "PRECONDITION_FAILED")
    assert (await admin.ask("PUT", path, json=body, headers=only_new)).status == 200
    assert_error(await admin.ask("PUT", path, json=body, headers=only_new), 412, "PRECONDITION_FAILED")
    assert (await admin.ask("PUT", path, json=body, headers=only_old)).status == 200
    assert (await admin.ask("DELETE", path)).status == 204


@pytest.mark.parametrize("change", ["PATCH", "DELETE"])
async def test_the_outcome_of_a_request_that_did_not_wait_can_be_read(client: Api, change: str) -> None:
    number = await client.created(shipment_body())
    body = CHANGES if change == "PATCH" else None
    response = await client.ask(change, f"/shipments/{number}", json=body, headers={"Prefer": "wait=0"})
    assert (response.status, response.body["status"]) == (202, "queued")
    assert response.headers["Location"] == f"/events/{response.body['event_id']}"
    assert (await client.outcome(response.body["event_id"]))["outcome"] == "applied"


async def test_a_request_that_waits_gets_the_outcome(admin: Api, driver: Api) -> None:
    number = await admin.created(shipment_body())
    event = event_body(number, Status.PICKED_UP)
    wait = {"Prefer": "wait=30"}
    first, again = [await driver.post("/events", event, headers=wait) for _ in range(2)]
    assert (first.status, first.body["status"]) == (200, "applied")
    assert (again.status, again.body) == (200, first.body), "resending is safe"
    too_early = await driver.post("/events", event_body(number, Status.DELIVERED), headers=wait)
    explained = assert_error(too_early, 409, "INVALID_TRANSITION")
    assert explained["message"].startswith("the shipment is picked_up; in_warehouse or cancelled may follow")
    said = {"current_status": "picked_up", "may_follow": ["in_warehouse", "cancelled"]}
    outcome = await driver.outcome(too_early.headers["Location"].rpartition("/")[2])
    assert {name: outcome[name] for name in said} == said
    assert too_early.headers["Preference-Applied"] == "wait=30"
    contradiction = await driver.post("/events", event | {"notes": "otherwise"}, headers=wait)
    assert_error(contradiction, 409, "IDEMPOTENCY_CONFLICT")
    unknown = await driver.post("/events", event_body(NOBODYS, Status.PICKED_UP), headers=wait)
    assert_error(unknown, 404, "SHIPMENT_NOT_FOUND")


async def test_a_dead_letter_that_is_not_there_is_404_and_only_admins_ask(admin: Api, client: Api) -> None:
    path = "/dead-letters/dl_0_999999999/replay"
    assert_error(await admin.ask("POST", path), 404, "NOT_FOUND")
    assert_error(await client.ask("POST", path), 403, "FORBIDDEN")
