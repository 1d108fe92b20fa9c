"""Partitions halt for every owner until an operator resumes them: on real servers."""

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from domain.processing.halts import Start
from domain.shipments.commands import Command
from domain.shipments.status import Status
from messaging.consumer.partition import halting as halting_module
from messaging.consumer.partition.dead_lettering import MAX_CONSECUTIVE_DEAD_LETTERS
from messaging.log.partitioning import partition_of
from tests.faults.matrix import Row
from tests.integration.processor.operating import Operator
from tests.support.builders import NUMBER, creation, report
from tests.support.fault_table import Recovery
from tests.support.site import Site, processing
from tests.support.topics import admin_of, forget_records, read_topic, write_values

pytestmark = pytest.mark.stack

POISON = MAX_CONSECUTIVE_DEAD_LETTERS + 20
JOURNEY: list[Command] = [creation(), report(Status.PICKED_UP), report(Status.IN_WAREHOUSE)]


@pytest.fixture(autouse=True)
def _asking_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halting_module, "ASK_AGAIN_S", 0.2)


@pytest.fixture
def number(site: Site) -> int:
    """Give the partition of the shipment."""
    return partition_of(NUMBER.encode(), site.kafka.partitions)


async def dead_lettered_offsets(site: Site) -> list[int]:
    """Return the offsets of dead-lettered records, in the order of the dead letters."""
    dead_letters = await read_topic(site.kafka, site.topics.dead_letters)
    return [int(dict(dead_letter.headers)["dlq-offset"]) for dead_letter in dead_letters]


@pytest.mark.fault(Row.POISON_RUN)
async def test_a_run_of_dead_letters_halts_every_owner_and_nothing_is_dead_lettered_twice(
    site: Site, number: int, recovery: Recovery
) -> None:
    operator = Operator(site, number)
    await write_values(site.kafka, site.topics.events, [(NUMBER.encode(), b"{")] * POISON, number)
    await site.send(JOURNEY)
    async with processing(site, "first"):
        view = await operator.halted()
        assert view.halt is not None
        assert view.halt.problem.startswith(f"{MAX_CONSECUTIVE_DEAD_LETTERS} dead letters in a row")
    async with processing(site, "second"):
        await operator.sees(lambda view: view.owner == "second", "another owner")
        assert await dead_lettered_offsets(site) == list(range(MAX_CONSECUTIVE_DEAD_LETTERS))
        with recovery.timed():
            await operator.resume(Start.COMMITTED)
            await site.finished()
        view = await operator.sees(lambda view: view.halt is None, "the end of the halt")
        assert view.resumption is None
    assert await dead_lettered_offsets(site) == list(range(POISON))
    assert await site.violations(JOURNEY) == []


@pytest.mark.fault(Row.RETENTION)
async def test_a_gap_is_left_behind_only_if_an_operator_accepts_it(
    site: Site, number: int, recovery: Recovery
) -> None:
    operator = Operator(site, number)
    await site.send(JOURNEY[:1])
    async with processing(site, "first"):
        await site.finished()
    await site.send([report(Status.PICKED_UP, notes="lost"), JOURNEY[1]])
    await forget_records(site.kafka, site.topics.events, below={number: 2})
    async with processing(site, "second"):
        view = await operator.halted()
        assert view.halt is not None
        assert (view.halt.starts, view.next_offset) == ((Start.EARLIEST,), 1)
        assert "offset 1 is no longer in the log" in view.halt.problem
        with recovery.timed():
            await operator.resume(Start.EARLIEST)
            await site.finished()
        await operator.sees(lambda view: view.halt is None, "the end of the halt")
    async with processing(site, "third"):
        await site.send(JOURNEY[2:])
        await site.finished()
        view = await operator.sees(lambda view: view.owner == "third", "another owner")
        assert view.halt is None, "what was accepted once is not asked for again"


async def test_a_dead_letter_that_its_topic_rejects_halts_the_partition(site: Site, number: int) -> None:
    operator = Operator(site, number)
    dead_letters = site.topics.dead_letters
    async with admin_of(site.kafka) as admin:
        await admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, dead_letters, {"max.message.bytes": "600"})]
        )
    await write_values(site.kafka, site.topics.events, [(None, b"{" + bytes(range(256)) * 8)], number)
    async with processing(site):
        view = await operator.halted()
        assert view.halt is not None
        assert view.halt.problem.startswith(
            "offset 0 can be neither applied nor dead-lettered: DeadLetterRejected"
        )
        async with admin_of(site.kafka) as admin:
            await admin.alter_configs(
                [ConfigResource(ConfigResourceType.TOPIC, dead_letters, {"max.message.bytes": "1000000"})]
            )
        await operator.resume(Start.COMMITTED)
        await site.finished()
    assert await dead_lettered_offsets(site) == [0]
