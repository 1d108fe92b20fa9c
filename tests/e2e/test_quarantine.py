"""A shipment set aside and released, over the API of a running Waybill."""

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
    """Report a status, and return what became of it."""
    body = event_body(number, status) | {"source": source}
    return await driver.outcome(await driver.reported(body))


async def heard(driver: Api, number: str, outcome: str) -> None:
    """Wait until events of a shipment end like this: illegal ones, so that they change nothing."""
    tries = count()

    async def asked() -> bool:
        event = await reported(driver, number, Status.DELIVERED, f"probe-{outcome}-{next(tries)}")
        return bool(event["outcome"] == outcome)

    await wait_for(asked, timeout_s=REFRESH_EVERY_S + 20, what="the processor to hear of it")


async def test_what_a_shipment_is_told_while_it_is_set_aside_is_applied_later(
    admin: Api, driver: Api
) -> None:
    number = await admin.created(shipment_body("client_001"))
    reason = {"reason": "its events break the processor"}
    answer = await admin.ask("PUT", f"/quarantine/{number}", json=reason)
    assert answer.status == 200, answer.text
    assert number in {entry["tracking_number"] for entry in (await admin.get("/quarantine")).body["data"]}
    await heard(driver, number, "dead")
    event = await reported(driver, number, Status.PICKED_UP, "scanner-1")
    assert (event["outcome"], event["reason"]) == ("dead", "quarantined")
    assert (await admin.shipment(number))["current_status"] == "created"

    assert (await admin.ask("DELETE", f"/quarantine/{number}")).status == 204
    await heard(driver, number, "rejected")
    query = f"/dead-letters?tracking_number={number}&reason=quarantined&limit=100"
    letters = {letter["event_id"]: letter["id"] for letter in (await admin.get(query)).body["data"]}
    replay = await admin.ask("POST", f"/dead-letters/{letters[event['event_id']]}/replay")
    assert replay.status == 202, replay.text

    async def applied() -> bool:
        return bool((await admin.shipment(number))["current_status"] == "picked_up")

    await wait_for(applied, timeout_s=20, what="the event to be applied")
    deeds = (await admin.get(f"/operator-actions?target={number}")).body["data"]
    assert [deed["action"] for deed in deeds] == ["key.released", "key.quarantined"]
