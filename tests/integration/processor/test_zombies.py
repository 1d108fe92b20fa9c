"""Two owners of one partition: the last one to raise the epoch writes, the other changes nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import cycle

import pytest
from aiokafka.structs import ConsumerRecord

from domain.errors import CommitUnknown, Fenced
from httpkit.middleware.http_metrics import new_registry
from processor.app import open_ports
from processor.use_cases.shipment_partition import ShipmentPartition
from tests.faults.matrix import Row
from tests.integration.processor.traffic import traffic
from tests.support.builders import ends_at, log_partition
from tests.support.history import violations
from tests.support.producing import producer_on
from tests.support.site import Site
from tests.support.topics import read_topic

pytestmark = pytest.mark.stack

PARTITION = 0


@asynccontextmanager
async def owners_of(site: Site, *names: str) -> AsyncIterator[list[ShipmentPartition]]:
    """Give handlers of one partition, each with connections of its own."""
    if not names:
        yield []
        return
    async with (
        producer_on(site.kafka) as producer,
        open_ports(site.settings(names[0]), producer, new_registry("test")) as ports,
    ):
        partition = log_partition(site.topics.events, PARTITION, partitions=site.kafka.partitions)
        owner = ShipmentPartition(partition, ports, owner=names[0], cache_size=100)
        async with owners_of(site, *names[1:]) as others:
            yield [owner, *others]


async def log_of(site: Site) -> list[ConsumerRecord]:
    """Write a mixed day to the log, and return what stands in the partition."""
    await site.send(traffic(30, seed=8))
    return [
        record for record in await read_topic(site.kafka, site.topics.events) if record.partition == PARTITION
    ]


async def violations_here(site: Site) -> list[str]:
    """Return what is not as it must be in the partition alone."""
    observed = await site.observed()
    here = [record for record in observed.log if record.place[0] == PARTITION]
    return violations(replace(observed, log=here))


@pytest.mark.fault(Row.PROCESSOR_FROZEN)
async def test_an_owner_that_was_replaced_changes_nothing(site: Site) -> None:
    records = await log_of(site)
    async with owners_of(site, "one", "other") as (one, other):
        await one.open(ends_at(len(records)))
        await one.handle(records[:20])
        await other.open(ends_at(len(records)))
        before = await site.observed()
        with pytest.raises(Fenced):
            await one.handle(records[20:40])
        assert await site.observed() == before
        await other.handle(records[20:])
    assert await violations_here(site) == []


@pytest.mark.fault(Row.PROCESSOR_FROZEN)
async def test_owners_that_take_turns_apply_each_record_once(site: Site) -> None:
    records = await log_of(site)
    async with owners_of(site, "one", "other") as both:
        for first, owner in zip(range(0, len(records), 15), cycle(both), strict=False):
            # Each starts behind what the other has done, as after a lost commit of the offset.
            await owner.open(ends_at(len(records)))
            await owner.handle(records[max(0, first - 20) : first + 15])
    assert await violations_here(site) == []


@pytest.mark.fault(Row.MONGO_ANSWER_LOST)
async def test_a_commit_of_ours_that_was_given_up_and_came_through_is_no_other_owner(site: Site) -> None:
    records = await log_of(site)
    async with owners_of(site, "one") as (one,):
        await one.open(ends_at(len(records)))
        late = one._fence.held  # noqa: SLF001  # what a process still holds that never heard of its commit
        await one.handle(records[:20])
        one._fence.held = late  # noqa: SLF001  # as above
        one._fence._cache.clear()  # noqa: SLF001  # as above
        with pytest.raises(CommitUnknown):
            await one.handle(records[:25])
        await one.handle(records[:25])
        await one.handle(records[25:])
    assert await violations_here(site) == []
