"""Shipments that are set aside: their records are kept as dead letters, in order, and none is applied."""

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
from tests.unit.processor.rig import END, NAME, Rig, counters

SICK, WELL = number(1), number(2)
BOTH: tuple[Command, ...] = (
    creation(SICK),
    creation(WELL),
    report(Status.PICKED_UP, SICK),
    report(Status.PICKED_UP, WELL),
)


async def set_aside(rig: Rig, tracking_number: TrackingNumber = SICK) -> None:
    entry = Quarantined(
        tracking_number=tracking_number, reason="it breaks us", since=NOON, requested_by="admin_user"
    )
    assert await rig.quarantine.put(entry, most=10) is QuarantinePut.DONE


def letters(rig: Rig) -> list[bytes]:
    return [record.value for record in rig.dead_letters.topics.get("shipments.events.dlq", [])]


async def test_its_records_become_dead_letters_in_order_and_the_others_are_applied(rig: Rig) -> None:
    await set_aside(rig)
    partition = await rig.partition()
    records = records_of(*BOTH)
    assert await partition.handle(records)
    assert letters(rig) == [records[0].value, records[2].value]
    assert rig.statuses(WELL) == ["created", "picked_up"]
    assert SICK not in rig.documents.shipments
    dead = [rig.event(BOTH[index]) for index in (0, 2)]
    assert [(event["outcome"], event["reason"]) for event in dead] == [("dead", "quarantined")] * 2
    noted = list(rig.documents.dead_letters.values())
    assert [(each["reason"], each["error"], each["attempts"]) for each in noted] == [
        ("quarantined", "it breaks us", 0)
    ] * 2
    assert rig.count("dead", "quarantined") == 2


async def test_a_batch_of_nothing_else_says_that_nothing_was_applied(rig: Rig) -> None:
    await set_aside(rig)
    partition = await rig.partition()
    assert not await partition.handle(records_of(*BOTH[::2]))
    assert rig.documents.shipments == {}
    assert rig.documents.fences[NAME].next_offset == len(BOTH[::2]), "nobody sets them aside again"


async def test_what_cannot_be_read_is_set_aside_by_its_key(rig: Rig) -> None:
    await set_aside(rig)
    partition = await rig.partition()
    await partition.handle([LogRecord(0, b"{", SICK.encode()), LogRecord(1, None, SICK.encode())])
    assert letters(rig) == [b"{", b""]


async def test_once_released_its_letters_are_applied_when_they_come_again(rig: Rig) -> None:
    await set_aside(rig)
    await (await rig.partition()).handle(records_of(*BOTH))
    assert await rig.quarantine.remove(SICK, by="admin_user", at=NOON)
    partition = await rig.partition()
    await partition.handle(records_of(*BOTH[::2], first_offset=4))
    assert rig.statuses(SICK) == ["created", "picked_up"]
    assert [counters(rig.event(command)) for command in BOTH[::2]] == [(2, 0, 0)] * 2


async def test_a_new_owner_knows_what_was_set_aside_before_it_came(rig: Rig) -> None:
    partition = await rig.partition()
    await set_aside(rig)
    await partition.open(ends_at(END))
    await partition.handle(records_of(*BOTH))
    assert SICK not in rig.documents.shipments


async def test_a_batch_that_is_tried_again_leaves_one_copy_of_each(rig: Rig) -> None:
    await set_aside(rig)
    partition = await rig.partition()
    rig.store.fail_next("commit", StoreUnavailable("away"), after=True)
    records = records_of(*BOTH)
    with pytest.raises(StoreUnavailable):
        await partition.handle(records)
    await partition.handle(records)
    assert letters(rig) == [records[0].value, records[2].value]
    assert rig.event(BOTH[0])["outcome"] == "dead"


async def test_what_was_applied_before_is_told_again_and_not_set_aside(rig: Rig) -> None:
    await rig.applied(*BOTH)
    await set_aside(rig)
    rig.feed.published.clear()
    partition = await rig.partition()
    await partition.handle(records_of(*BOTH))
    assert letters(rig) == []
    assert set(rig.told()) == {command.event_id for command in BOTH}


async def test_what_comes_again_without_a_mark_of_its_own_is_set_aside(rig: Rig) -> None:
    """A rejected event that was sent again, set aside, and redelivered after a crash: it is not judged."""
    early = report(Status.IN_WAREHOUSE, SICK)
    await rig.applied(creation(SICK), early)
    await set_aside(rig)
    records = records_of(report(Status.PICKED_UP, SICK), early, creation(WELL), first_offset=2)
    await (await rig.partition()).handle(records)
    successor = await rig.partition()
    await successor.handle(records)
    assert rig.statuses(SICK) == ["created"]
    assert rig.event(early)["outcome"] == "rejected"
    assert letters(rig).count(records[1].value or b"") == 2, "at least once"


async def test_while_the_store_cannot_be_asked_the_last_list_holds(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine_module, "REFRESH_EVERY_S", 0.01)
    quarantine = Quarantine(rig.quarantine)
    await set_aside(rig)
    async with quarantine.kept_fresh():
        await wait_until(lambda: list(quarantine.reasons) == [SICK.encode()])
        with capture_logs() as logs:
            for _ in range(10):
                rig.quarantine.fail_next("entries", StoreUnavailable("away"))
            await set_aside(rig, WELL)
            await wait_until(lambda: bool(logs), what="a refresh that fails")
            assert list(quarantine.reasons) == [SICK.encode()]
        await wait_until(lambda: set(quarantine.reasons) == {SICK.encode(), WELL.encode()})


async def test_a_partition_is_not_worked_on_before_the_list_is_known(rig: Rig) -> None:
    rig.quarantine.fail_next("entries", StoreUnavailable("away"))
    with pytest.raises(StoreUnavailable):
        await rig.partition()
    assert NAME in rig.documents.fences
