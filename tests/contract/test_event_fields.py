"""`ShipmentStore` and the readers: fields that came later, in shipments and in events."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.shipments.commands import Command, DeliveryWindow, ShipmentChanges
from domain.shipments.status import Status
from tests.contract.writing import Storage, Writer
from tests.support.builders import NOON, NUMBER, RENAMED, ROUTE, amendment, creation, number, report

CREATION = creation(request_key="digest-of-user-and-key")
PICKED_UP = report(Status.PICKED_UP)
IN_TRANSIT = report(Status.IN_TRANSIT)
EARLIER: DeliveryWindow = {"earliest": "2026-03-02T15:00:00.000Z", "latest": "2026-03-02T18:00:00.000Z"}


async def test_a_forbidden_transition_is_explained_until_it_is_applied(storage: Storage) -> None:
    writer = await Writer.of(storage.store)
    shown: list[tuple[object, object]] = []
    for commands in (
        [CREATION, IN_TRANSIT],
        [PICKED_UP, IN_TRANSIT],
        [report(Status.IN_WAREHOUSE), IN_TRANSIT],
    ):
        await writer.write(*commands)
        event = await storage.events.get(IN_TRANSIT.event_id)
        assert event is not None
        shown.append((event.get("current_status"), event.get("may_follow")))
        assert ("current_status" in event) == ("may_follow" in event) == (event["outcome"] == "rejected")
    assert shown == [
        ("created", ["picked_up", "cancelled"]),
        ("picked_up", ["in_warehouse", "cancelled"]),
        (None, None),
    ]


async def test_a_rejected_payload_takes_its_explanation_with_it(storage: Storage) -> None:
    writer = await Writer.of(storage.store)
    await writer.write(CREATION, IN_TRANSIT)
    await writer.write(replace(IN_TRANSIT, status=Status.PICKED_UP))
    event = await storage.events.get(IN_TRANSIT.event_id)
    assert event is not None
    assert not {"current_status", "may_follow"} & event.keys()


@pytest.mark.parametrize("sent", [(None, "Ana"), ("Ana", None), ("Ana", "Eva")])
async def test_who_signed_is_told_of_the_payload_that_stands(
    storage: Storage, sent: tuple[str | None, str | None]
) -> None:
    first, second = [replace(report(Status.DELIVERED), signed_by=name) for name in sent]
    writer = await Writer.of(storage.store)
    await writer.write(first)
    await writer.write(CREATION, *(report(status) for status in ROUTE[:3]), second)
    event, shipment = await storage.events.get(first.event_id), await storage.shipments.get(NUMBER)
    assert event is not None
    assert shipment is not None
    line = shipment["status_history"][-1]
    [other] = event["other_payloads"]
    assert [each.get("signed_by") for each in (other, event, line)] == [sent[0], sent[1], sent[1]]
    assert ("signed_by" in event) == ("signed_by" in line) == (sent[1] is not None)


@pytest.mark.parametrize("batch_size", [1, 3])
async def test_reference_and_estimated_delivery_are_kept_and_replaced(
    storage: Storage, batch_size: int
) -> None:
    ordered = replace(CREATION, reference="$order 4711", estimated_delivery=EARLIER)
    later: ShipmentChanges = {"reference": "order.4713"}
    changes = [amendment(changes=RENAMED), amendment(changes=later, at=NOON + timedelta(minutes=1))]
    plain = creation(number(2))
    both: list[Command] = [ordered, *changes]
    writer = await Writer.of(storage.store)
    for start in range(0, len(both), batch_size):
        await writer.write(*both[start : start + batch_size])
    await writer.write(plain)
    amended, bare = [await storage.shipments.get(each) for each in (NUMBER, number(2))]
    assert amended is not None
    assert bare is not None
    assert amended["reference"] == "order.4713"
    assert amended["estimated_delivery"] == RENAMED["estimated_delivery"]
    assert not {"reference", "estimated_delivery"} & bare.keys()
