"""State that a partition leaves to the next owner, and resume requests of operators."""

import pytest

from domain.errors import Fenced
from domain.processing.halts import Attempt, Halt, Resumption, Start
from domain.shipments.status import Status
from messaging.dead_letters.records import DeadLetter
from tests.support.builders import NOON, creation, ends_at, report
from tests.support.records import records_of
from tests.unit.processor.harness import END, NAME, ProcessorHarness


async def test_a_halt_holds_for_the_next_owner_until_it_is_cleared(harness: ProcessorHarness) -> None:
    partition = await harness.partition()
    halt = await partition.stop("too many", is_gap=False)
    assert halt == Halt("too many", harness.clock.now())
    successor = await harness.partition()
    assert (await successor.open(ends_at(END))).halt == halt
    await successor.clear_halt()
    assert (await successor.open(ends_at(END))).halt is None


async def test_what_the_log_has_lost_is_given_up_once(harness: ProcessorHarness) -> None:
    partition = await harness.partition()
    await partition.stop("a gap", is_gap=True)
    await partition.clear_halt(lost_below=20)
    await partition.handle(records_of(creation(), first_offset=20))
    successor = await harness.partition()
    checkpoint = await successor.open(ends_at(END))
    assert (checkpoint.halt, checkpoint.next_offset) == (None, 21)


async def test_an_owner_whose_store_was_restored_takes_the_partition_over_again(
    harness: ProcessorHarness,
) -> None:
    partition = await harness.partition()
    backup = harness.documents.fences[NAME]
    await partition.handle(records_of(creation(), first_offset=5))
    harness.documents.fences[NAME] = backup
    with pytest.raises(Fenced, match="gone back"):
        await partition.handle(records_of(report(Status.PICKED_UP), first_offset=6))


async def test_resume_requests_of_this_halt_are_returned(harness: ProcessorHarness) -> None:
    partition = await harness.partition()
    halt = await partition.stop("a gap", is_gap=True)
    assert await partition.resume_request(halt) is None
    harness.documents.resumptions[NAME] = Resumption(
        halted_since=halt.since,
        start=Start.EARLIEST,
        reason="they are sent again",
        requested_by="admin_user",
        requested_at=NOON,
    )
    assert await partition.resume_request(halt) is Start.EARLIEST


async def test_the_next_owner_finds_the_attempt(harness: ProcessorHarness) -> None:
    partition = await harness.partition()
    await partition.attempt(Attempt(4, 1))
    successor = await harness.partition()
    with pytest.raises(Fenced):
        await partition.attempt(None)
    assert (await successor.open(ends_at(END))).attempt == Attempt(4, 1)


async def test_a_dead_letter_that_may_not_be_read_has_no_outcome(harness: ProcessorHarness) -> None:
    partition = await harness.partition()
    [record] = records_of(creation())
    await partition.dead_letter(
        DeadLetter(record, "unprocessable", "the process ended 6 times", 6, unread=True)
    )
    [dead_letter] = harness.documents.dead_letters.values()
    assert (dead_letter["event_id"], dead_letter["key"]) == (None, creation().tracking_number)
    assert harness.documents.events == {}
    assert harness.count("dead", "unprocessable") == 1


async def test_a_batch_asks_for_nothing_of_it(harness: ProcessorHarness) -> None:
    partition = await harness.partition()
    for call in ("note_halt", "note_attempt", "resumption"):
        harness.partition_state.fail_next(call, AssertionError(call))
    harness.quarantine.fail_next("entries", AssertionError("entries"))
    before = harness.store.calls.copy()
    assert await partition.handle(records_of(creation(), report(Status.PICKED_UP)))
    assert harness.store.calls - before == {"find_events": 1, "load": 1, "commit": 1}
