"""The state machine through HTTP: every status followed by every other, and by itself."""

import pytest

from domain.shipments.status import Status
from tests.e2e.checks import assert_error
from tests.e2e.traffic import PATH_TO, event_body, shipment_at
from tests.support.api import Api

pytestmark = pytest.mark.stack

# The requirement's table, written out: the product's own would agree with itself.
LEGAL = {
    ("created", "picked_up"),
    ("created", "cancelled"),
    ("picked_up", "in_warehouse"),
    ("picked_up", "cancelled"),
    ("in_warehouse", "in_transit"),
    ("in_warehouse", "cancelled"),
    ("in_transit", "delivered"),
}
REPORTABLE = [status for status in Status if status is not Status.CREATED]


@pytest.mark.parametrize("following", REPORTABLE)
@pytest.mark.parametrize("current", Status)
async def test_a_shipment_follows_only_the_allowed_transitions(
    admin: Api, driver: Api, current: Status, following: Status
) -> None:
    number = await shipment_at(current, admin=admin, driver=driver)
    event_id = await driver.reported(event_body(number, following))

    event = await driver.outcome(event_id)
    shipment = await admin.shipment(number)
    walked = [entry["status"] for entry in shipment["status_history"]]
    before = ["created", *PATH_TO[current]]
    if (current, following) in LEGAL:
        assert (event["outcome"], event["reason"]) == ("applied", None)
        assert (shipment["current_status"], walked) == (following, [*before, following])
    else:
        assert (event["outcome"], event["reason"]) == ("rejected", "INVALID_TRANSITION")
        assert (shipment["current_status"], walked) == (current, before)
    assert shipment["version"] == len(walked)


@pytest.mark.parametrize("current", Status)
async def test_no_event_may_say_created(admin: Api, driver: Api, current: Status) -> None:
    number = await shipment_at(current, admin=admin, driver=driver)
    before = await admin.shipment(number)
    event = event_body(number, Status.CREATED)

    assert_error(await driver.post("/events", event), 400, "VALIDATION_ERROR", "/status")
    batch = {"events": [event]}
    assert_error(await driver.post("/events/batch", batch), 400, "VALIDATION_ERROR", "/events/0/status")
    assert await admin.shipment(number) == before
