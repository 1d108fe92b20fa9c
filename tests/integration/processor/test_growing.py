"""The log grows to more partitions while events flow: none is lost, doubled or reordered (ADR 0037)."""

import asyncio
import sys
from contextlib import ExitStack
from random import Random
from typing import TYPE_CHECKING

import pytest
from aiokafka.errors import MessageSizeTooLargeError

from messaging.log.growth import GrowthRefused, log_growth
from messaging.log.looking import generations_of
from storage.mongo.processing.partition_state import MongoPartitionStateStore
from tests.faults.matrix import Row
from tests.integration.processor.sending import (
    longest_wait_s,
    order_in_log,
    senders_on,
    without_repetitions,
)
from tests.integration.rebuilding.day import checked
from tests.support.builders import creation
from tests.support.fault_table import Recovery
from tests.support.site import Site, processing, processor_process
from tests.support.topics import write_commands
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

pytestmark = [pytest.mark.stack, pytest.mark.fault(Row.LOG_GROWS)]

SENDERS = 40


async def grown(site: Site, partitions: int) -> None:
    async with log_growth(site.kafka) as growth:
        await growth.begin(partitions)
        await growth.finish(partitions)


async def ended(site: Site) -> None:
    """Wait until every topic but the last is applied to its end."""
    closed = (await generations_of(site.kafka))[:-1]
    names = {each.name_of(number) for each in closed for number in range(each.partitions)}
    state = MongoPartitionStateStore(site.database)

    async def have_ended() -> bool:
        return await state.ended(names) == names

    await wait_for(have_ended, timeout_s=60, what="the ends of the topics before")


async def topics_of(site: Site) -> list[str]:
    return [each.topic.rpartition("shipments.")[2] for each in await generations_of(site.kafka)]


async def test_events_are_applied_in_order_while_the_log_grows_twice(site: Site, recovery: Recovery) -> None:
    async with processing(site, "one"), processing(site, "two"), senders_on(site, 3) as senders:
        async with asyncio.TaskGroup() as group:
            for index in range(SENDERS):
                group.create_task(senders.send(index, pause_s=0.5))
            for partitions in (5, 12):
                await asyncio.sleep(1.0)
                await grown(site, partitions)
        await site.finished()
        await ended(site)
    assert await topics_of(site) == ["events", "events-5", "events-12"]
    assert senders.refused == [], "accepting has paused"
    in_log = await order_in_log(site)
    assert in_log == {key: without_repetitions(events) for key, events in senders.accepted.items()}
    assert await site.violations(senders.sent, published=True) == []
    recovery.took(await longest_wait_s(site, senders))
    report, said = await checked(site)
    assert said == []
    assert report.shipments == SENDERS


@pytest.mark.parametrize(
    ("seed", "partitions"),
    [(1, 2), *(pytest.param(seed, 12, marks=pytest.mark.long) for seed in range(2, 12))],
)
@pytest.mark.timeout(240)
async def test_a_growth_that_is_killed_is_completed_by_the_next_one(
    site: Site, seed: int, partitions: int
) -> None:
    """Both it and the processors are killed, each at any time."""
    chance = Random(seed)  # noqa: S311  # a test that can be repeated
    async with senders_on(site, 3) as senders, asyncio.TaskGroup() as group:
        killing = asyncio.create_task(killed_again_and_again(site, chance))
        for index in range(SENDERS):
            group.create_task(senders.send(index, pause_s=chance.choice([0.3, 1.0])))
        for more in (2 * partitions, 4 * partitions):
            await asyncio.sleep(chance.uniform(0.2, 1.5))
            await grown_by_command(site, more, chance)
        await asyncio.sleep(1.0)
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)
    async with processing(site, "last"):
        await ended(site)
        await site.finished(timeout_s=60)
    assert await topics_of(site) == ["events", f"events-{2 * partitions}", f"events-{4 * partitions}"]
    assert senders.refused == [], "accepting has paused"
    in_log = await order_in_log(site)
    assert in_log == {key: without_repetitions(events) for key, events in senders.accepted.items()}
    assert await site.violations(senders.sent, published=True) == []


async def killed_again_and_again(site: Site, chance: Random) -> None:
    """Run two processors, and kill one of them again and again; in the end two go on."""
    number, kills = 0, 4
    with ExitStack() as stack:
        running: list[BaseProcess] = []
        while True:
            while len(running) < 2:
                number += 1
                running.append(stack.enter_context(processor_process(site, f"processor-{number}")))
            await asyncio.sleep(chance.uniform(1.0, 4.0))
            if kills:
                running.pop(chance.randrange(2)).kill()
                kills -= 1


async def grown_by_command(site: Site, partitions: int, chance: Random) -> None:
    """Repeat `waybill-admin partitions grow`, killed at any time, until it says that it is done."""
    kills = 3
    while True:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "toolbox", "partitions", "grow", str(partitions)),
            env=site.environment("growing"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(chance.uniform(0.5, 3.0) if kills > 0 else 100):
                output, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            kills -= 1
            continue
        assert process.returncode == 0, output.decode()
        return


async def test_a_topic_that_is_closed_takes_no_command_from_anybody(site: Site) -> None:
    await grown(site, 3)
    with pytest.raises(MessageSizeTooLargeError):
        await write_commands(site.kafka, site.topics.events, creation())


async def test_the_log_only_grows(site: Site) -> None:
    for partitions in (1, site.kafka.partitions):
        with pytest.raises(GrowthRefused, match="has 2 partitions already"):
            await grown(site, partitions)
    await grown(site, 4)
    await grown(site, 4)  # completes what may have been interrupted
    with pytest.raises(GrowthRefused, match="has 4 partitions already"):
        await grown(site, 3)
