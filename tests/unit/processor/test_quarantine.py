"""Quarantined shipments: their records become dead letters, in order, and none is applied."""

import pytest
from structlog.testing import capture_logs

from domain.errors import StoreUnavailable
from domain.processing.halts import Quarantined, QuarantinePut
from domain.shipments.commands import Command
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber
from processor.use_cases import quarantine as quarantine_module
from processor.use_cases.quarantine import Quarantine
from tests.support.builders import NOON, creation, ends_at, number, report
from tests.support.records import LogRecord, records_of
from tests.support.waiting import wait_until
from tests.unit.processor.harness import END, NAME, ProcessorHarness, counters

SICK, WELL = number(1), number(2)
BOTH: tuple[Command, ...] = (
    creation(SICK),
    creation(WELL),
    report(Status.PICKED_UP, SICK),
    report(Status.PICKED_UP, WELL),
)


async def quarantine_shipment(harness: ProcessorHarness, tracking_number: TrackingNumber = SICK) -> None:
    entry = Quarantined(
        tracking_number=tracking_number, reason="it breaks us", since=NOON, requested_by="admin_user"
    )
    assert await harness.quarantine.put(entry, most=10) is QuarantinePut.DONE


def dead_letter_values(harness: ProcessorHarness) -> list[bytes]:
    return [record.value for record in harness.dead_letters.topics.get("shipments.events.dlq", [])]


async def test_its_records_become_dead_letters_in_order_and_the_others_are_applied(
    harness: ProcessorHarness,
) -> None:
    await quarantine_shipment(harness)
    partition = await harness.partition()
    records = records_of(*BOTH)
    assert await partition.handle(records)
    assert dead_letter_values(harness) == [records[0].value, records[2].value]
    assert harness.statuses(WELL) == ["created", "picked_up"]
    assert SICK not in harness.documents.shipments
    dead = [harness.event(BOTH[index]) for index in (0, 2)]
    assert [(event["outcome"], event["reason"]) for event in dead] == [("dead", "quarantined")] * 2
    recorded = list(harness.documents.dead_letters.values())
    assert [(each["reason"], each["error"], each["attempts"]) for each in recorded] == [
        ("quarantined", "it breaks us", 0)
    ] * 2
    assert harness.count("dead", "quarantined") == 2


async def test_a_batch_of_nothing_else_says_that_nothing_was_applied(harness: ProcessorHarness) -> None:
    await quarantine_shipment(harness)
    partition = await harness.partition()
    assert not await partition.handle(records_of(*BOTH[::2]))
    assert harness.documents.shipments == {}
    assert harness.documents.fences[NAME].next_offset == len(BOTH[::2]), "nobody dead-letters them again"


async def test_an_unreadable_record_is_quarantined_by_its_key(harness: ProcessorHarness) -> None:
    await quarantine_shipment(harness)
    partition = await harness.partition()
    await partition.handle([LogRecord(0, b"{", SICK.encode()), LogRecord(1, None, SICK.encode())])
    assert dead_letter_values(harness) == [b"{", b""]


async def test_a_released_shipments_dead_letters_are_applied_when_replayed(harness: ProcessorHarness) -> None:
    await quarantine_shipment(harness)
    await (await harness.partition()).handle(records_of(*BOTH))
    assert await harness.quarantine.remove(SICK, by="admin_user", at=NOON)
    partition = await harness.partition()
    await partition.handle(records_of(*BOTH[::2], first_offset=4))
    assert harness.statuses(SICK) == ["created", "picked_up"]
    assert [counters(harness.event(command)) for command in BOTH[::2]] == [(2, 0, 0)] * 2


async def test_a_new_owner_knows_shipments_quarantined_before(harness: ProcessorHarness) -> None:
    partition = await harness.partition()
    await quarantine_shipment(harness)
    await partition.open(ends_at(END))
    await partition.handle(records_of(*BOTH))
    assert SICK not in harness.documents.shipments


async def test_a_batch_that_is_tried_again_leaves_one_copy_of_each(harness: ProcessorHarness) -> None:
    await quarantine_shipment(harness)
    partition = await harness.partition()
    harness.store.fail_next("commit", StoreUnavailable("away"), after=True)
    records = records_of(*BOTH)
    with pytest.raises(StoreUnavailable):
        await partition.handle(records)
    await partition.handle(records)
    assert dead_letter_values(harness) == [records[0].value, records[2].value]
    assert harness.event(BOTH[0])["outcome"] == "dead"


async def test_a_batch_that_is_tried_again_in_parts_leaves_one_copy_of_each(
    harness: ProcessorHarness,
) -> None:
    await quarantine_shipment(harness)
    partition = await harness.partition()
    harness.store.fail_next("commit", StoreUnavailable("away"))
    records = records_of(*BOTH)
    with pytest.raises(StoreUnavailable):
        await partition.handle(records)
    await partition.handle(records[:2])
    await partition.handle(records[2:])
    assert dead_letter_values(harness) == [records[0].value, records[2].value]


async def test_an_applied_record_is_published_again_and_not_quarantined(harness: ProcessorHarness) -> None:
    await harness.applied(*BOTH)
    await quarantine_shipment(harness)
    harness.feed.published.clear()
    partition = await harness.partition()
    await partition.handle(records_of(*BOTH))
    assert dead_letter_values(harness) == []
    assert set(harness.published_ids()) == {command.event_id for command in BOTH}


async def test_an_unrecorded_redelivery_is_quarantined(harness: ProcessorHarness) -> None:
    """A rejected event was sent again, quarantined, and redelivered after a crash: it is not judged."""
    early = report(Status.IN_WAREHOUSE, SICK)
    await harness.applied(creation(SICK), early)
    await quarantine_shipment(harness)
    records = records_of(report(Status.PICKED_UP, SICK), early, creation(WELL), first_offset=2)
    await (await harness.partition()).handle(records)
    successor = await harness.partition()
    await successor.handle(records)
    assert harness.statuses(SICK) == ["created"]
    assert harness.event(early)["outcome"] == "rejected"
    assert dead_letter_values(harness).count(records[1].value or b"") == 2, "at least once"


async def test_while_the_store_cannot_be_asked_the_last_list_holds(
    harness: ProcessorHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine_module, "REFRESH_EVERY_S", 0.01)
    quarantine = Quarantine(harness.quarantine)
    await quarantine_shipment(harness)
    async with quarantine.refreshed_regularly():
        await wait_until(lambda: list(quarantine.reasons) == [SICK.encode()])
        with capture_logs() as logs:
            for _ in range(10):
                harness.quarantine.fail_next("entries", StoreUnavailable("away"))
            await quarantine_shipment(harness, WELL)
            await wait_until(lambda: bool(logs), what="a refresh that fails")
            assert list(quarantine.reasons) == [SICK.encode()]
        await wait_until(lambda: set(quarantine.reasons) == {SICK.encode(), WELL.encode()})


async def test_a_partition_is_not_worked_on_before_the_list_is_known(harness: ProcessorHarness) -> None:
    harness.quarantine.fail_next("entries", StoreUnavailable("away"))
    with pytest.raises(StoreUnavailable):
        await harness.partition()
    assert NAME in harness.documents.fences
