"""Crash points of a processor: between every two of its steps."""

from enum import Enum
from typing import Any

from aiokafka import AIOKafkaConsumer

from messaging.consumer.group.membership import GroupMember
from messaging.dead_letters.records import KafkaDeadLetters
from messaging.producer.change_feed import KafkaChangeFeed
from processor.use_cases.shipment_partition import ShipmentPartition
from storage.mongo.operations.dead_letter_index import MongoDeadLetterIndex
from storage.mongo.processing.partition_state import MongoPartitionStateStore
from storage.mongo.processing.shipment_store import MongoShipmentStore
from storage.mongo.processing.transaction_writer import TransactionWriter
from storage.redis.duplicate_filter import RedisDuplicateFilter
from storage.redis.replies import RedisReplies
from tests.support.crashing.striking import Side, Step

BEFORE, AFTER = Side.BEFORE, Side.AFTER


def _is_stopping(member: GroupMember[Any], *_args: Any) -> bool:  # noqa: ANN401  # as the method takes them
    return member._assignment.is_stopping  # noqa: SLF001  # nobody else needs to know


def _has_work(*args: Any) -> bool:  # noqa: ANN401  # as above
    return bool(args[-1])


class CrashPoint(Enum):
    """The two steps around each point, in the order of a processor."""

    # taking a partition over
    BEFORE_OLD_SESSIONS = Step(MongoShipmentStore, "_end_sessions_of_last_owner", BEFORE)
    BEFORE_EPOCH = Step(MongoShipmentStore, "_end_sessions_of_last_owner", AFTER)
    AFTER_EPOCH = Step(MongoShipmentStore, "acquire", AFTER)
    AFTER_ATTEMPT = Step(MongoPartitionStateStore, "note_attempt", AFTER)  # in isolation
    # applying a batch
    AFTER_FETCH = Step(ShipmentPartition, "handle", BEFORE)
    AFTER_DUPLICATE_LOOKUP = Step(RedisDuplicateFilter, "seen", AFTER, _has_work)
    AFTER_REDELIVERY_LOOKUP = Step(MongoShipmentStore, "find_events", AFTER, _has_work)
    AFTER_LOAD = Step(MongoShipmentStore, "load", AFTER, _has_work)
    BEFORE_TRANSACTION = Step(MongoShipmentStore, "commit", BEFORE)
    AFTER_FENCE = Step(TransactionWriter, "_hold", AFTER)
    INSIDE_TRANSACTION = Step(TransactionWriter, "_write_events", AFTER)
    BEFORE_COMMIT = Step(TransactionWriter, "_write_shipments", AFTER)
    AFTER_COMMIT = Step(MongoShipmentStore, "commit", AFTER)
    AFTER_MARK = Step(RedisDuplicateFilter, "mark", AFTER, _has_work)
    AFTER_REPLIES = Step(RedisReplies, "send", AFTER, _has_work)
    AFTER_PUBLISH = Step(KafkaChangeFeed, "publish", AFTER)
    AFTER_BATCH = Step(ShipmentPartition, "handle", AFTER)
    BEFORE_OFFSETS = Step(AIOKafkaConsumer, "commit", BEFORE)
    AFTER_OFFSETS = Step(AIOKafkaConsumer, "commit", AFTER)
    # dead-lettering a record
    BEFORE_DEAD_LETTER = Step(KafkaDeadLetters, "publish", BEFORE)
    AFTER_DEAD_LETTER = Step(KafkaDeadLetters, "publish", AFTER)
    AFTER_DEAD_LETTER_ENTRY = Step(MongoDeadLetterIndex, "record", AFTER)
    AFTER_DEAD_LETTER_RECORD = Step(MongoShipmentStore, "dead_letter", AFTER)
    # ending on SIGTERM
    BEFORE_DRAIN = Step(GroupMember, "release", BEFORE, _is_stopping)
    AFTER_DRAIN = Step(GroupMember, "_commit", BEFORE, _is_stopping)
    BEFORE_LEAVING = Step(GroupMember, "release", AFTER, _is_stopping)
