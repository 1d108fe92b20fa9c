"""A shipment quarantined and released, over the API of a running Waybill."""

from itertools import count

import pytest

from domain.shipments.status import Status
from processor.use_cases.quarantine import REFRESH_EVERY_S
from tests.e2e.traffic import event_body, shipment_body
from tests.faults.matrix import Row
from tests.support.api import Api, Json
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.stack, pytest.mark.fault(Row.POISON)]


async def reported(driver: Api, number: str, status: Status, source: str) -> Json:
    """Report a status, and return the outcome."""
    body = event_body(number, status) | {"source": source}
    return await driver.outcome(await driver.reported(body))


async def heard(driver: Api, number: str, outcome: str) -> None:
    """Wait until events of a shipment have this outcome: illegal ones, so that they change nothing."""
    tries = count()

    async def asked() -> bool:
        event = await reported(driver, number, Status.DELIVERED, f"probe-{outcome}-{next(tries)}")
        return bool(event["outcome"] == outcome)

    await wait_for(asked, timeout_s=REFRESH_EVERY_S + 20, what="the processor to hear of it")


async def test_events_of_a_quarantined_shipment_are_applied_after_its_release(
    admin: Api, driver: Api
) -> None:
    number = await admin.created(shipment_body("client_001"))
    reason = {"reason": "its events break the processor"}
    response = await admin.ask("PUT", f"/quarantine/{number}", json=reason)
    assert response.status == 200, response.text
    assert number in {entry["tracking_number"] for entry in (await admin.get("/quarantine")).body["data"]}
    await heard(driver, number, "dead")
    event = await reported(driver, number, Status.PICKED_UP, "scanner-1")
    assert (event["outcome"], event["reason"]) == ("dead", "quarantined")
    assert (await admin.shipment(number))["current_status"] == "created"

    assert (await admin.ask("DELETE", f"/quarantine/{number}")).status == 204
    await heard(driver, number, "rejected")
    query = f"/dead-letters?tracking_number={number}&reason=quarantined&limit=100"
    dead_letters = {
        dead_letter["event_id"]: dead_letter["id"] for dead_letter in (await admin.get(query)).body["data"]
    }
    replay = await admin.ask("POST", f"/dead-letters/{dead_letters[event['event_id']]}/replay")
    assert replay.status == 202, replay.text

    async def applied() -> bool:
        return bool((await admin.shipment(number))["current_status"] == "picked_up")

    await wait_for(applied, timeout_s=20, what="the event to be applied")
    actions = (await admin.get(f"/operator-actions?target={number}")).body["data"]
    assert [action["action"] for action in actions] == ["key.released", "key.quarantined"]
