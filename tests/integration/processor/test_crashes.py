"""The processor killed with -9: between any two steps, and under load with another one beside it."""

import json
import signal
from contextlib import ExitStack

import pytest

from domain.commands import Command
from domain.status import Status
from storage.schema import STATUS_EVENTS
from tests.integration.processor.traffic import traffic
from tests.support.builders import creation, number, report
from tests.support.crashing.points import CrashPoint
from tests.support.site import Site, exit_code, processing, processor_process
from tests.support.topics import read_topic, write_values
from tests.support.waiting import wait_for

pytestmark = pytest.mark.stack

SEAT = "seat-1"
PAIR: list[Command] = [creation(), report(Status.PICKED_UP)]
KILLED = -signal.SIGKILL


async def told(site: Site) -> set[str]:
    """Return the ids of the events that the derived topic tells of."""
    return {json.loads(record.value)["id"] for record in await read_topic(site.kafka, site.topics.changes)}


async def applied(site: Site) -> set[str]:
    """Return the ids of the applied events."""
    return set(await site.database[STATUS_EVENTS].distinct("_id", {"outcome": "applied"}))


@pytest.mark.parametrize(
    "point",
    [
        CrashPoint.BEFORE_TRANSACTION,
        CrashPoint.INSIDE_TRANSACTION,
        CrashPoint.AFTER_COMMIT,
        CrashPoint.AFTER_PUBLISH,
    ],
)
async def test_a_processor_killed_between_two_steps_is_finished_by_the_next(
    site: Site, point: CrashPoint
) -> None:
    day = traffic(25, seed=3)
    await site.send(day)
    with processor_process(site, "doomed", seat=SEAT, crash_at=point, on_call=4) as doomed:
        assert await exit_code(doomed) == KILLED
    async with processing(site, "next", seat=SEAT):
        await site.finished()
    assert await site.violations(day) == []
    assert await told(site) == await applied(site)


async def test_what_was_being_written_when_the_processor_died_is_not_there(site: Site) -> None:
    await site.send(PAIR)
    with processor_process(site, "doomed", seat=SEAT, crash_at=CrashPoint.INSIDE_TRANSACTION) as doomed:
        assert await exit_code(doomed) == KILLED
    observed = await site.observed()
    assert (dict(observed.events), dict(observed.shipments)) == ({}, {})
    async with processing(site, "next", seat=SEAT):
        await site.finished()
    assert await site.violations(PAIR) == []


async def test_a_processor_killed_again_and_again_gets_through(site: Site) -> None:
    day = traffic(20, seed=4)
    await site.send(day)
    for point in (CrashPoint.INSIDE_TRANSACTION, CrashPoint.AFTER_COMMIT):
        with processor_process(site, "doomed", seat=SEAT, crash_at=point, on_call=2) as doomed:
            assert await exit_code(doomed) == KILLED
    async with processing(site, "next", seat=SEAT):
        await site.finished()
    assert await site.violations(day) == []


async def test_a_processor_killed_between_a_dead_letter_and_its_record_buries_it_again(site: Site) -> None:
    await site.send(PAIR[:1])
    [first] = await read_topic(site.kafka, site.topics.events)
    await write_values(site.kafka, site.topics.events, [(first.key, b"{")], first.partition)
    await site.send(PAIR[1:])
    with processor_process(site, "doomed", seat=SEAT, crash_at=CrashPoint.AFTER_DEAD_LETTER) as doomed:
        assert await exit_code(doomed) == KILLED
    async with processing(site, "next", seat=SEAT):
        await site.finished()
    assert await site.violations(PAIR) == []
    letters = await read_topic(site.kafka, site.topics.dead_letters)
    assert [letter.value for letter in letters] == [b"{", b"{"], "at least once"


async def test_two_processors_share_the_log_and_one_takes_over_when_the_other_is_killed(site: Site) -> None:
    day = traffic(120, seed=5)
    chunks = [day[first : first + 60] for first in range(0, len(day), 60)]
    with ExitStack() as stack:
        processes = [stack.enter_context(processor_process(site, instance)) for instance in ("one", "other")]

        async def shared() -> bool:
            return await site.owners() == {"one", "other"}

        await wait_for(shared, timeout_s=20, what="two owners")
        for chunk in chunks[:4]:
            await site.send(chunk)
        await site.recorded(40)
        processes[0].kill()
        for chunk in chunks[4:]:
            await site.send(chunk)
        await site.finished(timeout_s=40)
        assert await site.owners() == {"other"}
        processes[1].terminate()
        assert await exit_code(processes[1]) == 0
    assert await site.violations(day) == []
    assert await told(site) == await applied(site)


async def test_a_frozen_processor_that_wakes_up_changes_nothing(site: Site) -> None:
    before, after = traffic(15, seed=6), traffic(15, seed=7, first=1000)
    with processor_process(site, "frozen") as frozen:
        await site.send(before)
        await site.recorded(20)
        frozen.send_signal(signal.SIGSTOP)
        try:
            async with processing(site, "awake"):
                await site.send(after)
                await site.finished(timeout_s=40)
                frozen.send_signal(signal.SIGCONT)
                more = [creation(number(index)) for index in range(2000, 2030)]
                await site.send(more)
                await site.finished(timeout_s=40)
        finally:
            frozen.send_signal(signal.SIGCONT)
    assert await site.violations([*before, *after, *more]) == []
