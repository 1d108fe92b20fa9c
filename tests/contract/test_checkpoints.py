"""`ShipmentStore` and the readers: checkpoints in the history, the audit log, and the state of shipments."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.ports.queries import EventFilter, ShipmentFilter, Window
from domain.shipments.commands import Command
from domain.shipments.status import Status
from tests.contract.writing import Storage, Writer
from tests.support.builders import (
    NOON,
    NUMBER,
    ROUTE,
    amendment,
    checkpoint,
    creation,
    report,
    shipment_after,
)

CREATION = creation(request_key="digest-of-user-and-key")
PICKED_UP = report(Status.PICKED_UP)


def hub_scans(count: int, *, first: int = 0) -> list[Command]:
    return [
        checkpoint(f"hub_{index}", at=NOON + timedelta(hours=1, seconds=index))
        for index in range(first, first + count)
    ]


@pytest.mark.parametrize("batch_size", [1, 3, 50])
async def test_checkpoints_stand_in_the_history_after_the_status_that_held(
    storage: Storage, batch_size: int
) -> None:
    picked_up, stored, moving, delivered = (report(status) for status in ROUTE)
    one, two, three, four = hub_scans(4)
    commands: list[Command] = [CREATION, picked_up, one, two, amendment(), stored, moving, three, four]
    writer = await Writer.of(storage.store)
    for start in range(0, len(commands), batch_size):
        await writer.write(*commands[start : start + batch_size])
    assert await storage.store.load([NUMBER]) == {NUMBER: shipment_after(*commands)}
    shipment = await storage.shipments.get(NUMBER)
    assert shipment is not None
    walked = [(each["status"], each.get("checkpoint")) for each in shipment["status_history"]]
    assert walked == [
        ("created", None),
        ("picked_up", None),
        ("picked_up", "hub_0"),
        ("picked_up", "hub_1"),
        ("in_warehouse", None),
        ("in_transit", None),
        ("in_transit", "hub_2"),
        ("in_transit", "hub_3"),
    ]
    last = {"checkpoint": "hub_3", "timestamp": four.timestamp, "location": {"lat": 19.4, "lng": -99.1}}
    assert (shipment["last_checkpoint"], shipment["version"]) == (last, 9)
    assert not {"checkpoints", "checkpoint_count"} & shipment.keys()
    event = await storage.events.get(two.event_id)
    assert event is not None
    assert (event["status"], event["checkpoint"], event["outcome"]) == ("picked_up", "hub_1", "applied")
    await writer.write(delivered)
    for shown in (
        await storage.shipments.get(NUMBER),
        (await storage.shipments.page(ShipmentFilter(), Window(limit=1))).data[0],
    ):
        assert shown is not None
        assert "last_checkpoint" not in shown
        assert [each["status"] for each in shown["status_history"]][-3:] == ["in_transit"] * 2 + ["delivered"]


@pytest.mark.parametrize("batch_size", [1, 64, 300])
async def test_every_status_and_the_last_hundred_checkpoints_are_kept(
    storage: Storage, batch_size: int
) -> None:
    scans = hub_scans(130)
    commands = [CREATION, *(report(status) for status in ROUTE[:3]), *scans, report(Status.DELIVERED)]
    writer = await Writer.of(storage.store)
    for start in range(0, len(commands), batch_size):
        await writer.write(*commands[start : start + batch_size])
    shipment = await storage.shipments.get(NUMBER)
    assert shipment is not None
    walked = [each.get("checkpoint", each["status"]) for each in shipment["status_history"]]
    kept = [f"hub_{index}" for index in range(30, 130)]
    assert walked == ["created", *ROUTE[:3], *kept, "delivered"]
    assert await storage.store.load([NUMBER]) == {NUMBER: shipment_after(*commands)}
    trail = await storage.events.page(EventFilter(tracking_number=NUMBER), Window(limit=100))
    assert trail.total == len(commands)


async def test_a_checkpoint_is_counted_and_kept_like_any_event(storage: Storage) -> None:
    writer = await Writer.of(storage.store)
    scan = checkpoint()
    otherwise = replace(scan, checkpoint="departed_hub")
    await writer.write(CREATION, otherwise)
    await writer.write(PICKED_UP, scan)
    await writer.write(scan, otherwise)
    event = await storage.events.get(scan.event_id)
    assert event is not None
    assert (event["outcome"], event["checkpoint"], event["status"]) == (
        "applied",
        "arrived_at_hub",
        "picked_up",
    )
    assert (event["attempts"], event["duplicates"], event["conflicts"]) == (2, 1, 1)
    [other] = event["other_payloads"]
    assert (other["checkpoint"], other["status"]) == ("departed_hub", None)
    assert (await storage.store.load([NUMBER]))[NUMBER].checkpoints == 1


@pytest.mark.parametrize("first_is_status", [True, False])
async def test_of_a_status_and_a_checkpoint_of_one_instant_the_applied_one_stands(
    storage: Storage, *, first_is_status: bool
) -> None:
    """The other was rejected first: what it said must be gone from the event."""
    scan = checkpoint()
    status = report(Status.PICKED_UP, at=scan.timestamp, source=scan.source)
    early = report(Status.DELIVERED, at=scan.timestamp, source=scan.source)
    writer = await Writer.of(storage.store)
    if first_is_status:
        await writer.write(CREATION, PICKED_UP, early)
        await writer.write(scan)
    else:
        await writer.write(CREATION, scan)
        await writer.write(status)
    event = await storage.events.get(scan.event_id)
    assert event is not None
    [other] = event["other_payloads"]
    assert (event["outcome"], event["status"]) == ("applied", "picked_up")
    if first_is_status:
        assert (event["checkpoint"], other["status"]) == (scan.checkpoint, "delivered")
        assert "checkpoint" not in other
    else:
        assert (other["checkpoint"], other["status"]) == (scan.checkpoint, None)
        assert "checkpoint" not in event
