"""Partitions that share a cycle: the trouble of one stops and doubles nothing of the others."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from aiokafka.structs import ConsumerRecord

import domain.processing.judging
from domain.errors import CommitUnknown, Fenced, TransientError
from domain.ports.core import Fence
from domain.processing.batch import Plan
from domain.shipments.commands import Command
from domain.shipments.shipment import decide
from domain.shipments.status import Status
from httpkit.middleware.http_metrics import new_registry
from messaging.log.partitioning import partition_of
from processor.app import open_ports
from processor.use_cases.ports import Ports
from processor.use_cases.shipment_partition import ShipmentPartition
from storage.mongo.processing.shipment_store import MongoShipmentStore
from storage.mongo.processing.transaction_writer import TransactionWriter
from tests.faults.matrix import Row
from tests.integration.processor.traffic import traffic
from tests.support.builders import creation, ends_at, log_partition, number, report
from tests.support.crashing.breaking import BREAKING_SOURCE, with_bug
from tests.support.producing import producer_on
from tests.support.proxy import Proxy, mongo_uri_of
from tests.support.site import Site
from tests.support.topics import read_topic

pytestmark = pytest.mark.stack

PARTITIONS = 3
DAY: Sequence[Command] = traffic(12, seed=21)
FIRST_IN = [
    next(index for index in range(100, 200) if partition_of(number(index).encode(), PARTITIONS) == partition)
    for partition in range(PARTITIONS)
]
"""For each partition, the index of a shipment that is in it and not among the day's."""


@pytest.fixture
def partitions() -> int:
    return PARTITIONS


@dataclass(frozen=True, slots=True)
class Process:
    """One process that owns all partitions."""

    site: Site
    ports: Ports
    owned: Sequence[ShipmentPartition]

    async def taken_over(self) -> "Process":
        """Take every partition over."""
        for each in self.owned:
            await each.open(ends_at(1_000))
        return self

    async def log(self) -> list[list[ConsumerRecord]]:
        """Return the records of each partition."""
        records = await read_topic(self.site.kafka, self.site.topics.events)
        return [[each for each in records if each.partition == number] for number in range(PARTITIONS)]

    def begin(self, batches: Sequence[Sequence[ConsumerRecord]]) -> list[asyncio.Task[bool]]:
        """Begin to apply a batch of each partition, all at once."""
        pairs = zip(self.owned, batches, strict=True)
        return [asyncio.create_task(partition.handle(batch)) for partition, batch in pairs if batch]

    async def apply(self, batches: Sequence[Sequence[ConsumerRecord]]) -> list[type]:
        """Apply a batch of each partition, all at once, and return the kinds of their results."""
        ends = await asyncio.gather(*self.begin(batches), return_exceptions=True)
        return [type(end) for end in ends]


@asynccontextmanager
async def process(site: Site, name: str = "one") -> AsyncIterator[Process]:
    """Give a process that has not taken its partitions over yet."""
    async with (
        producer_on(site.kafka) as producer,
        open_ports(site.settings(name), producer, new_registry("test")) as ports,
    ):
        owned = [
            ShipmentPartition(
                log_partition(site.topics.events, partition, partitions=PARTITIONS),
                ports,
                owner=name,
                cache_size=100,
            )
            for partition in range(PARTITIONS)
        ]
        yield Process(site, ports, owned)


@pytest.fixture
def transactions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Record how many partitions each transaction was of."""
    sizes: list[int] = []
    hold = TransactionWriter._hold  # noqa: SLF001  # the first step of each

    async def counted(self: TransactionWriter, held: Sequence[tuple[Fence, int]], session: object) -> None:
        sizes.append(len(held))
        await hold(self, held, session)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(TransactionWriter, "_hold", counted)
    return sizes


async def test_partitions_with_few_records_are_written_in_one_transaction(
    site: Site, transactions: list[int]
) -> None:
    await site.send(DAY)
    async with process(site) as one:
        await one.taken_over()
        assert await one.apply(await one.log()) == [bool] * PARTITIONS
    assert transactions == [PARTITIONS]
    assert await site.violations(DAY, published=True) == []


@pytest.mark.fault(Row.PROCESSOR_FROZEN)
async def test_a_partition_that_was_lost_writes_nothing_and_stops_no_other(
    site: Site, transactions: list[int]
) -> None:
    await site.send(DAY)
    async with process(site) as one, process(site, "other") as other:
        await one.taken_over()
        await other.owned[1].open(ends_at(1_000))
        log = await one.log()
        assert await one.apply(log) == [bool, Fenced, bool]
        assert transactions == [PARTITIONS, 1, 1, 1]
        assert await other.owned[1].handle(log[1])
    assert await site.violations(DAY, published=True) == []


@pytest.mark.fault(Row.POISON)
async def test_a_record_that_breaks_the_code_fails_in_its_partition_alone(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain.processing.judging, "decide", with_bug(decide))
    broken = report(Status.PICKED_UP, number(FIRST_IN[2]), source=BREAKING_SOURCE)
    await site.send([*DAY, broken])
    async with process(site) as one:
        await one.taken_over()
        log = await one.log()
        assert await one.apply(log) == [bool, bool, ValueError]
        assert await one.owned[2].handle(log[2][:-1])
    [lost] = await site.violations([*DAY, broken], published=True)
    assert broken.event_id in lost


@pytest.mark.fault(Row.DUPLICATES)
async def test_a_partition_that_knows_too_little_is_judged_again_alone(
    site: Site, transactions: list[int]
) -> None:
    early = report(Status.PICKED_UP, number(FIRST_IN[0]))
    first, then = [early], [creation(number(FIRST_IN[0])), early, *DAY]
    async with process(site) as one:
        await one.taken_over()
        await site.send(first)
        log = await one.log()
        await one.apply(log)
        await site.send(then)
        rest = [each[len(done) :] for each, done in zip(await one.log(), log, strict=True)]
        assert await one.apply(rest) == [bool] * PARTITIONS
    assert transactions == [1, PARTITIONS, 1, 1, 1, 1]
    assert await site.violations([*first, *then], published=True) == []


@pytest.mark.fault(Row.MONGO_ANSWER_LOST)
@pytest.mark.parametrize("committed", [False, True])
async def test_a_transaction_with_an_unknown_outcome_is_repeated_by_all_without_harm(
    site: Site, mongo_proxy: Proxy, monkeypatch: pytest.MonkeyPatch, *, committed: bool
) -> None:
    await site.send(DAY)
    patience = {"uri": mongo_uri_of(mongo_proxy), "timeout_s": 0.6, "server_selection_timeout_s": 0.3}
    async with process(replace(site, mongo=site.mongo.model_copy(update=patience))) as one:
        await one.taken_over()
        log = await one.log()
        if committed:
            lose_responses_of_commits(mongo_proxy, monkeypatch)
        else:
            mongo_proxy.lose(b"commitTransaction")
        assert await one.apply(log) == [CommitUnknown] * PARTITIONS
        mongo_proxy.heal()
        monkeypatch.undo()
        async with asyncio.timeout(10):
            left = set(range(PARTITIONS))
            while left:
                ends = await one.apply([log[each] if each in left else [] for each in range(PARTITIONS)])
                assert all(end is bool or issubclass(end, TransientError) for end in ends)
                left -= {each for each, end in zip(sorted(left), ends, strict=True) if end is bool}
    assert await site.violations(DAY, published=True) == []


def lose_responses_of_commits(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let transactions be committed, and nobody hear of it."""
    written = TransactionWriter._write_shipments  # noqa: SLF001  # the last step before

    async def and_stall(self: TransactionWriter, *args: object) -> None:
        await written(self, *args)  # type: ignore[arg-type]  # passed on
        proxy.stall(answers_only=True)

    monkeypatch.setattr(TransactionWriter, "_write_shipments", and_stall)


@pytest.mark.fault(Row.PROCESSOR_FROZEN)
async def test_a_partition_that_is_released_meanwhile_is_finished_by_its_next_owner(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await site.send(DAY)
    writing, released = asyncio.Event(), asyncio.Event()
    commit = MongoShipmentStore.commit

    async def held_up(
        self: MongoShipmentStore, plans: Sequence[tuple[Fence, Plan]], **named: object
    ) -> list[Fence]:
        writing.set()
        await released.wait()
        return await commit(self, plans, **named)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(MongoShipmentStore, "commit", held_up)
    async with process(site) as one, process(site, "other") as other:
        await one.taken_over()
        log = await one.log()
        gone, *others = one.begin(log)
        await writing.wait()
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        released.set()
        assert await asyncio.gather(*others) == [True] * (PARTITIONS - 1)
        await other.owned[0].open(ends_at(1_000))
        assert await other.owned[0].handle(log[0])
    assert await site.violations(DAY, published=True) == []
