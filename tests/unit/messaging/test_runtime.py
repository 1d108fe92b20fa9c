"""The end of the loop meets a rebalance: nothing begins any more, nobody leaves before all is committed."""

import asyncio
from collections.abc import AsyncIterator
from unittest.mock import AsyncMock

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError

from domain.ports.core import EndOffset, IsAnother
from domain.processing.halts import Halt, PartitionCheckpoint, Start
from messaging.consumer.group.assignment import Assignment
from messaging.consumer.group.committing import OffsetCommitter
from messaging.consumer.group.fetching import RecordFetcher
from messaging.consumer.group.membership import GroupMember
from messaging.consumer.halting_recovery import HaltingRecovery, restart_offset
from messaging.consumer.partition.partition_worker import PartitionWorker
from messaging.consumer.worker.worker_states import State
from messaging.settings import KafkaSettings
from messaging.topic_watch import TopicWatch
from tests.support.builders import NOON
from tests.support.waiting import wait_until
from tests.unit.messaging.scripted import ScriptedHandler, worker_of, working

pytestmark = pytest.mark.race

PARTITION = TopicPartition("topic", 0)
OTHER = TopicPartition("topic", 1)


class Opening(ScriptedHandler):
    """Never gets its partition."""

    async def open(
        self,
        end_offset: EndOffset,  # noqa: ARG002  # of the port
        is_another: IsAnother | None = None,  # noqa: ARG002  # as above
    ) -> PartitionCheckpoint:
        await asyncio.Event().wait()
        raise AssertionError


@pytest.fixture
async def consumer() -> AsyncIterator[AIOKafkaConsumer]:
    """One that has never been started: nothing can be committed."""
    consumer = AIOKafkaConsumer(group_id="group", enable_auto_commit=False)
    yield consumer
    await consumer.stop()


@pytest.fixture
def handlers() -> list[Opening]:
    return []


@pytest.fixture
def assignment(handlers: list[Opening]) -> Assignment[PartitionWorker]:
    def worker(_partition: TopicPartition) -> PartitionWorker:
        handlers.append(Opening())
        return worker_of(handlers[-1])

    def failed(error: BaseException) -> None:
        raise error

    return Assignment(worker, failed)


@pytest.fixture
def member(
    consumer: AIOKafkaConsumer, assignment: Assignment[PartitionWorker]
) -> GroupMember[PartitionWorker]:
    def failed(error: BaseException) -> None:
        raise error

    return GroupMember(consumer, assignment, OffsetCommitter(consumer), drain_s=8.0, failed=failed)


@pytest.fixture
def recovery(consumer: AIOKafkaConsumer, assignment: Assignment[PartitionWorker]) -> HaltingRecovery:
    return HaltingRecovery(consumer, assignment, TopicWatch(KafkaSettings(), "topic", "group"))


@pytest.fixture
def fetcher(
    consumer: AIOKafkaConsumer, assignment: Assignment[PartitionWorker], recovery: HaltingRecovery
) -> RecordFetcher[PartitionWorker]:
    return RecordFetcher(consumer, assignment, recovery, max_records=10)


async def test_nothing_is_taken_up_once_the_end_has_come(
    assignment: Assignment[PartitionWorker], consumer: AIOKafkaConsumer, handlers: list[Opening]
) -> None:
    assignment.stop()
    assignment.take(consumer, [PARTITION])
    assert handlers == []
    assert not assignment.is_known


async def test_a_second_release_waits_for_the_first(
    member: GroupMember[PartitionWorker], monkeypatch: pytest.MonkeyPatch
) -> None:
    drained = asyncio.Event()

    async def drain(_worker: PartitionWorker) -> None:
        await drained.wait()

    monkeypatch.setattr(PartitionWorker, "drain", drain)
    await member.on_partitions_assigned([PARTITION])
    releases = [asyncio.create_task(member.release()) for _ in range(2)]
    await asyncio.sleep(0.05)  # not for a condition: nothing may happen
    assert [each.done() for each in releases] == [False, False]
    drained.set()
    await asyncio.wait_for(asyncio.gather(*releases), 5)


@pytest.mark.parametrize(
    ("is_another", "position", "state", "sought"),
    [
        (False, 500, State.HALTED, []),
        (True, 500, State.OPENING, [0]),
        (None, 500, State.OPENING, []),
        (False, 0, State.OPENING, []),
    ],
    ids=["the same topic", "another topic", "nobody says", "sought meanwhile"],
)
async def test_only_a_recreated_topic_is_read_again_where_the_log_ends_too_early(  # noqa: PLR0913  # a case, and fixtures
    assignment: Assignment[PartitionWorker],
    fetcher: RecordFetcher[PartitionWorker],
    consumer: AIOKafkaConsumer,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_another: bool | None,
    position: int,
    state: State,
    sought: list[int],
) -> None:
    seeks: list[int] = []
    monkeypatch.setattr(consumer, "beginning_offsets", AsyncMock(return_value={PARTITION: 0}))
    monkeypatch.setattr(consumer, "end_offsets", AsyncMock(return_value={PARTITION: 490}))
    monkeypatch.setattr(consumer, "position", AsyncMock(return_value=position))
    monkeypatch.setattr(consumer, "seek", lambda _partition, offset: seeks.append(offset))
    monkeypatch.setattr(TopicWatch, "is_another", AsyncMock(return_value=is_another))
    monkeypatch.setattr(consumer, "paused", set)
    # What aiokafka raises takes a broker that loses records.
    monkeypatch.setattr(consumer, "getmany", AsyncMock(side_effect=OffsetOutOfRangeError({PARTITION: 500})))
    assignment.take(consumer, [PARTITION])
    [worker] = assignment.workers.values()
    await fetcher.fetch()
    assert (worker.state, seeks) == (state, sought)
    if state is State.HALTED:
        assert worker.problem == "the log ends at 490, applied up to 500: its tail was lost"
    await assignment.release().finish(within_s=8.0)


@pytest.mark.parametrize(("skip_to", "expected"), [(7, 7), (1_073_741_827, 9)])
async def test_nothing_is_skipped_beyond_the_logs_end(
    consumer: AIOKafkaConsumer, monkeypatch: pytest.MonkeyPatch, skip_to: int, expected: int
) -> None:
    monkeypatch.setattr(consumer, "end_offsets", AsyncMock(return_value={PARTITION: 9}))
    handler = ScriptedHandler(halt=Halt("a batch", NOON, skip_to=skip_to))
    worker = worker_of(handler)
    async with working(worker, end_offset=9):
        await wait_until(lambda: worker.halting.skip_to == skip_to)
        worker.halting.restart = Start.NEXT
        assert await restart_offset(consumer, PARTITION, worker) == expected


async def test_what_is_released_between_two_awaits_is_not_sought_any_more(
    assignment: Assignment[PartitionWorker],
    member: GroupMember[PartitionWorker],
    fetcher: RecordFetcher[PartitionWorker],
    consumer: AIOKafkaConsumer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sought: list[TopicPartition] = []

    async def committed(_partition: TopicPartition) -> None:
        await member.release()

    async def beginning_offsets(partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        await member.release()
        return dict.fromkeys(partitions, 0)

    async def seek_to_beginning(*partitions: TopicPartition) -> None:
        sought.extend(partitions)

    monkeypatch.setattr(consumer, "committed", committed)
    monkeypatch.setattr(consumer, "beginning_offsets", beginning_offsets)
    monkeypatch.setattr(consumer, "seek_to_beginning", seek_to_beginning)
    monkeypatch.setattr(consumer, "seek", lambda partition, _offset: sought.append(partition))
    monkeypatch.setattr(consumer, "getmany", AsyncMock(side_effect=NoOffsetForPartitionError))
    assignment.take(consumer, [PARTITION, OTHER])
    await fetcher.fetch()
    assert (assignment.workers, sought) == ({}, [])

    assignment.take(consumer, [PARTITION])
    [worker] = assignment.workers.values()
    worker.halt("a record")
    worker.halting.restart = Start.EARLIEST
    await fetcher.fetch()
    assert (assignment.workers, sought) == ({}, [])
