"""Route of commands: over the declared partitions alone, and on where the brokers refuse them."""

from collections.abc import Mapping, Sequence

import pytest

from domain.errors import NotPublished, PublishUnknown
from messaging.log.partitioning import partition_of
from messaging.producer.group_commit import Partition
from messaging.producer.log_appender import LogAppender
from messaging.producer.log_route import LogRoute, PartitionsClosed
from messaging.producer.outgoing_record import OutgoingRecord
from messaging.settings import KafkaSettings

EVENTS = "shipments.events"
KEYS = [b"key-%d" % each for each in range(50)]


def appender(lots: list[Mapping[Partition, Sequence[OutgoingRecord]]], *errors: Exception) -> LogAppender:
    """Return an appender that records lots, and meets one error after the other; without a connection."""
    left = list(errors)

    async def append_lots(given: Mapping[Partition, Sequence[OutgoingRecord]], within_s: float) -> None:
        assert within_s > 0
        lots.append(given)
        if left:
            raise left.pop(0)

    return LogAppender(KafkaSettings(), append_lots, lambda: None)


def record(key: bytes) -> OutgoingRecord:
    return OutgoingRecord(key, b"value", [])


def test_commands_are_spread_over_the_declared_partitions_alone() -> None:
    route = LogRoute(KafkaSettings())
    assert [route.place_of(key) for key in KEYS] == [(EVENTS, partition_of(key, 12)) for key in KEYS]


@pytest.mark.parametrize("known", [12, 13, 24])
def test_more_partitions_than_declared_are_no_obstacle(known: int) -> None:
    appender([]).require_whole(EVENTS, known)
    appender([]).require_whole("shipments.changes", 1)


def test_a_log_that_lacks_partitions_takes_no_commands() -> None:
    with pytest.raises(NotPublished, match="has 6 partitions, not 12"):
        appender([]).require_whole(EVENTS, 6)


async def test_what_is_refused_without_a_connection_is_not_published() -> None:
    place = LogRoute(KafkaSettings()).place_of(b"key")
    with pytest.raises(NotPublished, match="no connection"):
        await appender([], PartitionsClosed([place])).append([record(b"key")])


async def test_commands_of_one_partition_keep_their_order_in_one_lot() -> None:
    lots: list[Mapping[Partition, Sequence[OutgoingRecord]]] = []
    given = [OutgoingRecord(b"key", b"%d" % each, []) for each in range(3)]
    await appender(lots).append(given)
    [[lot]] = [list(each.values()) for each in lots]
    assert lot == given


async def test_an_error_that_is_not_a_refusal_is_the_callers() -> None:
    with pytest.raises(PublishUnknown):
        await appender([], PublishUnknown("late")).append([record(b"key")])
