"""What a partition notes for the next owner, and hears from operators."""

import pytest

from domain.errors import Fenced
from domain.processing.halts import Attempt, Halt, Resumption, Start
from domain.shipments.status import Status
from messaging.dead_letters.records import DeadLetter
from tests.support.builders import NOON, creation, ends_at, report
from tests.support.records import records_of
from tests.unit.processor.rig import END, NAME, Rig


async def test_it_stands_still_for_the_next_owner_until_it_goes_on(rig: Rig) -> None:
    partition = await rig.partition()
    halt = await partition.stop("too many", is_gap=False)
    assert halt == Halt("too many", rig.clock.now())
    successor = await rig.partition()
    assert (await successor.open(ends_at(END))).halt == halt
    await successor.clear_halt()
    assert (await successor.open(ends_at(END))).halt is None


async def test_what_the_log_has_lost_is_given_up_once(rig: Rig) -> None:
    partition = await rig.partition()
    await partition.stop("a gap", is_gap=True)
    await partition.clear_halt(lost_below=20)
    await partition.handle(records_of(creation(), first_offset=20))
    successor = await rig.partition()
    inherited = await successor.open(ends_at(END))
    assert (inherited.halt, inherited.next_offset) == (None, 21)


async def test_an_owner_whose_store_was_put_back_takes_the_partition_over_anew(rig: Rig) -> None:
    partition = await rig.partition()
    backup = rig.documents.fences[NAME]
    await partition.handle(records_of(creation(), first_offset=5))
    rig.documents.fences[NAME] = backup
    with pytest.raises(Fenced, match="gone back"):
        await partition.handle(records_of(report(Status.PICKED_UP), first_offset=6))


async def test_it_hears_what_operators_say_of_this_halt(rig: Rig) -> None:
    partition = await rig.partition()
    halt = await partition.stop("a gap", is_gap=True)
    assert await partition.told(halt) is None
    rig.documents.resumptions[NAME] = Resumption(
        halted_since=halt.since,
        start=Start.EARLIEST,
        reason="they are sent again",
        requested_by="admin_user",
        requested_at=NOON,
    )
    assert await partition.told(halt) is Start.EARLIEST


async def test_the_next_owner_finds_what_was_in_hand(rig: Rig) -> None:
    partition = await rig.partition()
    await partition.attempt(Attempt(4, 1))
    successor = await rig.partition()
    with pytest.raises(Fenced):
        await partition.attempt(None)
    assert (await successor.open(ends_at(END))).attempt == Attempt(4, 1)


async def test_a_letter_that_may_not_be_read_is_kept_without_an_outcome(rig: Rig) -> None:
    partition = await rig.partition()
    [record] = records_of(creation())
    await partition.bury(DeadLetter(record, "unprocessable", "the process ended 6 times", 6, unread=True))
    [letter] = rig.documents.dead_letters.values()
    assert (letter["event_id"], letter["key"]) == (None, creation().tracking_number)
    assert rig.documents.events == {}
    assert rig.count("dead", "unprocessable") == 1


async def test_a_batch_asks_for_nothing_of_it(rig: Rig) -> None:
    partition = await rig.partition()
    for call in ("note_halt", "note_attempt", "resumption"):
        rig.notes.fail_next(call, AssertionError(call))
    rig.quarantine.fail_next("entries", AssertionError("entries"))
    before = rig.store.calls.copy()
    assert await partition.handle(records_of(creation(), report(Status.PICKED_UP)))
    assert rig.store.calls - before == {"find_events": 1, "load": 1, "commit": 1}
